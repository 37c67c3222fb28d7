import { describe, expect, it } from 'vitest';
import { loadTask } from '../../../dist/threads/load-task.js';
import { checkTask, defineTask } from '../../../dist/threads/task.js';
import { fixture, fixtureFile, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';

describe('defineTask', () => {
  it('holds the module and the export', () => {
    expect(defineTask('file:///srv/app/tasks.js', 'hash')).toEqual({
      module: 'file:///srv/app/tasks.js',
      export: 'hash',
    });
  });
  it('takes URL objects and absolute paths', () => {
    expect(defineTask(new URL('file:///a/b.js'), 'x').module).toBe('file:///a/b.js');
    expect(defineTask('/a/b c.js', 'x').module).toBe('file:///a/b%20c.js');
  });
  it.each(['./tasks.js', 'tasks', 'https://example.com/x.js', '', undefined, 42, null])(
    'refuses %j',
    (module) => {
      expect(() => defineTask(module as string, 'x')).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );
  it.each(['', undefined, 7])('refuses the export name %j', (name) => {
    expect(() => defineTask('file:///a.js', name as string)).toThrow(/exportName/);
  });
  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(defineTask('file:///a.js', 'x'))).toBe(true);
  });
  it.each([undefined, null, () => 1, 'x', { module: 'file:///a.js' }])('checkTask refuses %j', (value) => {
    expect(() => checkTask(value)).toThrow(/defineTask/);
  });
});

it('a task that is changed is another one, also to a pool that knows it', async () => {
  const pool = poolWith({ maxThreads: 1 });
  const calls = { ...defineTask(fixtureFile('tasks.js'), 'double') } as { module: string; export: string };
  expect([await pool.run(calls as never, 2), await pool.run(calls as never, 3)]).toEqual([4, 6]);
  calls.export = 'echo';
  expect([await pool.run(calls as never, 2), await pool.run(calls as never, 3)]).toEqual([2, 3]);
  const kernel = { ...defineTask(fixtureFile('tasks.js'), 'countVisits') } as {
    module: string;
    export: string;
  };
  const visits = int32(4);
  const shared = { visits, input: visits, output: visits };
  for (const schedule of ['auto', 'static'] as const) {
    visits.fill(0);
    kernel.export = 'countVisits';
    const run = () => pool.parallelFor({ task: kernel, range: [0, 4], shared, schedule });
    for (let n = 0; n < 3; n += 1) await run();
    kernel.export = 'square';
    await run();
    expect([...visits]).toEqual([9, 9, 9, 9]);
  }
});

it('a task that is changed while its call waits is what it was', async () => {
  const pool = poolWith({ maxThreads: 1 });
  const changing = { ...defineTask(fixtureFile('tasks.js'), 'double') } as { module: string; export: string };
  const call = pool.run(changing, 2);
  changing.export = 'echo';
  expect(await call).toBe(4);
  expect(await pool.run(fixture('double'), 2)).toBe(4);
});

describe('loadTask', () => {
  it.each(['export const x = ;', 'export const y = 1;', 'export const x = 1;'])(
    'does not tell the whole of a data: URL: %s',
    async (source) => {
      const error = await rejection(
        loadTask(defineTask(`data:text/javascript,${source}//${'z'.repeat(5_000)}`, 'x')),
      );
      expect(error).toMatchObject({ code: 'TASK_UNLOADABLE' });
      expect(error.message.length).toBeLessThan(500);
    },
  );

  it('gives the function', async () => {
    expect((await loadTask(fixture('double')))(4)).toBe(8);
  });

  const failures = [
    ['a module that is not there', fixtureFile('nowhere.js'), 'x', /no module .*nowhere\.js/],
    ['an export that is not there', fixtureFile('tasks.js'), 'nix', /no export "nix".*It exports/],
    ['an export that is no function', fixtureFile('tasks.js'), 'notAFunction', /"notAFunction" is 42/],
    ['a module that throws', fixtureFile('throws-on-load.js'), 'x', /module refuses to load/],
    [
      'a module that does not parse',
      'data:text/javascript,export const x = ;',
      'x',
      /failed while it was loaded/,
    ],
  ] as const;
  it.each(failures)('says what is wrong with %s', async (_, module, name, message) => {
    const error = await rejection(loadTask(defineTask(module, name)));
    expect(error).toMatchObject({ code: 'TASK_UNLOADABLE', name: 'TaskError' });
    expect(error.message).toMatch(message);
  });
  it.each(failures)(
    'rejects run() with the same for %s, and the pool works on',
    async (_, module, name, message) => {
      const pool = poolWith({ maxThreads: 1 });
      const error = await rejection(pool.run(defineTask(module, name)));
      expect(error).toMatchObject({ code: 'TASK_UNLOADABLE', name: 'TaskError' });
      expect(error.message).toMatch(message);
      expect(await pool.run(fixture<(n: number) => number>('double'), 2)).toBe(4);
    },
  );

  // Node 22.18 and later load TypeScript by themselves.
  const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript);
  it.skipIf(stripsTypes)('says that TypeScript needs a loader', async () => {
    const pool = poolWith({ maxThreads: 1 });
    const error = await rejection(pool.run(defineTask(fixtureFile('typed-task.ts'), 'typed'), 1));
    expect(error.code).toBe('TASK_UNLOADABLE');
    expect(error.message).toMatch(/is TypeScript.*compiled \.js.*loader/);
  });
});
