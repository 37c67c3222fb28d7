import { describe, expect, it } from 'vitest';
import {
  isBimodal,
  mean,
  median,
  medianDeviation,
  quantile,
  standardDeviation,
} from '../../../dist/validation/statistics.js';
import { normals, seeded } from './random.js';

describe('statistics', () => {
  it('agrees with values worked by hand', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(standardDeviation(values)).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(standardDeviation([3])).toBe(0);
    expect(median(values)).toBe(4.5);
    expect(quantile(values, 0.25)).toBe(4);
    expect(quantile([10, 20], 0.75)).toBe(17.5);
    expect(medianDeviation([1, 2, 3, 4, 100])).toBeCloseTo(1.4826, 4);
  });

  it('does not reorder what it is given', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('isBimodal', () => {
  it('tells two groups from one, and from one with stragglers', () => {
    const random = seeded(7);
    const noise = () => normals(random, 60).map((value) => 100 + value);
    expect(isBimodal(noise())).toBe(false);
    expect(isBimodal([...noise(), 180, 190, 220])).toBe(false);
    expect(isBimodal([...noise(), ...noise().map((value) => value * 1.3)])).toBe(true);
  });

  it('says no where there is too little to say', () => {
    expect(isBimodal([1, 1, 1, 9, 9, 9])).toBe(false);
  });
});
