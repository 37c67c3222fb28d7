// Short arrays: what a call costs that the gate leaves to the loop in JavaScript. It may cost more than that loop by what
// checking the arguments costs, and a call with an empty array does nothing else. Then the same once more, after the kernels
// have been called with arrays of every type, as the parts of a program would: V8 does not forget that.
import * as kernels from '../../dist/computation/kernels/kernels.js';
import { fresh, LOOPS, random } from './loops.js';
import { pair, table } from './pairs.js';

const N = 100;

/** Arrays of n values for all of the kernels. */
function arrays(n) {
  const v = Float64Array.from({ length: n }, () => random() * 1000);
  const w = Float64Array.from({ length: n }, random);
  return {
    v,
    w,
    x: v.slice(),
    y: w.slice(),
    out: new Float64Array(n),
    keys: Uint32Array.from({ length: n }, () => Math.floor(random() * 10)),
    places: Uint32Array.from({ length: n }, () => Math.floor(random() * n)),
    indices: new Uint32Array(n),
    a: Uint8Array.from({ length: n }, () => random() * 256),
    b: Uint8Array.from({ length: n }, () => random() * 256),
    c: new Uint8Array(n),
  };
}

const BINS = { bins: 64, low: 0, high: 1000 };
const COMPENSATED = { compensated: true };

/** name → [plain loop, kernel], of the arrays of one call. Results are made where the kernel makes them. */
function contests() {
  const loop = Object.fromEntries(Object.entries(LOOPS).map(([name, source]) => [name, fresh(source)]));
  return {
    sum: [({ v }) => loop.sum(v), ({ v }) => kernels.sum(v)],
    'compensated sum': [({ v }) => loop.neumaier(v), ({ v }) => kernels.sum(v, COMPENSATED)],
    'moments, two passes': [({ v }) => loop.twoPass(v), ({ v }) => kernels.moments(v)],
    min: [({ v }) => loop.min(v), ({ v }) => kernels.min(v)],
    argmin: [({ v }) => loop.argmin(v), ({ v }) => kernels.argmin(v)],
    dot: [({ v, w }) => loop.dot(v, w), ({ v, w }) => kernels.dot(v, w)],
    scale: [({ x }) => loop.scale(x, 1.0000001), ({ x }) => kernels.scale(x, 0.9999999)],
    axpy: [({ v, y }) => loop.axpy(1e-9, v, y), ({ v, y }) => kernels.axpy(-1e-9, v, y)],
    'prefix sum': [({ v, out }) => loop.prefix(v, out), ({ v, out }) => kernels.prefixSum(v, out)],
    'histogram, 64 bins': [
      ({ v }) => {
        const slots = new Uint32Array(67);
        loop.histogram(v, 0, 1000, slots);
        return { counts: slots.subarray(0, 64), below: slots[64], above: slots[65], nan: slots[66] };
      },
      ({ v }) => kernels.histogram(v, BINS),
    ],
    'group sum, 10 groups': [
      ({ keys, v }) => {
        const [sums, counts] = [new Float64Array(10), new Float64Array(10)];
        loop.group(keys, v, sums, counts);
        return { sums, counts };
      },
      ({ keys, v }) => kernels.groupSum(keys, v, 10),
    ],
    'values of half': [
      ({ v, out }) => out.subarray(0, loop.compact(v, out)),
      ({ v, out }) => kernels.compact(v, '>', 500, out),
    ],
    'indices of half': [
      ({ v, indices }) => indices.subarray(0, loop.filter(v, indices)),
      ({ v, indices }) => kernels.filterIndices(v, '>', 500, indices),
    ],
    gather: [
      ({ v, places, out }) => loop.gather(v, places, out),
      ({ v, places, out }) => kernels.gather(v, places, out),
    ],
    scatter: [
      ({ v, places, out }) => loop.scatter(v, places, out),
      ({ v, places, out }) => kernels.scatter(v, places, out),
    ],
    'sort f64': [({ v, out }) => (out.set(v), out.sort()), ({ v, out }) => (out.set(v), kernels.sort(out))],
    'bits: and (bytes)': [({ a, b, c }) => loop.and(a, b, c), ({ a, b, c }) => kernels.bitAnd(a, b, c)],
    'code points (bytes)': [({ a }) => loop.points(a), ({ a }) => kernels.countCodePoints(a)],
  };
}

/**
 * Calls with the arrays of one set and of another in turns. With the same ones each time V8 would compile their lengths and
 * addresses into the loop, which in a program, whose arrays differ, it cannot.
 */
function inTurns(run, n) {
  const sets = [arrays(n), arrays(n)];
  let turn = 0;
  return () => run(sets[(turn ^= 1)]);
}

const TYPES = [
  Float64Array,
  Float32Array,
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
];

/** Calls every kernel with arrays of every type, until V8 has compiled it for all of them. */
function callWithEveryType() {
  for (const Type of TYPES) {
    const v = Type.from({ length: N }, (_, i) => i % 10);
    const isFloat = Type === Float64Array || Type === Float32Array;
    const isKey = !isFloat && Type !== Int8Array && Type !== Int16Array;
    const out = new Type(N);
    const places = Uint32Array.from(v);
    for (let k = 0; k < 2_000; k += 1) {
      kernels.sum(v);
      kernels.moments(v);
      kernels.min(v);
      kernels.argmin(v);
      kernels.dot(v, v);
      kernels.prefixSum(v);
      kernels.histogram(v, { bins: 10, low: 0, high: 10 });
      kernels.compact(v, '>', 5, out);
      kernels.filterIndices(v, '>', 5, places.slice());
      kernels.gather(v, places, out);
      kernels.scatter(v, places, out);
      kernels.sort(out);
      kernels.bitAnd(v, v, out);
      kernels.countCodePoints(v);
      if (isFloat) {
        kernels.sum(v, { compensated: true });
        kernels.scale(out, 0.5);
        kernels.axpy(0.5, v, out);
      }
      if (isKey) kernels.groupSum(v, v, 10);
    }
  }
}

export function runGate() {
  const all = Object.entries(contests()).map(([name, sides]) => {
    const [plain, kernel] = sides.map((run) => inTurns(run, N));
    return { name, plain, kernel, empty: inTurns(sides[1], 0) };
  });
  // What V8 makes of a loop is final only after it has thrown away what it took for final.
  for (let round = 0; round < 2; round += 1) for (const { plain, kernel } of all) pair(plain, kernel);
  const measured = all.map((one) => {
    return { ...one, times: pair(one.plain, one.kernel), check: pair(one.empty, one.empty).one };
  });
  callWithEveryType();
  const ns = (us) => (us * 1e3).toFixed(0);
  const rows = measured.map(({ name, plain, kernel, times, check }) => {
    const { one, two, ratio, slower, slowerRange } = times;
    const later = pair(plain, kernel);
    const verdict = slowerRange[0] <= check ? 'yes' : 'no';
    return (
      `${name} | ${ns(one)} | ${ns(two)} | ${ratio.toFixed(2)} | ${ns(slower)} (${slowerRange.map(ns).join(' to ')}) | ` +
      `${ns(check)} | ${verdict} | ${ns(later.two)} | ${later.ratio.toFixed(2)}`
    );
  });
  const head = ['against', 'loop', 'kernel', 'faster', 'slower by', 'check', 'slower by no more'];
  table(`Short arrays, ${N} values, in ns`, [...head, 'kernel, after all types', 'faster'], rows);
}
