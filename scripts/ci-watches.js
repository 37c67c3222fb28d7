/**
 * What monitoring follows: benchmark cases with a pinned baseline and one candidate each. Run them alone with
 * `sysopt bench scripts/ci-watches.js`.
 *
 * Only the ratio of a pair is followed over time. Both sides run in turns on the same machine in the same second,
 * so a slower runner slows both; absolute times on shared runners cannot show a 10 % step. The baselines are plain
 * JavaScript without this library and must not be edited: with another baseline it is another case, with another
 * name.
 */
import { generateOrders } from '../examples/orders-service/order-book.js';
import { denseTotals, sortAll } from '../examples/orders-service/top-customers.js';
import { f64, SlabPool, struct, u32 } from 'system-optimizer';

const RECORDS = 100_000;
const ORDERS = 20_000;
const SEED = 1;
const SLOT_BYTES = 256;
const IN_FLIGHT = 64;

const structScan = {
  name: 'scan of 100,000 records',
  setup: () => {
    const Record = struct('Record', { id: u32, quantity: u32, priceCents: u32, discount: f64 });
    const objects = Array.from(generateOrders(RECORDS, SEED), ({ id, quantity, priceCents, discount }) => ({
      id,
      quantity,
      priceCents,
      discount,
    }));
    const records = Record.array(RECORDS);
    records.fromObjects(objects);
    return { objects, records, cursor: records.cursor() };
  },
  variants: {
    'plain objects': ({ objects }) => {
      let sum = 0;
      for (let i = 0; i < objects.length; i += 1) {
        const record = objects[i];
        sum += record.quantity * record.priceCents * (1 - record.discount);
      }
      return sum;
    },
    'struct cursor': ({ records, cursor }) => {
      let sum = 0;
      for (let i = 0; i < records.length; i += 1) {
        cursor.index = i;
        sum += cursor.quantity * cursor.priceCents * (1 - cursor.discount);
      }
      return sum;
    },
  },
};

const slabPool = {
  name: '64 buffers of 256 B',
  setup: () => ({
    pool: new SlabPool({ name: 'watched', slotBytes: SLOT_BYTES, slots: IN_FLIGHT }),
    handles: new Int32Array(IN_FLIGHT),
    held: new Array(IN_FLIGHT),
  }),
  variants: {
    'Buffer.allocUnsafe': ({ held }) => {
      for (let i = 0; i < IN_FLIGHT; i += 1) {
        held[i] = Buffer.allocUnsafe(SLOT_BYTES);
        held[i][0] = i;
      }
      let sum = 0;
      for (let i = 0; i < IN_FLIGHT; i += 1) sum += held[i][0];
      return sum;
    },
    SlabPool: ({ pool, handles }) => {
      for (let i = 0; i < IN_FLIGHT; i += 1) {
        handles[i] = pool.acquire();
        pool.buffer(handles[i])[0] = i;
      }
      let sum = 0;
      for (let i = 0; i < IN_FLIGHT; i += 1) {
        sum += pool.buffer(handles[i])[0];
        pool.release(handles[i]);
      }
      return sum;
    },
  },
};

/** Neither side uses this library: if it moves with the others, Node or the machines changed. */
const control = {
  name: 'control: top customers of 20,000 orders',
  setup: () => {
    const rows = [...generateOrders(ORDERS, SEED)];
    return {
      customers: Uint32Array.from(rows, ({ customer }) => customer),
      cents: Float64Array.from(rows, ({ quantity, priceCents }) => quantity * priceCents),
      limit: 10,
    };
  },
  variants: { 'totals in a map': sortAll, 'totals in an array': denseTotals },
};

export default [structScan, slabPool, control];
