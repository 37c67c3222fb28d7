/** Threads that do not come up, or that the system refuses: whoever waits for them is told, and others do the work. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

const dist = (file: string) =>
  JSON.stringify(new URL(`../../../dist/threads/${file}.js`, import.meta.url).href);

/** Runs a program in which the first so many threads are made, and others as `otherwise` says. */
function run(made: number, otherwise: string, program: string) {
  const source = `
    import { createRequire, syncBuiltinESMExports } from 'node:module';
    const workerThreads = createRequire(import.meta.url)('node:worker_threads');
    let left = ${made};
    workerThreads.Worker = class extends workerThreads.Worker {
      constructor(file, options) {
        left -= 1;
        if (left < 0) ${otherwise}
        super(file, options);
      }
    };
    syncBuiltinESMExports();
    const { ThreadPool } = await import(${dist('thread-pool')});
    const { defineTask } = await import(${dist('task')});
    const task = (name) => defineTask(new URL(${JSON.stringify(fixture('echo').module)}), name);
    const codeOf = (promise) => promise.then(() => 'fine', (error) => error.code ?? String(error));
    const counts = new Int32Array(new SharedArrayBuffer(4 * 64));
    const loop = { task: task('countVisits'), range: [0, 64], shared: { visits: counts }, schedule: 'static' };
    ${program}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(child.stderr).toBe('');
  expect(child.status).toBe(0);
  return JSON.parse(child.stdout) as unknown;
}

const REFUSED = `throw Object.assign(new Error('no more threads'), { code: 'ERR_WORKER_INIT_FAILED' });`;
/** It ends before the first line of ours. A heap that is too small would do too, and now and then ends the process (Node 20). */
const STILLBORN = `options.execArgv = ['--import', 'data:text/javascript,process.exit(7)'];`;

describe.each([
  ['the system refuses', REFUSED],
  ['end before they are ready', STILLBORN],
])('threads that %s', (_, otherwise) => {
  it.each([1, 2, 5])('are told to tasks, loops and start(), and close() ends: %i of them', (maxThreads) => {
    const seen = run(
      0,
      otherwise,
      `const pool = new ThreadPool({ maxThreads: ${maxThreads}, minThreads: 1 });
       const codes = [
         await codeOf(pool.start()),
         await codeOf(pool.run(task('echo'), 1)),
         await codeOf(Promise.all([pool.run(task('echo'), 1), pool.run(task('echo'), 2)])),
         await codeOf(pool.parallelFor(loop)),
         await codeOf(pool.start()),
       ];
       await pool.close();
       const { threads, queued, running } = pool.stats();
       console.log(JSON.stringify([codes, threads, queued, running]));`,
    );
    expect(seen).toEqual([Array(5).fill('WORKER_NOT_STARTED'), 0, 0, 0]);
  });

  it('leave all the work to the first, where there is one', () => {
    const seen = run(
      1,
      otherwise,
      `const pool = new ThreadPool({ maxThreads: 3 });
       const calls = Array.from({ length: 40 }, (_, n) => pool.run(task('later'), { ms: 10, value: n }));
       const results = await Promise.all(calls);
       const looped = await codeOf(pool.parallelFor(loop));
       const started = await codeOf(pool.start());
       const { threads, completed } = pool.stats();
       await pool.close();
       const visited = Array.from(counts).every((n) => n === 1);
       console.log(JSON.stringify([results.length, looped, visited, started, threads, completed]));`,
    );
    expect(seen).toEqual([40, 'fine', true, 'WORKER_NOT_STARTED', 1, 40]);
  });
});

it('threads that Node’s permission model refuses are told too', () => {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const source = `
    import { ThreadPool } from ${dist('thread-pool')};
    import { defineTask } from ${dist('task')};
    const pool = new ThreadPool({ maxThreads: 2 });
    const echo = defineTask(new URL(${JSON.stringify(fixture('echo').module)}), 'echo');
    const error = await pool.run(echo, 1).catch((reason) => reason);
    await pool.close();
    console.log(error.code, error.cause.code);`;
  const { status, stdout } = spawnSync(
    process.execPath,
    [flag, '--allow-fs-read=*', '--input-type=module', '-e', source],
    { encoding: 'utf8', timeout: 60_000 },
  );
  expect([status, stdout.trim()]).toEqual([0, 'WORKER_NOT_STARTED ERR_ACCESS_DENIED']);
});

it('start() ends with a forced close', async () => {
  const pool = poolWith({ maxThreads: 2 });
  const started = rejection(pool.start());
  const closed = pool.close({ force: true });
  expect(await started).toMatchObject({ code: 'CLOSED' });
  await closed;
});
