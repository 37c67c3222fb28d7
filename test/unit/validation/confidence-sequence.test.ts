import { describe, expect, it } from 'vitest';
import {
  confidenceSequence,
  evidenceAgainst,
  halfWidthFactor,
} from '../../../dist/validation/confidence-sequence.js';
import { normals, seeded } from './random.js';

describe('confidenceSequence', () => {
  it('has no bound below four values and one from four on', () => {
    expect(confidenceSequence([0.1, 0.2, 0.3], 0.95).halfWidth).toBe(Infinity);
    expect(confidenceSequence([0.1, 0.1], 0.95).halfWidth).toBe(Infinity);
    expect(confidenceSequence([0.1, 0.2, 0.3, 0.4], 0.95).halfWidth).toBeLessThan(1);
  });

  it('agrees with the formula worked by hand for n = 6', () => {
    // b = 0.04, c = (5 · 20)^(1/3); deviation of 1..6 is √3.5
    const c = 100 ** (1 / 3);
    const expected = Math.sqrt(((c - 1) / (1 - 0.04 * c)) * (5 / 6)) * Math.sqrt(3.5);
    expect(confidenceSequence([1, 2, 3, 4, 5, 6], 0.95).halfWidth).toBeCloseTo(expected, 10);
  });

  it('scales with the data and shifts with it', () => {
    const values = [0.01, 0.03, -0.02, 0.04, 0.02, 0];
    const plain = confidenceSequence(values, 0.95);
    const changed = confidenceSequence(
      values.map((value) => 7 + 100 * value),
      0.95,
    );
    expect(changed.halfWidth).toBeCloseTo(100 * plain.halfWidth, 9);
    expect(changed.mean).toBeCloseTo(7 + 100 * plain.mean, 9);
  });

  it('narrows with every further value and with a lower level', () => {
    for (let n = 4; n < 60; n += 1) {
      expect(halfWidthFactor(n + 1, 0.95)).toBeLessThan(halfWidthFactor(n, 0.95));
      expect(halfWidthFactor(n, 0.9)).toBeLessThan(halfWidthFactor(n, 0.95));
    }
  });

  it('misses the true mean at any of many looks in at most 5 % of samples', () => {
    const random = seeded(42);
    let missed = 0;
    const samples = 3000;
    for (let sample = 0; sample < samples; sample += 1) {
      const values = normals(random, 60).map((value) => 3 + 0.2 * value);
      for (let n = 4; n <= 60; n += 2) {
        const { mean, halfWidth } = confidenceSequence(values.slice(0, n), 0.95);
        if (Math.abs(mean - 3) > halfWidth) {
          missed += 1;
          break;
        }
      }
    }
    expect(missed / samples).toBeLessThanOrEqual(0.05);
    // The other way to pass would be to be uselessly wide.
    expect(missed / samples).toBeGreaterThan(0.005);
  });
});

describe('evidenceAgainst', () => {
  it('is the level at which the interval just touches the region', () => {
    const values = [0.05, 0.06, 0.055, 0.052, 0.049, 0.057];
    const alpha = evidenceAgainst(values, 0.01);
    const { mean, halfWidth } = confidenceSequence(values, 1 - alpha);
    expect(mean - halfWidth).toBeCloseTo(0.01, 9);
  });

  it('is 1 inside the region and for too few values', () => {
    expect(evidenceAgainst([0.001, -0.001, 0.002, 0.003], 0.01)).toBe(1);
    expect(evidenceAgainst([0.5], 0.01)).toBe(1);
  });
});
