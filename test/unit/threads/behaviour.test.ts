/** What happens to tasks and pools in bad moments, the same rows on this pool and on piscina: it has to be as good in each. */
import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { afterEach, describe, expect, it } from 'vitest';
import { ThreadPool } from '../../../dist/threads/thread-pool.js';
import { fixture, fixtureFile, int32, marked, rejection } from '../../fixtures/threads/setup.js';

interface Options {
  readonly queueLimit?: number;
  readonly heapMb?: number;
}
interface Pool {
  run(name: string, args?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Takes no more, finishes what was given. */
  close(): Promise<void>;
  /** Ends at once; what is left rejects. */
  destroy(): Promise<void>;
}
const tasks = fixtureFile('tasks.js').href;
const limits = (heapMb: number | undefined) =>
  heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } };

const POOLS: Record<string, (options?: Options) => Pool> = {
  'system-optimizer': ({ queueLimit, heapMb } = {}) => {
    const pool = new ThreadPool({
      maxThreads: 1,
      ...(queueLimit !== undefined && { queueLimit }),
      ...limits(heapMb),
    });
    return {
      run: (name, args, signal) => pool.run(fixture(name), args, signal && { signal }),
      close: () => pool.close(),
      destroy: () => pool.close({ force: true }),
    };
  },
  piscina: ({ queueLimit, heapMb } = {}) => {
    const pool = new Piscina({
      filename: tasks,
      minThreads: 0,
      maxThreads: 1,
      ...(queueLimit !== undefined && { maxQueue: queueLimit }),
      ...limits(heapMb),
    });
    return {
      run: (name, args, signal) => pool.run(args, { name, ...(signal && { signal }) }),
      close: () => pool.close(),
      destroy: () => pool.destroy(),
    };
  },
};

/** What makes a pool and runs one task, without closing it, by itself. */
const UNCLOSED: Record<string, string> = {
  'system-optimizer': `
    import { ThreadPool } from '${new URL('../../../dist/threads/thread-pool.js', import.meta.url).href}';
    import { defineTask } from '${new URL('../../../dist/threads/task.js', import.meta.url).href}';
    const result = await new ThreadPool({ maxThreads: 1 }).run(defineTask('${tasks}', 'double'), 4);`,
  piscina: `
    import { Piscina } from '${import.meta.resolve('piscina')}';
    const result = await new Piscina({ filename: '${tasks}', minThreads: 0, maxThreads: 1, idleTimeout: 10 }).run(4, { name: 'double' });`,
};

const open: Pool[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.destroy().catch(() => undefined)));
});

describe.each(Object.keys(POOLS))('%s', (name) => {
  const make = (options?: Options) => {
    const pool = POOLS[name]!(options);
    open.push(pool);
    return pool;
  };
  const works = async (pool: Pool) => expect(await pool.run('double', 4)).toBe(8);

  it('process.exit in a task: it rejects, and the pool works on', async () => {
    const pool = make();
    expect(await rejection(pool.run('exitProcess', 3))).toBeInstanceOf(Error);
    await works(pool);
  });

  it('heap out of memory: it rejects, the process lives, the pool works on', async () => {
    const pool = make({ heapMb: 24 });
    expect(await rejection(pool.run('exhaustHeap'))).toBeInstanceOf(Error);
    await works(pool);
  });

  it('infinite loop, aborted: it rejects, and the pool works on', async () => {
    const pool = make();
    const words = int32(1);
    const controller = new AbortController();
    const spinning = rejection(pool.run('spinAfterMark', words, controller.signal));
    await marked(words);
    controller.abort();
    expect(await spinning).toBeInstanceOf(Error);
    await works(pool);
  });

  it('throws an error: class, message and cause arrive', async () => {
    const error = await rejection(make().run('rejectLater'));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('rejected');
    const withCause = await rejection(make().run('throwShortage', 'bread'));
    expect(withCause.cause).toMatchObject({ message: 'the store is empty' });
  });

  it('throws what is no error: it rejects, and the pool works on', async () => {
    const pool = make();
    const outcome = await pool.run('throwValue', 'a text').then(
      () => 'resolved',
      () => 'rejected',
    );
    expect(outcome).toBe('rejected');
    await works(pool);
  });

  it('an error after the result: the result stands, and the pool works on', async () => {
    const pool = make();
    expect(await pool.run('leaveTimerThatThrows')).toBe('returned');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await works(pool);
  });

  it('aborted before: the task never runs', async () => {
    const pool = make();
    const words = int32(1);
    expect(await rejection(pool.run('spinAfterMark', words, AbortSignal.abort()))).toBeInstanceOf(Error);
    await works(pool);
    expect(words[0]).toBe(0);
  });

  it('aborted while it waits: it rejects alone', async () => {
    const pool = make();
    const words = int32(1);
    const holding = pool.run('hold', words);
    const controller = new AbortController();
    const waiting = rejection(pool.run('double', 1, controller.signal));
    controller.abort();
    expect(await waiting).toBeInstanceOf(Error);
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    expect(await holding).toMatch(/ok|not-equal/);
  });

  it('queue limit: what is too much rejects, the rest is done', async () => {
    const pool = make({ queueLimit: 2 });
    await works(pool);
    const words = int32(1);
    const settled = Promise.allSettled([
      pool.run('hold', words),
      ...Array.from({ length: 6 }, (_, index) => pool.run('double', index)),
    ]);
    setTimeout(() => {
      Atomics.store(words, 0, 1);
      Atomics.notify(words, 0);
    }, 20);
    const outcomes = (await settled).map(({ status }) => status);
    expect(outcomes[0]).toBe('fulfilled');
    expect(outcomes.filter((status) => status === 'rejected').length).toBeGreaterThanOrEqual(3);
    expect(outcomes.filter((status) => status === 'fulfilled').length).toBeGreaterThanOrEqual(3);
    await works(pool);
  });

  // piscina's close() ends threads that are not up yet, and rejects what waits for them.
  it.runIf(name === 'system-optimizer')('closed during work: what was given is finished', async () => {
    const pool = make();
    const given = [pool.run('later', { ms: 30, value: 'late' }), pool.run('double', 2)];
    await pool.close();
    expect(await Promise.all(given)).toEqual(['late', 4]);
  });

  it('ended during work: what is left rejects', async () => {
    const pool = make();
    const words = int32(1);
    const spinning = rejection(pool.run('spinAfterMark', words));
    await marked(words);
    await pool.destroy();
    expect(await spinning).toBeInstanceOf(Error);
  });

  it('never closed: the process ends all the same', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `${UNCLOSED[name]!} console.log(result);`],
      { encoding: 'utf8', timeout: 30_000 },
    );
    expect([status, stdout.trim()]).toEqual([0, '8']);
  });

  it('in a worker thread: it works as in the main thread', async () => {
    const source = `${UNCLOSED[name]!}
      const { parentPort } = await import('node:worker_threads');
      parentPort.postMessage(result);`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    const result = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    );
    await worker.terminate();
    expect(result).toBe(8);
  });
});
