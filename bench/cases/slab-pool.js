// Taking and giving back buffers of one size, as a server does for frames and messages. Each call takes 64 and gives
// them back, so that the cost of a call from the harness does not count. The first cases take and release only; the
// next ones also fetch the bytes and write one, which is what a user does; the last ones compare the pool with the
// plain array of recycled Buffers that people write by hand, directly and not by way of a third.
import { MemPool } from '@thi.ng/malloc';
import typedArrayPool from 'typedarray-pool';
import { SlabPool } from '../../dist/memory/slab-pool.js';

const IN_FLIGHT = 64;
const SIZES = [64, 4096];

class RecycledBuffers {
  constructor(sizeBytes, count) {
    this.sizeBytes = sizeBytes;
    this.free = Array.from({ length: count }, () => Buffer.allocUnsafeSlow(sizeBytes));
  }

  acquire() {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.sizeBytes);
  }

  release(buffer) {
    this.free.push(buffer);
  }
}

// A loop of its own for each pool: one that all shared would meet many classes, and measure that.
const allocate = (sizeBytes, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) held[i] = Buffer.allocUnsafe(sizeBytes);
  return IN_FLIGHT;
};

const slabs = (pool, handles) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) handles[i] = pool.acquire();
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.release(handles[i]);
  return IN_FLIGHT;
};

const recycle = (pool, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) held[i] = pool.acquire();
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.release(held[i]);
  return IN_FLIGHT;
};

const thing = (pool, sizeBytes, handles) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) handles[i] = pool.malloc(sizeBytes);
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.free(handles[i]);
  return IN_FLIGHT;
};

const typed = (sizeBytes, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) held[i] = typedArrayPool.mallocUint8(sizeBytes);
  for (let i = 0; i < IN_FLIGHT; i += 1) typedArrayPool.freeUint8(held[i]);
  return IN_FLIGHT;
};

const allocateAndWrite = (sizeBytes, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const buffer = Buffer.allocUnsafe(sizeBytes);
    buffer[0] = i;
    held[i] = buffer;
  }
  return held[IN_FLIGHT - 1][0];
};

const slabsAndWrite = (pool, handles) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const handle = pool.acquire();
    pool.buffer(handle)[0] = i;
    handles[i] = handle;
  }
  const last = pool.buffer(handles[IN_FLIGHT - 1])[0];
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.release(handles[i]);
  return last;
};

const recycleAndWrite = (pool, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const buffer = pool.acquire();
    buffer[0] = i;
    held[i] = buffer;
  }
  const last = held[IN_FLIGHT - 1][0];
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.release(held[i]);
  return last;
};

const thingAndWrite = (pool, sizeBytes, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const bytes = pool.mallocAs('u8', sizeBytes);
    bytes[0] = i;
    held[i] = bytes;
  }
  const last = held[IN_FLIGHT - 1][0];
  for (let i = 0; i < IN_FLIGHT; i += 1) pool.free(held[i]);
  return last;
};

const typedAndWrite = (sizeBytes, held) => {
  for (let i = 0; i < IN_FLIGHT; i += 1) {
    const bytes = typedArrayPool.mallocUint8(sizeBytes);
    bytes[0] = i;
    held[i] = bytes;
  }
  const last = held[IN_FLIGHT - 1][0];
  for (let i = 0; i < IN_FLIGHT; i += 1) typedArrayPool.freeUint8(held[i]);
  return last;
};

const setupFor = (sizeBytes) => () => ({
  pool: new SlabPool({ slotBytes: sizeBytes, slots: 2 * IN_FLIGHT }),
  unchecked: new SlabPool({ slotBytes: sizeBytes, slots: 2 * IN_FLIGHT, checks: 'none' }),
  recycled: new RecycledBuffers(sizeBytes, 2 * IN_FLIGHT),
  memPool: new MemPool({ size: 4 * IN_FLIGHT * (sizeBytes + 64) }),
  handles: new Int32Array(IN_FLIGHT),
  held: new Array(IN_FLIGHT).fill(null),
});

const takenAndReleased = (sizeBytes) => ({
  name: `64 buffers of ${sizeBytes} B, taken and given back`,
  setup: setupFor(sizeBytes),
  variants: {
    'Buffer.allocUnsafe': ({ held }) => allocate(sizeBytes, held),
    SlabPool: ({ pool, handles }) => slabs(pool, handles),
    'SlabPool, unchecked': ({ unchecked, handles }) => slabs(unchecked, handles),
    'array of recycled Buffers': ({ recycled, held }) => recycle(recycled, held),
    '@thi.ng/malloc': ({ memPool, handles }) => thing(memPool, sizeBytes, handles),
    'typedarray-pool': ({ held }) => typed(sizeBytes, held),
  },
});

const written = (sizeBytes) => ({
  name: `64 buffers of ${sizeBytes} B, taken, written and given back`,
  setup: setupFor(sizeBytes),
  variants: {
    'Buffer.allocUnsafe': ({ held }) => allocateAndWrite(sizeBytes, held),
    SlabPool: ({ pool, handles }) => slabsAndWrite(pool, handles),
    'SlabPool, unchecked': ({ unchecked, handles }) => slabsAndWrite(unchecked, handles),
    'array of recycled Buffers': ({ recycled, held }) => recycleAndWrite(recycled, held),
    '@thi.ng/malloc': ({ memPool, held }) => thingAndWrite(memPool, sizeBytes, held),
    'typedarray-pool': ({ held }) => typedAndWrite(sizeBytes, held),
  },
});

const againstRecycling = {
  name: '64 buffers of 4096 B, against recycling by hand',
  setup: setupFor(4096),
  variants: {
    'array of recycled Buffers': ({ recycled, held }) => recycle(recycled, held),
    SlabPool: ({ pool, handles }) => slabs(pool, handles),
  },
};

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [...SIZES.map(takenAndReleased), ...SIZES.map(written), againstRecycling];
