import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../dist/threads/thread-pool.js';
import { fixture, int32, marked, poolWith, rejection } from '../../fixtures/threads/setup.js';

const release = (words: Int32Array) => {
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
};

describe('run', () => {
  it('gives results of synchronous and asynchronous tasks', async () => {
    const pool = poolWith();
    expect(await pool.run(fixture<(n: number) => number>('double'), 21)).toBe(42);
    expect(await pool.run(fixture('later'), { ms: 1, value: new Map([['a', 1]]) })).toEqual(
      new Map([['a', 1]]),
    );
    expect(await pool.run(fixture('echo'))).toBeUndefined();
  });

  it('runs many tasks, each once, with its own result', async () => {
    const pool = poolWith();
    const results = await Promise.all(Array.from({ length: 500 }, (_, n) => pool.run(fixture('double'), n)));
    expect(results).toEqual(Array.from({ length: 500 }, (_, n) => n * 2));
    expect(pool.stats()).toMatchObject({ completed: 500, failed: 0, running: 0, queued: 0 });
  });

  it('lets the event loop turn among calls that follow results without end', async () => {
    const pool = poolWith();
    let hasTurned = false;
    let calls = 0;
    const caller = async () => {
      // Without a turn it would go on until the test is given up.
      while (!hasTurned) expect(await pool.run(fixture('double'), (calls += 1))).toBeGreaterThan(0);
    };
    await pool.run(fixture('double'), 1);
    const callers = Array.from({ length: 600 }, caller);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    hasTurned = true;
    await Promise.all(callers);
    expect(pool.stats()).toMatchObject({ completed: calls + 1, failed: 0, running: 0, queued: 0 });
  });

  it('runs calls in their order where more wait than a thread takes at once', async () => {
    const pool = poolWith({ maxThreads: 1 });
    await pool.run(fixture('double'), 1);
    const order: number[] = [];
    const runs = Array.from({ length: 2_000 }, (_, n) =>
      pool.run(fixture('echo'), n, n === 1_500 ? { priority: 1 } : {}).then(() => order.push(n)),
    );
    await Promise.all(runs);
    const urgentAt = order.indexOf(1_500);
    expect(urgentAt).toBeLessThan(1_500);
    expect(order.toSpliced(urgentAt, 1)).toEqual([...Array(2_000).keys()].toSpliced(1_500, 1));
  });

  it('runs in other threads, no more than maxThreads', async () => {
    const pool = poolWith({ maxThreads: 2 });
    const ids = await Promise.all(
      Array.from({ length: 40 }, () => pool.run(fixture<() => number>('whoAmI'))),
    );
    expect(new Set(ids).size).toBeLessThanOrEqual(2);
    expect(ids).not.toContain(0);
  });

  it('moves what is to be transferred', async () => {
    const buffer = new ArrayBuffer(1_000);
    expect(await poolWith().run(fixture('byteLength'), buffer, { transfer: [buffer] })).toBe(1_000);
    expect(buffer.byteLength).toBe(0);
  });

  it('goes by priority', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    const order: string[] = [];
    const tasks = (
      [
        ['low', -1],
        ['normal', 0],
        ['high', 10],
      ] as const
    ).map(([name, priority]) => pool.run(fixture('echo'), name, { priority }).then(() => order.push(name)));
    release(words);
    await Promise.all([holding, ...tasks]);
    expect(order).toEqual(['high', 'normal', 'low']);
  });

  it('restores the caller’s async context', async () => {
    const storage = new AsyncLocalStorage<string>();
    const pool = poolWith();
    const seen = await Promise.all(
      ['a', 'b'].map((name) =>
        storage.run(name, async () => {
          await pool.run(fixture('echo'), name);
          return storage.getStore();
        }),
      ),
    );
    expect(seen).toEqual(['a', 'b']);
  });

  it('lets what tasks leave behind go on: timers, output', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const words = int32(1);
    await pool.run(fixture('leaveTimer'), words);
    await marked(words);
    expect(words[0]).toBe(1);
  });

  it.each([
    [{ priority: NaN }, 'priority'],
    [{ priority: '1' }, 'priority'],
    [{ deadlineMs: 0 }, 'deadlineMs'],
    [{ deadlineMs: NaN }, 'deadlineMs'],
    [{ signal: {} }, 'signal'],
    [{ timeout: 5 }, 'unknown key "timeout"'],
    [null, 'options'],
  ])('rejects options %j', async (options, message) => {
    const pool = poolWith();
    const error = await rejection(pool.run(fixture('double'), 1, options as never));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(message);
    expect(pool.stats()).toMatchObject({ queued: 0, threads: 0 });
  });

  it('rejects what is no task', async () => {
    expect((await rejection(poolWith().run((() => 1) as never))).message).toContain('defineTask');
  });
});

describe('limits', () => {
  it('rejects beyond queueLimit, and takes tasks again when there is room', async () => {
    const pool = poolWith({ maxThreads: 1, queueLimit: 2 });
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    while (pool.stats().running === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const waiting = [pool.run(fixture('double'), 1), pool.run(fixture('double'), 2)];
    const error = await rejection(pool.run(fixture('double'), 3));
    expect(error).toMatchObject({ code: 'QUEUE_FULL', name: 'TaskError' });
    release(words);
    await holding;
    expect(await Promise.all(waiting)).toEqual([2, 4]);
    expect(await pool.run(fixture('double'), 3)).toBe(6);
  });

  it('queueLimit 0 still lets idle threads work', async () => {
    const pool = poolWith({ maxThreads: 1, queueLimit: 0 });
    expect(await pool.run(fixture('double'), 1)).toBe(2);
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    expect((await rejection(pool.run(fixture('double'), 1))).code).toBe('QUEUE_FULL');
    release(words);
    await holding;
  });

  it('waits for room with queueFull "wait"', async () => {
    const pool = poolWith({ maxThreads: 1, queueLimit: 1, queueFull: 'wait' });
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => pool.run(fixture('double'), n)));
    expect(results).toEqual(Array.from({ length: 50 }, (_, n) => n * 2));
  });

  it('aborts a task that waits for room', async () => {
    const pool = poolWith({ maxThreads: 1, queueLimit: 0, queueFull: 'wait' });
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    while (pool.stats().running === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const controller = new AbortController();
    const waiting = rejection(pool.run(fixture('double'), 1, { signal: controller.signal }));
    controller.abort();
    expect((await waiting).code).toBe('ABORTED');
    expect(pool.stats().queued).toBe(0);
    release(words);
    await holding;
  });

  it('starts minThreads at once and keeps them; retires the rest', async () => {
    const pool = poolWith({ minThreads: 1, maxThreads: 2, idleTimeoutMs: 20 });
    expect(pool.stats().threads).toBe(1);
    await pool.start();
    expect(pool.stats()).toMatchObject({ startedThreads: 2, startingThreads: 0 });
    while (pool.stats().threads > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(pool.stats()).toMatchObject({ threads: 1, diedThreads: 0 });
    expect(await pool.run(fixture('double'), 1)).toBe(2);
  });

  it.each([
    [{ maxThreads: 0 }, 'maxThreads'],
    [{ maxThreads: 1.5 }, 'maxThreads'],
    [{ maxThreads: 2, minThreads: 3 }, 'minThreads'],
    [{ idleTimeoutMs: 0 }, 'idleTimeoutMs'],
    [{ queueLimit: -1 }, 'queueLimit'],
    [{ queueFull: 'drop' }, 'queueFull'],
    [{ affinity: 'near' }, 'affinity'],
    [{ name: '' }, 'name'],
    ...['maxThreads', 'queueFull', 'affinity', 'stores', 'concurrentTasksPerThread'].map(
      (key): [object, string] => [{ [key]: null }, `${key} is null`],
    ),
    // With these Node would end the process while the first thread starts.
    [{ resourceLimits: { stackSizeMb: 0.2 } }, 'resourceLimits.stackSizeMb'],
    [{ resourceLimits: { stackSizeMb: 1e5 } }, 'resourceLimits.stackSizeMb'],
    [{ resourceLimits: { codeRangeSizeMb: 1e12 } }, 'resourceLimits.codeRangeSizeMb'],
    [{ threads: 4 }, 'unknown key "threads"'],
  ])('refuses options %j', (options, message) => {
    expect(() => new ThreadPool(options as never)).toThrow(message);
  });
});

it.each([
  { stackSizeMb: 1 },
  { stackSizeMb: 1_024 },
  { codeRangeSizeMb: 65_536 },
  { codeRangeSizeMb: 0.001, maxYoungGenerationSizeMb: 0.001 },
])('starts threads within the limits that it allows: %j', async (resourceLimits) => {
  expect(await poolWith({ maxThreads: 1, resourceLimits }).run(fixture('double'), 2)).toBe(4);
});

describe('drain and close', () => {
  it.each(['yes', 'false', 1, 0, {}])('close refuses to guess what force %j means', async (force) => {
    const pool = poolWith();
    expect(await rejection(pool.close({ force } as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await pool.run(fixture('double'), 2)).toBe(4);
  });

  it('drain waits for what was given, and is immediate when idle', async () => {
    const pool = poolWith();
    await pool.drain();
    let done = 0;
    for (let n = 0; n < 20; n += 1)
      void pool.run(fixture('later'), { ms: 2, value: n }).then(() => (done += 1));
    await pool.drain();
    expect(done).toBe(20);
  });

  it('close finishes what was given, then ends the threads', async () => {
    const pool = poolWith();
    const results = Promise.all(Array.from({ length: 20 }, (_, n) => pool.run(fixture('double'), n)));
    await pool.close();
    expect((await results).length).toBe(20);
    expect(pool.stats()).toMatchObject({ threads: 0, completed: 20 });
  });

  it('rejects everything after close, and closes twice', async () => {
    const pool = poolWith();
    await pool.close();
    await pool.close();
    for (const use of [
      () => pool.run(fixture('double'), 1),
      () => pool.parallelFor({ task: fixture('square'), range: [0, 1], shared: undefined }),
      () => pool.start(),
    ]) {
      expect(await rejection(use())).toMatchObject({ code: 'CLOSED', name: 'ClosedError' });
    }
  });

  it('settles every promise on a forced close: running, queued, waiting for room, loops', async () => {
    const pool = poolWith({ maxThreads: 2, queueLimit: 2, queueFull: 'wait' });
    const words = int32(1);
    const loopWords = int32(1);
    const running = rejection(pool.run(fixture('spinAfterMark'), words));
    await marked(words);
    const loop = rejection(
      pool.parallelFor({
        task: fixture('endlessKernel'),
        range: [0, 2],
        shared: { words: loopWords },
        schedule: 'static',
        threads: 1,
      }),
    );
    await marked(loopWords);
    const rest = Array.from({ length: 6 }, () => rejection(pool.run(fixture('double'), 1)));
    await pool.close({ force: true });
    for (const error of await Promise.all([running, loop, ...rest])) expect(error.code).toBe('CLOSED');
    expect(pool.stats()).toMatchObject({ threads: 0, running: 0, queued: 0, runningLoops: 0 });
  });

  it('a forced close ends a graceful one that would never end', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const words = int32(1);
    const running = rejection(pool.run(fixture('spinAfterMark'), words));
    await marked(words);
    const graceful = pool.close();
    await pool.close({ force: true });
    await graceful;
    expect((await running).code).toBe('CLOSED');
  });

  it('is disposable', async () => {
    let stats;
    {
      const pool = poolWith();
      await pool.run(fixture('double'), 1);
      await pool[Symbol.asyncDispose]();
      stats = pool.stats();
    }
    expect(stats.threads).toBe(0);
  });
});
