/**
 * What monitoring measures: pairs of a pinned baseline and a candidate, each a factory that fresh processes load.
 *
 * Only the ratio of a pair is followed over time. Both sides run in turns on the same machine in the same second,
 * so that a slower runner slows both; absolute times on shared runners cannot show a 10 % step. Baselines are plain
 * JavaScript without this library and must not be edited: a changed baseline is a new watch, under a new name.
 */
import { generateOrders } from '../examples/orders-service/order-book.js';
import { denseTotals, sortAll } from '../examples/orders-service/top-customers.js';
import { f64, SlabPool, struct, u32 } from 'system-optimizer';

const RECORDS = 20_000;
const SLOT_BYTES = 256;
const IN_FLIGHT = 64;

/** @type {readonly { name: string, about: string, baseline: string, candidate: string }[]} */
export const WATCHES = [
  {
    name: 'struct-scan',
    about: 'scan of 20,000 records: struct array against plain objects',
    baseline: 'scanObjects',
    candidate: 'scanStructs',
  },
  {
    name: 'slab-pool',
    about: '64 buffers of 256 B taken and given back: slab pool against Buffer.allocUnsafe',
    baseline: 'takeBuffers',
    candidate: 'takeSlots',
  },
  {
    // Neither side uses this library. If it moves with the others, Node or the machines changed.
    name: 'control',
    about: 'control, both sides plain JavaScript: top customers by array against by map',
    baseline: 'totalsInMap',
    candidate: 'totalsInArray',
  },
];

export function scanObjects() {
  const records = [...generateOrders(RECORDS, 1)].map(({ id, quantity, priceCents, discount }) => ({
    id,
    quantity,
    priceCents,
    discount,
  }));
  return () => {
    let sum = 0;
    for (let i = 0; i < records.length; i += 1) {
      const record = records[i];
      sum += record.quantity * record.priceCents * (1 - record.discount);
    }
    return sum;
  };
}

export function scanStructs() {
  const Record = struct('Record', { id: u32, quantity: u32, priceCents: u32, discount: f64 });
  const records = Record.array(RECORDS);
  records.fromObjects([...generateOrders(RECORDS, 1)]);
  const record = records.cursor();
  return () => {
    let sum = 0;
    for (let i = 0; i < records.length; i += 1) {
      record.index = i;
      sum += record.quantity * record.priceCents * (1 - record.discount);
    }
    return sum;
  };
}

export function takeBuffers() {
  const held = new Array(IN_FLIGHT);
  return () => {
    for (let i = 0; i < IN_FLIGHT; i += 1) {
      held[i] = Buffer.allocUnsafe(SLOT_BYTES);
      held[i][0] = i;
    }
    let sum = 0;
    for (let i = 0; i < IN_FLIGHT; i += 1) sum += held[i][0];
    return sum;
  };
}

export function takeSlots() {
  const pool = new SlabPool({ name: 'watched', slotBytes: SLOT_BYTES, slots: IN_FLIGHT });
  const held = new Array(IN_FLIGHT);
  return () => {
    for (let i = 0; i < IN_FLIGHT; i += 1) {
      held[i] = pool.acquire();
      pool.buffer(held[i])[0] = i;
    }
    let sum = 0;
    for (let i = 0; i < IN_FLIGHT; i += 1) {
      sum += pool.buffer(held[i])[0];
      pool.release(held[i]);
    }
    return sum;
  };
}

function spending() {
  const rows = [...generateOrders(RECORDS, 1)];
  return {
    customers: Uint32Array.from(rows, ({ customer }) => customer),
    cents: Float64Array.from(rows, ({ quantity, priceCents }) => quantity * priceCents),
    limit: 10,
  };
}

export function totalsInMap() {
  const input = spending();
  return () => sortAll(input);
}

export function totalsInArray() {
  const input = spending();
  return () => denseTotals(input);
}
