// The statistics against two libraries that others trust, over many samples.
import { createRequire } from 'node:module';
import * as simple from 'simple-statistics';
import { expect, it } from 'vitest';
import { findChangePoints } from '../../../dist/validation/change-points.js';
import { normalQuantile, studentQuantile } from '../../../dist/validation/distributions.js';
import * as ours from '../../../dist/validation/statistics.js';
import { normals, seeded } from './random.js';

/** jStat brings no types. */
const { jStat } = createRequire(import.meta.url)('jstat') as {
  jStat: {
    normal: { inv(p: number, mean: number, deviation: number): number };
    studentt: { inv(p: number, degrees: number): number };
  };
};

it('ordinary statistics agree with simple-statistics', () => {
  const random = seeded(21);
  for (let size = 1; size <= 60; size += 1) {
    const values = normals(random, size).map((value) => 5 + value * (1 + size));
    expect(ours.sum(values)).toBeCloseTo(simple.sum(values), 9);
    expect(ours.mean(values)).toBeCloseTo(simple.mean(values), 9);
    expect(ours.median(values)).toBeCloseTo(simple.median(values), 12);
    expect(ours.medianDeviation(values)).toBeCloseTo(1.4826 * simple.medianAbsoluteDeviation(values), 9);
    if (size > 1)
      expect(ours.standardDeviation(values)).toBeCloseTo(simple.sampleStandardDeviation(values), 9);
  }
});

it('quantiles fall on the same order statistics as those of simple-statistics where no interpolation is due', () => {
  const values = normals(seeded(22), 101);
  const sorted = [...values].sort((a, b) => a - b);
  for (const share of [0, 0.1, 0.25, 0.5, 0.9, 1])
    expect(ours.quantile(values, share)).toBeCloseTo(sorted[Math.round(100 * share)]!, 12);
  expect(ours.quantile(values, 0.5)).toBe(simple.quantile(values, 0.5));
});

it('quantiles of the normal distribution agree with jStat', () => {
  for (const p of [1e-6, 0.001, 0.01, 0.025, 0.2, 0.5, 0.7, 0.975, 0.999])
    expect(normalQuantile(p)).toBeCloseTo(jStat.normal.inv(p, 0, 1), 6);
});

it("quantiles of Student's distribution agree with jStat, fractional degrees too", () => {
  const error = (alpha: number, degrees: number) =>
    studentQuantile(alpha, degrees) / jStat.studentt.inv(1 - alpha / 2, degrees) - 1;
  for (const alpha of [0.001, 0.01, 0.05, 0.1, 0.5]) {
    for (const degrees of [1, 2, 2.4, 3, 4.7, 8, 15.3, 40, 200])
      expect(Math.abs(error(alpha, degrees)), `${alpha}, ${degrees}`).toBeLessThan(1e-4);
  }
  for (const alpha of [0.001, 0.01, 0.05, 0.1]) {
    for (const degrees of [1.2, 1.5, 1.8]) {
      expect(error(alpha, degrees)).toBeGreaterThan(0);
      expect(error(alpha, degrees)).toBeLessThan(0.055);
    }
  }
});

it("the interval of a change is Welch's, as worked from the parts of simple-statistics and jStat", () => {
  const random = seeded(23);
  const before = normals(random, 20).map((value) => 0.004 * value);
  const after = normals(random, 12).map((value) => 0.05 + 0.008 * value);
  const [change] = findChangePoints([...before, ...after].map(Math.exp));
  expect(change!.index).toBe(20);
  const parts = [before, after].map((part) => simple.sampleVariance(part) / part.length) as [number, number];
  const degrees = (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 / 19 + parts[1] ** 2 / 11);
  const halfWidth = jStat.studentt.inv(0.975, degrees) * Math.sqrt(parts[0] + parts[1]);
  const difference = simple.mean(after) - simple.mean(before);
  expect(Math.log(change!.interval[0])).toBeCloseTo(difference - halfWidth, 6);
  expect(Math.log(change!.interval[1])).toBeCloseTo(difference + halfWidth, 6);
});
