import { describe, expect, it } from 'vitest';
import { contentionReport } from '../../../../dist/threads/sync/contention-report.js';
import { Mutex } from '../../../../dist/threads/sync/mutex.js';
import { Semaphore } from '../../../../dist/threads/sync/semaphore.js';
import { MpmcQueue } from '../../../../dist/threads/sync/mpmc-queue.js';

const figures = (name: string, changes: object = {}) => ({
  stats: () => ({ name, acquisitions: 10, contended: 0, waitMs: 0, timedOut: 0, abandoned: 0, ...changes }),
});

describe('contentionReport', () => {
  it('puts what was waited for longest first, with shares and means', () => {
    const { rows } = contentionReport([
      figures('idle', { acquisitions: 0 }),
      figures('spun', { contended: 3 }),
      figures('worst', { acquisitions: 200, contended: 50, waitMs: 25, timedOut: 2, abandoned: 1 }),
      figures('calm'),
    ]);
    expect(rows.map(({ name }) => name)).toEqual(['worst', 'spun', 'calm', 'idle']);
    expect(rows[0]).toEqual({
      name: 'worst',
      acquisitions: 200,
      contended: 50,
      waitMs: 25,
      timedOut: 2,
      abandoned: 1,
      contendedShare: 0.25,
      meanWaitUs: 500,
    });
    expect(rows[3]).toMatchObject({ contendedShare: 0, meanWaitUs: 0 });
  });

  it('is a table with units, which no name can break', () => {
    const { markdown } = contentionReport([
      figures('a | b\\\nc', { acquisitions: 8, contended: 2, waitMs: 1.5 }),
    ]);
    expect(markdown.split('\n')).toEqual([
      '| primitive | acquisitions | contended | waited (ms) | mean wait (µs) | timed out | abandoned |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
      '| a \\| b\\\\ c | 8 | 2 (25.0 %) | 1.500 | 750.0 | 0 | 0 |',
    ]);
    expect(contentionReport([]).markdown.split('\n')).toHaveLength(2);
  });

  it('tells of real primitives what happened to them', async () => {
    const mutex = Mutex.create({ name: 'ledger' });
    const permits = Semaphore.create({ permits: 1, name: 'permits' });
    const queue = MpmcQueue.create({ capacity: 4, name: 'jobs' });
    queue.tryPush(1);
    expect(mutex.tryLock()).toBeTruthy();
    const waiting = mutex.withLockAsync(() => 'done');
    await new Promise((resolve) => setTimeout(resolve, 5));
    mutex.unlock();
    expect(await waiting).toBe('done');
    const { rows } = contentionReport(new Set([queue, permits, mutex]));
    expect(rows[0]).toMatchObject({ name: 'ledger', acquisitions: 2, contended: 1, contendedShare: 0.5 });
    expect(rows[0]!.meanWaitUs).toBeGreaterThan(0);
    expect(rows.map(({ name }) => name)).toContain('jobs');
  });

  it.each([undefined, 7, [undefined], [{}], [{ stats: 1 }]])('refuses %j', (wrong) => {
    expect(() => contentionReport(wrong as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
