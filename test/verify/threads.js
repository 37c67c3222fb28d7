// npm run verify:threads [-- --tasks n] [--seed n]: tasks over four threads with random cancels and thread deaths. Every
// promise has to settle, once, with its own result or the error that was done to it; and nothing may be left afterwards.
// 10,000,000 tasks by default; test/lifecycle/threads-verify.test.ts runs some thousands.
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { defineTask, ThreadPool } from '../../dist/index.js';

const tasksUrl = new URL('../fixtures/threads/tasks.js', import.meta.url);
const task = Object.fromEntries(
  ['double', 'echo', 'exitProcess', 'spinForever', 'later', 'byteLength'].map((name) => [
    name,
    defineTask(tasksUrl, name),
  ]),
);

/** A linear congruential generator: the same run for the same seed, as far as threads allow. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * @param {{ tasks: number, seed: number, inFlight?: number, threads?: number, deathRate?: number, onProgress?: (n: number) => void }} options
 * @returns {Promise<Record<string, number>>} counts of outcomes.
 * @throws for the first promise that settles twice, wrongly, or not at all.
 */
export async function stress({
  tasks,
  seed,
  inFlight = 1_000,
  threads = 4,
  deathRate = 0.00005,
  onProgress = () => {},
}) {
  const random = randomFrom(seed);
  const pool = new ThreadPool({ maxThreads: threads });
  const settled = new Uint8Array(tasks);
  const outcomes = {};
  const fail = (n, what) => {
    throw new Error(`task ${n} (seed ${seed}): ${what}`);
  };
  const note = (n, outcome) => {
    settled[n] += 1;
    if (settled[n] !== 1) fail(n, `settled ${settled[n]} times`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  /** Runs a task whose result is known, and which may only fail with one of these codes. */
  const expectOf = async (n, promise, isRight, ...codes) => {
    let value;
    try {
      value = await promise;
    } catch (error) {
      if (!codes.includes(error.code)) fail(n, `rejected with ${error.stack}`);
      note(n, error.code);
      return;
    }
    if (!isRight(value)) fail(n, `gave ${String(value)}`);
    note(n, 'result');
  };
  const one = (n) => {
    const dice = random();
    if (dice < deathRate) return expectOf(n, pool.run(task.exitProcess, 1), () => false, 'WORKER_DIED');
    if (dice < 2 * deathRate) {
      return expectOf(
        n,
        pool.run(task.spinForever, undefined, { deadlineMs: 2 }),
        () => false,
        'TASK_TIMED_OUT',
      );
    }
    if (dice < 0.01) {
      const controller = new AbortController();
      if (random() < 0.5) queueMicrotask(() => controller.abort());
      else setImmediate(() => controller.abort());
      const { signal } = controller;
      return expectOf(
        n,
        pool.run(task.double, n, { signal }),
        (value) => value === 2 * n,
        'ABORTED',
        'WORKER_DIED',
      );
    }
    if (dice < 0.02) {
      const priority = Math.floor(random() * 3);
      return expectOf(n, pool.run(task.double, n, { priority }), (value) => value === 2 * n);
    }
    if (dice < 0.03) {
      const value = { n, list: [n, 'text'], when: dice < 0.025 ? new Date(n) : null };
      return expectOf(n, pool.run(task.echo, value), (other) => other.n === n && other.list[1] === 'text');
    }
    if (dice < 0.031) {
      const { buffer } = new Uint8Array(64);
      // What was moved to a thread dies with it.
      const moved = pool.run(task.byteLength, buffer, { transfer: [buffer] });
      return expectOf(n, moved, (length) => length === 64, 'WORKER_DIED');
    }
    if (dice < 0.032) {
      return expectOf(n, pool.run(task.later, { ms: 1, value: n }), (value) => value === n);
    }
    return expectOf(n, pool.run(task.double, n), (value) => value === 2 * n);
  };
  let next = 0;
  const lane = async () => {
    while (next < tasks) {
      const n = next;
      next += 1;
      if (n % 100_000 === 0) onProgress(n);
      await one(n);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  await pool.drain();
  const { running, queued, completed, failed } = pool.stats();
  if (running + queued !== 0) throw new Error(`${running} running and ${queued} queued afterwards`);
  if (completed + failed !== tasks)
    throw new Error(`${completed} completed and ${failed} failed of ${tasks}`);
  const missing = settled.indexOf(0);
  if (missing >= 0) fail(missing, 'never settled');
  await pool.close();
  return outcomes;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { tasks: { type: 'string', default: '10000000' }, seed: { type: 'string', default: '1' } },
  });
  const tasks = Number(values.tasks);
  const began = performance.now();
  const outcomes = await stress({
    tasks,
    seed: Number(values.seed),
    onProgress: (n) => process.stderr.isTTY && process.stderr.write(`\r${n} of ${tasks}`),
  });
  const seconds = (performance.now() - began) / 1e3;
  console.log(`${tasks} tasks, each settled once, in ${seconds.toFixed(0)} s:`, outcomes);
}
