/** What may happen to a loop on threads in which the caller takes part, in the middle of it. */
import { describe, expect, it } from 'vitest';
import { defineTask } from '../../../dist/threads/task.js';
import type { ThreadPool } from '../../../dist/threads/thread-pool.js';
import { fixture, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';

/** Some 20 ms of work: the caller takes part in slices, also where the machine is so busy that it takes 80. */
const ITERATIONS = 4_000;
/** So few that the caller takes part on any machine. */
const FEW = 1_500;
const countSlowly = fixture('exitSlowly');
const callSlowly = fixture('callSlowly');

type Called = typeof globalThis & { calledFromKernel?: (() => void) | undefined };
const inKernel = (call: () => void) => ((globalThis as Called).calledFromKernel = call);

/** A pool that knows what an iteration costs, so that it splits the loop from its beginning. */
async function known(task = countSlowly, iterations = ITERATIONS) {
  const pool = poolWith();
  await pool.start();
  const shared = { words: int32(1), visits: int32(iterations) };
  const loop = { task, range: [0, iterations] as const, shared };
  for (let run = 0; run < 3; run += 1) await pool.parallelFor(loop);
  shared.visits.fill(0);
  return { pool, loop, shared };
}

/** Runs a loop until something happened in it: on a busy machine a thread, or the caller, may come too late to take part. */
async function until<T>(happened: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const what = await happened();
    if (what !== undefined) return what;
  }
  throw new Error('It never happened.');
}

const once = (visits: Int32Array) => visits.every((count) => count === 1);

/** Nobody writes any more, neither a thread nor the caller in a later turn. */
async function isStill(pool: ThreadPool, visits: Int32Array) {
  const before = visits.slice();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await pool.run(fixture('double'), 1).catch(() => {});
  return visits.every((count, index) => count === before[index]);
}

describe('a loop in which the caller takes part', () => {
  it('rejects when a thread dies in it, and the next one runs', async () => {
    const { pool, loop, shared } = await known();
    const error = await until(() => {
      const promise = pool.parallelFor(loop).then(
        () => undefined,
        (reason) => reason as { code: string },
      );
      Atomics.store(shared.words, 0, 1);
      return promise;
    });
    expect(error.code).toBe('WORKER_DIED');
    expect(await isStill(pool, shared.visits)).toBe(true);
    shared.words[0] = 0;
    shared.visits.fill(0);
    await pool.parallelFor(loop);
    expect(once(shared.visits)).toBe(true);
    expect(pool.stats().runningLoops).toBe(0);
  });

  it('is finished by a close, and takes no more after it', async () => {
    const { pool, loop, shared } = await known();
    const promise = pool.parallelFor(loop);
    const closing = pool.close();
    expect((await rejection(pool.parallelFor(loop))).code).toBe('CLOSED');
    await promise;
    expect(once(shared.visits)).toBe(true);
    await closing;
  });

  it('ends at once by a forced close, and then nobody writes any more', async () => {
    const { pool, loop, shared } = await known();
    const promise = rejection(pool.parallelFor(loop));
    const closing = pool.close({ force: true });
    expect((await promise).code).toBe('CLOSED');
    expect(shared.visits.every((count) => count <= 1)).toBe(true);
    expect(once(shared.visits)).toBe(false);
    expect(await isStill(pool, shared.visits)).toBe(true);
    await closing;
  });

  it('is aborted by its own kernel on the caller', async () => {
    const { pool, loop, shared } = await known(callSlowly, FEW);
    const error = await until(() => {
      const controller = new AbortController();
      inKernel(() => controller.abort(new Error('enough')));
      return pool.parallelFor({ ...loop, signal: controller.signal }).then(
        () => undefined,
        (reason) => reason as { code: string; cause: Error },
      );
    });
    expect([error.code, error.cause.message]).toEqual(['ABORTED', 'enough']);
    expect(await isStill(pool, shared.visits)).toBe(true);
    shared.visits.fill(0);
    await pool.parallelFor(loop);
    expect(once(shared.visits)).toBe(true);
  });

  it('may be ended by its kernel on the caller, which begins it anew', async () => {
    const { pool, loop, shared } = await known(callSlowly, FEW);
    await until(async () => {
      const controller = new AbortController();
      let anew: Promise<void> | undefined;
      inKernel(() => {
        controller.abort();
        anew = pool.parallelFor(loop);
      });
      shared.visits.fill(0);
      const error = await pool.parallelFor({ ...loop, signal: controller.signal }).then(
        () => undefined,
        (reason) => reason as { code: string },
      );
      await anew;
      return anew && error;
    });
    // Once by the second, and by the first where it came.
    expect(shared.visits.every((count) => count === 1 || count === 2)).toBe(true);
    expect(await isStill(pool, shared.visits)).toBe(true);
  });

  it('may begin another from its kernel, also of the same task on the same data', async () => {
    const { pool, loop, shared } = await known(callSlowly, FEW);
    const other = { ...loop, shared: { words: int32(1), visits: int32(FEW) } };
    let inner: Promise<unknown> | undefined;
    inKernel(() => {
      inner = Promise.all([pool.parallelFor(loop), pool.parallelFor(other)]);
    });
    await until(async () => {
      shared.visits.fill(0);
      await pool.parallelFor(loop);
      return inner;
    });
    expect(shared.visits.every((count) => count === 2)).toBe(true);
    expect(once(other.shared.visits)).toBe(true);
  });

  it('may close its pool from its kernel: it is finished all the same', async () => {
    const { pool, loop, shared } = await known(callSlowly, FEW);
    let closing: Promise<void> | undefined;
    inKernel(() => {
      closing = pool.close();
    });
    await until(async () => {
      shared.visits.fill(0);
      await pool.parallelFor(loop);
      return closing && { closing };
    });
    expect(once(shared.visits)).toBe(true);
  });
});

describe('a loop whose signal is aborted', () => {
  it('while its task is loaded does not begin', async () => {
    const pool = poolWith();
    const visits = int32(1);
    const module =
      'data:text/javascript,export const count = (start, end, { visits }) => { visits[0] += end - start; };';
    const controller = new AbortController();
    const promise = pool.parallelFor({
      task: defineTask(module, 'count'),
      range: [0, 1_000],
      shared: { visits },
      signal: controller.signal,
    });
    controller.abort(new Error('enough'));
    expect((await rejection(promise)).code).toBe('ABORTED');
    expect(visits[0]).toBe(0);
  });
});

describe.each(['auto', 'stealing', 'static'] as const)('data that grows, schedule %s', (schedule) => {
  it('is seen by the threads at its new length', async () => {
    const pool = poolWith();
    const Growable = SharedArrayBuffer as unknown as new (
      size: number,
      options: { maxByteLength: number },
    ) => SharedArrayBuffer & { grow(size: number): void };
    const [length, longer] = [64, 40_000];
    const input = new Growable(length * 8, { maxByteLength: longer * 8 });
    const output = new Growable(length * 8, { maxByteLength: longer * 8 });
    // Without a length they follow the buffer's.
    const shared = { input: new Float64Array(input), output: new Float64Array(output) };
    const square = fixture('square');
    const squares = (end: number) => {
      for (let i = 0; i < end; i += 1) shared.input[i] = i;
      shared.output.fill(0);
      return pool.parallelFor({ task: square, range: [0, end], shared, schedule });
    };
    for (let run = 0; run < 3; run += 1) await squares(length);
    expect(shared.output.every((value, i) => value === i * i)).toBe(true);
    input.grow(longer * 8);
    output.grow(longer * 8);
    expect(shared.output).toHaveLength(longer);
    for (let run = 0; run < 3; run += 1) {
      await squares(longer);
      expect(shared.output.every((value, i) => value === i * i)).toBe(true);
    }
  });
});
