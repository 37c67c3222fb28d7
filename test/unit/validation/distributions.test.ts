import { describe, expect, it } from 'vitest';
import { normalQuantile, studentQuantile } from '../../../dist/validation/distributions.js';

// Values of R's qnorm and qt, as printed tables have them.
describe('normalQuantile', () => {
  it.each([
    [0.5, 0],
    [0.975, 1.959963985],
    [0.995, 2.575829304],
    [0.0005, -3.290526731],
  ])('of %s is %s', (p, expected) => {
    expect(normalQuantile(p)).toBeCloseTo(expected, 7);
  });
});

describe('studentQuantile', () => {
  it.each([
    [0.05, 1, 12.706205],
    [0.05, 2, 4.302653],
    [0.05, 3, 3.182446],
    [0.05, 4, 2.776445],
    [0.05, 10, 2.228139],
    [0.05, 30, 2.042272],
    [0.01, 5, 4.032143],
    [0.001, 4, 8.610302],
    [0.1, 1000, 1.646379],
  ])('two-sided %s with %s degrees is %s', (alpha, degrees, expected) => {
    expect(Math.abs(studentQuantile(alpha, degrees) / expected - 1)).toBeLessThan(1e-4);
  });
});
