import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  Barrier,
  Condition,
  MpmcQueue,
  Mutex,
  recoverOnExit,
  Semaphore,
  SeqLock,
  SpscRing,
} from '../../../../dist/index.js';
import { messageOf, resultOf, start } from './threads.js';

const shared = (words: number) => new Int32Array(new SharedArrayBuffer(words * 4));
const code = (name: string) => expect.objectContaining({ code: name });

describe('Mutex', () => {
  it('excludes threads that block and promises that wait, and counts contention', async () => {
    const mutex = Mutex.create({ name: 'ledger' });
    const words = shared(3);
    const descriptors = { mutex: mutex.descriptor, words };
    const workers = [
      start('increment', descriptors, { count: 20_000 }),
      start('increment', descriptors, { count: 20_000 }),
      start('incrementAsync', descriptors, { count: 500 }),
    ];
    const results = Promise.all(workers.map(resultOf));
    for (let k = 0; k < 500; k += 1) {
      await mutex.withLockAsync(() => {
        words[0]! += 1;
        words[1]! += 1;
      });
    }
    await results;
    expect([...words]).toEqual([41_000, 41_000, 0]);
    expect(mutex.stats()).toMatchObject({ name: 'ledger', acquisitions: 41_000, timedOut: 0, abandoned: 0 });
  });

  it('tells the next holder, once, that the one before died with it', async () => {
    const mutex = Mutex.create();
    const worker = start('holdForEver', { mutex: mutex.descriptor });
    recoverOnExit(worker, [mutex]);
    await messageOf(worker);
    expect(mutex.tryLock()).toBeUndefined();
    const next = mutex.lockAsync();
    await worker.terminate();
    expect(await next).toEqual({ abandoned: true });
    mutex.unlock();
    expect(await mutex.lockAsync()).toEqual({ abandoned: false });
    mutex.unlock();
    expect(mutex.stats()).toMatchObject({ abandoned: 1, contended: 1 });
    expect(mutex.stats().waitMs).toBeGreaterThan(0);
  });

  it('gives up when its time is over or its signal fires, and passes on a wake-up that came too late', async () => {
    const mutex = Mutex.create();
    await mutex.lockAsync();
    await expect(mutex.lockAsync({ timeoutMs: 5 })).rejects.toThrow(code('WAIT_TIMED_OUT'));
    const controller = new AbortController();
    const aborted = mutex.lockAsync({ signal: controller.signal });
    const patient = mutex.lockAsync();
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow(code('ABORTED'));
    // The aborted one still stands first in V8's list.
    mutex.unlock();
    expect(await patient).toEqual({ abandoned: false });
    await expect(mutex.lockAsync({ signal: AbortSignal.abort() })).rejects.toThrow(code('ABORTED'));
    mutex.unlock();
    expect(mutex.stats().timedOut).toBe(3);
  });

  it('refuses misuse by name', async () => {
    const mutex = Mutex.create({ name: 'm', allowMainThread: true });
    expect(() => mutex.unlock()).toThrow(code('LOCK_NOT_HELD'));
    mutex.lock();
    expect(mutex.isMine).toBe(true);
    expect(() => mutex.lock()).toThrow(code('LOCK_RECURSIVE'));
    mutex.unlock();
    expect(() => Mutex.create().lock()).toThrow(code('WAIT_ON_MAIN_THREAD'));
    expect(() => Mutex.from({ kind: 'semaphore' } as never)).toThrow('"mutex"');
    expect(() => Mutex.from(undefined as never)).toThrow(code('INVALID_ARGUMENT'));
    const { name, kind } = mutex.descriptor;
    const memory = new SharedArrayBuffer(4096);
    expect(() => Mutex.from({ name, kind, memory })).toThrow('descriptor.memory');
    await expect(mutex.lockAsync({ timeout: 5 } as never)).rejects.toThrow('timeout');
    expect(() => mutex.recover(-1)).toThrow(code('INVALID_ARGUMENT'));
    const worker = start('holdForEver', { mutex: Mutex.create().descriptor });
    await messageOf(worker);
    await worker.terminate();
  });

  it('keeps the process alive while a promise waits, and only then', () => {
    const url = new URL('../../../../dist/index.js', import.meta.url).href;
    const waits = `import { Mutex } from ${JSON.stringify(url)};
      const mutex = Mutex.create(); await mutex.lockAsync();
      mutex.lockAsync({ timeoutMs: 400 }).catch((error) => console.log(error.code));`;
    const run = (source: string) =>
      execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
    expect(run(waits).trim()).toBe('WAIT_TIMED_OUT');
  });

  it('survives holders terminated anywhere', async () => {
    const mutex = Mutex.create();
    const words = shared(3);
    for (let round = 0; round < 8; round += 1) {
      const workers = [0, 1].map(() => start('incrementForEver', { mutex: mutex.descriptor, words }));
      for (const worker of workers) recoverOnExit(worker, [mutex]);
      await Promise.all(workers.map(messageOf));
      await workers[0]!.terminate();
      // The other goes on: the count moves.
      const before = Atomics.load(words, 0);
      while (Atomics.load(words, 0) === before) await new Promise((resolve) => setImmediate(resolve));
      await workers[1]!.terminate();
    }
    await mutex.lockAsync({ timeoutMs: 20_000 });
    mutex.unlock();
  });
});

describe('Condition', () => {
  it('wakes a thread that waits for a change made under the mutex', async () => {
    const mutex = Mutex.create();
    const condition = Condition.create();
    const words = shared(1);
    const worker = start('waitForFlag', { mutex: mutex.descriptor, condition: condition.descriptor, words });
    await messageOf(worker);
    const result = resultOf(worker);
    await mutex.withLockAsync(() => {
      words[0] = 1;
      condition.notifyAll();
    });
    expect(await result).toBe('saw it');
  });

  it('waits without blocking, ends with its time, and has the mutex again either way', async () => {
    const mutex = Mutex.create();
    const condition = Condition.create();
    await expect(condition.waitAsync(mutex)).rejects.toThrow(code('LOCK_NOT_HELD'));
    await mutex.lockAsync();
    expect(await condition.waitAsync(mutex, { timeoutMs: 5 })).toEqual({ notified: false, abandoned: false });
    expect(mutex.isMine).toBe(true);
    const waiting = condition.waitAsync(mutex);
    setImmediate(() => condition.notifyOne());
    expect(await waiting).toEqual({ notified: true, abandoned: false });
    const controller = new AbortController();
    const aborted = condition.waitAsync(mutex, { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toThrow(code('ABORTED'));
    expect(mutex.isMine).toBe(true);
    expect(condition.stats()).toMatchObject({ acquisitions: 1, timedOut: 2 });
  });
});

describe('Condition.waitFor', () => {
  const held = () => {
    const mutex = Mutex.create({ allowMainThread: true });
    mutex.lock();
    return { mutex, condition: Condition.create({ allowMainThread: true }) };
  };

  it('tells the predicate that the holder in between died with the mutex', async () => {
    const { mutex, condition } = held();
    const worker = start('holdForEver', { mutex: mutex.descriptor });
    const holding = messageOf(worker);
    const seen: boolean[] = [];
    const waiting = condition.waitForAsync(mutex, ({ abandoned }) => {
      seen.push(abandoned);
      return abandoned;
    });
    await holding;
    recoverOnExit(worker, [mutex, condition]);
    await worker.terminate();
    expect(await waiting).toBe(true);
    expect(seen).toEqual([false, true]);
    mutex.unlock();
  });

  it('waits without blocking until it is true, its time is over or its signal fires', async () => {
    const { mutex, condition } = held();
    let isReady = false;
    const waiting = condition.waitForAsync(mutex, () => isReady);
    setImmediate(() => condition.notifyAll());
    await new Promise((resolve) => setTimeout(resolve, 5));
    isReady = true;
    condition.notifyAll();
    expect(await waiting).toBe(true);
    expect(await condition.waitForAsync(mutex, () => false, { timeoutMs: 5 })).toBe(false);
    const signal = AbortSignal.timeout(5);
    await expect(condition.waitForAsync(mutex, () => false, { signal })).rejects.toThrow(code('ABORTED'));
    expect(mutex.isMine).toBe(true);
  });

  it('refuses misuse also where nobody has to wait', async () => {
    const { mutex, condition } = held();
    const yes = () => true;
    expect(() => condition.waitFor(mutex, true as never)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => condition.waitFor({} as never, yes)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => condition.wait(undefined as never)).toThrow(code('INVALID_ARGUMENT'));
    await expect(condition.waitAsync(undefined as never)).rejects.toThrow(code('INVALID_ARGUMENT'));
    await expect(condition.waitForAsync(mutex, 1 as never)).rejects.toThrow(code('INVALID_ARGUMENT'));
    expect(() => Condition.create().waitFor(mutex, yes)).toThrow(code('WAIT_ON_MAIN_THREAD'));
    mutex.unlock();
    expect(() => condition.waitFor(mutex, yes)).toThrow(code('LOCK_NOT_HELD'));
    await expect(condition.waitForAsync(mutex, yes)).rejects.toThrow(code('LOCK_NOT_HELD'));
  });
});

describe('Semaphore', () => {
  it('lets no more in than it has permits', async () => {
    const semaphore = Semaphore.create({ permits: 2 });
    const words = shared(1);
    const descriptors = { semaphore: semaphore.descriptor, words };
    const most = await Promise.all(
      [0, 1, 2].map(() => resultOf(start('permits', descriptors, { count: 5_000 }))),
    );
    expect(Math.max(...most)).toBeLessThanOrEqual(2);
    expect(semaphore.available).toBe(2);
    expect(semaphore.stats().acquisitions).toBe(15_000);
  });

  it('counts for others, gives back what a dead thread held, and refuses too many', async () => {
    const semaphore = Semaphore.create({ permits: 0, maxPermits: 3 });
    const waiting = semaphore.acquireAsync({ permits: 2 });
    semaphore.release();
    semaphore.recover(1_234, 1);
    await waiting;
    expect(semaphore.available).toBe(0);
    semaphore.release(3);
    expect(() => semaphore.release()).toThrow(code('SEMAPHORE_OVERFLOW'));
    expect(() => semaphore.acquire()).toThrow(code('WAIT_ON_MAIN_THREAD'));
    expect(() => semaphore.tryAcquire(4)).toThrow(code('INVALID_ARGUMENT'));
    expect(() => Semaphore.create({} as never)).toThrow('permits');
  });
});

describe('MpmcQueue', () => {
  it('hands each item to one consumer, in the order of its producer', async () => {
    const queue = MpmcQueue.create({ capacity: 16 });
    const descriptors = { queue: queue.descriptor };
    const count = 20_000;
    const consumers = [0, 1].map(() => resultOf(start('consume', descriptors, { count })));
    const producers = [1, 2].map((seed) => resultOf(start('produce', descriptors, { count, seed })));
    await Promise.all(producers);
    const results = await Promise.all(consumers);
    expect(results.map(({ inOrder }) => inOrder)).toEqual([true, true]);
    const expected = 3e6 * count + count * (count - 1);
    expect(results[0].sum + results[1].sum).toBe(expected);
    expect(queue.stats()).toMatchObject({ pushes: 40_000, pops: 40_000, size: 0, capacity: 16 });
  });

  it('goes on after producers terminated anywhere', async () => {
    const queue = MpmcQueue.create({ capacity: 8 });
    for (let round = 0; round < 8; round += 1) {
      const worker = start('produceForEver', { queue: queue.descriptor });
      recoverOnExit(worker, [queue]);
      for (let k = 0; k < 500; k += 1) await queue.popAsync();
      await worker.terminate();
      while (queue.tryPop() !== undefined);
      expect(queue.size).toBe(0);
      expect(queue.tryPush(7) && queue.tryPop()).toBe(7);
    }
  });

  it('carries bytes, fills up, closes', async () => {
    const queue = MpmcQueue.create({ capacity: 2, maxItemBytes: 4 });
    expect(queue.tryPush(new Uint8Array([1, 2, 3]))).toBe(true);
    await queue.pushAsync(new Uint8Array());
    expect(queue.tryPush(new Uint8Array(1))).toBe(false);
    await expect(queue.pushAsync(new Uint8Array(1), { timeoutMs: 1 })).rejects.toThrow(
      code('WAIT_TIMED_OUT'),
    );
    expect(() => queue.tryPush(new Uint8Array(5))).toThrow('up to 4 bytes');
    expect(() => queue.tryPush(7 as never)).toThrow(code('INVALID_ARGUMENT'));
    queue.close();
    expect(() => queue.tryPush(new Uint8Array(1))).toThrow(code('CLOSED'));
    expect(await queue.popAsync()).toEqual(new Uint8Array([1, 2, 3]));
    expect(queue.tryPop()).toEqual(new Uint8Array());
    await expect(queue.popAsync()).rejects.toThrow(code('CLOSED'));
    expect(() => queue.push(new Uint8Array(1))).toThrow(code('WAIT_ON_MAIN_THREAD'));
  });

  it('ends the wait of those who wait when it is closed', async () => {
    const queue = MpmcQueue.create({ capacity: 2 });
    const waiting = queue.popAsync();
    queue.close();
    await expect(waiting).rejects.toThrow(code('CLOSED'));
  });
});

describe('bytes that change while they wait to be pushed', () => {
  it.each([MpmcQueue, SpscRing])('are looked at again: %o', async (Queue) => {
    const queue = Queue.create({ capacity: 2, maxItemBytes: 8 });
    for (const n of [1, 2]) queue.tryPush(Uint8Array.of(n));
    const moved = Uint8Array.of(3);
    const Growable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
    const grown = new Uint8Array(new Growable(4, { maxByteLength: 1_000 }));
    const waiting = [queue.pushAsync(moved), queue.pushAsync(grown)].map((push) =>
      push.then(
        () => 'pushed',
        (error: { code: string }) => error.code,
      ),
    );
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    (grown.buffer as ArrayBuffer & { resize(bytes: number): void }).resize(1_000);
    expect(queue.tryPop()).toEqual(Uint8Array.of(1));
    expect(await Promise.all(waiting)).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
    await queue.pushAsync(Uint8Array.of(4));
    expect([queue.tryPop(), queue.tryPop(), queue.tryPop()]).toEqual([
      Uint8Array.of(2),
      Uint8Array.of(4),
      undefined,
    ]);
  });
});

describe('SpscRing', () => {
  it('carries bytes to another thread', async () => {
    const ring = SpscRing.create({ capacity: 8, maxItemBytes: 16 });
    const result = resultOf(start('consumeRing', { ring: ring.descriptor }, { count: 2_000 }));
    for (let k = 0; k < 2_000; k += 1) await ring.pushAsync(Buffer.from(`item ${k}`));
    expect(await result).toBe('item 1999');
  });

  it('belongs to one thread on each side until that leaves or dies', async () => {
    const ring = SpscRing.create({ capacity: 8, maxItemBytes: 16 });
    const worker = start('consumeRing', { ring: ring.descriptor }, { count: 1 });
    const { threadId } = worker;
    const result = resultOf(worker);
    ring.tryPush(Buffer.from('one'));
    await result;
    expect(() => ring.tryPop()).toThrow(code('RING_SIDE_TAKEN'));
    ring.recover(threadId);
    expect(ring.tryPop()).toBeUndefined();
    ring.leave();
    expect(ring.tryPush(Buffer.from('two'))).toBe(true);
  });
});

describe('SeqLock', () => {
  it('is never read half', async () => {
    const seqlock = SeqLock.create({ sizeBytes: 24 });
    const descriptors = { seqlock: seqlock.descriptor };
    const readers = [0, 1].map(() => resultOf(start('readRecords', descriptors, { count: 20_000 })));
    await resultOf(start('writeRecords', descriptors, { count: 20_000 }));
    expect(await Promise.all(readers)).toEqual(['whole', 'whole']);
    expect(seqlock.version).toBe(20_000);
    const copy = new Float64Array(3);
    expect(seqlock.tryRead(copy)).toBe(true);
    expect([...copy]).toEqual([19_999, -19_999, 39_998]);
    expect(() => seqlock.read(new Uint8Array(8))).toThrow('24 bytes');
    expect(() => SeqLock.create({ sizeBytes: 6 })).toThrow('multiple of 4');
    expect(seqlock.recover(99)).toBe(false);
  });
});

describe('Barrier', () => {
  it('keeps threads in step and names one leader each time', async () => {
    const barrier = Barrier.create({ parties: 3 });
    const descriptors = { barrier: barrier.descriptor, words: shared(2) };
    const leads = await Promise.all(
      [0, 1, 2].map(() => resultOf(start('phases', descriptors, { count: 300 }))),
    );
    expect(leads.reduce((sum, lead) => sum + lead, 0)).toBe(300);
  });

  it('breaks for all when one gives up or dies, until it is reset', async () => {
    const barrier = Barrier.create({ parties: 3 });
    const waiting = barrier.waitAsync();
    await expect(barrier.waitAsync({ timeoutMs: 5 })).rejects.toThrow(code('WAIT_TIMED_OUT'));
    await expect(waiting).rejects.toThrow(code('BARRIER_BROKEN'));
    await expect(barrier.waitAsync()).rejects.toThrow(code('BARRIER_BROKEN'));
    barrier.reset();
    const two = [barrier.waitAsync(), barrier.waitAsync()];
    expect(await barrier.waitAsync()).toBe(true);
    expect(await Promise.all(two)).toEqual([false, false]);
    const orphan = barrier.waitAsync();
    barrier.recover(77);
    await expect(orphan).rejects.toThrow(code('BARRIER_BROKEN'));
    expect(barrier.isBroken).toBe(true);
  });
});

describe('wrong calls', () => {
  const refused = (name: string) =>
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(name) });
  const errorOf = (call: () => unknown) => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };

  it.each([Mutex, Semaphore, Condition, Barrier, SeqLock, MpmcQueue, SpscRing])(
    'new %o says how to make one',
    (Primitive) => {
      const make = Primitive as unknown as new () => unknown;
      expect(errorOf(() => new make())).toEqual(refused('create()'));
    },
  );

  it('no more memory is asked for than there is, and that is said', () => {
    const options = { capacity: 2 ** 24, maxItemBytes: 2 ** 24 };
    expect(errorOf(() => MpmcQueue.create(options))).toEqual(refused('the size of the mpmc-queue'));
    expect(errorOf(() => SpscRing.create(options))).toEqual(refused('the size of the spsc-ring'));
  });

  it('a lock is not taken for what is no function', async () => {
    const mutex = Mutex.create({ allowMainThread: true });
    expect(errorOf(() => mutex.withLock(undefined as never))).toEqual(refused('action'));
    await expect(mutex.withLockAsync(5 as never)).rejects.toEqual(refused('action'));
    expect(mutex.stats().acquisitions).toBe(0);
  });

  it('recoverOnExit is not too late without a word', async () => {
    const mutex = Mutex.create();
    const worker = start('holdForEver', { mutex: mutex.descriptor });
    await messageOf(worker);
    await worker.terminate();
    expect(errorOf(() => recoverOnExit(worker, [mutex]))).toEqual(refused('a Worker that has ended'));
  });

  it('recoverOnExit names what it cannot use', () => {
    const worker = { once: () => {}, off: () => {}, threadId: 3 };
    expect(errorOf(() => recoverOnExit(undefined as never, []))).toEqual(refused('worker'));
    expect(errorOf(() => recoverOnExit({} as never, []))).toEqual(refused('worker'));
    expect(errorOf(() => recoverOnExit(worker as never, undefined as never))).toEqual(refused('primitives'));
    const list = [Mutex.create(), {}] as never;
    expect(errorOf(() => recoverOnExit(worker as never, list))).toEqual(refused('primitives[1]'));
  });
});
