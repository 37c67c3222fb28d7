// Bulk kernels over columns of 2,000 records, in cache, against the best loops that JavaScript has: simple, with four
// and with eight accumulators. Values are whole numbers, so that every order of additions gives the same sum.
import { f32, f64, i32, u32, u64 } from '../../dist/memory/struct/field-types.js';
import { flagsOf } from '../../dist/memory/struct/flags.js';
import { struct } from '../../dist/memory/struct/struct-type.js';

const RECORDS = 2_000;
const Row = struct('Row', {
  x: f64,
  y: f64,
  n: i32,
  id: u32,
  w: f32,
  total: u64,
  state: flagsOf('paid', 'sent'),
});

function setup() {
  const columns = Row.array(RECORDS, { order: 'soa' });
  for (let k = 0; k < RECORDS; k += 1) {
    columns.set(k, {
      x: (k * 7919) % 1000,
      y: k % 97,
      n: k - 900,
      id: k,
      w: k % 31,
      total: BigInt(k) << 20n,
      // A third of them, without a pattern that a branch predictor learns.
      state: { paid: (Math.imul(k + 1, 0x9e37_79b1) >>> 16) % 3 === 0 },
    });
  }
  const rows = Row.array(RECORDS, { order: 'aos' });
  columns.transposeTo(rows);
  const blocks = Row.array(RECORDS, { order: 'aosoa' });
  columns.transposeTo(blocks);
  const target = Row.array(RECORDS, { order: 'soa' });
  const indices = Uint32Array.from({ length: RECORDS }, (_, k) => (k * 7919) % RECORDS);
  const { x, y, n, id, w, total, state } = columns.columns;
  const sumOf = (all) => all.compileReduce((sum, p) => sum + p.x, 0);
  const minimumOf = (all) => all.compileReduce((least, p) => (p.n < least ? p.n : least), 2_147_483_647);
  return {
    sums: { rows: sumOf(rows), blocks: sumOf(blocks) },
    minima: { rows: minimumOf(rows), blocks: minimumOf(blocks) },
    columns,
    rows,
    blocks,
    target,
    indices,
    x,
    y,
    n,
    id,
    w,
    total,
    bits: state.bits,
    out: new Uint32Array(RECORDS),
    values: new Float64Array(RECORDS),
    cursor: rows.cursor(),
  };
}

const sum4 = (v) => {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i + 3 < v.length; i += 4) {
    a += v[i];
    b += v[i + 1];
    c += v[i + 2];
    d += v[i + 3];
  }
  return a + b + c + d;
};
const sum8 = (v) => {
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i + 7 < v.length; i += 8) {
    a += v[i];
    b += v[i + 1];
    c += v[i + 2];
    d += v[i + 3];
    e += v[i + 4];
    f += v[i + 5];
    g += v[i + 6];
    h += v[i + 7];
  }
  return a + b + c + d + e + f + g + h;
};

/** @type {import('../../dist/validation/bench.js').BenchCase[]} */
export default [
  {
    name: 'sum of 2,000 f64',
    setup,
    variants: {
      'four accumulators': ({ x }) => sum4(x),
      'eight accumulators': ({ x }) => sum8(x),
      'array.sum': ({ columns }) => columns.sum('x'),
    },
  },
  {
    name: 'minimum of 2,000 i32',
    setup,
    variants: {
      loop: ({ n }) => {
        let least = n[0];
        for (let i = 1; i < n.length; i += 1) if (n[i] < least) least = n[i];
        return least;
      },
      'array.min': ({ columns }) => columns.min('n'),
    },
  },
  {
    name: 'dot product of 2,000 f64',
    setup,
    variants: {
      'four accumulators': ({ x, y }) => {
        let [a, b, c, d] = [0, 0, 0, 0];
        for (let i = 0; i + 3 < x.length; i += 4) {
          a += x[i] * y[i];
          b += x[i + 1] * y[i + 1];
          c += x[i + 2] * y[i + 2];
          d += x[i + 3] * y[i + 3];
        }
        return a + b + c + d;
      },
      'array.dot': ({ columns }) => columns.dot('x', 'y'),
    },
  },
  {
    name: 'dot product of 2,000 f64 and f32',
    setup,
    variants: {
      'four accumulators': ({ x, w }) => {
        let [a, b, c, d] = [0, 0, 0, 0];
        for (let i = 0; i + 3 < x.length; i += 4) {
          a += x[i] * w[i];
          b += x[i + 1] * w[i + 1];
          c += x[i + 2] * w[i + 2];
          d += x[i + 3] * w[i + 3];
        }
        return a + b + c + d;
      },
      'array.dot': ({ columns }) => columns.dot('x', 'w'),
    },
  },
  {
    name: 'sum of 2,000 u64',
    setup,
    variants: {
      loop: ({ total }) => {
        let sum = 0n;
        for (let i = 0; i < total.length; i += 1) sum += total[i];
        return sum;
      },
      'array.sum': ({ columns }) => columns.sum('total'),
    },
  },
  ...['rows', 'blocks'].flatMap((name) => [
    {
      name: `sum of 2,000 f64 in ${name === 'rows' ? 'aos' : 'aosoa'}`,
      setup,
      variants: {
        cursor: (records) => {
          const all = records[name];
          const p = all.cursor();
          let sum = 0;
          for (let i = 0; i < all.length; i += 1) {
            p.index = i;
            sum += p.x;
          }
          return sum;
        },
        'compiled loop': ({ sums }) => sums[name](),
        'array.sum': (records) => records[name].sum('x'),
      },
    },
    {
      name: `minimum of 2,000 i32 in ${name === 'rows' ? 'aos' : 'aosoa'}`,
      setup,
      variants: {
        cursor: (records) => {
          const all = records[name];
          const p = all.cursor();
          let least = p.n;
          for (let i = 1; i < all.length; i += 1) {
            p.index = i;
            if (p.n < least) least = p.n;
          }
          return least;
        },
        'compiled loop': ({ minima }) => minima[name](),
        'array.min': (records) => records[name].min('n'),
      },
    },
  ]),
  {
    name: 'indices of half of 2,000 f64',
    setup,
    variants: {
      branching: ({ x, out }) => {
        let k = 0;
        for (let i = 0; i < x.length; i += 1) if (x[i] > 500) out[k++] = i;
        return k;
      },
      branchless: ({ x, out }) => {
        let k = 0;
        for (let i = 0; i < x.length; i += 1) {
          out[k] = i;
          k += x[i] > 500 ? 1 : 0;
        }
        return k;
      },
      'array.filterIndex, soa': ({ columns, out }) => columns.filterIndex('x', '>', 500, out),
      'array.filterIndex, aos': ({ rows, out }) => rows.filterIndex('x', '>', 500, out),
    },
  },
  {
    name: 'indices of 2,000 records with a flag',
    setup,
    variants: {
      branching: ({ bits, out }) => {
        let k = 0;
        for (let i = 0; i < bits.length; i += 1) if ((bits[i] & 1) !== 0) out[k++] = i;
        return k;
      },
      branchless: ({ bits, out }) => {
        let k = 0;
        for (let i = 0; i < bits.length; i += 1) {
          out[k] = i;
          k += bits[i] & 1;
        }
        return k;
      },
      'array.filterIndex': ({ columns, out }) => columns.filterIndex('state.paid', '==', true, out),
    },
  },
  {
    name: 'gather 2,000 f64',
    setup,
    variants: {
      loop: ({ x, indices, values }) => {
        for (let k = 0; k < indices.length; k += 1) values[k] = x[indices[k]];
        return values[7];
      },
      'array.gather': ({ columns, indices, values }) => columns.gather('x', indices, values)[7],
    },
  },
  {
    name: 'rows to columns, 2,000 records',
    setup,
    variants: {
      cursor: ({ cursor, target }) => {
        const { x, y, n, id } = target.columns;
        for (let k = 0; k < RECORDS; k += 1) {
          cursor.index = k;
          x[k] = cursor.x;
          y[k] = cursor.y;
          n[k] = cursor.n;
          id[k] = cursor.id;
        }
        return x[9];
      },
      'array.transposeTo': ({ rows, target }) => rows.transposeTo(target).columns.x[9],
    },
  },
];
