import { describe, expect, it } from 'vitest';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

describe('errors of tasks', () => {
  it('keep class, message, cause, properties and both stacks', async () => {
    const error = await rejection(givenAway());
    expect(error).toBeInstanceOf(RangeError);
    expect(error.constructor.name).toBe('ShortageError');
    expect(error.message).toBe('no bread left');
    expect(error.item).toBe('bread');
    expect(error.code).toBe('E_SHORTAGE');
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause.message).toBe('the store is empty');
    expect(error.cause.stack).toContain('tasks.js');
    const lines = (error.stack as string).split('\n');
    const thrown = lines.findIndex((line) => line.includes('throwShortage') && line.includes('tasks.js'));
    const border = lines.findIndex((line) => line.includes('<thread sysopt-1>'));
    const caller = lines.findIndex((line) => line.includes('givenAway'));
    expect([thrown, border, caller].every((line) => line >= 0)).toBe(true);
    expect(thrown).toBeLessThan(border);
    expect(border).toBeLessThan(caller);
  });

  function givenAway() {
    return poolWith().run(fixture('throwShortage'), 'bread');
  }

  it('keep built-in classes, also of rejections', async () => {
    const error = await rejection(poolWith().run(fixture('rejectLater')));
    expect(Object.getPrototypeOf(error)).toBe(TypeError.prototype);
    expect(error.message).toBe('rejected');
  });

  it('keep aggregated errors', async () => {
    const error = await rejection(poolWith().run(fixture('throwAggregate')));
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors.map((inner: Error) => [inner.constructor, inner.message])).toEqual([
      [TypeError, 'first'],
      [RangeError, 'second'],
    ]);
  });

  it.each([['text'], [42], [null], [{ reason: 'object' }], [[1, 2]]])(
    'wrap what is no error: %j',
    async (value) => {
      const error = await rejection(poolWith({ maxThreads: 1 }).run(fixture('throwValue'), value));
      expect(error).toMatchObject({ code: 'TASK_THREW', name: 'TaskError' });
      expect(error.cause).toEqual(value);
      expect(error.message).toContain('task "throwValue" (tasks.js) threw');
    },
  );

  it('survive an error that throws when it is read', async () => {
    const pool = poolWith({ maxThreads: 1 });
    expect((await rejection(pool.run(fixture('throwHostile')))).code).toBe('TASK_THREW');
    expect(await pool.run(fixture('double'), 1)).toBe(2);
  });

  it.each([
    ['gives no text', (_: Error, sites: NodeJS.CallSite[]) => sites],
    [
      'throws',
      () => {
        throw new TypeError('no stack');
      },
    ],
  ])('survive a program whose Error.prepareStackTrace %s', async (_, prepare) => {
    const pool = poolWith({ maxThreads: 1 });
    const before: unknown = Reflect.get(Error, 'prepareStackTrace');
    Error.prepareStackTrace = prepare;
    try {
      // The first call of a task keeps its stack; one in a rush asks V8 who awaits it.
      const calls = [1, 2, 3, 4].map(() => pool.run(fixture('throwShortage'), 'bread'));
      for (const call of calls) expect(await rejection(call)).toMatchObject({ code: 'E_SHORTAGE' });
    } finally {
      Reflect.set(Error, 'prepareStackTrace', before);
    }
  });

  it('tell of a result that cannot be cloned', async () => {
    const error = await rejection(poolWith().run(fixture('returnFunction')));
    expect(error.name).toBe('DataCloneError');
    expect(error).toBeInstanceOf(DOMException);
  });

  it('tell of arguments that cannot be cloned, and the thread is free again', async () => {
    const pool = poolWith({ maxThreads: 1 });
    await pool.run(fixture('double'), 1);
    expect((await rejection(pool.run(fixture('echo'), () => 1))).name).toBe('DataCloneError');
    expect(await pool.run(fixture('echo'), 'free')).toBe('free');
    expect(pool.stats()).toMatchObject({ running: 0, queued: 0, idleThreads: 1, threads: 1 });
  });
});
