// npm run bench:kernels [-- --quick]: every native kernel against the plain loop in JavaScript (and peers), warmed, in one
// run: sides take turns, the figure is the median of many turns each, the ratio the median of the ratios of neighbours.
// Sizes from 100 (where the gate must not cost) to a million (out of cache). `node bench/kernels.js --threads` compares
// the same kernel on one and on two threads.
import { argv } from 'node:process';
import * as simple from 'simple-statistics';
import * as kernels from '../dist/computation/kernels/kernels.js';
import { captureEnvironment } from '../dist/host/environment.js';

const QUICK = argv.includes('--quick');
const TURNS = QUICK ? 9 : 31;
const SLICE_MS = QUICK ? 1 : 3;
const SIZES = [100, 1e4, 1e5, 1e6];

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function repeat(run, times) {
  const start = performance.now();
  for (let k = 0; k < times; k += 1) run();
  return (performance.now() - start) / times;
}

/** Times of both in µs and how many times as fast the second is, with the middle half of the ratios. */
function pair(one, two) {
  const calls = [one, two].map((run) => {
    repeat(run, 3);
    const once = repeat(run, Math.min(200, Math.max(1, Math.ceil(1 / Math.max(repeat(run, 1), 1e-4)))));
    const times = Math.max(1, Math.ceil(SLICE_MS / Math.max(once, 1e-5)));
    repeat(run, times);
    return times;
  });
  const ratios = [];
  const times = [[], []];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const order = turn % 2 === 0 ? [0, 1] : [1, 0];
    const took = [0, 0];
    for (const side of order) took[side] = repeat(side === 0 ? one : two, calls[side]) * 1e3;
    ratios.push(took[0] / took[1]);
    for (const side of order) times[side].push(took[side]);
  }
  const ratio = median(ratios);
  const [low, high] = [ratios[ratios.length >> 2], ratios[(3 * ratios.length) >> 2]];
  return { one: median(times[0]), two: median(times[1]), ratio, low, high };
}

/** Loops that no other kind of array has ever gone through. */
const fresh = (source) => new Function(`return ${source}`)();

const LOOPS = {
  sum: 'function (v) { let s = 0; for (let i = 0; i < v.length; i += 1) s += v[i]; return s; }',
  sum8: `function (v) { let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i + 7 < v.length; i += 8) { a += v[i]; b += v[i + 1]; c += v[i + 2]; d += v[i + 3];
      e += v[i + 4]; f += v[i + 5]; g += v[i + 6]; h += v[i + 7]; } return a + b + c + d + e + f + g + h; }`,
  neumaier: `function (v) { let s = 0, c = 0; for (let i = 0; i < v.length; i += 1) { const x = v[i], t = s + x;
    c += Math.abs(s) >= Math.abs(x) ? s - t + x : x - t + s; s = t; } return s + c; }`,
  welford: `function (v) { let m = 0, q = 0; for (let i = 0; i < v.length; i += 1) { const d = v[i] - m; m += d / (i + 1);
    q += d * (v[i] - m); } return q; }`,
  twoPass: `function (v) { let m = 0, q = 0; for (let i = 0; i < v.length; i += 1) m += v[i]; m /= v.length;
    for (let i = 0; i < v.length; i += 1) q += (v[i] - m) * (v[i] - m); return q; }`,
  min: 'function (v) { let m = Infinity; for (let i = 0; i < v.length; i += 1) if (v[i] < m) m = v[i]; return m; }',
  argmin: `function (v) { let m = v[0], k = 0; for (let i = 0; i < v.length; i += 1) if (v[i] < m) { m = v[i]; k = i; }
    return k; }`,
  dot: 'function (v, w) { let s = 0; for (let i = 0; i < v.length; i += 1) s += v[i] * w[i]; return s; }',
  scale: 'function (v, a) { for (let i = 0; i < v.length; i += 1) v[i] *= a; }',
  axpy: 'function (a, v, w) { for (let i = 0; i < v.length; i += 1) w[i] += a * v[i]; }',
  prefix: 'function (v, o) { let s = 0; for (let i = 0; i < v.length; i += 1) o[i] = s += v[i]; }',
  histogram: `function (v, low, high, o) { const k = 64 / (high - low); for (let i = 0; i < v.length; i += 1) {
    const x = v[i]; if (x >= low && x <= high) { const j = ((x - low) * k) | 0; o[j < 64 ? j : 63] += 1; } } }`,
  group: `function (k, v, s, c) { s.fill(0); c.fill(0);
    for (let i = 0; i < v.length; i += 1) { s[k[i]] += v[i]; c[k[i]] += 1; } }`,
  compact: `function (v, o) { let k = 0; for (let i = 0; i < v.length; i += 1) { o[k] = v[i]; k += v[i] > 500 ? 1 : 0; }
    return k; }`,
  filter: `function (v, o) { let k = 0; for (let i = 0; i < v.length; i += 1) { o[k] = i; k += v[i] > 500 ? 1 : 0; }
    return k; }`,
  gather: 'function (v, x, o) { for (let i = 0; i < x.length; i += 1) o[i] = v[x[i]]; }',
  and: 'function (a, b, o) { for (let i = 0; i < a.length; i += 1) o[i] = a[i] & b[i]; }',
  count: `function (a) { let t = 0; for (let i = 0; i < a.length; i += 1) { let x = a[i]; x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333); t += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24; }
    return t; }`,
  points:
    'function (a) { let t = 0; for (let i = 0; i < a.length; i += 1) t += (a[i] & 0xc0) !== 0x80 ? 1 : 0; return t; }',
  crc: 'function (a, T) { let c = -1; for (let i = 0; i < a.length; i += 1) c = (c >>> 8) ^ T[(c ^ a[i]) & 255]; return ~c >>> 0; }',
};

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

let state = 12345;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

/** name → [plain, kernel] for arrays of n. */
function contests(n) {
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
    'sort u32': sorting(Uint32Array, () => random() * 2 ** 32),
    'sort f32': sorting(Float32Array, () => random() - 0.5),
    'sort f64': sorting(Float64Array, () => random() - 0.5),
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
    'CRC-32C (bytes)': [() => loop.crc(text, CRC_TABLE), () => kernels.crc32c(text)],
  };
}

/** One thread against two, on a million values. */
function threadContests() {
  const n = 1e6;
  const v = Float64Array.from({ length: n }, () => random() * 1000);
  const w = Float64Array.from({ length: n }, random);
  const keys = Uint32Array.from({ length: n }, () => Math.floor(random() * 100));
  const on = { threads: 2 };
  const bins = { bins: 64, low: 0, high: 1000 };
  return {
    sum: [() => kernels.sum(v), () => kernels.sum(v, on)],
    'compensated sum': [
      () => kernels.sum(v, { compensated: true }),
      () => kernels.sum(v, { compensated: true, threads: 2 }),
    ],
    moments: [() => kernels.moments(v), () => kernels.moments(v, on)],
    min: [() => kernels.min(v), () => kernels.min(v, on)],
    dot: [() => kernels.dot(v, w), () => kernels.dot(v, w, on)],
    axpy: [() => kernels.axpy(1e-9, v, w), () => kernels.axpy(-1e-9, v, w, on)],
    histogram: [() => kernels.histogram(v, bins), () => kernels.histogram(v, { ...bins, threads: 2 })],
    'group sum': [() => kernels.groupSum(keys, v, 100), () => kernels.groupSum(keys, v, 100, on)],
  };
}

const show = ({ one, two, ratio, low, high }) =>
  `${one.toFixed(2)} | ${two.toFixed(2)} | ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

const { host, node, loadAverage } = captureEnvironment();
console.log(`${host.cpuModel}, Node ${node}, load ${loadAverage?.toFixed(1) ?? 'unknown'}`);
console.log('Times in µs per call; the ratio is how many times as fast (middle half of the pairs).\n');
if (argv.includes('--threads')) {
  console.log('| kernel, a million | one thread | two | two : one |\n| --- | --: | --: | --: |');
  for (const [name, [one, two]] of Object.entries(threadContests()))
    console.log(`| ${name} | ${show(pair(one, two))} |`);
} else {
  console.log('| against | values | JavaScript | kernel | faster |\n| --- | --: | --: | --: | --: |');
  for (const n of SIZES) {
    for (const [name, [one, two]] of Object.entries(contests(n))) {
      if (name.startsWith('argsort') && n > 1e5) continue; // seconds a call
      console.log(`| ${name} | ${n} | ${show(pair(one, two))} |`);
    }
  }
}
