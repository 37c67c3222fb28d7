// Taking and giving back buffers, as a server does for frames and messages. Each call takes 32, writes to them
// and gives them back, so that the cost of a call from the harness does not count.
import { SlabPool } from '../../dist/memory/slab-pool.js';

const IN_FLIGHT = 32;

/** @returns {import('../../dist/validation/bench.js').BenchCase} */
function buffersOf(sizeBytes) {
  return {
    name: `32 buffers of ${sizeBytes} B, taken and given back`,
    setup: () => ({
      pool: new SlabPool({ slotBytes: sizeBytes, slots: 64 }),
      unchecked: new SlabPool({ slotBytes: sizeBytes, slots: 64, checks: 'none' }),
      handles: new Int32Array(IN_FLIGHT),
      held: new Array(IN_FLIGHT),
    }),
    variants: {
      'Buffer.allocUnsafe': ({ held }) => {
        for (let i = 0; i < IN_FLIGHT; i += 1) {
          const buffer = Buffer.allocUnsafe(sizeBytes);
          buffer[0] = i;
          held[i] = buffer;
        }
        return held[IN_FLIGHT - 1][0];
      },
      'Buffer.alloc': ({ held }) => {
        for (let i = 0; i < IN_FLIGHT; i += 1) {
          const buffer = Buffer.alloc(sizeBytes);
          buffer[0] = i;
          held[i] = buffer;
        }
        return held[IN_FLIGHT - 1][0];
      },
      SlabPool: ({ pool, handles }) => takeAndGive(pool, handles),
      'SlabPool, unchecked': ({ unchecked, handles }) => takeAndGive(unchecked, handles),
    },
  };
}

function takeAndGive(pool, handles) {
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const handle = pool.acquire();
    pool.buffer(handle)[0] = i;
    handles[i] = handle;
  }
  const last = pool.buffer(handles[IN_FLIGHT - 1])[0];
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.release(handles[i]);
  return last;
}

export default [buffersOf(64), buffersOf(4096)];
