/** A pool's threads and timers live on after the call that needed them first; what that call's async stores hold must not. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { fixture } from '../../fixtures/threads/setup.js';

const dist = (file: string) =>
  JSON.stringify(new URL(`../../../dist/threads/${file}.js`, import.meta.url).href);

it('the async stores of callers are let go', () => {
  const source = `
    import { AsyncLocalStorage } from 'node:async_hooks';
    import { ThreadPool } from ${dist('thread-pool')};
    import { defineTask } from ${dist('task')};
    const task = (name) => defineTask(new URL(${JSON.stringify(fixture('echo').module)}), name);
    const request = new AsyncLocalStorage();
    let pool;
    const kept = [];
    const seen = [];
    const within = async (call) => {
      const store = { bytes: new Uint8Array(1_000_000) };
      kept.push(new WeakRef(store));
      await request.run(store, call);
    };
    await within(() => {
      pool = new ThreadPool({ maxThreads: 2, idleTimeoutMs: 50, minThreads: 1 });
      pool.on('threadStarted', () => seen.push(request.getStore()));
    });
    await within(() => Promise.all([pool.run(task('busyFor'), 5), pool.run(task('busyFor'), 5)]));
    const visits = new Int32Array(new SharedArrayBuffer(400));
    for (const schedule of ['auto', 'static']) {
      await within(() => pool.parallelFor({ task: task('countVisits'), range: [0, 100], shared: { visits }, schedule }));
    }
    await within(() => pool.run(task('echo'), 1, { deadlineMs: 60_000 }));
    // For as long as it takes: a test that fails does not end.
    const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
    do { await turn(); gc(); } while (kept.some((ref) => ref.deref() !== undefined));
    console.log(pool.stats().threads > 0, seen.every((store) => store === undefined));`;
  const child = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([child.signal, child.status, child.stdout.trim(), child.stderr]).toEqual([null, 0, 'true true', '']);
});
