import { describe, expect, it } from 'vitest';
import { decide, holm, replicatesFor } from '../../../dist/validation/decision.js';

const rule = { confidenceLevel: 0.95, equivalenceMargin: 0.01 };
/** Six log ratios around a centre, with a standard deviation of about 0.19 % each way. */
const around = (ratio: number, spread = 0.002) =>
  [-1, 1, -1, 1, -1, 1].map((sign) => Math.log(ratio) + sign * spread);

describe('decide', () => {
  it('calls a ratio clearly below one faster, and its inverse slower', () => {
    expect(decide(around(0.95), rule).verdict).toBe('faster');
    expect(decide(around(1 / 0.95), rule).verdict).toBe('slower');
  });

  it('calls what lies wholly within the margin equivalent', () => {
    const { verdict, ratio, interval } = decide(around(1.001), rule);
    expect(verdict).toBe('equivalent');
    expect(ratio).toBeCloseTo(1.001, 6);
    expect(interval![0]).toBeLessThan(1.001);
    expect(interval![1]).toBeGreaterThan(1.001);
  });

  it('claims nothing where the interval crosses the margin', () => {
    expect(decide(around(0.989), rule).verdict).toBe('inconclusive');
    expect(decide(around(0.95, 0.05), rule).verdict).toBe('inconclusive');
  });

  it('claims nothing and gives no interval while there is no bound', () => {
    expect(decide([-0.5, -0.5, -0.5], rule)).toMatchObject({
      verdict: 'inconclusive',
      interval: null,
      minimumDetectableEffect: null,
    });
  });

  it('a difference inside the margin is none, however certain', () => {
    expect(decide(around(0.995, 1e-6), rule).verdict).toBe('equivalent');
  });

  it('widens for an error that the replicates share, and stops improving once it is nearly all', () => {
    const alone = decide(around(0.97), rule);
    const shared = decide(around(0.97), { ...rule, sharedDeviation: 0.012 });
    expect(alone.verdict).toBe('faster');
    expect(shared.verdict).toBe('inconclusive');
    expect(shared.improvable).toBe(false);
    expect(decide(around(0.9), { ...rule, sharedDeviation: 0.012 }).verdict).toBe('faster');
  });

  it('an effect of the minimum that it names would have been decided', () => {
    const { minimumDetectableEffect } = decide(around(1), rule);
    expect(decide(around(1 + minimumDetectableEffect! * 1.001), rule).verdict).toBe('slower');
    expect(decide(around(1 + minimumDetectableEffect! * 0.98), rule).verdict).toBe('inconclusive');
  });
});

describe('replicatesFor', () => {
  it('asks for more replicates for smaller effects, and knows the impossible', () => {
    const noisy = around(1, 0.02);
    const large = replicatesFor(0.1, noisy, rule)!;
    const small = replicatesFor(0.03, noisy, rule)!;
    expect(large).toBeLessThan(small);
    expect(replicatesFor(0.009, noisy, rule)).toBeNull();
  });
});

describe('holm', () => {
  const claims = (series: number[][]) => holm(series, rule).map((level) => level !== null);

  it('lets strong claims stand and drops weak ones', () => {
    expect(claims([around(0.9), around(1), around(0.96, 0.013)])).toEqual([true, false, false]);
  });

  it('drops a claim among many that would stand alone', () => {
    const weak = around(0.95, 0.015);
    expect(claims([weak])).toEqual([true]);
    const crowd = [weak, ...Array.from({ length: 19 }, () => around(1))];
    expect(claims(crowd)[0]).toBe(false);
  });

  it('tests the second claim less strictly once the first stands', () => {
    const levels = holm([around(0.9), around(0.91)], rule);
    expect(levels.map((level) => level!.toFixed(3)).sort()).toEqual(['0.950', '0.975']);
  });
});
