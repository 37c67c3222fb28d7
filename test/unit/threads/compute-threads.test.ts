/** The ledger of threads of pools in the process, and what pools make of it. */
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../../dist/native/load.js';
import { allowedThreads, defaultThreads } from '../../../dist/threads/pool-options.js';
import { ThreadPool } from '../../../dist/threads/thread-pool.js';
import { fixture, poolWith, rejection } from '../../fixtures/threads/setup.js';

const counted = () => loadNative().computeThreads();
const isKnown = loadNative().implementation === 'addon';

describe('defaultThreads', () => {
  it.each([
    [8, 0, 8],
    [8, 2, 6],
    [8, 4, 4],
    [8, 7, 4],
    [8, 100, 4],
    [3, 2, 2],
    [2, 2, 1],
    [1, 5, 1],
    [8, NaN, 8],
  ])('of %i CPUs beside %f threads are %i', (allowed, living, threads) => {
    expect(defaultThreads(allowed, living)).toBe(threads);
  });
});

describe.runIf(isKnown)('the ledger', () => {
  it('counts threads of all pools while they live, however they end', async () => {
    expect(counted()).toBe(0);
    const pool = poolWith({ maxThreads: 2 });
    await pool.start();
    expect(counted()).toBe(2);
    const other = poolWith({ maxThreads: 1 });
    // Seen by every thread of the process.
    expect(await other.run(fixture('countedThreads'))).toBe(3);
    const unsized = new ThreadPool();
    expect(unsized.maxThreads).toBe(defaultThreads(allowedThreads(), 3));
    await unsized.close();
    // The pool keeps no thread for what does not wait, so the one that exits is not replaced.
    await rejection(other.run(fixture('exitProcess'), 1));
    await other.close();
    await pool.close({ force: true });
    expect(counted()).toBe(0);
    const alone = new ThreadPool();
    expect(alone.maxThreads).toBe(allowedThreads());
    await alone.close();
  });
});
