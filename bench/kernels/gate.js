// Short arrays: what a call costs that the gate leaves to the loop in JavaScript. It may cost more than that loop by what
// checking the arguments costs, and a call with an empty array does nothing else.
import * as kernels from '../../dist/computation/kernels/kernels.js';
import { fresh, LOOPS, random } from './loops.js';
import { pair, table } from './pairs.js';

const N = 100;

/** name → [plain loop, kernel, kernel with nothing to do]. Results are made where the kernel makes them. */
function short() {
  const v = Float64Array.from({ length: N }, () => random() * 1000);
  const w = Float64Array.from({ length: N }, random);
  const none = new Float64Array(0);
  const [out, noOut] = [new Float64Array(N), new Float64Array(0)];
  const [x, y] = [v.slice(), w.slice()];
  const keys = Uint32Array.from({ length: N }, () => Math.floor(random() * 10));
  const noKeys = new Uint32Array(0);
  const places = Uint32Array.from({ length: N }, () => Math.floor(random() * N));
  const indices = new Uint32Array(N);
  const [a, b, c] = [0, 1, 2].map(() => Uint8Array.from({ length: N }, () => random() * 256));
  const noBytes = new Uint8Array(0);
  const loop = Object.fromEntries(Object.entries(LOOPS).map(([name, source]) => [name, fresh(source)]));
  const bins = { bins: 64, low: 0, high: 1000 };
  const sorting = (values) => () => (out.set(v), values.sort());
  return {
    sum: [() => loop.sum(v), () => kernels.sum(v), () => kernels.sum(none)],
    'compensated sum': [
      () => loop.neumaier(v),
      () => kernels.sum(v, { compensated: true }),
      () => kernels.sum(none, { compensated: true }),
    ],
    'moments, two passes': [() => loop.twoPass(v), () => kernels.moments(v), () => kernels.moments(none)],
    min: [() => loop.min(v), () => kernels.min(v), () => kernels.min(none)],
    argmin: [() => loop.argmin(v), () => kernels.argmin(v), () => kernels.argmin(none)],
    dot: [() => loop.dot(v, w), () => kernels.dot(v, w), () => kernels.dot(none, none)],
    scale: [() => loop.scale(x, 1.0000001), () => kernels.scale(x, 0.9999999), () => kernels.scale(none, 1)],
    axpy: [() => loop.axpy(1e-9, v, y), () => kernels.axpy(-1e-9, v, y), () => kernels.axpy(1, none, noOut)],
    'prefix sum': [
      () => loop.prefix(v, out),
      () => kernels.prefixSum(v, out),
      () => kernels.prefixSum(none, noOut),
    ],
    'histogram, 64 bins': [
      () => {
        const slots = new Uint32Array(67);
        loop.histogram(v, 0, 1000, slots);
        return { counts: slots.subarray(0, 64), below: slots[64], above: slots[65], nan: slots[66] };
      },
      () => kernels.histogram(v, bins),
      () => kernels.histogram(none, bins),
    ],
    'group sum, 10 groups': [
      () => {
        const [sums, counts] = [new Float64Array(10), new Float64Array(10)];
        loop.group(keys, v, sums, counts);
        return { sums, counts };
      },
      () => kernels.groupSum(keys, v, 10),
      () => kernels.groupSum(noKeys, none, 10),
    ],
    'values of half': [
      () => out.subarray(0, loop.compact(v, out)),
      () => kernels.compact(v, '>', 500, out),
      () => kernels.compact(none, '>', 500, noOut),
    ],
    'indices of half': [
      () => indices.subarray(0, loop.filter(v, indices)),
      () => kernels.filterIndices(v, '>', 500, indices),
      () => kernels.filterIndices(none, '>', 500, noKeys),
    ],
    gather: [
      () => loop.gather(v, places, out),
      () => kernels.gather(v, places, out),
      () => kernels.gather(none, noKeys, noOut),
    ],
    scatter: [
      () => loop.scatter(v, places, out),
      () => kernels.scatter(v, places, out),
      () => kernels.scatter(none, noKeys, noOut),
    ],
    'sort f64': [sorting(out), () => (out.set(v), kernels.sort(out)), () => kernels.sort(none)],
    'bits: and (bytes)': [
      () => loop.and(a, b, c),
      () => kernels.bitAnd(a, b, c),
      () => kernels.bitAnd(noBytes, noBytes, new Uint8Array(0)),
    ],
    'code points (bytes)': [
      () => loop.points(a),
      () => kernels.countCodePoints(a),
      () => kernels.countCodePoints(noBytes),
    ],
  };
}

export function runGate() {
  const rows = [];
  for (const [name, [plain, kernel, empty]] of Object.entries(short())) {
    const { one, two, slower, slowerRange } = pair(plain, kernel);
    const check = pair(empty, empty).one;
    const ns = (us) => (us * 1e3).toFixed(0);
    const verdict = slowerRange[0] <= check ? 'yes' : 'no';
    rows.push(
      `${name} | ${ns(one)} | ${ns(two)} | ${ns(slower)} (${slowerRange.map(ns).join(' to ')}) | ${ns(check)} | ${verdict}`,
    );
  }
  table(
    `Short arrays, ${N} values, in ns`,
    ['against', 'loop', 'kernel', 'slower by', 'check', 'slower by no more'],
    rows,
  );
}
