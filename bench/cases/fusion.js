// A filter, a product and a sum over columns of 1,000,000 rows: one fused loop, the same by hand, separate passes over
// typed arrays, and the methods of arrays. `npm run bench:structure` runs it.
import { col, literal, param } from '../../dist/computation/expression.js';
import { fuse } from '../../dist/computation/fusion.js';
import { count, sum } from '../../dist/computation/reductions.js';

const ROWS = 1_000_000;
const RATE = 0.19;

/** @type {import('../../dist/validation/bench.js').BenchCase} */
export default {
  name: 'turnover with tax of orders above a price, 1,000,000 rows',
  setup: () => {
    const price = Float64Array.from({ length: ROWS }, (_, i) => 100 + ((i * 7919) % 1000) / 8);
    const quantity = Uint32Array.from({ length: ROWS }, (_, i) => 1 + ((i * 104_729) % 50));
    const objects = Array.from({ length: ROWS }, (_, i) => ({ price: price[i], quantity: quantity[i] }));
    const fused = fuse()
      .filter(col('price').gt(param('least')))
      .map({
        value: col('price')
          .mul(col('quantity'))
          .mul(literal(1 + RATE)),
      })
      .reduce({ total: sum(col('value')), orders: count() });
    return { price, quantity, objects, fused, least: 150 };
  },
  variants: {
    'methods of an array of objects': ({ objects, least }) => {
      const values = objects
        .filter(({ price }) => price > least)
        .map(({ price, quantity }) => price * quantity * (1 + RATE));
      return { total: values.reduce((total, value) => total + value, 0), orders: values.length };
    },
    'separate passes over columns': ({ price, quantity, least }) => {
      const rows = new Uint32Array(price.length);
      let kept = 0;
      for (let i = 0; i < price.length; i += 1) if (price[i] > least) rows[kept++] = i;
      const values = new Float64Array(kept);
      for (let i = 0; i < kept; i += 1) values[i] = price[rows[i]] * quantity[rows[i]];
      for (let i = 0; i < kept; i += 1) values[i] *= 1 + RATE;
      let total = 0;
      for (let i = 0; i < kept; i += 1) total += values[i];
      return { total, orders: kept };
    },
    fused: ({ fused, price, quantity, least }) => fused.run({ price, quantity }, { least }),
    'one loop by hand': ({ price, quantity, least }) => {
      let [total, orders] = [0, 0];
      for (let i = 0; i < price.length; i += 1) {
        if (!(price[i] > least)) continue;
        total += price[i] * quantity[i] * (1 + RATE);
        orders += 1;
      }
      return { total, orders };
    },
  },
};
