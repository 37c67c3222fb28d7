// One case of bench/parallel-loops.js, in a process of its own: what V8 learnt of one loop does not help or harm the next.
// Prints one line of JSON: times of a plain call and ratios of the others to it, by round.
import { cpus } from 'node:os';
import { readFileSync } from 'node:fs';
import { Piscina } from 'piscina';
import { defineTask, ThreadPool } from '../../dist/index.js';
import * as kernels from './loop-kernels.js';

const { kernel: name, size, sides, rounds } = JSON.parse(process.argv[2]);
const kernel = kernels[name];
const url = new URL('./loop-kernels.js', import.meta.url);
const whole = new URL('./whole-loops.js', import.meta.url);

const WARM_MS = 400;
/** Then rounds that do not count, in which the timers are compiled: several where a round is short. */
const WARM_ROUNDS = sides.includes('awaited') ? 8 : 2;
/** What a user of a pool of tasks would try, from one task a thread to many small ones. */
const CHUNKS = [2, 4, 8, 16, 32, 64, 128];

const filled = (length, of = () => 1) => {
  const made = new Float64Array(new SharedArrayBuffer(length * 8));
  for (let i = 0; i < length; i += 1) made[i] = of(i);
  return made;
};
const make = {
  mandelbrot: () => ({ output: filled(size * size), width: size, height: size }),
  nbody: () => ({ x: filled(size, Math.random), y: filled(size, Math.random), output: filled(size) }),
  triangle: () => ({ output: filled(size) }),
  sum: () => ({ values: filled(size) }),
  scale: () => ({ values: filled(size), factor: 1.000001 }),
  polish: () => ({ values: filled(size) }),
}[name];
const shared = make();
const isSum = name === 'sum';
const range = [0, size];
const add = (left, right) => left + right;

const pool = new ThreadPool({ minThreads: 2, maxThreads: 2 });
await pool.start();
const task = defineTask(url, name);
const own = () =>
  isSum ? pool.parallelReduce({ task, range, shared, combine: add }) : pool.parallelFor(options);
const options = { task, range, shared };

const piscina =
  sides.includes('piscina') &&
  new Piscina({ filename: whole.href, minThreads: 2, maxThreads: 2, idleTimeout: 60_000 });
const chunked = (chunks) => async () => {
  const bound = (i) => Math.floor((size * i) / chunks);
  const parts = await Promise.all(
    Array.from({ length: chunks }, (_, i) =>
      piscina.run({ name, start: bound(i), end: bound(i + 1), shared }),
    ),
  );
  return isSum ? parts.reduce(add) : undefined;
};

/** Two whole loops at once, on data of their own: what two threads of this machine can do at all just now. */
const wholeTask = defineTask(whole, 'default');
// A sum only reads, so both may read the same.
const copies = !sides.includes('ceiling') ? [] : isSum ? [shared, shared] : [make(), make()];
const ceiling = () =>
  Promise.all(copies.map((copy) => pool.run(wholeTask, { name, start: 0, end: size, shared: copy })));

const settled = Promise.resolve();
const asynchronously = async () => kernel(0, size, shared);
const run = {
  serial: () => kernel(0, size, shared),
  parallelFor: own,
  prepared: pool.prepare(options),
  awaited: () => {
    kernel(0, size, shared);
    return settled;
  },
  async: asynchronously,
  ceiling,
  ...Object.fromEntries(CHUNKS.map((chunks) => [`piscina ${chunks}`, chunked(chunks)])),
};
const all = sides.flatMap((side) =>
  side === 'piscina' ? CHUNKS.map((chunks) => `piscina ${chunks}`) : [side],
);

// The same results first, from the same start.
const output = shared.output ?? shared.values;
const start = isSum ? [] : Float64Array.from(output);
const expected = run.serial();
const wanted = isSum ? [] : Float64Array.from(output);
for (const side of all) {
  if (side === 'ceiling') continue;
  output.set(start);
  const result = await run[side]();
  if (result !== expected || wanted.some((value, i) => value !== output[i]))
    throw new Error(`${side} differs`);
}
output.set(start);

// Code that is compiled in the background needs its time: 120 ms were too short here for a plain loop.
const warmUntil = performance.now() + WARM_MS;
while (performance.now() < warmUntil) for (const side of ['serial', ...all]) await run[side]();

/**
 * Each side is timed by a function of its own, as a program has a loop of its own: one for all would call what V8 cannot
 * inline there, and the body of a module, which runs once, resumes from each `await` at a third of its speed.
 */
const timerOf = () =>
  new Function(
    `return async (one, repeats) => {
      const from = performance.now();
      for (let i = 0; i < repeats; i += 1) {
        const pending = one();
        if (typeof pending === 'object') await pending;
      }
      return ((performance.now() - from) * 1e3) / repeats;
    }`,
  )();
const timers = Object.fromEntries(['serial', ...all].map((side) => [side, timerOf()]));

// A round lasts about a millisecond or one call.
const probe = performance.now();
run.serial();
const repeats = Math.max(1, Math.min(1_000, Math.round(1 / (performance.now() - probe))));

const busy = () => {
  const used = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const { user, system } = process.cpuUsage();
  return { used, own: (user + system) / 1e3 };
};
/** Time that other processes and the hypervisor took, in ms of CPU. */
const stolen = () => {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].split(/\s+/);
  return Number(fields[7]) * 10;
};
const hasStat = process.platform === 'linux';

const us = Object.fromEntries(['serial', ...all].map((side) => [side, []]));
const before = busy();
const stolenBefore = hasStat ? stolen() : 0;
const began = performance.now();
for (let round = -WARM_ROUNDS; round < rounds; round += 1) {
  const order = Object.keys(us);
  if (round % 2 === 0) order.reverse();
  for (const side of order) {
    const took = await timers[side](run[side], repeats);
    if (round >= 0) us[side].push(took);
  }
}
const took = performance.now() - began;
const after = busy();
const others = after.used - before.used - (after.own - before.own) + (hasStat ? stolen() - stolenBefore : 0);

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const ratios = {};
for (const side of all) {
  // Two whole loops are twice the work.
  const work = side === 'ceiling' ? 2 : 1;
  ratios[side] = median(us.serial.map((serial, round) => (work * serial) / us[side][round]));
}
// What returns a promise cannot be faster than an awaited plain call; this is what is left to whoever makes it.
const to = (side) =>
  sides.includes(side) ? median(us[side].map((each, round) => each / us.parallelFor[round])) : undefined;
console.log(
  JSON.stringify({
    serialUs: median(us.serial),
    ratios,
    toAwaited: to('awaited'),
    toAsync: to('async'),
    others: Math.max(0, others / (took * cpus().length)),
  }),
);
process.exit(0);
