// What wins by structure: a transpose in tiles, results kept by cost, single lookups made into batches.
import DataLoader from 'dataloader';
import fastMemoize from 'fast-memoize';
import { forEachBlock } from '../../dist/computation/blocks.js';
import { coalesce } from '../../dist/computation/coalesce.js';
import { memoise } from '../../dist/computation/memoise.js';

const LOOKUPS = 200;

/** At each side a plain transpose, and the same in tiles of the measured caches. */
const transpose = (side) => ({
  name: `transpose of ${side} × ${side} doubles`,
  setup: () => ({
    values: Float64Array.from({ length: side * side }, (_, i) => i),
    out: new Float64Array(side * side),
  }),
  variants: {
    'two loops': ({ values, out }) => {
      for (let r = 0; r < side; r += 1)
        for (let c = 0; c < side; c += 1) out[c * side + r] = values[r * side + c];
      return out[side];
    },
    forEachBlock: ({ values, out }) => {
      forEachBlock(side, side, (r0, r1, c0, c1) => {
        for (let r = r0; r < r1; r += 1)
          for (let c = c0; c < c1; c += 1) out[c * side + r] = values[r * side + c];
      });
      return out[side];
    },
  },
});

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [
  transpose(128),
  transpose(1_024),
  transpose(2_048),
  {
    name: '1,000 hits of 1,000 kept results',
    setup: () => {
      const square = (n) => n * n;
      const ours = memoise(square, { maxSize: 1_000 });
      const map = new Map();
      for (let n = 0; n < 1_000; n += 1) map.set(n, ours(n));
      return { ours, map };
    },
    variants: {
      'Map.get': ({ map }) => {
        let total = 0;
        for (let n = 0; n < 1_000; n += 1) total += map.get(n);
        return total;
      },
      memoise: ({ ours }) => {
        let total = 0;
        for (let n = 0; n < 1_000; n += 1) total += ours(n);
        return total;
      },
    },
  },
  {
    name: '1,000 lookups of kept results',
    setup: () => {
      const square = (n) => n * n;
      return { ours: memoise(square, { maxSize: 100 }), theirs: fastMemoize(square), map: new Map() };
    },
    variants: {
      'Map without bound': ({ map }) => {
        let total = 0;
        for (let i = 0; i < 1_000; i += 1) {
          const n = i % 64;
          let value = map.get(n);
          if (value === undefined) map.set(n, (value = n * n));
          total += value;
        }
        return total;
      },
      'fast-memoize (no bound)': ({ theirs }) => {
        let total = 0;
        for (let i = 0; i < 1_000; i += 1) total += theirs(i % 64);
        return total;
      },
      'memoise (bounded)': ({ ours }) => {
        let total = 0;
        for (let i = 0; i < 1_000; i += 1) total += ours(i % 64);
        return total;
      },
    },
  },
  {
    name: `${LOOKUPS} asynchronous lookups of one turn`,
    setup: () => ({
      batch: (keys) => keys.map((key) => key + 1),
    }),
    baseline: 'dataloader',
    variants: {
      dataloader: async ({ batch }) => {
        const loader = new DataLoader(async (keys) => batch(keys));
        const all = await Promise.all(Array.from({ length: LOOKUPS }, (_, i) => loader.load(i % 50)));
        return all.length;
      },
      coalesce: async ({ batch }) => {
        const load = coalesce(batch);
        const all = await Promise.all(Array.from({ length: LOOKUPS }, (_, i) => load(i % 50)));
        return all.length;
      },
    },
  },
];
