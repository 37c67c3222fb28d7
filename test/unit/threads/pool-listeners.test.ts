/** Listeners are told after the fact: what they throw is thrown, but changes nothing that the pool does. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { fixture } from '../../fixtures/threads/setup.js';

it('listeners that throw leave tasks, loops, drain and close alone', () => {
  const module = (file: string) =>
    JSON.stringify(new URL(`../../../dist/threads/${file}.js`, import.meta.url).href);
  const source = `
    import { ThreadPool } from ${module('thread-pool')};
    import { defineTask } from ${module('task')};
    const caught = [];
    process.on('uncaughtException', (error) => caught.push(error.message));
    const task = (name) => defineTask(new URL(${JSON.stringify(fixture('echo').module)}), name);
    const pool = new ThreadPool({ maxThreads: 1, queueLimit: 1 });
    for (const event of ['threadStarted', 'threadEnded', 'queueFull', 'drain']) {
      pool.on(event, () => { throw new Error(event); });
    }
    const seen = [await pool.run(task('echo'), 1)];
    const calls = [1, 2, 3].map((n) => pool.run(task('later'), { ms: 5, value: n }).catch((error) => error.code));
    seen.push(await Promise.all(calls));
    await pool.drain();
    seen.push(await pool.run(task('exitProcess'), 1).catch((error) => error.code));
    const counts = new Int32Array(new SharedArrayBuffer(16));
    const loop = { task: task('countVisits'), range: [0, 4], shared: { visits: counts }, schedule: 'static' };
    seen.push(await pool.parallelFor(loop), [...counts]);
    await pool.close();
    console.log(JSON.stringify([seen, [...new Set(caught)].sort()]));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    [1, [1, 2, 'QUEUE_FULL'], 'WORKER_DIED', null, [1, 1, 1, 1]],
    ['drain', 'queueFull', 'threadEnded', 'threadStarted'],
  ]);
});
