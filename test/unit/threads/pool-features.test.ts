/** What a pool does beside running tasks: placing, carrying context, telling. */
import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { carriedStore } from '../../../dist/threads/carried-store.js';
import { DurationHistogram } from '../../../dist/threads/run-histogram.js';
import { request } from '../../fixtures/threads/tasks.js';
import { fixture, fixtureFile, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';

const release = (words: Int32Array) => {
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
};

describe('placement', () => {
  it('sends equal affinity keys to one thread', async () => {
    const pool = poolWith({ maxThreads: 2 });
    await pool.start();
    const home = new Map<string, number>();
    for (let round = 0; round < 30; round += 1) {
      for (const affinityKey of ['a', 'b']) {
        const id = await pool.run(fixture<() => number>('whoAmI'), undefined, { affinityKey });
        if (!home.has(affinityKey)) home.set(affinityKey, id);
        expect(id).toBe(home.get(affinityKey));
      }
    }
  });

  it('runs as many asynchronous tasks at once in a thread as it may', async () => {
    for (const concurrentTasksPerThread of [1, 4]) {
      const pool = poolWith({ maxThreads: 1, concurrentTasksPerThread });
      const most = await Promise.all(
        Array.from({ length: 12 }, () => pool.run(fixture<(ms: number) => number>('overlap'), 2)),
      );
      expect(Math.max(...most)).toBe(concurrentTasksPerThread);
    }
  });

  it('takes tasks back that wait behind one that takes longer than forecast', async () => {
    const pool = poolWith({ maxThreads: 2 });
    await pool.start();
    // Forecast to take no time, so they all go to one lane.
    for (let n = 0; n < 200; n += 1) await pool.run(fixture('briefOrHold'), { words: int32(2), value: -1 });
    const words = int32(2);
    words[1] = 3;
    const all = Array.from({ length: 60 }, (_, n) => pool.run(fixture('briefOrHold'), { words, value: n }));
    // All but the one that holds come through while it holds.
    const others = await Promise.all(all.filter((_, n) => n !== 3));
    expect(others).toHaveLength(59);
    release(words);
    expect(await all[3]).toBe(3);
  });

  it('lets a more urgent task pass what waits in a lane', async () => {
    const pool = poolWith({ maxThreads: 1 });
    for (let n = 0; n < 50; n += 1) await pool.run(fixture('briefOrHold'), { words: int32(2), value: -1 });
    const words = int32(2);
    words[1] = 1;
    const order: unknown[] = [];
    const note = (value: unknown) => order.push(value);
    const tasks = [1, 2, 3].map((value) => pool.run(fixture('briefOrHold'), { words, value }).then(note));
    await new Promise((resolve) => setTimeout(resolve, 5));
    tasks.push(pool.run(fixture('briefOrHold'), { words, value: 9 }, { priority: 5 }).then(note));
    release(words);
    await Promise.all(tasks);
    expect(order).toEqual([1, 9, 2, 3]);
  });
});

describe('async stores', () => {
  const stores = [carriedStore(fixtureFile('tasks.js'), 'request', request)];

  it('go along with tasks, across their awaits', async () => {
    const pool = poolWith({ stores });
    const seen = await Promise.all(
      [1, 2].map((id) => request.run({ id }, () => pool.run(fixture('requestSeen')))),
    );
    expect(seen).toEqual([1, 2].map((id) => [{ id }, { id }]));
    expect(await pool.run(fixture('requestSeen'))).toEqual([undefined, undefined]);
  });

  it('go along with arguments, and fail where they cannot be cloned', async () => {
    const pool = poolWith({ stores });
    expect(await request.run({ id: 1 }, () => pool.run(fixture('echo'), new Map([[1, 2]])))).toEqual(
      new Map([[1, 2]]),
    );
    const error = await rejection(request.run({ reply: () => 1 }, () => pool.run(fixture('echo'), 1)));
    expect(error.name).toBe('DataCloneError');
  });

  it('are told from what is none', async () => {
    expect(() => carriedStore(import.meta.url, 'x', {} as never)).toThrow(/AsyncLocalStorage/);
    expect(() => poolWith({ stores: [{}] as never })).toThrow(/carriedStore/);
    expect(() => poolWith({ stores: [{ storage: request }] as never })).toThrow(/carriedStore/);
    const pool = poolWith({ stores: [carriedStore(fixtureFile('tasks.js'), 'notAFunction', request)] });
    const error = await rejection(request.run({}, () => pool.run(fixture('double'), 1)));
    expect(error).toMatchObject({ code: 'TASK_UNLOADABLE' });
  });
});

describe('telling', () => {
  it('emits threads that start and end, a full queue, and the end of work', async () => {
    const pool = poolWith({ maxThreads: 1, queueLimit: 0 });
    const events: unknown[] = [];
    pool.on('threadStarted', ({ name }) => events.push(`started ${name}`));
    pool.on('threadEnded', ({ how, expected }) => events.push(`ended ${how} ${expected}`));
    pool.on('queueFull', ({ running }) => events.push(`full ${running}`));
    const drained = new Promise((resolve) => pool.once('drain', () => resolve(true)));
    await rejection(pool.run(fixture('exitProcess'), 3));
    expect(await drained).toBe(true);
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    while (pool.stats().running === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await rejection(pool.run(fixture('double'), 1));
    release(words);
    await holding;
    await pool.close();
    expect(events).toEqual([
      'started sysopt-1',
      'ended exit code 3 false',
      'started sysopt-1',
      'full 1',
      'ended exit code 0 true',
    ]);
  });

  it('publishes every settled task to diagnostics channels', async () => {
    const seen: { outcome: string; pool: string }[] = [];
    const listener = (message: unknown) => seen.push(message as never);
    channel('system-optimizer:task').subscribe(listener);
    const pool = poolWith({ name: 'told' });
    await pool.run(fixture('double'), 1);
    await rejection(pool.run(fixture('throwValue'), 1));
    channel('system-optimizer:task').unsubscribe(listener);
    await pool.run(fixture('double'), 1);
    expect(seen).toMatchObject([
      { pool: 'told', outcome: 'completed', task: { export: 'double' } },
      { pool: 'told', outcome: 'failed', error: { code: 'TASK_THREW' } },
    ]);
  });

  it('counts times and use', async () => {
    const pool = poolWith({ maxThreads: 1 });
    expect(pool.stats()).not.toHaveProperty('runTime');
    for (let n = 0; n < 20; n += 1) await pool.run(fixture('later'), { ms: 2, value: n });
    const { queueTime, runTime, utilization, wakeUs } = pool.stats();
    expect(runTime!.count).toBe(20);
    expect(queueTime!.count).toBe(20);
    // A timer may fire up to 1 ms early by another clock.
    expect(runTime!.p50Ms).toBeGreaterThan(0.9);
    expect(runTime!.maxMs).toBeGreaterThanOrEqual(runTime!.p99Ms);
    expect(utilization).toBeGreaterThan(0);
    expect(wakeUs).toBeGreaterThan(0);
  });

  it('gives both stacks also in a rush of calls', async () => {
    const pool = poolWith();
    async function rushing() {
      const calls = Array.from({ length: 20 }, () => pool.run(fixture('double'), 1));
      try {
        await pool.run(fixture('throwShortage'), 'bread');
      } finally {
        await Promise.all(calls);
      }
    }
    const error = await rejection(rushing());
    expect(error.stack).toContain('throwShortage');
    expect(error.stack).toContain('rushing');
  });

  it('gives both stacks also of a task that was short and well until now, and again after it has failed', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const task = fixture<(item: string) => void>('throwUnlessWell');
    for (let n = 0; n < 5; n += 1) await pool.run(task, 'well');
    async function awaiting() {
      // So that this is no rush.
      await new Promise((resolve) => setTimeout(resolve, 5));
      await pool.run(task, 'bread');
    }
    function notAwaiting() {
      return pool.run(task, 'butter').catch((error: unknown) => error);
    }
    const first = await rejection(awaiting());
    expect(first.stack).toContain('throwUnlessWell');
    expect(first.stack).toContain('awaiting');
    // From the failure on the call is remembered, however it is waited for.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(((await notAwaiting()) as Error).stack).toContain('notAwaiting');
  });
});

describe('histograms', () => {
  it('give percentiles within 7 %, from nanoseconds to minutes', () => {
    for (const scale of [0.01, 1, 1_000, 60_000]) {
      const histogram = new DurationHistogram();
      for (let n = 1; n <= 1_000; n += 1) histogram.record((n / 1_000) * scale);
      const { count, meanMs, p50Ms, p99Ms, maxMs } = histogram.summary()!;
      expect(count).toBe(1_000);
      expect(meanMs / scale).toBeCloseTo(0.5005, 6);
      expect(Math.abs(p50Ms / scale / 0.5 - 1)).toBeLessThan(0.07);
      expect(Math.abs(p99Ms / scale / 0.99 - 1)).toBeLessThan(0.07);
      expect(maxMs).toBe(scale);
    }
  });
});
