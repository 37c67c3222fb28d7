// The same kernel on one and on two threads, in calls straight into the addon: where a second thread pays.
import { loadNative } from '../../dist/native/load.js';
import { Operation } from '../../dist/computation/kernels/threads.js';
import { random } from './loops.js';
import { pair, QUICK, show, table } from './pairs.js';

const native = loadNative().kernels;
const SIZES = QUICK ? [2 ** 17, 1e6] : [2 ** 17, 2 ** 18, 2 ** 19, 1e6];
/** Longer than a helper looks for work before it sleeps. */
const PAUSE_MS = 0.5;

function pause() {
  const end = performance.now() + PAUSE_MS;
  while (performance.now() < end);
}

/** name → [one thread, two threads]. */
function threadContests(n) {
  const v = Float64Array.from({ length: n }, () => random() * 1000);
  const w = Float64Array.from({ length: n }, random);
  const words = Uint32Array.from({ length: n }, () => random() * 2 ** 32);
  const keys = Uint32Array.from({ length: n }, () => Math.floor(random() * 100));
  const [out, copy] = [new Float64Array(n), new Float64Array(n)];
  const [sorting, order] = [new Uint32Array(n), new Uint32Array(n)];
  const slots = new Uint32Array(67);
  const [three, sums, counts] = [3, 100, 100].map((length) => new Float64Array(length));
  const job = (operation, ...args) => native.arrayJob(operation, 2, ...args);
  const reduce = (operation) => [() => native.arrayReduce(operation, v), () => job(operation, v, v)];
  return {
    sum: reduce(Operation.sum),
    'compensated sum': reduce(Operation.sumCompensated),
    min: reduce(Operation.min),
    argmin: reduce(Operation.argmin),
    moments: [() => native.arrayMoments(v, three), () => job(Operation.moments, v, v)],
    dot: [() => native.arrayDot(v, w), () => job(Operation.dot, v, w)],
    scale: [() => native.arrayScale(1.0000001, w), () => job(Operation.scale, 0.9999999, w)],
    axpy: [() => native.arrayAxpy(1e-9, v, w), () => job(Operation.axpy, -1e-9, v, w)],
    'prefix sum': [() => native.arrayRunningSum(v, out), () => job(Operation.runningSum, v, out)],
    histogram: [
      () => native.arrayHistogram(v, 0, 1000, slots),
      () => job(Operation.histogram, v, 0, 1000, 64),
    ],
    'group sum': [
      () => native.arrayGroupSum(keys, v, sums, counts),
      () => job(Operation.groupSum, keys, v, 100),
    ],
    'sort f64': [() => (copy.set(v), native.arraySort(copy)), () => (copy.set(v), job(Operation.sort, copy))],
    'sort u32': [
      () => (sorting.set(words), native.arraySort(sorting)),
      () => (sorting.set(words), job(Operation.sort, sorting)),
    ],
    'argsort f64': [() => native.arrayArgsort(v, order), () => job(Operation.argsort, v, order)],
  };
}

export function runThreads() {
  for (const [title, options] of [
    ['Two threads, calls in a row', {}],
    [
      `Two threads, ${PAUSE_MS} ms of other work before each call, so that the helper sleeps`,
      { before: pause },
    ],
  ]) {
    const rows = [];
    for (const n of SIZES) {
      for (const [name, [one, two]] of Object.entries(threadContests(n)))
        rows.push(`${name} | ${n} | ${show(pair(one, two, options))}`);
    }
    table(title, ['kernel', 'values', 'one thread', 'two', 'faster'], rows);
  }
}
