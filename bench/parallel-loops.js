// npm run bench:loops [-- --rounds n]: loops on two threads under `schedule: 'auto'` against plain calls of the same kernels.
//
// First five loops that should split, then one loop at many sizes, which must never be slower than a plain call by more
// than 3 %. Rounds alternate between the sides; shown is the median of the rounds' ratios (speed of a plain call = 1) with
// its 95 % interval. Results are compared first.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { defineTask, ThreadPool } from '../dist/index.js';
import * as kernels from './tasks/loop-kernels.js';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '25' } } });
const ROUNDS = Number(flags.rounds);
const url = new URL('./tasks/loop-kernels.js', import.meta.url);
const pool = new ThreadPool({ minThreads: 2, maxThreads: 2 });
await pool.start();

const float64 = (length, of = () => 1) => new Float64Array(new SharedArrayBuffer(length * 8)).map(of);
/** Shared memory, filled: `map` alone gives an ordinary array. */
const shared64 = (length, of) => {
  const made = new Float64Array(new SharedArrayBuffer(length * 8));
  made.set(float64(length, of));
  return made;
};

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const intervalOf = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const low = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)));
  return [sorted[low], sorted[sorted.length - 1 - low]];
};

async function race(name, goal, { serial, parallel, repeats = 1 }) {
  const us = { serial: [], parallel: [] };
  for (let round = -5; round < ROUNDS; round += 1) {
    for (const side of round % 2 === 0 ? ['serial', 'parallel'] : ['parallel', 'serial']) {
      const began = performance.now();
      if (side === 'serial') for (let i = 0; i < repeats; i += 1) serial();
      else {
        for (let i = 0; i < repeats; i += 1) {
          const pending = parallel();
          if (pending !== undefined) await pending;
        }
      }
      if (round >= 0) us[side].push(((performance.now() - began) * 1e3) / repeats);
    }
  }
  const ratios = us.serial.map((time, round) => time / us.parallel[round]);
  const [low, high] = intervalOf(ratios);
  const verdict = median(ratios) >= goal ? 'reached' : 'missed';
  console.log(
    `${name.padEnd(34)} ${median(us.serial).toFixed(1).padStart(10)} µs  ${median(ratios).toFixed(3)}×  ` +
      `[${low.toFixed(2)}, ${high.toFixed(2)}]  goal ${goal}  ${verdict}`,
  );
}

console.log(
  `Node ${process.version}, 2 threads, ${ROUNDS} rounds, load ${loadavg()[0].toFixed(1)}; time is a plain call's`,
);
const million = 1_000_000;
/**
 * A plain call that V8 does not inline: a kernel inlined into a benchmark has its data as constants, and then runs twice as
 * fast as it ever does in a program with more than one array.
 */
const call = (kernel, start, end, data) => kernel(start, end, data);
for (let i = 0; i < 10_000; i += 1)
  for (const kernel of [Math.max, Math.min, Math.hypot, Math.pow, Math.imul]) call(kernel, i, i, 0);
const splitting = {
  mandelbrot: {
    goal: 1.8,
    range: [0, 400],
    shared: { output: shared64(400 * 400), width: 400, height: 400 },
  },
  nbody: {
    goal: 1.8,
    range: [0, 3_000],
    shared: { x: shared64(3_000, Math.random), y: shared64(3_000, Math.random), output: shared64(3_000) },
  },
  triangle: { goal: 1.9, range: [0, 12_000], shared: { output: shared64(12_000) } },
};
for (const [name, { goal, range, shared }] of Object.entries(splitting)) {
  const task = defineTask(url, name);
  kernels[name](...range, shared);
  const expected = Float64Array.from(shared.output);
  shared.output.fill(-1);
  await pool.parallelFor({ task, range, shared });
  if (expected.some((value, i) => value !== shared.output[i])) throw new Error(`${name}: wrong result`);
  await race(name, goal, {
    serial: () => call(kernels[name], ...range, shared),
    parallel: () => pool.parallelFor({ task, range, shared }),
  });
}
const shared = { values: shared64(50 * million) };
const summing = { task: defineTask(url, 'sum'), range: [0, 50 * million], shared };
const total = await pool.parallelReduce({ ...summing, combine: (a, b) => a + b });
if (total !== 50 * million) throw new Error('sum: wrong result');
await race('sum of 50 M', 1.9, {
  serial: () => call(kernels.sum, 0, 50 * million, shared),
  parallel: () => pool.parallelReduce({ ...summing, combine: (a, b) => a + b }),
});

for (const length of [1_000, 2_000, 5_000, 20_000, 100_000, 500_000, 2 * million, 10 * million]) {
  const data = { values: shared64(length), factor: 1.000001 };
  const options = { task: defineTask(url, 'scale'), range: [0, length], shared: data };
  const step = pool.prepare(options);
  const repeats = Math.max(1, Math.min(500, Math.round(million / length)));
  const serial = () => call(kernels.scale, 0, length, data);
  await race(`scale ${length}, parallelFor`, 0.97, {
    serial,
    parallel: () => pool.parallelFor(options),
    repeats,
  });
  await race(`scale ${length}, prepared`, 0.97, { serial, parallel: step, repeats });
}
await pool.close();
