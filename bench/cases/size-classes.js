// Taking and giving back buffers of mixed sizes, as a server does for messages: most are small, some are large. Each call
// takes 64 of sizes that repeat after 4096 and gives them back. The pools pay for finding the class, and SizeClassPool for
// counting the sizes too; the last case tells what that costs over a pool that was made for one size.
import { MemPool } from '@thi.ng/malloc';
import typedArrayPool from 'typedarray-pool';
import { SizeClassPool } from '../../dist/memory/size-class-pool.js';
import { SlabPool } from '../../dist/memory/slab-pool.js';

const IN_FLIGHT = 64;
const MAX_BYTES = 16_384;

/** Log-uniform from 32 B to 16 KiB, so that every doubling is asked for as often. */
function mixedSizes() {
  const sizes = new Int32Array(4096);
  let state = 0x9e3779b9;
  for (let k = 0; k < sizes.length; k += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    sizes[k] = Math.round(32 * 512 ** ((state >>> 0) / 2 ** 32));
  }
  return sizes;
}

const allocate = (state) => {
  const { sizes, held } = state;
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const buffer = Buffer.allocUnsafe(sizes[(state.at + i) & 4095]);
    buffer[0] = i;
    held[i] = buffer;
  }
  state.at += IN_FLIGHT;
  return held[IN_FLIGHT - 1][0];
};

const sizeClasses = (state) => {
  const { sizes, handles, pool } = state;
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const handle = pool.acquire(sizes[(state.at + i) & 4095]);
    pool.buffer(handle)[0] = i;
    handles[i] = handle;
  }
  state.at += IN_FLIGHT;
  const last = pool.buffer(handles[IN_FLIGHT - 1])[0];
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.release(handles[i]);
  return last;
};

const thing = (state) => {
  const { sizes, held, memPool } = state;
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const bytes = memPool.mallocAs('u8', sizes[(state.at + i) & 4095]);
    bytes[0] = i;
    held[i] = bytes;
  }
  state.at += IN_FLIGHT;
  const last = held[IN_FLIGHT - 1][0];
  for (let i = 0; i < IN_FLIGHT; i += 1) memPool.free(held[i]);
  return last;
};

const typed = (state) => {
  const { sizes, held } = state;
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const bytes = typedArrayPool.mallocUint8(sizes[(state.at + i) & 4095]);
    bytes[0] = i;
    held[i] = bytes;
  }
  state.at += IN_FLIGHT;
  const last = held[IN_FLIGHT - 1][0];
  for (let i = 0; i < IN_FLIGHT; i += 1) typedArrayPool.freeUint8(held[i]);
  return last;
};

const mixed = {
  name: '64 buffers of 32 B to 16 KiB, taken, written and given back',
  setup: () => ({
    at: 0,
    sizes: mixedSizes(),
    pool: new SizeClassPool({ maxBytes: MAX_BYTES }),
    memPool: new MemPool({ size: 8 * IN_FLIGHT * MAX_BYTES }),
    handles: new Int32Array(IN_FLIGHT),
    held: new Array(IN_FLIGHT).fill(null),
  }),
  variants: {
    'Buffer.allocUnsafe': allocate,
    SizeClassPool: sizeClasses,
    '@thi.ng/malloc': thing,
    'typedarray-pool': typed,
  },
};

const oneSize = {
  name: '64 buffers of 1 KiB, by a pool for any size and by one for this size',
  setup: () => ({
    any: new SizeClassPool({ maxBytes: MAX_BYTES }),
    own: new SlabPool({ slotBytes: 1024, slots: 2 * IN_FLIGHT }),
    handles: new Int32Array(IN_FLIGHT),
  }),
  variants: {
    SlabPool: ({ own, handles }) => {
      for (let i = 0; i < IN_FLIGHT; i += 1) handles[i] = own.acquire();
      for (let i = 0; i < IN_FLIGHT; i += 1) own.release(handles[i]);
      return IN_FLIGHT;
    },
    SizeClassPool: ({ any, handles }) => {
      for (let i = 0; i < IN_FLIGHT; i += 1) handles[i] = any.acquire(1024);
      for (let i = 0; i < IN_FLIGHT; i += 1) any.release(handles[i]);
      return IN_FLIGHT;
    },
  },
};

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [mixed, oneSize];
