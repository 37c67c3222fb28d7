// What wins by structure: a transpose in tiles, results kept by cost, single lookups made into batches.
import DataLoader from 'dataloader';
import fastMemoize from 'fast-memoize';
import { forEachBlock } from '../../dist/computation/blocks.js';
import { coalesce } from '../../dist/computation/coalesce.js';
import { memoise } from '../../dist/computation/memoise.js';

const SIDE = 1_024;
const LOOKUPS = 200;

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [
  {
    name: `transpose of ${SIDE} × ${SIDE} doubles`,
    setup: () => ({
      values: Float64Array.from({ length: SIDE * SIDE }, (_, i) => i),
      out: new Float64Array(SIDE * SIDE),
    }),
    variants: {
      'two loops': ({ values, out }) => {
        for (let r = 0; r < SIDE; r += 1)
          for (let c = 0; c < SIDE; c += 1) out[c * SIDE + r] = values[r * SIDE + c];
        return out[SIDE];
      },
      forEachBlock: ({ values, out }) => {
        forEachBlock(SIDE, SIDE, (r0, r1, c0, c1) => {
          for (let r = r0; r < r1; r += 1)
            for (let c = c0; c < c1; c += 1) out[c * SIDE + r] = values[r * SIDE + c];
        });
        return out[SIDE];
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
      single: async (key) => key + 1,
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
