/** Every door of the room refuses an option that it does not know, and names the one that was probably meant. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  Barrier,
  ConcurrencyLimiter,
  Condition,
  defineTask,
  job,
  LocalExecutor,
  MpmcQueue,
  Mutex,
  Semaphore,
  SeqLock,
  SpscRing,
  ThreadPool,
} from '../../../dist/index.js';

const url = new URL('../../fixtures/threads/tasks.js', import.meta.url);
const task = defineTask(url, 'double');
const kernel = defineTask(url, 'countVisits');
const visits = new Int32Array(new SharedArrayBuffer(40));
const values = new Float64Array(new SharedArrayBuffer(80));
const loop = { task: kernel, range: [0, 10], shared: { visits } };
const refusal = (key: string, meant: string) =>
  expect.objectContaining({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(new RegExp(`unknown key "${key}".*"${meant}"`)),
  });

const pool = new ThreadPool({ maxThreads: 1 });
const executor = new LocalExecutor({ pool });
const limiter = new ConcurrencyLimiter();
const mutex = Mutex.create({ allowMainThread: true });
const semaphore = Semaphore.create({ permits: 3, allowMainThread: true });
const barrier = Barrier.create({ parties: 2, allowMainThread: true });
const queue = MpmcQueue.create({ capacity: 4, allowMainThread: true });
const condition = Condition.create({ allowMainThread: true });
afterAll(() => pool.close());

// Each call gets what a person might mistype; none may wait for anything, or leave anything behind.
const doors: [door: string, key: string, meant: string, call: (options: any) => unknown][] = [
  ['new ThreadPool', 'maxThread', 'maxThreads', (o) => new ThreadPool(o)],
  ['pool.run', 'deadlineMS', 'deadlineMs', (o) => pool.run(task, 1, o)],
  ['pool.close', 'forse', 'force', (o) => pool.close(o)],
  ['pool.parallelFor', 'thread', 'threads', (o) => pool.parallelFor({ ...loop, ...o } as never)],
  ['pool.prepare', 'schedul', 'schedule', (o) => pool.prepare({ ...loop, ...o } as never)],
  [
    'pool.parallelReduce',
    'combines',
    'combine',
    (o) => pool.parallelReduce({ ...loop, combine: (a: number, b: number) => a + b, ...o } as never),
  ],
  ['pool.parallelMap', 'ouput', 'output', (o) => pool.parallelMap({ input: values, task, ...o } as never)],
  ['pool.parallelScan', 'operatin', 'operation', (o) => pool.parallelScan({ input: values, ...o })],
  ['pool.parallelSort', 'thread', 'threads', (o) => pool.parallelSort({ values, ...o })],
  ['job', 'rang', 'range', (o) => job({ name: 'j', ...loop, ...o } as never)],
  ['job.run', 'signl', 'signal', (o) => job({ name: 'j', ...loop } as never).run(o)],
  ['new LocalExecutor', 'keepResultMs', 'keepResultsMs', (o) => new LocalExecutor(o)],
  ['executor.run', 'attempt', 'attempts', (o) => executor.run(task, 1, o)],
  ['executor.deadLetters', 'limits', 'limit', (o) => executor.deadLetters(o)],
  ['executor.close', 'forse', 'force', (o) => executor.close(o)],
  ['new ConcurrencyLimiter', 'maxQueue', 'maxQueued', (o) => new ConcurrencyLimiter(o)],
  ['limiter.run', 'queueTimeout', 'queueTimeoutMs', (o) => limiter.run(() => 1, o)],
  ['limiter.acquire', 'priorty', 'priority', (o) => limiter.acquire(o)],
  ['Mutex.create', 'nam', 'name', (o) => Mutex.create(o)],
  ['Mutex.from', 'allowMain', 'allowMainThread', (o) => Mutex.from(mutex.descriptor, o)],
  ['mutex.lock', 'timeout', 'timeoutMs', (o) => mutex.lock(o)],
  ['mutex.lockAsync', 'signl', 'signal', (o) => mutex.lockAsync(o)],
  ['mutex.withLock', 'timeout', 'timeoutMs', (o) => mutex.withLock(() => 1, o)],
  ['Semaphore.create', 'permit', 'permits', (o) => Semaphore.create(o)],
  ['semaphore.acquire', 'permit', 'permits', (o) => semaphore.acquire(o)],
  ['semaphore.acquireAsync', 'timeout', 'timeoutMs', (o) => semaphore.acquireAsync(o)],
  ['Condition.create', 'nam', 'name', (o) => Condition.create(o)],
  ['condition.wait', 'timeout', 'timeoutMs', (o) => condition.wait(mutex, o)],
  ['Barrier.create', 'partys', 'parties', (o) => Barrier.create(o)],
  ['barrier.wait', 'timeout', 'timeoutMs', (o) => barrier.wait(o)],
  ['barrier.waitAsync', 'timeout', 'timeoutMs', (o) => barrier.waitAsync(o)],
  ['SeqLock.create', 'sizeByte', 'sizeBytes', (o) => SeqLock.create(o)],
  ['SpscRing.create', 'capcity', 'capacity', (o) => SpscRing.create(o)],
  ['MpmcQueue.create', 'maxItemByte', 'maxItemBytes', (o) => MpmcQueue.create(o)],
  ['queue.push', 'timeout', 'timeoutMs', (o) => queue.push(1, o)],
  ['queue.popAsync', 'timeout', 'timeoutMs', (o) => queue.popAsync(o)],
];

describe('an unknown option', () => {
  it.each(doors)('is refused by %s: "%s", meant was "%s"', async (_, key, meant, call) => {
    await expect((async () => call({ [key]: 1 }))()).rejects.toEqual(refusal(key, meant));
  });

  it('leaves nothing taken, counted or broken', async () => {
    expect([mutex.isMine, semaphore.available, queue.size, barrier.isBroken]).toEqual([false, 3, 0, false]);
    expect(limiter.stats().accepted).toBe(0);
    expect(await pool.run(task, 4)).toBe(8);
    expect(await executor.run(task, 4)).toBe(8);
  });

  it('is refused, with a task that is none, also by the first call', async () => {
    const fresh = new ThreadPool({ maxThreads: 1 });
    for (const none of [undefined, null, 5]) {
      await expect(fresh.run(none as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(fresh.stats().queued).toBe(0);
    await expect(fresh.run(task, 1, { transfer: 5 as never })).rejects.toThrow(/transfer is 5/);
    await fresh.close();
    const limits = (resourceLimits: object) => () => new ThreadPool({ resourceLimits });
    expect(limits({ maxOld: 1 })).toThrow(/unknown key "maxOld"/);
    expect(limits({ stackSizeMb: '4' })).toThrow(/resourceLimits.stackSizeMb is "4"/);
  });

  it('that resembles none is answered with all there are', () => {
    expect(() => new ThreadPool({ colour: 'red' } as never)).toThrow(/keys of minThreads, maxThreads, /);
    expect(() => new ThreadPool([] as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
