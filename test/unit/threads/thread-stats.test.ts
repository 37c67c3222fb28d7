import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { THREAD_COLUMNS } from '../../../dist/native/contract.js';
import { threadStats } from '../../../dist/threads/thread-stats.js';
import { fixture, poolWith } from '../../fixtures/threads/setup.js';

const WIDTH = THREAD_COLUMNS.length;
const scheduled = existsSync('/proc/self/schedstat');

/** A kernel with these threads: [tid, on CPU ns, runnable ns]. */
function kernelOf(rows: readonly (readonly [number, number, number])[]) {
  let calls = 0;
  const native = () => ({
    readThreads(out: Float64Array) {
      calls += 1;
      rows.slice(0, Math.floor(out.length / WIDTH)).forEach((row, index) => out.set(row, index * WIDTH));
      return rows.length;
    },
  });
  return { native, calls: () => calls };
}

describe('threadStats', () => {
  const thread = (tid: number | undefined, startedAt = 0) => ({ name: `t-${tid ?? 'new'}`, tid, startedAt });

  it('are the times of each thread, and the rest is waiting', () => {
    const { native } = kernelOf([
      [1, 9e9, 9e9],
      [7, 600e6, 100e6],
    ]);
    expect(threadStats([thread(7, 1_000)], native, 2_000)).toEqual([
      { name: 't-7', tid: 7, livedMs: 1_000, onCpuMs: 600, runnableMs: 100, blockedMs: 300 },
    ]);
  });

  it('find a thread among many others', () => {
    const rows = Array.from({ length: 200 }, (_, index) => [index + 1, index * 1e6, 0] as const);
    const kernel = kernelOf(rows);
    const [found] = threadStats([thread(200)], kernel.native, 1_000);
    expect(found).toMatchObject({ tid: 200, onCpuMs: 199, runnableMs: 0, blockedMs: 801 });
    expect(kernel.calls()).toBe(2);
  });

  it('leave out what is not known: starting threads, kernels that do not tell, no kernel at all', () => {
    const { native } = kernelOf([[7, 5e6, NaN]]);
    expect(threadStats([thread(undefined), thread(7), thread(8)], native, 10)).toEqual([
      { name: 't-new', livedMs: 10 },
      { name: 't-7', tid: 7, livedMs: 10, onCpuMs: 5 },
      { name: 't-8', tid: 8, livedMs: 10 },
    ]);
    const refuses = () => {
      throw new Error('not here');
    };
    expect(threadStats([thread(7)], refuses, 10)).toEqual([{ name: 't-7', tid: 7, livedMs: 10 }]);
  });

  it('are never negative where the clocks do not meet', () => {
    const { native } = kernelOf([[7, 11e6, 0]]);
    expect(threadStats([thread(7)], native, 10)[0]!.blockedMs).toBe(0);
  });
});

describe('ThreadPool.threadStats', () => {
  it.runIf(scheduled)('tells of each thread what the kernel tells', async () => {
    const pool = poolWith({ name: 'figures', maxThreads: 2 });
    expect(pool.threadStats()).toEqual([]);
    await pool.start();
    await pool.run(fixture('burnMs'), 30);
    const stats = pool.threadStats();
    expect(stats.map(({ name }) => name).sort()).toEqual(['figures-1', 'figures-2']);
    for (const { name, tid, livedMs, onCpuMs, runnableMs, blockedMs } of stats) {
      expect(readFileSync(`/proc/self/task/${tid!}/comm`, 'utf8').trim()).toBe(name);
      for (const ms of [onCpuMs, runnableMs, blockedMs]) expect(ms).toBeGreaterThanOrEqual(0);
      expect(onCpuMs! + runnableMs! + blockedMs!).toBeCloseTo(Math.max(livedMs, onCpuMs! + runnableMs!), 6);
    }
    // One of them ran a task of 30 ms of CPU time, by its own clock.
    expect(Math.max(...stats.map(({ onCpuMs }) => onCpuMs!))).toBeGreaterThanOrEqual(30);
    await pool.close();
    expect(pool.threadStats()).toEqual([]);
  });

  it.runIf(scheduled).each([
    ['image-processing', ['image-process-1', 'image-process-2']],
    ['工作线程池之名', ['工作线程-1', '工作线程-2']],
    ['a-b', ['a-b-1', 'a-b-2']],
  ])('the system’s names of threads keep their numbers: %s', async (name, names) => {
    const pool = poolWith({ name, maxThreads: 2 });
    await pool.start();
    const shown = pool
      .threadStats()
      .map(({ tid }) => readFileSync(`/proc/self/task/${tid!}/comm`, 'utf8').trim());
    expect(shown.sort()).toEqual(names);
  });
});
