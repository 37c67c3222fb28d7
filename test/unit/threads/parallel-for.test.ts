import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../../dist/model/choice.js';
import { SCHEDULES } from '../../../dist/threads/partition/by-name.js';
import {
  fixture,
  fixtureFile,
  float64,
  int32,
  marked,
  poolWith,
  rejection,
} from '../../fixtures/threads/setup.js';
import { defineTask } from '../../../dist/threads/task.js';

describe.each(SCHEDULES)('parallelFor, schedule %s', (schedule) => {
  it('runs every iteration exactly once, whatever range, grain and threads', async () => {
    const pool = poolWith({ maxThreads: 3 });
    const visits = int32(3_000);
    for (const [start, end] of [
      [0, 1],
      [0, 3_000],
      [7, 2_900],
      [100, 100],
    ] as const) {
      for (const grain of [undefined, 1, 97, 10_000]) {
        for (const threads of [1, 2, 3]) {
          visits.fill(0);
          await pool.parallelFor({
            task: fixture('countVisits'),
            range: [start, end],
            shared: { visits },
            schedule,
            threads,
            ...(grain !== undefined && { grain }),
          });
          expect(visits.every((count, index) => count === (index >= start && index < end ? 1 : 0))).toBe(
            true,
          );
        }
      }
    }
  });

  it('gives what a serial loop gives, on uneven work', async () => {
    const pool = poolWith();
    const output = float64(600);
    const expected = float64(600);
    const { triangle } = await import(fixtureFile('tasks.js').href);
    triangle(0, 600, { output: expected });
    for (let run = 0; run < 5; run += 1) {
      output.fill(-1);
      await pool.parallelFor({
        task: fixture('triangle'),
        range: [0, 600],
        shared: { output },
        schedule,
        costHint: (index: number) => index,
      });
      expect([...output]).toEqual([...expected]);
    }
  });

  it('runs loops of one pool at the same time, among tasks', async () => {
    const pool = poolWith();
    const many = Array.from({ length: 6 }, () => int32(500));
    await Promise.all([
      ...many.map((visits) =>
        pool.parallelFor({ task: fixture('countVisits'), range: [0, 500], shared: { visits }, schedule }),
      ),
      ...Array.from({ length: 20 }, (_, n) => pool.run(fixture('double'), n)),
    ]);
    for (const visits of many) expect(visits.every((count) => count === 1)).toBe(true);
  });

  it('says which range threw, and stops the rest', async () => {
    const pool = poolWith();
    const visits = int32(4_001);
    const error = await rejection(
      pool.parallelFor({
        task: fixture('throwAt'),
        range: [0, 4_000],
        shared: { bad: 3, visits },
        schedule,
        grain: 50,
      }),
    );
    expect(error).toMatchObject({ code: 'TASK_THREW', name: 'TaskError' });
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.cause.message).toBe('iteration 3 is bad');
    const [, start, end] = /for range \[(\d+), (\d+)\)/.exec(error.message)!;
    expect(Number(start)).toBeLessThanOrEqual(3);
    expect(Number(end)).toBeGreaterThan(3);
    // After the rejection nobody writes any more.
    const left = visits.slice();
    expect(visits.reduce((sum, count) => sum + count, 0) - visits.at(-1)!).toBeLessThan(4_000);
    await pool.run(fixture('double'), 1);
    expect([...visits]).toEqual([...left]);
    const fine = int32(100);
    await pool.parallelFor({
      task: fixture('countVisits'),
      range: [0, 100],
      shared: { visits: fine },
      schedule,
    });
    expect(fine.every((count) => count === 1)).toBe(true);
  });

  it('refuses asynchronous kernels', async () => {
    const error = await rejection(
      poolWith().parallelFor({ task: fixture('asyncKernel'), range: [0, 10], shared: undefined, schedule }),
    );
    expect(error.message).toMatch(/asynchronous/);
  });

  it('tells of a module that cannot be loaded', async () => {
    const task = defineTask(fixtureFile('nowhere.js'), 'x');
    const error = await rejection(
      poolWith().parallelFor({ task, range: [0, 10], shared: undefined, schedule }),
    );
    expect(error.code).toBe('TASK_UNLOADABLE');
  });

  it('does not begin where the signal is aborted', async () => {
    const visits = int32(10);
    const error = await rejection(
      poolWith().parallelFor({
        task: fixture('countVisits'),
        range: [0, 10],
        shared: { visits },
        schedule,
        signal: AbortSignal.abort('why'),
      }),
    );
    expect(error).toMatchObject({ code: 'ABORTED', cause: 'why' });
    expect(visits[0]).toBe(0);
  });
});

const onThreads = SCHEDULES.filter((schedule) => schedule !== 'auto');

describe.each(onThreads)('loops on threads, schedule %s', (schedule: Schedule) => {
  it('reject when a thread dies, and the next runs', async () => {
    const pool = poolWith();
    const error = await rejection(
      pool.parallelFor({ task: fixture('exitAt'), range: [0, 100], shared: { bad: 10 }, schedule }),
    );
    expect(error).toMatchObject({ code: 'WORKER_DIED' });
    expect(error.message).toContain('exit code 7');
    const visits = int32(100);
    await pool.parallelFor({ task: fixture('countVisits'), range: [0, 100], shared: { visits }, schedule });
    expect(visits.every((count) => count === 1)).toBe(true);
  });

  it('end by signal, also in an endless kernel', async () => {
    const pool = poolWith();
    const words = int32(1);
    const controller = new AbortController();
    const loop = rejection(
      pool.parallelFor({
        task: fixture('endlessKernel'),
        range: [0, 10],
        shared: { words },
        schedule,
        signal: controller.signal,
      }),
    );
    await marked(words);
    controller.abort(new Error('enough'));
    const error = await loop;
    expect(error).toMatchObject({ code: 'ABORTED' });
    expect(error.cause.message).toBe('enough');
    expect(await pool.run(fixture('double'), 2)).toBe(4);
  });

  it('do not wait for a thread that is busy with something long', async () => {
    const pool = poolWith({ maxThreads: 2 });
    await pool.start();
    const words = int32(1);
    const holding = pool.run(fixture('hold'), words);
    const visits = int32(200);
    await pool.parallelFor({ task: fixture('countVisits'), range: [0, 200], shared: { visits }, schedule });
    expect(visits.every((count) => count === 1)).toBe(true);
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    expect(await holding).toMatch(/ok|not-equal/);
  });
});

describe('shared data', () => {
  const run = (shared: unknown) =>
    rejection(poolWith().parallelFor({ task: fixture('square'), range: [0, 1], shared: shared as never }));

  it.each([
    ['an ordinary typed array', new Float64Array(4), 'shared is a Float64Array over an ordinary ArrayBuffer'],
    ['a nested one', { a: { b: new Int8Array(1) } }, 'shared.a.b is an Int8Array over an ordinary'],
    ['an array buffer', { a: new ArrayBuffer(4) }, 'shared.a'],
    ['a function', { f: () => 1 }, 'shared.f'],
    ['a map', new Map(), 'shared is a Map'],
    ['a symbol', { s: Symbol('x') }, 'shared.s'],
  ])('refuses %s', async (_, shared, message) => {
    const error = await run(shared);
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(message);
  });

  it('refuses data without end', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect((await run(loop)).code).toBe('INVALID_ARGUMENT');
  });

  it('sends what changed between two runs', async () => {
    const pool = poolWith();
    const shared = { input: float64(8).fill(2), output: float64(8) };
    const square = () =>
      pool.parallelFor({ task: fixture('square'), range: [0, 8], shared, schedule: 'static' });
    await square();
    expect([...shared.output]).toEqual(new Array(8).fill(4));
    const other = float64(8);
    shared.output = other;
    shared.input = float64(8).fill(3);
    await square();
    expect([...other]).toEqual(new Array(8).fill(9));
  });

  it('keeps up with more programs than it remembers', async () => {
    const pool = poolWith();
    const arrays = Array.from({ length: 40 }, () => int32(4));
    for (let pass = 0; pass < 3; pass += 1) {
      for (const visits of arrays) {
        await pool.parallelFor({
          task: fixture('countVisits'),
          range: [0, 4],
          shared: { visits },
          schedule: 'stealing',
        });
      }
    }
    expect(arrays.every((visits) => visits.every((count) => count === 3))).toBe(true);
  });
});

describe('options', () => {
  const good = { task: fixture('countVisits'), range: [0, 4], shared: { visits: int32(4) } };
  it.each([
    [{ range: [4, 0] }, 'range'],
    [{ range: [0, 1.5] }, 'range'],
    [{ range: [0, NaN] }, 'range'],
    [{ range: [0, 2 ** 53] }, 'range'],
    [{ range: 7 }, 'range'],
    [{ grain: 0 }, 'grain'],
    [{ grain: 2.5 }, 'grain'],
    [{ threads: 0 }, 'threads'],
    [{ schedule: 'dynamic' }, 'schedule'],
    [{ schedule: null }, 'schedule'],
    [{ costHint: () => NaN }, 'costHint'],
    [{ costHint: [] }, 'costHint'],
    [{ costHint: [1, -1] }, 'costHint'],
    [{ chunk: 3 }, 'unknown key "chunk"'],
    [{ task: undefined }, 'task'],
  ])('refuses %j', async (bad, message) => {
    const error = await rejection(poolWith().parallelFor({ ...good, ...bad } as never));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(message);
  });

  it('runs ranges far beyond 2^31', async () => {
    const start = 2 ** 40;
    const parts = await poolWith().parallelReduce({
      task: fixture<(start: number, end: number) => number[][]>('collect'),
      range: [start, start + 10 ** 12],
      shared: undefined,
      schedule: 'stealing',
      combine: (left, right) => [...left, ...right],
    });
    expect(parts![0]![0]).toBe(start);
    expect(parts!.at(-1)![1]).toBe(start + 10 ** 12);
    parts!.forEach(([from], index) => expect(from).toBe(parts![index - 1]?.[1] ?? start));
  });
});

describe('auto', () => {
  it('keeps small work on the caller: no thread starts', async () => {
    const pool = poolWith();
    const visits = int32(64);
    for (let run = 0; run < 50; run += 1) {
      await pool.parallelFor({ task: fixture('countVisits'), range: [0, 64], shared: { visits } });
    }
    expect(visits.every((count) => count === 50)).toBe(true);
    expect(pool.stats().threads).toBe(0);
  });

  it('hands long work to threads, and nothing is lost on the way', async () => {
    const pool = poolWith();
    const output = float64(6_000);
    const expected = float64(6_000);
    const { triangle } = await import(fixtureFile('tasks.js').href);
    triangle(0, 6_000, { output: expected });
    await pool.parallelFor({ task: fixture('triangle'), range: [0, 6_000], shared: { output } });
    expect(pool.stats().completedLoops).toBeGreaterThan(0);
    expect([...output]).toEqual([...expected]);
  });
});
