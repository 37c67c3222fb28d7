import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { NativeContract } from '../../../dist/native/contract.js';
import { loadNative } from '../../../dist/native/load.js';
import { ThreadRoles } from '../../../dist/profiling/thread-roles.js';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Threads by script: `[tid, on CPU ns, runnable ns]` of each reading, and their names. */
function scripted(readings: [number, number, number][][], names: Record<number, string>) {
  let reading = 0;
  return {
    currentThreadId: () => 1,
    threadName: (tid: number) => names[tid] ?? '',
    readThreads: (out: Float64Array) => {
      const rows = readings[reading++]!;
      rows.forEach(([tid, onCpu, runnable], row) => out.set([tid, onCpu, runnable, 0, 0], row * 5));
      return rows.length;
    },
  } as unknown as NativeContract;
}

describe('CPU time by kind of thread', () => {
  const names = { 1: 'node', 2: 'node', 3: 'V8Worker', 4: 'libuv-worker', 5: 'WorkerThread', 6: 'node' };

  it('is of the time since the reading before, exactly', () => {
    using roles = new ThreadRoles(
      scripted(
        [
          [
            [1, 900, 0],
            [2, 10e6, 0],
            [3, 20e6, 0],
            [4, 30e6, 0],
            [5, 40e6, 5e6],
          ],
          [
            [1, 999e6, 0],
            [2, 11e6, 0],
            [3, 22e6, 1e6],
            [4, 34e6, 0],
            [5, 48e6, 8e6],
            [6, 16e6, 0],
          ],
          [
            [1, 999e6, 0],
            [2, 11e6, 0],
            [5, 58e6, 8e6],
            [6, 16e6, 0],
          ],
        ],
        names,
      ),
    );
    expect(roles.read(Infinity)).toEqual({
      workers: NaN,
      pool: NaN,
      runtime: NaN,
      othersRunnable: NaN,
      threads: 5,
    });
    // The helper that began in between counts from nothing; the calling thread is none of these.
    expect(roles.read(100e6)).toEqual({
      workers: 0.08,
      pool: 0.04,
      runtime: (1 + 2 + 16) / 100,
      othersRunnable: 0.04,
      threads: 6,
    });
    expect(roles.read(100e6)).toEqual({ workers: 0.1, pool: 0, runtime: 0, othersRunnable: 0, threads: 4 });
  });

  it('is none where threads cannot be listed', () => {
    using roles = new ThreadRoles(scripted([[], []], {}));
    roles.read(Infinity);
    expect(roles.read(1e9)).toEqual({
      workers: NaN,
      pool: NaN,
      runtime: NaN,
      othersRunnable: NaN,
      threads: NaN,
    });
  });

  it.runIf(process.platform === 'linux')(
    'tells a worker, libuv’s pool and the rest apart in this process',
    async () => {
      using roles = new ThreadRoles(loadNative());
      roles.read(Infinity);
      const worker = new Worker(
        'const end = performance.now() + 600; while (performance.now() < end); setTimeout(() => {}, 1e5)',
        { eval: true },
      );
      await sleep(700);
      const withWorker = roles.read(700e6);
      expect(withWorker.workers).toBeGreaterThan(0.1);
      await worker.terminate();
      await sleep(50);
      roles.read(50e6);
      const hash = promisify(pbkdf2);
      await Promise.all([1, 2, 3, 4].map(() => hash('x', 'y', 150_000, 64, 'sha512')));
      const withPool = roles.read(500e6);
      expect(withPool.pool).toBeGreaterThan(0.1);
      expect(withPool.workers).toBeLessThan(withPool.pool / 5);
    },
  );

  it('listens for workers no longer than it lives', async () => {
    const { channel } = await import('node:diagnostics_channel');
    const had = channel('worker_threads').hasSubscribers;
    const roles = new ThreadRoles(loadNative());
    expect(channel('worker_threads').hasSubscribers).toBe(true);
    roles[Symbol.dispose]();
    expect(channel('worker_threads').hasSubscribers).toBe(had);
  });
});
