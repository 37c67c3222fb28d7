import { describe, expect, it } from 'vitest';
import { findChangePoints } from '../../../dist/validation/change-points.js';
import { normals, seeded } from './random.js';

/** Ratios around 1 with half a percent of noise, and a few heavy outliers as real series have. */
function series(random: () => number, length: number): number[] {
  return normals(random, length).map((value) => {
    const outlier = random() < 0.03 ? 4 : 1;
    return Math.exp(0.005 * outlier * value);
  });
}

const stepAt = (values: readonly number[], index: number, factor: number) =>
  values.map((value, i) => (i < index ? value : value * factor));

describe('findChangePoints', () => {
  it('finds a step of 3 % within three points in at least 95 % of series', () => {
    const random = seeded(11);
    let found = 0;
    for (let i = 0; i < 100; i += 1) {
      const index = 12 + Math.floor(random() * 24);
      const changes = findChangePoints(stepAt(series(random, 48), index, 1.03));
      if (changes.some((change) => Math.abs(change.index - index) <= 3)) found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(95);
  });

  it('names a point in at most 5 % of series without a step', () => {
    const random = seeded(12);
    let wrong = 0;
    for (let i = 0; i < 200; i += 1) if (findChangePoints(series(random, 48)).length > 0) wrong += 1;
    expect(wrong).toBeLessThanOrEqual(10);
  });

  it('says where, how large and how sure', () => {
    const values = stepAt(series(seeded(13), 40), 25, 1.05);
    const [change, ...others] = findChangePoints(values);
    expect(others).toEqual([]);
    expect(change!.index).toBe(25);
    expect(change!.indexInterval[0]).toBeLessThanOrEqual(25);
    expect(change!.indexInterval[1]).toBeGreaterThanOrEqual(25);
    expect(change!.interval[0]).toBeLessThan(1.05);
    expect(change!.interval[1]).toBeGreaterThan(1.05);
    expect(change!.interval[0]).toBeGreaterThan(1.03);
    expect(change!.probability).toBeLessThanOrEqual(0.02);
  });

  it('finds two steps, also where the second undoes the first', () => {
    const values = stepAt(stepAt(series(seeded(16), 60), 20, 1.06), 40, 1 / 1.06);
    const changes = findChangePoints(values);
    expect(changes.map(({ index }) => index)).toEqual([20, 40]);
    expect(changes[0]!.ratio).toBeCloseTo(1.06, 1);
    expect(changes[1]!.ratio).toBeCloseTo(1 / 1.06, 1);
  });

  it('gives the same answer for the same series', () => {
    const values = stepAt(series(seeded(15), 48), 20, 1.02);
    expect(findChangePoints(values)).toEqual(findChangePoints(values));
  });

  it('finds none in what is constant, short or empty', () => {
    expect(findChangePoints([])).toEqual([]);
    expect(findChangePoints([1, 2])).toEqual([]);
    expect(findChangePoints(new Array(30).fill(1.5))).toEqual([]);
  });

  it.each([
    ['text', 'abc', {}],
    ['a zero', [1, 0, 1], {}],
    ['NaN', [1, NaN], {}],
    ['a significance of 2', [1, 1], { significance: 2 }],
    ['segments of one point', [1, 1], { minSegment: 1 }],
  ])('refuses %s', (_, values: any, options) => {
    expect(() => findChangePoints(values, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
