/** Plain objects and arrays in `shared` are copies in threads: what is written to them must not be lost without a word. */
import { describe, expect, it } from 'vitest';
import { defineTask } from '../../../dist/threads/task.js';
import { float64, poolWith, rejection } from '../../fixtures/threads/setup.js';

const kernel = (body: string) =>
  defineTask(
    `data:text/javascript,${encodeURIComponent(`export function kernel(start, end, shared) { ${body} }`)}`,
    'kernel',
  ) as never;

const SCHEDULES = ['static', 'guided', 'factoring', 'stealing', 'shared_counter'] as const;

describe('a kernel that writes to a copy', () => {
  it.each([
    ['an array', 'for (let i = start; i < end; i += 1) shared.list[i] = i;'],
    ['the end of an array', 'shared.list.push(1);'],
    ['an object', 'shared.options.seen = true;'],
    ['shared itself', 'shared.factor = 2;'],
    ['something new in shared', 'shared.scratch = 1;'],
    ['nothing any more', 'delete shared.factor;'],
  ])('is told so: %s', async (_, body) => {
    const pool = poolWith();
    const shared = { list: [0, 0, 0, 0], options: { seen: false }, factor: 1 };
    const loop = pool.parallelFor({ task: kernel(body), range: [0, 4], shared, schedule: 'static' });
    const error = await rejection(loop);
    expect(error).toMatchObject({ code: 'TASK_THREW', cause: { name: 'TypeError' } });
    expect(error.message).toContain('typed arrays over a SharedArrayBuffer');
    expect(shared).toEqual({ list: [0, 0, 0, 0], options: { seen: false }, factor: 1 });
  });

  it.each(SCHEDULES)('may read it, and write to shared memory: %s', async (schedule) => {
    const values = float64(1_000);
    const shared = { values, weights: [1, 2, 3], options: { add: [4] } };
    const body =
      'for (let i = start; i < end; i += 1) shared.values[i] += shared.weights[i % 3] + shared.options.add[0];';
    const pool = poolWith();
    for (let round = 1; round <= 2; round += 1) {
      await pool.parallelFor({ task: kernel(body), range: [0, 1_000], shared, schedule });
      expect([...values.subarray(0, 3)]).toEqual([5, 6, 7].map((value) => value * round));
    }
  });

  it('may still write to what is its own', async () => {
    const values = float64(4);
    const body = 'const own = []; for (let i = start; i < end; i += 1) own[i] = shared.values[i] = 1;';
    await poolWith().parallelFor({
      task: kernel(body),
      range: [0, 4],
      shared: { values },
      schedule: 'static',
    });
    expect([...values]).toEqual([1, 1, 1, 1]);
  });
});

describe('the error of a kernel that was given no `shared`', () => {
  it.each(['auto', 'static'] as const)('says so: %s', async (schedule) => {
    const options = { task: kernel('shared.values[0] = 1;'), range: [0, 4], schedule };
    const error = await rejection(poolWith().parallelFor(options as never));
    expect(error).toMatchObject({ code: 'TASK_THREW', cause: { name: 'TypeError' } });
    expect(error.message).toContain('the loop was given no `shared`');
  });

  it('says nothing of it where there was one, or the error is another', async () => {
    const pool = poolWith();
    const given = { task: kernel('null.x;'), range: [0, 4], shared: {} };
    expect((await rejection(pool.parallelFor(given as never))).message).not.toContain('`shared`');
    const other = { task: kernel('throw new RangeError("own");'), range: [0, 4] };
    expect((await rejection(pool.parallelFor(other as never))).message).not.toContain('`shared`');
  });
});

it.each([
  ['null', 'null'],
  ['({ a: 1 })', 'an object'],
  ['[1, 2]', 'an array of 2'],
  ['"text"', 'text'],
])('a kernel that throws %s is quoted', async (thrown, text) => {
  const loop = { task: kernel(`throw ${thrown};`), range: [0, 4], shared: {}, schedule: 'static' };
  const error = await rejection(poolWith().parallelFor(loop as never));
  expect(error.message).toMatch(new RegExp(`\\): ${text}\\.`));
});

describe('data of another shape', () => {
  it.each([
    [{ list: [] }, {}],
    [{ list: [] }, { list: {} }],
    [{ 'a.b': 1 }, { a: { b: 1 } }],
    [{ list: [1] }, { list: { 0: 1 } }],
    [[[], []], [[]]],
  ])('is sent anew: %j after %j', async (first, second) => {
    const pool = poolWith({ maxThreads: 1 });
    const task = kernel('return JSON.stringify(shared);');
    const loop = { task, range: [0, 1], schedule: 'static', combine: (left: unknown) => left } as const;
    for (const shared of [second, first, second]) {
      expect(await pool.parallelReduce({ ...loop, shared })).toBe(JSON.stringify(shared));
    }
  });
});
