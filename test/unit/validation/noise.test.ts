import { describe, expect, it } from 'vitest';
import { measureNoise } from '../../../dist/validation/noise.js';

describe('measureNoise', () => {
  it('measures three workloads and derives what can be detected from them', async () => {
    const fractions: number[] = [];
    const report = await measureNoise({
      seconds: 3,
      onProgress: ({ fraction }) => fractions.push(fraction!),
    });
    expect(report.workloads.map(({ workload }) => workload)).toEqual([
      'arithmetic',
      'allocating',
      'memoryBound',
    ]);
    for (const { replicates, deviation, replicateMs } of report.workloads) {
      expect(replicates).toBeGreaterThanOrEqual(4);
      expect(deviation).toBeGreaterThan(0);
      expect(replicateMs).toBeGreaterThan(50);
    }
    expect(report.simulatedComparisons).toBe(3000);
    expect(report.falseClaimRate).toBeGreaterThanOrEqual(0);
    expect(report.falseClaimRate).toBeLessThan(0.3);
    expect(report.detectable.map(({ seconds }) => seconds)).toEqual([5, 10, 30]);
    // More time never shows less.
    const effects = report.detectable.map(({ effect }) => effect ?? Infinity);
    expect(effects[2]).toBeLessThanOrEqual(effects[0]!);
    expect(fractions.at(-1)).toBe(1);
  });

  it.each([0, -1, NaN, 'ten'])('refuses %s seconds', async (seconds: any) => {
    await expect(measureNoise({ seconds })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.timeout(300);
    await expect(measureNoise({ seconds: 60, signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
