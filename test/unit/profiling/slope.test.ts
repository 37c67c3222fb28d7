import { describe, expect, it } from 'vitest';
import { segmentMinima, theilSenSlope } from '../../../dist/profiling/slope.js';

const points = (values: number[]) => values.map((value, atMs) => ({ atMs, value }));

describe('slopes', () => {
  it('finds the trend of a line, in value per millisecond', () => {
    expect(theilSenSlope(points([0, 3, 6, 9, 12]))).toBe(3);
  });
  it('is not turned by a few wild points', () => {
    expect(theilSenSlope(points([0, 1, 2, 900, 4, 5, 6, -500, 8, 9, 10]))).toBeCloseTo(1, 1);
  });
  it('is 0 for fewer than two points, and for points at one instant', () => {
    expect(theilSenSlope([])).toBe(0);
    expect(theilSenSlope([{ atMs: 1, value: 5 }])).toBe(0);
    expect(
      theilSenSlope([
        { atMs: 1, value: 5 },
        { atMs: 1, value: 9 },
      ]),
    ).toBe(0);
  });
  it('takes the least value of each part', () => {
    expect(segmentMinima(points([5, 1, 7, 9, 2, 8]), 2).map(({ value }) => value)).toEqual([1, 2]);
    expect(segmentMinima([], 4)).toEqual([]);
  });
});
