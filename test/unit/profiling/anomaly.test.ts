import { describe, expect, it } from 'vitest';
import { AnomalyDetector, anomalyLimits, type AnomalyOptions } from '../../../dist/profiling/anomaly.js';

const MIB = 2 ** 20;
const calm = { elapsedMs: 100, lateMs: 0, utilization: 0.3, heapUsedBytes: 50 * MIB };

/** Feeds points at ten a second; returns what was seen and after how many milliseconds. */
function feed(
  detector: AnomalyDetector,
  forMs: number,
  point: (atMs: number) => Partial<typeof calm> = () => ({}),
) {
  let atMs = 0;
  while (atMs < forMs) {
    const next = { ...calm, ...point(atMs) };
    atMs += next.elapsedMs;
    const seen = detector.add(next);
    if (seen !== undefined) return { ...seen, atMs };
  }
  return undefined;
}
const detector = (options: AnomalyOptions = {}) => new AnomalyDetector(anomalyLimits(options));

describe('what is no anomaly', () => {
  it('is a calm hour', () => {
    expect(feed(detector(), 3_600_000)).toBeUndefined();
  });
  it('is a busy loop for nine seconds of twenty', () => {
    const burst = (atMs: number) => ({ utilization: atMs % 20_000 < 9000 ? 1 : 0.3 });
    expect(feed(detector(), 120_000, burst)).toBeUndefined();
  });
  it('are two late timers in ten seconds', () => {
    const late = (atMs: number) => (atMs % 5000 === 0 ? { lateMs: 900 } : {});
    expect(feed(detector(), 120_000, late)).toBeUndefined();
  });
  it('is a heap that fills and is collected', () => {
    const saw = (atMs: number) => ({ heapUsedBytes: (50 + ((atMs / 1000) % 25) * 10) * MIB });
    expect(feed(detector(), 600_000, saw)).toBeUndefined();
  });
  it('is a heap that grows more slowly than the limit', () => {
    const slow = (atMs: number) => ({ heapUsedBytes: (50 + (atMs / 60_000) * 20) * MIB });
    expect(feed(detector(), 600_000, slow)).toBeUndefined();
  });
});

describe('an anomaly', () => {
  it('is a loop that is busy for ten seconds', () => {
    const seen = feed(detector(), 60_000, () => ({ utilization: 0.99 }));
    expect(seen).toMatchObject({ kind: 'utilization', limit: 0.95, unit: 'share', atMs: 10_000 });
    expect(seen!.value).toBeCloseTo(0.99, 6);
    expect(seen!.statement).toContain('99 %');
  });
  it('is a timer that is late three times in ten seconds', () => {
    const seen = feed(detector({ loopDelayMs: 150 }), 60_000, (atMs) =>
      atMs >= 20_000 && atMs % 3000 < 100 ? { elapsedMs: 260, lateMs: 160 } : {},
    );
    expect(seen).toMatchObject({ kind: 'loop-delay', value: 160, limit: 150, unit: 'ms' });
    expect(seen!.atMs).toBeGreaterThan(20_000);
    expect(seen!.atMs).toBeLessThan(33_000);
  });
  it('is a heap whose floor rises all the time, garbage or not', () => {
    const leak = (atMs: number) => ({
      heapUsedBytes: (50 + (atMs / 60_000) * 48 + (atMs % 4000) / 100) * MIB,
    });
    const seen = feed(detector(), 180_000, leak);
    expect(seen).toMatchObject({ kind: 'heap-growth', unit: 'bytes/min', limit: 32 * MIB });
    expect(seen!.value / MIB).toBeGreaterThan(44);
    expect(seen!.value / MIB).toBeLessThan(52);
    expect(seen!.atMs).toBeLessThan(62_000);
  });
  it('is forgotten after a reset', () => {
    const seconds = detector();
    expect(feed(seconds, 9900, () => ({ utilization: 1 }))).toBeUndefined();
    seconds.reset();
    expect(feed(seconds, 60_000, () => ({ utilization: 1 }))).toMatchObject({ atMs: 10_000 });
  });
  it.each([
    ['loopDelayMs', { lateMs: 5000 }],
    ['utilization', { utilization: 1 }],
  ] as const)('is none where %s is off', (limit, point) => {
    expect(feed(detector({ [limit]: false }), 60_000, () => point)).toBeUndefined();
    expect(feed(detector(), 60_000, () => point)).toBeDefined();
  });
});

it.each([
  ['loopDelayMs', 5],
  ['loopDelayMs', true],
  ['utilization', 0],
  ['utilization', 1.1],
  ['heapGrowthBytesPerMinute', 1000],
  ['profileMs', 2000],
  ['profileMs', 11_000],
  ['profileMs', false],
  ['samplingIntervalUs', 10],
  ['cooldownMs', -1],
  ['cooldownMs', Number.NaN],
])('refuses a %s of %s', (name, value) => {
  expect(() => anomalyLimits({ [name]: value })).toThrow(`anomalies.${name}`);
});
