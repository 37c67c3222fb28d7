import { describe, expect, it } from 'vitest';
import { fitScalability, worthwhileCounts } from '../../../dist/threads/scalability-fit.js';
import { randomFrom } from '../../fixtures/threads/simulate.js';

const law = (contention: number, coherency: number) => (threads: number) =>
  threads / (1 + contention * (threads - 1) + coherency * threads * (threads - 1));
const COUNTS = [1, 2, 4, 8, 16, 32];
const measured = (speedAt: (threads: number) => number, counts = COUNTS) =>
  counts.map((threads) => ({ threads, speedup: speedAt(threads) }));
const fit = (points: Parameters<typeof fitScalability>[0]) => {
  const found = fitScalability(points);
  if (!found.available) throw new Error(found.message);
  return found;
};

describe('fitScalability', () => {
  it.each([
    [0.02, 0.0005],
    [0.1, 0.01],
    [0.3, 0.0001],
    [0, 0.002],
    [0.5, 0],
    [0, 0],
  ])('finds σ %f and κ %f of a curve that follows the law', (contention, coherency) => {
    const found = fit(measured(law(contention, coherency)));
    expect(found.contention).toBeCloseTo(contention, 9);
    expect(found.coherency).toBeCloseTo(coherency, 9);
    expect(found.relativeError).toBeLessThan(1e-9);
    for (const { threads, speedup, fitted } of found.points) {
      expect(speedup).toBe(law(contention, coherency)(threads));
      expect(fitted).toBeCloseTo(speedup, 9);
    }
  });

  it('tells where the curve turns down, as the curve itself has it', () => {
    const speedAt = law(0.05, 0.003);
    const { peakThreads } = fit(measured(speedAt));
    let best = 1;
    for (let threads = 2; threads <= 64; threads += 1) if (speedAt(threads) > speedAt(best)) best = threads;
    expect(Math.abs(peakThreads! - best)).toBeLessThanOrEqual(1);
  });

  it('has no peak without coherency, and the peak 1 where a second thread only harms', () => {
    expect(fit(measured(law(0.2, 0))).peakThreads).toBeNull();
    const harmful = fit(measured((threads) => 1 / threads));
    expect(harmful.peakThreads).toBe(1);
  });

  it('stays near the truth under errors of 5 %, and says how large they are', () => {
    const random = randomFrom(7);
    for (let trial = 0; trial < 50; trial += 1) {
      const noisy = measured((threads) => law(0.05, 0.002)(threads) * (0.95 + 0.1 * random()));
      const found = fit(noisy);
      expect(found.contention).toBeLessThan(0.12);
      expect(found.peakThreads).toBeGreaterThan(12);
      expect(found.peakThreads).toBeLessThan(40);
      expect(found.relativeError).toBeGreaterThan(0);
      expect(found.relativeError).toBeLessThan(0.06);
    }
  });

  it('never gives a negative share: faster than by its threads is 0 and 0', () => {
    const found = fit(measured((threads) => threads ** 1.1));
    expect([found.contention, found.coherency]).toEqual([0, 0]);
    expect(found.relativeError).toBeGreaterThan(0.1);
  });

  it.each([
    // σ alone fits best: speed that saturates and rises at the very end.
    [[1, 1.6, 2.4, 3.3, 4.6, 7]],
    // κ alone: nearly ideal at first, then down.
    [[1, 2.05, 4.1, 7.5, 9, 6]],
  ])('takes the better edge where one share would be negative: %j', (speeds) => {
    const points = COUNTS.map((threads, index) => ({ threads, speedup: speeds[index]! }));
    const { contention, coherency } = fit(points);
    const squares = (a: number, b: number) =>
      points.reduce(
        (sum, { threads, speedup }) =>
          sum +
          (speedup / threads) ** 2 *
            (threads / speedup - 1 - a * (threads - 1) - b * threads * (threads - 1)) ** 2,
        0,
      );
    const least = squares(contention, coherency);
    expect(Math.min(contention, coherency)).toBeGreaterThanOrEqual(0);
    for (let a = 0; a <= 0.5; a += 0.005)
      for (let b = 0; b <= 0.05; b += 0.0005) expect(squares(a, b)).toBeGreaterThanOrEqual(least - 1e-9);
  });

  it.each([[[]], [[1, 2, 4]], [[2, 2, 2, 2, 4]]])('is not to be had from thread counts %j', (counts) => {
    expect(fitScalability(measured(law(0.1, 0.01), counts))).toMatchObject({
      available: false,
      reason: 'TOO_FEW_THREAD_COUNTS',
      message: expect.stringContaining('at least 4'),
    });
  });

  it('leaves out what is no measurement', () => {
    const wrong = [
      { threads: 3, speedup: NaN },
      { threads: 5, speedup: 0 },
      { threads: 0, speedup: 1 },
      { threads: 6, speedup: Infinity },
    ];
    expect(fitScalability([...measured(law(0.1, 0.01), [1, 2, 4]), ...wrong]).available).toBe(false);
    expect(fit([...measured(law(0.1, 0.01)), ...wrong]).contention).toBeCloseTo(0.1, 9);
  });
});

describe('worthwhileCounts', () => {
  const counts = [2, 4, 8, 16, 32];
  it('leaves out what lies far beyond the peak, and adds the peak', () => {
    // N* is √(0.95 / 0.01) = 9.7.
    expect(worthwhileCounts(counts, fitScalability(measured(law(0.05, 0.01))), 32)).toEqual([2, 4, 8, 10]);
  });
  it('always leaves the least count: threads have to be seen to lose', () => {
    expect(worthwhileCounts(counts, fitScalability(measured((threads) => 1 / threads)), 32)).toEqual([2]);
  });
  it('adds no more than there may be', () => {
    expect(worthwhileCounts([2, 4], fitScalability(measured(law(0.05, 0.01))), 8)).toEqual([2, 4]);
  });
  it('changes nothing without a peak, without a law, and by a law that does not fit', () => {
    expect(worthwhileCounts(counts, fitScalability(measured(law(0.2, 0))), 32)).toEqual(counts);
    expect(worthwhileCounts(counts, fitScalability([]), 32)).toEqual(counts);
    const erratic = fitScalability(
      COUNTS.map((threads, index) => ({ threads, speedup: index % 2 === 0 ? 1 : 2.5 })),
    );
    expect(erratic).toMatchObject({ available: true });
    expect(worthwhileCounts(counts, erratic, 32)).toEqual(counts);
  });
});
