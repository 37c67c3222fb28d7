import { describe, expect, it } from 'vitest';
import { AnomalyProfiler, type ProfiledAnomaly } from '../../../dist/profiling/anomaly-profiler.js';
import { anomalyLimits, type AnomalyOptions } from '../../../dist/profiling/anomaly.js';
import { automaticRunsGiveWay } from '../../../dist/profiling/automatic-runs.js';
import { gatherSignals } from '../../../dist/profiling/session.js';

const calm = { elapsedMs: 1000, lateMs: 0, utilization: 0.2, heapUsedBytes: 5e7 };
const busy = { ...calm, utilization: 1 };
const until = async (condition: () => boolean) => {
  for (let i = 0; i < 500 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
};

function profilerOf(options: AnomalyOptions = {}) {
  const seen: ProfiledAnomaly[] = [];
  const profiler = new AnomalyProfiler(anomalyLimits({ profileMs: 3000, ...options }), (anomaly) =>
    seen.push(anomaly),
  );
  const feed = (point: typeof calm, seconds: number, nowMs = performance.now()) => {
    for (let i = 0; i < seconds; i += 1) profiler.add(point, nowMs);
  };
  return { profiler, seen, feed };
}

describe('a profile that is taken by itself', () => {
  it('is one at a time, bounded, with V8’s own profile, and then not again for a while', async () => {
    const { profiler, seen, feed } = profilerOf({ cooldownMs: 60_000 });
    feed(calm, 100);
    expect(seen).toEqual([]);
    feed(busy, 50);
    await until(() => seen.length > 0);
    expect(seen).toHaveLength(1);
    const [{ kind, signals, failure }] = seen as [ProfiledAnomaly];
    expect(kind).toBe('utilization');
    expect(failure).toBeUndefined();
    expect(signals).toMatchObject({ type: 'cpu', rawProfile: { nodes: expect.any(Array) as unknown } });
    expect(signals!.durationMs).toBeGreaterThanOrEqual(2999);
    expect(signals!.metrics['heap.allocation.rate']).toMatchObject({ available: true });
    const now = performance.now();
    feed(busy, 50, now + 59_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await automaticRunsGiveWay();
    expect(seen).toHaveLength(1);
    feed(busy, 50, now + 61_000);
    await until(() => seen.length > 1);
    expect(seen).toHaveLength(2);
    profiler.close();
  });

  it('is of memory where the heap grows', async () => {
    const { profiler, seen } = profilerOf();
    for (let i = 0; i < 65; i += 1) profiler.add({ ...calm, heapUsedBytes: 5e7 + i * 2e6 }, 0);
    await until(() => seen.length > 0);
    expect(seen[0]).toMatchObject({ kind: 'heap-growth', signals: { type: 'memory' } });
    expect(seen[0]!.signals!.rawProfile).toHaveProperty('head');
    profiler.close();
  });

  it('gives way to one that is asked for, which can begin at once', async () => {
    const { profiler, seen, feed } = profilerOf();
    feed(busy, 20);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(gatherSignals('cpu', { durationMs: 50 })).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    await automaticRunsGiveWay();
    expect((await gatherSignals('cpu', { durationMs: 50 })).type).toBe('cpu');
    expect(seen).toEqual([]);
    profiler.close();
  });

  it('is not taken beside one that is asked for, but after it', async () => {
    const { profiler, seen, feed } = profilerOf();
    const asked = gatherSignals('cpu', { durationMs: 400 });
    feed(busy, 20);
    await asked;
    expect(seen).toEqual([]);
    await automaticRunsGiveWay();
    feed(busy, 20);
    await until(() => seen.length > 0);
    expect(seen).toHaveLength(1);
    profiler.close();
  });

  it('ends with the monitor', async () => {
    const { profiler, seen, feed } = profilerOf();
    feed(busy, 20);
    await new Promise((resolve) => setTimeout(resolve, 100));
    profiler.close();
    feed(busy, 20);
    await automaticRunsGiveWay();
    expect((await gatherSignals('cpu', { durationMs: 20 })).type).toBe('cpu');
    expect(seen).toEqual([]);
  });
});
