import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { defineTask, LocalExecutor, ThreadPool } from '../../../dist/index.js';

const url = new URL('../../fixtures/executor/tasks.js', import.meta.url);
const task = (name: string) => defineTask(url, name);
const folder = mkdtempSync(join(tmpdir(), 'sysopt-executor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `notes-${(files += 1)}`);
const linesOf = (file: string) => readFileSync(file, 'utf8').trim().split('\n');

describe('LocalExecutor', () => {
  let executor: LocalExecutor;
  afterEach(() => executor.close({ force: true }));

  it('runs a task and gives its result or its error', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 } });
    expect(await executor.run(task('double'), 21)).toBe(42);
    await expect(executor.run(task('throwShortage'), 'tea')).rejects.toMatchObject({
      message: 'no tea left',
      item: 'tea',
      code: 'E_SHORTAGE',
      cause: new TypeError('the store is empty'),
    });
  });

  it('tries again as often as asked, and no oftener', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 } });
    const file = newFile();
    const options = { attempts: 3, backoffMs: 1 };
    expect(await executor.run(task('failFirst'), { file, times: 2 }, options)).toBe('at last');
    expect(linesOf(file)).toHaveLength(3);
    const other = newFile();
    await expect(executor.run(task('failFirst'), { file: other, times: 3 }, options)).rejects.toThrow(
      'not yet',
    );
    expect(linesOf(other)).toHaveLength(3);
    await expect(executor.run(task('throwFinal'), undefined, options)).rejects.toThrow('does not exist');
    const [final, exhausted] = await executor.deadLetters();
    expect([final!.attempts, exhausted!.attempts]).toEqual([1, 3]);
  });

  it('keeps what failed for good until it is run again or thrown away', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 }, deadLetterLimit: 2 });
    const file = newFile();
    for (const name of ['a', 'b', 'c']) {
      await expect(executor.run(task('throwShortage'), name)).rejects.toThrow(`no ${name} left`);
    }
    const letters = await executor.deadLetters();
    expect(letters.map(({ args }) => args)).toEqual(['c', 'b']);
    expect(letters[0]).toMatchObject({ task: { module: url.href, export: 'throwShortage' }, attempts: 1 });
    await expect(executor.retryDeadLetter(letters[0]!.id)).rejects.toThrow('no c left');
    await executor.removeDeadLetter(letters[1]!.id);
    expect((await executor.deadLetters()).map(({ args }) => args)).toEqual(['c']);
    await expect(executor.removeDeadLetter('nothing')).rejects.toMatchObject({
      code: 'UNKNOWN_ID',
      hint: expect.stringContaining('executor.deadLetters()'),
    });
    for (const limit of [0, -1, 1.5, Infinity, '2', null]) {
      await expect(executor.deadLetters({ limit } as never)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }

    await expect(executor.run(task('failFirst'), { file, times: 1 })).rejects.toThrow('not yet');
    const [letter] = await executor.deadLetters();
    expect(await executor.retryDeadLetter(letter!.id)).toBe('at last');
  });

  it('runs calls with one key once, together and one after the other', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 2 } });
    const file = newFile();
    const call = (line: string) => executor.run(task('note'), { file, line }, { idempotencyKey: 'k' });
    expect(await Promise.all([call('first'), call('second')])).toEqual(['first', 'first']);
    expect(await call('third')).toBe('first');
    expect(linesOf(file)).toEqual(['first']);
    expect(await executor.run(task('note'), { file, line: 'other' }, { idempotencyKey: 'l' })).toBe('other');
  });

  it('forgets a key after keepResultsMs, and with its dead letter', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 }, keepResultsMs: 1 });
    const file = newFile();
    const call = (line: string) => executor.run(task('note'), { file, line }, { idempotencyKey: 'k' });
    await call('first');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await call('second')).toBe('second');
    const fail = () =>
      executor.run(task('failFirst'), { file: `${file}-f`, times: 1 }, { idempotencyKey: 'f' });
    await expect(fail()).rejects.toThrow('not yet');
    await expect(fail()).rejects.toThrow('not yet');
    expect(linesOf(`${file}-f`)).toHaveLength(1);
    const [letter] = await executor.deadLetters();
    await executor.removeDeadLetter(letter!.id);
    expect(await fail()).toBe('at last');
  });

  it('ends a call at its deadline and by its signal, one with a key for that caller alone', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 2 } });
    const file = newFile();
    await expect(
      executor.run(task('compute'), { file, line: 'late', ms: 60_000 }, { deadlineMs: 50, attempts: 5 }),
    ).rejects.toMatchObject({
      code: 'TASK_TIMED_OUT',
      message: expect.stringContaining('within 50 ms') as string,
    });
    const controller = new AbortController();
    const args = { file, line: 'kept', ms: 200 };
    const stopped = executor.run(task('wait'), args, { idempotencyKey: 'k', signal: controller.signal });
    const goesOn = executor.run(task('wait'), args, { idempotencyKey: 'k' });
    controller.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await goesOn).toBe('kept');
  });

  it('stops a pause between attempts', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 } });
    const controller = new AbortController();
    const options = { attempts: 2, backoffMs: 3_600_000, signal: controller.signal };
    const file = newFile();
    const call = executor.run(task('failFirst'), { file, times: 1 }, options);
    const waiting = executor.run(
      task('failFirst'),
      { file: `${file}-2`, times: 1 },
      { attempts: 2, backoffMs: 3_600_000 },
    );
    await executor.run(task('double'), 1);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
    void executor.close({ force: true });
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(executor.run(task('double'), 1)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('runs a dead letter again though the signal of its call has fired since', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 } });
    const controller = new AbortController();
    const file = newFile();
    const call = executor.run(task('failFirst'), { file, times: 1 }, { signal: controller.signal });
    await expect(call).rejects.toThrow('not yet');
    controller.abort();
    const [letter] = await executor.deadLetters();
    expect(await executor.retryDeadLetter(letter!.id)).toBe('at last');
  });

  it('closed by force ends its calls in a shared pool, and nobody else’s', async () => {
    const pool = new ThreadPool({ maxThreads: 2 });
    executor = new LocalExecutor({ pool });
    await pool.start();
    const file = newFile();
    const foreign = pool.run(task('wait'), { file, line: 'foreign', ms: 200 });
    const calls = [1, 2, 3].map((n) => executor.run(task('compute'), { file, line: `${n}`, ms: 60_000 }));
    const controller = new AbortController();
    const keyed = executor.run(
      task('compute'),
      { file, line: 'keyed', ms: 60_000 },
      { idempotencyKey: 'k', signal: controller.signal },
    );
    const ends = Promise.allSettled([...calls, keyed]);
    await executor.close({ force: true });
    for (const end of await ends) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
    }
    expect(await foreign).toBe('foreign');
    expect(await pool.run(task('double'), 2)).toBe(4);
    await pool.close();
  });

  it('in a shared pool ends a call by its own signal too', async () => {
    const pool = new ThreadPool({ maxThreads: 1 });
    executor = new LocalExecutor({ pool });
    const controller = new AbortController();
    const reason = new Error('enough');
    const args = { file: newFile(), line: 'late', ms: 60_000 };
    const call = executor.run(task('compute'), args, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    await pool.close();
  });

  it('does not take one key for another', async () => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 } });
    const module =
      'data:text/javascript,export const f = () => 1; const g = () => 2; export { g as "f%23a" };';
    const run = (name: string, idempotencyKey: string) =>
      executor.run(defineTask(module, name), undefined, { idempotencyKey });
    expect([await run('f', 'a#b'), await run('f#a', 'b')]).toEqual([1, 2]);
  });

  it('waits for what runs when it closes, and leaves a shared pool open', async () => {
    const pool = new ThreadPool({ maxThreads: 1 });
    executor = new LocalExecutor({ pool });
    const result = executor.run(task('wait'), { file: newFile(), line: 'done', ms: 30 });
    await executor.close();
    expect(await result).toBe('done');
    expect(await pool.run(task('double'), 2)).toBe(4);
    await pool.close();
  });

  it.each([
    [{ attempts: 0 }, 'attempts'],
    [{ backoffMs: -1 }, 'backoffMs'],
    [{ idempotencyKey: '' }, 'idempotencyKey'],
    [{ priority: 0.5 }, 'priority'],
    [{ deadlineMs: 0 }, 'deadlineMs'],
    [{ retries: 3 }, 'unknown key "retries"'],
  ])('refuses %j', async (options, what) => {
    executor = new LocalExecutor({ threads: { maxThreads: 1 } });
    await expect(executor.run(task('double'), 1, options as object)).rejects.toThrow(what);
  });

  it('refuses options of its threads by their name', async () => {
    executor = new LocalExecutor();
    expect(() => new LocalExecutor({ threads: 2 as never })).toThrow('threads is 2');
    await executor.close();
  });
});
