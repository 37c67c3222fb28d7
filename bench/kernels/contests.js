// Every kernel against the plain loop, or what Node and the packages in use have.
import * as simple from 'simple-statistics';
import * as kernels from '../../dist/computation/kernels/kernels.js';
import { CRC_TABLE, fresh, LOOPS, random } from './loops.js';
import { pair, show, table } from './pairs.js';

const SIZES = [100, 1e4, 1e5, 1e6];

/** name → [plain, kernel] for arrays of n. */
export function contests(n) {
  const v = Float64Array.from({ length: n }, () => random() * 1000);
  const w = Float64Array.from({ length: n }, random);
  const out = new Float64Array(n);
  const loop = Object.fromEntries(Object.entries(LOOPS).map(([name, source]) => [name, fresh(source)]));
  const [x, y] = [v.slice(), w.slice()];
  const slots = new Uint32Array(64);
  const keys = Uint32Array.from({ length: n }, () => Math.floor(random() * 100));
  const [sums, counts] = [new Float64Array(100), new Float64Array(100)];
  const indices = new Uint32Array(n);
  const places = Uint32Array.from({ length: n }, () => Math.floor(random() * n));
  const [a, b, c] = [0, 1, 2].map(() => Uint32Array.from({ length: n }, () => random() * 2 ** 32));
  const text = new Uint8Array(a.buffer, 0, n);
  const runs = v.slice();
  for (let k = 0; k < 3; k += 1) runs.subarray((k * n) / 3, ((k + 1) * n) / 3).sort();
  const digits = Buffer.from(text).toString('hex');
  const bytes = Buffer.from(text.buffer, text.byteOffset, n);
  const bins = { bins: 64, low: 0, high: 1000 };
  const sorting = (Type, make) => {
    const from = Type.from({ length: n }, make);
    const values = new Type(n);
    return [() => (values.set(from), values.sort()), () => (values.set(from), kernels.sort(values))];
  };
  return {
    'sum, simple loop': [() => loop.sum(v), () => kernels.sum(v)],
    'sum, eight accumulators': [() => loop.sum8(v), () => kernels.sum(v)],
    'compensated sum, Neumaier': [() => loop.neumaier(v), () => kernels.sum(v, { compensated: true })],
    'compensated sum, simple-statistics': [() => simple.sum(v), () => kernels.sum(v, { compensated: true })],
    'variance, Welford': [() => loop.welford(v), () => kernels.moments(v)],
    'variance, two passes': [() => loop.twoPass(v), () => kernels.moments(v)],
    'variance, simple-statistics': [() => simple.variance(v), () => kernels.variance(v)],
    min: [() => loop.min(v), () => kernels.min(v)],
    argmin: [() => loop.argmin(v), () => kernels.argmin(v)],
    dot: [() => loop.dot(v, w), () => kernels.dot(v, w)],
    scale: [() => loop.scale(x, 1.0000001), () => kernels.scale(x, 0.9999999)],
    axpy: [() => loop.axpy(1e-9, v, y), () => kernels.axpy(-1e-9, v, y)],
    'prefix sum': [() => loop.prefix(v, out), () => kernels.prefixSum(v, out)],
    'histogram, 64 bins': [() => loop.histogram(v, 0, 1000, slots), () => kernels.histogram(v, bins)],
    'median, simple-statistics': [() => simple.median(v), () => kernels.quantiles(v, [0.5])],
    'group sum, 100 groups': [() => loop.group(keys, v, sums, counts), () => kernels.groupSum(keys, v, 100)],
    'indices of half': [() => loop.filter(v, indices), () => kernels.filterIndices(v, '>', 500, indices)],
    'values of half': [() => loop.compact(v, out), () => kernels.compact(v, '>', 500, out)],
    gather: [() => loop.gather(v, places, out), () => kernels.gather(v, places, out)],
    scatter: [() => loop.scatter(v, places, out), () => kernels.scatter(v, places, out)],
    'sort u32': sorting(Uint32Array, () => random() * 2 ** 32),
    'sort f32': sorting(Float32Array, () => random() - 0.5),
    'sort f64': sorting(Float64Array, () => random() - 0.5),
    'sort f64, three ascending runs': [() => (y.set(runs), y.sort()), () => (y.set(runs), kernels.sort(y))],
    'argsort f64': [
      () => {
        for (let i = 0; i < n; i += 1) indices[i] = i;
        indices.sort((i, j) => v[i] - v[j]);
      },
      () => kernels.argsort(v, indices),
    ],
    'bits: and (u32)': [() => loop.and(a, b, c), () => kernels.bitAnd(a, b, c)],
    'bits: count (u32)': [() => loop.count(a), () => kernels.countBits(a)],
    'code points (bytes)': [() => loop.points(text), () => kernels.countCodePoints(text)],
    'hex of bytes, Buffer': [() => bytes.toString('hex'), () => kernels.hexEncode(text)],
    'bytes of hex, Buffer': [() => Buffer.from(digits, 'hex'), () => kernels.hexDecode(digits)],
    'CRC-32C (bytes)': [() => loop.crc(text, CRC_TABLE), () => kernels.crc32c(text)],
  };
}

export function runContests() {
  const rows = [];
  for (const n of SIZES) {
    for (const [name, [one, two]] of Object.entries(contests(n))) {
      if (name.startsWith('argsort') && n > 1e5) continue; // seconds a call
      rows.push(`${name} | ${n} | ${show(pair(one, two))}`);
    }
  }
  table('Kernels', ['against', 'values', 'JavaScript', 'kernel', 'faster'], rows);
}
