/** Whatever a task does to its thread, its own promise rejects, no other does, and the pool works on. */
import { describe, expect, it } from 'vitest';
import { fixture, int32, marked, poolWith, rejection } from '../../fixtures/threads/setup.js';

describe('a task that ends its thread', () => {
  it('by process.exit: rejects with the code', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const error = await rejection(pool.run(fixture('exitProcess'), 3));
    expect(error).toMatchObject({ code: 'WORKER_DIED', name: 'TaskError' });
    expect(error.message).toContain('exit code 3');
    expect(await pool.run(fixture('double'), 2)).toBe(4);
    expect(pool.stats()).toMatchObject({ threads: 1, startedThreads: 2, diedThreads: 1 });
  });

  it('rejects alone: neighbours and queued tasks go on', async () => {
    const pool = poolWith({ maxThreads: 2 });
    const words = int32(1);
    const neighbour = pool.run(fixture('hold'), words);
    const dying = rejection(pool.run(fixture('exitProcess'), 0));
    const queued = [1, 2, 3].map((n) => pool.run(fixture('double'), n));
    expect((await dying).code).toBe('WORKER_DIED');
    expect(await Promise.all(queued)).toEqual([2, 4, 6]);
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    expect(await neighbour).toMatch(/ok|not-equal/);
  });

  it('by exhausting its heap: rejects, the process lives', async () => {
    const pool = poolWith({ maxThreads: 1, resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const error = await rejection(pool.run(fixture('exhaustHeap')));
    expect(error.code).toBe('WORKER_DIED');
    expect(error.message).toContain('heap was exhausted');
    expect(error.cause.code).toBe('ERR_WORKER_OUT_OF_MEMORY');
    expect(await pool.run(fixture('double'), 2)).toBe(4);
  });

  it('by an error after it returned: its result stands, the thread is replaced', async () => {
    const pool = poolWith({ maxThreads: 1 });
    expect(await pool.run(fixture('leaveTimerThatThrows'))).toBe('returned');
    while (pool.stats().diedThreads === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await pool.run(fixture('double'), 3)).toBe(6);
  });
});

describe('threads that cannot even start', () => {
  it('reject what waits for them instead of starting for ever', async () => {
    const pool = poolWith({
      maxThreads: 1,
      resourceLimits: { maxOldGenerationSizeMb: 1, maxYoungGenerationSizeMb: 1 },
    });
    const error = await rejection(pool.run(fixture('double'), 1));
    expect(error.code).toBe('WORKER_NOT_STARTED');
    expect(error.message).toContain('resourceLimits');
  });
});

describe('endless tasks', () => {
  it('end by signal, also in an endless loop', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const words = int32(1);
    const controller = new AbortController();
    const spinning = rejection(pool.run(fixture('spinAfterMark'), words, { signal: controller.signal }));
    await marked(words);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await spinning).toMatchObject({ code: 'ABORTED', cause: reason });
    expect(await pool.run(fixture('double'), 2)).toBe(4);
    expect(pool.stats()).toMatchObject({ threads: 1, diedThreads: 0, failed: 1 });
  });

  it('end at their deadline', async () => {
    const pool = poolWith({ maxThreads: 1 });
    await pool.start();
    const error = await rejection(pool.run(fixture('spinForever'), undefined, { deadlineMs: 30 }));
    expect(error).toMatchObject({ code: 'TASK_TIMED_OUT' });
    expect(error.message).toContain('30 ms');
    expect(await pool.run(fixture('double'), 2)).toBe(4);
  });

  it('do not keep a queued task past its deadline', async () => {
    const pool = poolWith({ maxThreads: 1 });
    await pool.start();
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    const error = await rejection(pool.run(fixture('double'), 1, { deadlineMs: 20 }));
    expect(error.code).toBe('TASK_TIMED_OUT');
    expect(pool.stats()).toMatchObject({ queued: 0, running: 1 });
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    await holding;
  });
});

describe('signals', () => {
  it('aborted before: the task never runs', async () => {
    const pool = poolWith();
    const words = int32(1);
    const error = await rejection(
      pool.run(fixture('spinAfterMark'), words, { signal: AbortSignal.abort('no') }),
    );
    expect(error).toMatchObject({ code: 'ABORTED', cause: 'no' });
    expect(pool.stats()).toMatchObject({ threads: 0, queued: 0 });
    expect(words[0]).toBe(0);
  });

  it('aborted while it waits: no thread is ended', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    const controller = new AbortController();
    const queued = rejection(pool.run(fixture('double'), 1, { signal: controller.signal }));
    controller.abort();
    expect((await queued).code).toBe('ABORTED');
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    expect(await holding).toMatch(/ok|not-equal/);
    expect(pool.stats()).toMatchObject({ startedThreads: 1, queued: 0 });
  });

  it('aborted afterwards: nothing happens', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const controller = new AbortController();
    expect(await pool.run(fixture('double'), 1, { signal: controller.signal })).toBe(2);
    controller.abort();
    expect(await pool.run(fixture('double'), 2)).toBe(4);
    expect(pool.stats().startedThreads).toBe(1);
  });
});
