/** Arguments have getters, and getters may use the pool that reads them: call it, end the call that is made, or throw. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SLOTS } from '../../../dist/threads/transport/lane-memory.js';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

const echo = fixture<(value: unknown) => unknown>('echo');

/** A pool of one thread, which is up, and a task that is known to be short. */
async function warmPool() {
  const pool = poolWith({ maxThreads: 1 });
  await pool.start();
  for (let n = 0; n < 20; n += 1) await pool.run(echo, n);
  return pool;
}

/** Every place of the lane is free, and once: more calls at a time than there are places come back as they went. */
async function expectAllPlaces(pool: ReturnType<typeof poolWith>) {
  const sent = Array.from({ length: 2 * SLOTS }, (_, n) => ({ n }));
  expect(await Promise.all(sent.map((value) => pool.run(echo, value)))).toEqual(sent);
  expect(pool.stats()).toMatchObject({ running: 0, queued: 0 });
}

describe('a getter of the arguments that calls the pool', () => {
  it.each([0, 1, 4])('gets a place of its own, with %i calls under way', async (underWay) => {
    const pool = await warmPool();
    const others = Array.from({ length: underWay }, (_, n) => pool.run(echo, n));
    let inner: Promise<unknown> | undefined;
    const outer = pool.run(echo, {
      get x() {
        inner ??= pool.run(echo, 'inner');
        return 1;
      },
    });
    expect(await Promise.all([outer, inner, ...others])).toEqual([{ x: 1 }, 'inner', ...others.keys()]);
    await expectAllPlaces(pool);
  });

  it('gets its own message where both go by structured clone', async () => {
    const pool = await warmPool();
    const others = Array.from({ length: 4 }, (_, n) => pool.run(echo, n));
    let inner: Promise<unknown> | undefined;
    // The date ends the look at what it holds, so the getter runs while it is cloned.
    const outer = pool.run(echo, {
      date: new Date(0),
      get x() {
        inner ??= pool.run(echo, new Map([['inner', 1]]));
        return 1;
      },
    });
    expect(await outer).toEqual({ date: new Date(0), x: 1 });
    expect(await inner).toEqual(new Map([['inner', 1]]));
    await Promise.all(others);
    await expectAllPlaces(pool);
  });

  it('may take in everything that the thread had', async () => {
    const pool = await warmPool();
    let inner: Promise<unknown>[] | undefined;
    const others = Array.from({ length: 4 }, (_, n) => pool.run(echo, n));
    const outer = pool.run(echo, {
      get x() {
        const until = performance.now() + 5;
        while (performance.now() < until);
        // So many that results are taken in among them.
        inner ??= Array.from({ length: 64 }, (_, n) => pool.run(echo, n));
        return 1;
      },
    });
    expect(await outer).toEqual({ x: 1 });
    expect(await Promise.all(inner!)).toEqual([...inner!.keys()]);
    await Promise.all(others);
    await expectAllPlaces(pool);
  });

  it('keeps the process alive until both calls are settled', () => {
    const module = (file: string) =>
      JSON.stringify(new URL(`../../../dist/threads/${file}.js`, import.meta.url));
    const source = `
      import { ThreadPool } from ${module('thread-pool')};
      const pool = new ThreadPool({ maxThreads: 2 });
      await pool.start();
      const later = ${JSON.stringify(fixture('later'))};
      let inner;
      const outer = pool.run(later, {
        ms: 50,
        // The last of them: the pool's threads are both up and free, so each call is placed at once.
        get value() {
          inner ??= pool.run(later, { ms: 50, value: 'inner' }).then(console.log);
          return 'outer';
        },
      });
      outer.then(console.log);`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect([status, stdout.trim().split('\n').sort()]).toEqual([0, ['inner', 'outer']]);
  });
});

describe('a getter of the arguments that throws', () => {
  it('rejects its call, and takes no place', async () => {
    const pool = await warmPool();
    const bad = {
      get x(): number {
        throw new RangeError('no x');
      },
    };
    for (let n = 0; n < SLOTS + 1; n += 1) {
      expect(await rejection(pool.run(echo, bad))).toEqual(new RangeError('no x'));
    }
    await expectAllPlaces(pool);
  });

  it('leaves the calls that it made before', async () => {
    const pool = await warmPool();
    let inner: Promise<unknown> | undefined;
    const outer = pool.run(echo, {
      get x(): number {
        inner ??= pool.run(echo, 'inner');
        throw new RangeError('no x');
      },
    });
    expect(await rejection(outer)).toEqual(new RangeError('no x'));
    expect(await inner).toBe('inner');
    await expectAllPlaces(pool);
  });
});

describe('a getter of the arguments that aborts their call', () => {
  it.each([0, 4])('ends it once, with %i calls under way', async (underWay) => {
    const pool = await warmPool();
    const before = pool.stats();
    const others = Array.from({ length: underWay }, (_, n) => pool.run(echo, n));
    const controller = new AbortController();
    const { signal } = controller;
    const outer = pool.run(
      echo,
      {
        get x() {
          controller.abort();
          return 1;
        },
      },
      { signal },
    );
    expect(await rejection(outer)).toMatchObject({ code: 'ABORTED' });
    expect(await Promise.all(others)).toEqual([...others.keys()]);
    await expectAllPlaces(pool);
    const { completed, failed } = pool.stats();
    expect({ completed, failed }).toEqual({
      completed: before.completed + underWay + 2 * SLOTS,
      failed: before.failed + 1,
    });
  });

  it('leaves the thread to others, though it did so once for each place', async () => {
    const pool = await warmPool();
    const ended = Array.from({ length: SLOTS }, () => {
      const controller = new AbortController();
      const args = {
        get x() {
          controller.abort();
          return 1;
        },
      };
      return rejection(pool.run(echo, args, { signal: controller.signal }));
    });
    for (const error of await Promise.all(ended)) expect(error).toMatchObject({ code: 'ABORTED' });
    await expectAllPlaces(pool);
  });
});

describe('a getter of the arguments that closes the pool by force', () => {
  const spin = fixture<(value: unknown) => unknown>('spinForever');
  /** What a getter sends, as text and by structured clone. */
  const withGetter = (act: () => number): [string, object][] => [
    ['text', Object.defineProperty({}, 'x', { get: act, enumerable: true })],
    ['a clone', Object.defineProperty({ date: new Date(0) }, 'x', { get: act, enumerable: true })],
  ];

  it.each(['text', 'a clone'])('ends its own call too, alone: %s', async (how) => {
    const pool = await warmPool();
    let closed: Promise<void> | undefined;
    const args = withGetter(() => {
      closed ??= pool.close({ force: true });
      return 1;
    }).find(([name]) => name === how)![1];
    // A task that never ends by itself: what settles it is the close.
    expect(await rejection(pool.run(spin, args))).toMatchObject({ code: 'CLOSED' });
    await closed;
    expect(pool.stats()).toMatchObject({ running: 0, queued: 0, failed: 1, threads: 0 });
  });

  it.each(['text', 'a clone'])('ends its own call too, behind others: %s', async (how) => {
    const pool = await warmPool();
    const before = pool.stats().completed;
    const others = Array.from({ length: 4 }, (_, n) => pool.run(echo, n));
    let closed: Promise<void> | undefined;
    const args = withGetter(() => {
      closed ??= pool.close({ force: true });
      return 1;
    }).find(([name]) => name === how)![1];
    expect(await rejection(pool.run(echo, args))).toMatchObject({ code: 'CLOSED' });
    // Each of the others came back, or was ended with the pool.
    const settled = await Promise.allSettled(others);
    const ended = settled.filter(({ status }) => status === 'rejected').length;
    await closed;
    const { completed, failed, running, queued, threads } = pool.stats();
    expect({ completed, failed, running, queued, threads }).toEqual({
      completed: before + 4 - ended,
      failed: 1 + ended,
      running: 0,
      queued: 0,
      threads: 0,
    });
  });

  // Each option is read to be looked at, and then to be kept; no later.
  it.each([1, 2])('ends a call whose options do it when they are read, time %i', async (time) => {
    const pool = await warmPool();
    let closed: Promise<void> | undefined;
    let reads = 0;
    const options = {
      get deadlineMs() {
        reads += 1;
        if (reads >= time) closed ??= pool.close({ force: true });
        return 60_000;
      },
    };
    expect(await rejection(pool.run(spin, 1, options))).toMatchObject({ code: 'CLOSED' });
    await closed;
    expect(pool.stats()).toMatchObject({ running: 0, queued: 0, threads: 0 });
  });
});

it('a signal that turns out to be none fails its call, and close() ends', async () => {
  const pool = await warmPool();
  let reads = 0;
  const options = {
    get signal() {
      reads += 1;
      return reads < 3 ? new AbortController().signal : {};
    },
  };
  expect(await rejection(pool.run(echo, 1, options as never))).toBeInstanceOf(TypeError);
  expect(pool.stats()).toMatchObject({ running: 0, queued: 0 });
  await expectAllPlaces(pool);
  await pool.close();
});

it.each(['priority', 'affinityKey', 'deadlineMs'])('a call whose %s aborts it does not run', async (key) => {
  const pool = await warmPool();
  const controller = new AbortController();
  let reads = 0;
  const options = {
    signal: controller.signal,
    // Read to be looked at, and then to be kept.
    get [key]() {
      reads += 1;
      if (reads === 2) controller.abort(new Error('enough'));
      return 1_000;
    },
  };
  const words = new Int32Array(new SharedArrayBuffer(4));
  expect(await rejection(pool.run(fixture('spinAfterMark'), words, options))).toMatchObject({
    code: 'ABORTED',
    cause: { message: 'enough' },
  });
  expect(words[0]).toBe(0);
  await expectAllPlaces(pool);
});

it.each(['static', 'stealing', 'auto'] as const)(
  'a loop whose cost hint aborts it does not run: %s',
  async (schedule) => {
    const pool = await warmPool();
    const controller = new AbortController();
    const visits = new Int32Array(new SharedArrayBuffer(4 * 8));
    const loop = pool.parallelFor({
      task: fixture('countVisits'),
      range: [0, 8],
      shared: { visits },
      schedule,
      signal: controller.signal,
      costHint: () => {
        controller.abort();
        return 1;
      },
    });
    expect(await rejection(loop)).toMatchObject({ code: 'ABORTED' });
    expect(visits.every((count) => count === 0)).toBe(true);
  },
);
