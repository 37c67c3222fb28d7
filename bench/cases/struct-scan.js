// Summing one field over many records: plain objects, a struct array through its cursor, and its columns.
import { enumOf, f64, u32, utf8 } from '../../dist/memory/struct/field-types.js';
import { struct } from '../../dist/memory/struct/struct-type.js';

const RECORDS = 100_000;

const Order = struct(
  'Order',
  { id: u32, price: f64, quantity: u32, side: enumOf('buy', 'sell'), symbol: utf8(8) },
  { hot: ['price', 'quantity'] },
);

const order = (i) => ({
  id: i,
  price: 100 + (i % 1000) / 8,
  quantity: 1 + (i % 50),
  side: i % 2 === 0 ? 'buy' : 'sell',
  symbol: `S${i % 400}`,
});

/** @type {import('../../dist/validation/bench.js').BenchCase} */
export default {
  name: 'turnover of 100,000 orders',
  setup: () => {
    const objects = Array.from({ length: RECORDS }, (_, i) => order(i));
    const records = Order.array(RECORDS, { order: 'aos' });
    const split = Order.array(RECORDS, { order: 'soa' });
    for (let i = 0; i < RECORDS; i += 1) {
      records.set(i, objects[i]);
      split.set(i, objects[i]);
    }
    return { objects, records, cursor: records.cursor(), columns: split.columns };
  },
  variants: {
    objects: ({ objects }) => {
      let sum = 0;
      for (let i = 0; i < objects.length; i += 1) sum += objects[i].price * objects[i].quantity;
      return sum;
    },
    'struct, cursor': ({ records, cursor }) => {
      let sum = 0;
      for (let i = 0; i < records.length; i += 1) {
        cursor.index = i;
        sum += cursor.price * cursor.quantity;
      }
      return sum;
    },
    'struct, columns': ({ columns: { price, quantity } }) => {
      let sum = 0;
      for (let i = 0; i < price.length; i += 1) sum += price[i] * quantity[i];
      return sum;
    },
  },
};
