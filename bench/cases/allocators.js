// Temporaries of one request, blocks of mixed sizes, and objects that are expensive to make: an arena, buddy blocks and
// an object pool against what people use instead. A call does a whole round, so that the harness does not count.
import { MemPool } from '@thi.ng/malloc';
import { Arena } from '../../dist/memory/arena.js';
import { BuddyAllocator } from '../../dist/memory/buddy-allocator.js';
import { ObjectPool } from '../../dist/memory/object-pool.js';

const TEMPORARIES = 64;
const DOUBLES = 32;

/** @type {import('../../dist/validation/bench.js').BenchCase} */
const temporaries = {
  name: `${TEMPORARIES} temporaries of ${DOUBLES} doubles`,
  setup: () => ({
    arena: new Arena({ bytes: TEMPORARIES * DOUBLES * 8 + 4096 }),
    memPool: new MemPool({ size: TEMPORARIES * (DOUBLES * 8 + 64) + 4096 }),
  }),
  variants: {
    'new Float64Array': () => {
      let sum = 0;
      for (let i = 0; i < TEMPORARIES; i += 1) {
        const values = new Float64Array(DOUBLES);
        for (let k = 0; k < DOUBLES; k += 1) values[k] = i + k;
        sum += values[DOUBLES - 1];
      }
      return sum;
    },
    'Arena scope': ({ arena }) => {
      const { f64 } = arena;
      const scope = arena.scope();
      let sum = 0;
      for (let i = 0; i < TEMPORARIES; i += 1) {
        const at = arena.allocate(8 * DOUBLES) >> 3;
        for (let k = 0; k < DOUBLES; k += 1) f64[at + k] = i + k;
        sum += f64[at + DOUBLES - 1];
      }
      scope.close();
      return sum;
    },
    '@thi.ng/malloc': ({ memPool }) => {
      let sum = 0;
      for (let i = 0; i < TEMPORARIES; i += 1) {
        const values = memPool.mallocAs('f64', DOUBLES);
        for (let k = 0; k < DOUBLES; k += 1) values[k] = i + k;
        sum += values[DOUBLES - 1];
      }
      memPool.freeAll();
      return sum;
    },
  },
};

const LIVE = 256;
const ROUND = 64;
// Sizes from 16 bytes to 8 KiB, small ones more often, in an order of no pattern.
const SIZES = Int32Array.from(
  { length: 1024 },
  (_, k) => 16 + (((k * 2654435761) >>> 0) % (1 << (4 + (k % 10)))),
);

const mixed = {
  name: `${ROUND} replacements among ${LIVE} blocks of 16 B to 8 KiB`,
  setup: () => {
    const blocks = new BuddyAllocator({ bytes: 1 << 22, minBlockBytes: 64 });
    const memPool = new MemPool({ size: 1 << 22 });
    return {
      at: 0,
      blocks,
      offsets: Int32Array.from({ length: LIVE }, (_, k) => blocks.allocate(SIZES[k])),
      memPool,
      pointers: Int32Array.from({ length: LIVE }, (_, k) => memPool.malloc(SIZES[k])),
      buffers: Array.from({ length: LIVE }, (_, k) => Buffer.allocUnsafe(SIZES[k])),
    };
  },
  variants: {
    'Buffer.allocUnsafe': (state) => {
      for (let i = 0; i < ROUND; i += 1) {
        state.at = (state.at + 1) & 1023;
        state.buffers[(state.at * 37) & (LIVE - 1)] = Buffer.allocUnsafe(SIZES[state.at]);
      }
      return ROUND;
    },
    BuddyAllocator: (state) => {
      const { blocks, offsets } = state;
      for (let i = 0; i < ROUND; i += 1) {
        state.at = (state.at + 1) & 1023;
        const k = (state.at * 37) & (LIVE - 1);
        blocks.free(offsets[k]);
        offsets[k] = blocks.allocate(SIZES[state.at]);
      }
      return ROUND;
    },
    '@thi.ng/malloc': (state) => {
      const { memPool, pointers } = state;
      for (let i = 0; i < ROUND; i += 1) {
        state.at = (state.at + 1) & 1023;
        const k = (state.at * 37) & (LIVE - 1);
        memPool.free(pointers[k]);
        pointers[k] = memPool.malloc(SIZES[state.at]);
      }
      return ROUND;
    },
  },
};

const make = () => ({ stack: new Array(256).fill(0), values: new Float64Array(512), depth: 0 });

const objects = {
  name: '16 parsers with 6 KiB of state each',
  setup: () => ({
    pool: new ObjectPool({ create: make, reset: (parser) => (parser.depth = 0) }),
    free: [],
    held: new Array(16).fill(null),
  }),
  variants: {
    new: ({ held }) => {
      for (let i = 0; i < held.length; i += 1) {
        held[i] = make();
        held[i].depth += 1;
      }
      return held[15].depth;
    },
    ObjectPool: ({ pool, held }) => {
      for (let i = 0; i < held.length; i += 1) {
        held[i] = pool.acquire();
        held[i].depth += 1;
      }
      const { depth } = held[15];
      for (let i = 0; i < held.length; i += 1) pool.release(held[i]);
      return depth;
    },
    'array of recycled objects': ({ free, held }) => {
      for (let i = 0; i < held.length; i += 1) {
        held[i] = free.pop() ?? make();
        held[i].depth += 1;
      }
      const { depth } = held[15];
      for (let i = 0; i < held.length; i += 1) {
        held[i].depth = 0;
        free.push(held[i]);
      }
      return depth;
    },
  },
};

export default [temporaries, mixed, objects];
