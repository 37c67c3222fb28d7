/** What a pool remembers of loops goes when they are not used any more, and with it the memory that they share. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { fixture } from '../../fixtures/threads/setup.js';

const dist = (file: string) =>
  JSON.stringify(new URL(`../../../dist/threads/${file}.js`, import.meta.url).href);

it.each(['auto', 'static'])('schedule %s', (schedule) => {
  const source = `
    import { ThreadPool } from ${dist('thread-pool')};
    import { defineTask } from ${dist('task')};
    const task = (name) => defineTask(new URL(${JSON.stringify(fixture('echo').module)}), name);
    const visit = task('countVisits');
    const sum = task('sum');
    const pool = new ThreadPool({ maxThreads: 1, idleTimeoutMs: 20 });
    const kept = [];
    const useOnce = async () => {
      const visits = new Int32Array(new SharedArrayBuffer(4 * 100));
      kept.push(new WeakRef(visits));
      for (let run = 0; run < 5; run += 1) {
        await pool.parallelFor({ task: visit, range: [0, 100], shared: { visits }, schedule: '${schedule}' });
        const combine = (a, b) => a + b;
        await pool.parallelReduce({ task: sum, range: [0, 100], shared: { input: visits }, schedule: '${schedule}', combine });
      }
    };
    for (let n = 0; n < 3; n += 1) await useOnce();
    // For as long as it takes: a test that fails does not end.
    const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
    do { await turn(); gc(); } while (kept.some((ref) => ref.deref() !== undefined));
    const visits = new Int32Array(new SharedArrayBuffer(4 * 100));
    await pool.parallelFor({ task: visit, range: [0, 100], shared: { visits }, schedule: '${schedule}' });
    console.log(visits.every((n) => n === 1));`;
  const child = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([child.signal, child.status, child.stdout.trim(), child.stderr]).toEqual([null, 0, 'true', '']);
});
