/** Pools in processes of their own: what keeps a process alive, what does not, and what it leaves. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const dist = new URL('../../dist/threads/', import.meta.url).href;
const tasks = new URL('../fixtures/threads/tasks.js', import.meta.url).href;

/** Runs a program; the test fails where it does not end by itself. */
async function program(
  body: string,
  flags: readonly string[] = [],
): Promise<{ stdout: string; stderr: string }> {
  const source = `
    import { ThreadPool } from '${dist}thread-pool.js';
    import { defineTask } from '${dist}task.js';
    import { job } from '${dist}job.js';
    const task = (name) => defineTask('${tasks}', name);
    ${body}
  `;
  return run(process.execPath, [...flags, '--input-type=module', '--eval', source], { timeout: 20_000 });
}

describe('a process with a pool', () => {
  it('ends by itself when the pool is idle, without close', async () => {
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 2 });
      console.log(await pool.run(task('double'), 21));
    `);
    expect(stdout).toBe('42\n');
  });

  it('ends by itself with threads that were started and never used', async () => {
    await program(`const pool = new ThreadPool({ minThreads: 2, maxThreads: 2 }); await pool.start();`);
    await program(`new ThreadPool({ minThreads: 2, maxThreads: 2 });`);
  });

  it('ends by itself after loops and jobs', async () => {
    const { stdout } = await program(`
      const visits = new Int32Array(new SharedArrayBuffer(400));
      const counting = job({ name: 'c', task: task('countVisits'), range: [0, 100], shared: { visits } });
      counting.applyChoice({ kind: 'thread', threads: 2, schedule: 'stealing', grain: null, affinity: 'none' });
      await counting.run();
      console.log(visits.every((count) => count === 1));
    `);
    expect(stdout).toBe('true\n');
  });

  it('stays alive while work is pending, although nothing else keeps it', async () => {
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 1 });
      pool.run(task('later'), { ms: 200, value: 'done' }).then(console.log);
    `);
    expect(stdout).toBe('done\n');
  });

  it('stays alive until a loop on threads is done', async () => {
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 2 });
      const output = new Float64Array(new SharedArrayBuffer(8 * 4000));
      pool.parallelFor({ task: task('triangle'), range: [0, 4000], shared: { output }, schedule: 'stealing' })
        .then(() => console.log(output[3999] > 0));
    `);
    expect(stdout).toBe('true\n');
  });

  it('finishes close() although nothing else keeps it', async () => {
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 2 });
      await pool.start();
      await pool.close();
      console.log('closed', pool.stats().threads);
    `);
    expect(stdout).toBe('closed 0\n');
  });

  it('exits at once in the middle of endless work', async () => {
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 2 });
      await pool.start();
      pool.run(task('spinForever'));
      setTimeout(() => { console.log('exiting'); process.exit(0); }, 50);
    `);
    expect(stdout).toBe('exiting\n');
  });

  it('closes pools by `await using` semantics', async () => {
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 1 });
      const result = pool.run(task('later'), { ms: 20, value: 7 });
      await pool[Symbol.asyncDispose]();
      console.log(await result, pool.stats().threads);
    `);
    expect(stdout).toBe('7 0\n');
  });

  it('shows what tasks print, all of it', async () => {
    const printing = `data:text/javascript,export const print = (n) => { for (let i = 0; i < n; i++) console.log(i); };`;
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 1 });
      await pool.run(defineTask(${JSON.stringify(printing)}, 'print'), 50);
      await pool.close();
    `);
    expect(stdout.trim().split('\n')).toEqual(Array.from({ length: 50 }, (_, n) => String(n)));
  });
});

describe('pools within pools', () => {
  const nested = (body: string) =>
    `data:text/javascript,${encodeURIComponent(`
    import { ThreadPool } from '${dist}thread-pool.js';
    import { defineTask } from '${dist}task.js';
    const task = (name) => defineTask('${tasks}', name);
    export const nest = async (n) => { ${body} };
  `)}`;

  it('work in a worker, tasks and loops', async () => {
    const module = nested(`
      const pool = new ThreadPool({ maxThreads: 2 });
      const visits = new Int32Array(new SharedArrayBuffer(400));
      await pool.parallelFor({ task: task('countVisits'), range: [0, 100], shared: { visits }, schedule: 'static' });
      const doubled = await pool.run(task('double'), n);
      return [doubled, visits.every((count) => count === 1)];
    `);
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 2 });
      const nest = defineTask(${JSON.stringify(module)}, 'nest');
      console.log(JSON.stringify(await Promise.all([pool.run(nest, 1), pool.run(nest, 2)])));
      await pool.close();
      console.log(pool.stats().diedThreads);
    `);
    expect(stdout).toBe('[[2,true],[4,true]]\n0\n');
  });

  it('end with the worker that has them', async () => {
    const module = nested(`
      const pool = new ThreadPool({ maxThreads: 1 });
      await pool.start();
      pool.run(task('spinForever')).catch(() => {});
      process.exit(5);
    `);
    const { stdout } = await program(`
      const pool = new ThreadPool({ maxThreads: 1 });
      const nest = defineTask(${JSON.stringify(module)}, 'nest');
      await pool.run(nest, 1).catch((error) => console.log(error.code, error.message.includes('exit code 5')));
    `);
    expect(stdout).toBe('WORKER_DIED true\n');
  });
});
