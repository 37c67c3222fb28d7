import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../../dist/analysis/analyse.js';
import { COLUMNS } from '../../../dist/profiling/monitor-points.js';
import { Monitor, type BlockedLoop } from '../../../dist/profiling/monitor.js';
import { gatherSignals } from '../../../dist/profiling/session.js';

const { compute } = createRequire(import.meta.url)('../../fixtures/block-loop.cjs') as {
  compute: (forMs: number) => number;
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition: () => boolean) => {
  for (let i = 0; i < 500 && !condition(); i += 1) await sleep(20);
};

/** Points in which what is dear was read. */
const slowPoints = (monitor: Monitor) =>
  monitor.points().filter(({ values }) => 'process.openDescriptors' in values || 'process.threads' in values);

describe('the monitor', () => {
  it('keeps points of the last while, and no more', async () => {
    using monitor = new Monitor({ intervalMs: 20, historyMs: 100 });
    await until(() => monitor.points().length === 5);
    const [oldest] = monitor.points();
    await until(() => monitor.points()[0]!.atMs > oldest!.atMs);
    const points = monitor.points();
    expect(points).toHaveLength(5);
    expect(points.map(({ atMs }) => atMs)).toEqual(points.map(({ atMs }) => atMs).sort((a, b) => a - b));
    expect(points.at(-1)!.values['heap.used']).toBeGreaterThan(1e6);
    expect(points.at(-1)!.values).toHaveProperty(['eventLoop.utilization']);
  });

  it.runIf(process.platform === 'linux')('gives its descriptors back', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let i = 0; i < 20; i += 1) {
      const monitor = new Monitor({ intervalMs: 20 });
      monitor.close();
      monitor.close();
    }
    await sleep(50);
    expect(open()).toBeLessThanOrEqual(before + 3);
  });

  it.each([
    ['intervalMs', { intervalMs: 1 }],
    ['historyMs', { historyMs: 10 }],
    ['watchdog.blockedMs', { watchdog: { blockedMs: 100 } }],
    ['"blockedMs"', { watchdog: { blockedMS: 1000 } }],
    ['"intervalMs" (the nearest)', { interval: 1000 }],
    ['"utilization" (the nearest)', { anomalies: { utilisation: 0.9 } }],
    ['watchdog.blockedMs', { watchdog: { blockedMs: Number.NaN } }],
    ['anomalies.profileMs', { anomalies: { profileMs: 100 } }],
  ])('refuses a wrong %s', (name, options) => {
    expect(() => new Monitor(options as never)).toThrow(name);
  });

  it('is no part of the program that is profiled', async () => {
    using monitor = new Monitor({ watchdog: { blockedMs: 1000 } });
    await until(() => monitor.points().length > 5);
    const signals = await gatherSignals('thread', { durationMs: 400 });
    expect(signals.threadProfiles ?? []).toEqual([]);
    expect(signals.metrics['thread.workers']).toMatchObject({ value: 0 });
    expect(signals.warnings).toEqual([]);
  });

  it('has how late the loop came round in its points', async () => {
    using monitor = new Monitor({ intervalMs: 20, historyMs: 2000 });
    await until(() => monitor.points().length > 5);
    compute(300);
    await until(() => monitor.points().some(({ values }) => values['eventLoop.delay.max']! > 200));
    const late = monitor.points().map(({ values }) => values['eventLoop.delay.max']!);
    expect(Math.max(...late)).toBeGreaterThan(200);
    expect(Math.min(...late)).toBeLessThan(200);
  });

  it('has every figure in its points, or says why not', async () => {
    using monitor = new Monitor({ intervalMs: 20, historyMs: 10_000 });
    expect(monitor.unavailable()).toEqual({});
    await until(() => slowPoints(monitor).length >= 2);
    const points = monitor.points();
    const missing = monitor.unavailable();
    for (const name of COLUMNS) {
      const isThere = points.some(({ values }) => name in values);
      expect([name, isThere !== name in missing]).toEqual([name, true]);
    }
    for (const reason of Object.values(missing)) {
      expect(reason).toEqual({
        available: false,
        reason: expect.stringMatching(/^[A-Z_]+$/) as unknown,
        message: expect.stringMatching(/\.$/) as unknown,
        remedy: expect.stringMatching(/\.$/) as unknown,
      });
    }
    const last = points.at(-1)!.values;
    expect(last['heap.limit']).toBe(getHeapStatistics().heap_size_limit);
    expect(last['heap.limit']!).toBeGreaterThan(last['heap.used']!);
    if ('uvMetricsInfo' in performance.nodeTiming) {
      expect(points.some(({ values }) => values['eventLoop.iterations']! > 0)).toBe(true);
    }
    // Once a second, of which there were two.
    expect(slowPoints(monitor).length).toBeLessThan(points.length / 10);
  });

  it.runIf(process.platform === 'linux')('tells page faults', async () => {
    using monitor = new Monitor({ intervalMs: 20, historyMs: 10_000 });
    await until(() => monitor.points().length > 3);
    const memory = Buffer.allocUnsafeSlow(64 * 2 ** 20).fill(1);
    await until(() => monitor.points().some(({ values }) => values['process.faults.minor']! > 100));
    expect(memory[0]).toBe(1);
  });

  it('names what blocks the loop, while it is blocked', async () => {
    const blocks: BlockedLoop[] = [];
    using monitor = new Monitor({
      intervalMs: 50,
      watchdog: { blockedMs: 200 },
      onBlocked: (block) => blocks.push(block),
    });
    await until(() => monitor.points().length > 8);
    await sleep(300);
    // Many calls, not one: V8 leaves a function that it optimised in the middle of its first call out of stacks.
    const endMs = performance.now() + 1500;
    while (performance.now() < endMs) expect(compute(30)).toBeGreaterThan(0);
    await until(() => blocks.length > 0);
    const [{ blockedMs, signals, trigger }] = blocks as [BlockedLoop];
    expect(blockedMs).toBeGreaterThan(1000);
    expect(trigger).toMatchObject({ kind: 'blocked-loop', value: blockedMs, limit: 200, unit: 'ms' });
    expect(signals.rawProfile).toHaveProperty('nodes');
    expect(signals.timeline.length).toBeGreaterThan(5);
    expect(signals.functions.map(({ location }) => location.function)).toContain('compute');
    expect(analyse(signals).findings[0]!.cause).toBe('sync-cpu');
  });
});
