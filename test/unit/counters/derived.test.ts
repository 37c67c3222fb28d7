import { describe, expect, it } from 'vitest';
import type { CounterValue } from '../../../dist/counters/counter-value.js';
import { toCounterValue } from '../../../dist/counters/counter-value.js';
import { derive as deriveOver } from '../../../dist/counters/derived.js';

const counted = (value: number, scaleFactor = 1, excludesKernel = true): CounterValue => ({
  available: true,
  value,
  exact: scaleFactor === 1,
  scaleFactor,
  excludesKernel,
});
const derive = (values: Parameters<typeof deriveOver>[0]) => deriveOver(values, 10);

describe('a derived figure', () => {
  it('is the quotient of two valid values', () => {
    const { instructionsPerCycle, branchMissRatio } = derive({
      instructions: counted(300),
      cycles: counted(100),
      branches: counted(1000),
      branchMisses: counted(25),
    });
    expect(instructionsPerCycle).toEqual({ available: true, value: 3, unit: 'ratio' });
    expect(branchMissRatio).toEqual({ available: true, value: 0.025, unit: 'ratio' });
  });

  it('takes over the reason of the value that is missing', () => {
    const cycles = toCounterValue(0, 1000, 0, true, true);
    expect(derive({ instructions: counted(300), cycles }).instructionsPerCycle).toEqual(cycles);
  });

  it('is missing where the two were counted at different times', () => {
    const { instructionsPerCycle } = derive({ instructions: counted(300, 2), cycles: counted(100, 3) });
    expect(instructionsPerCycle).toMatchObject({ available: false, reason: 'NOT_SCHEDULED' });
  });

  it('is missing where nothing was counted below the line, never NaN', () => {
    const { cacheMissRatio } = derive({ cacheMisses: counted(0), cacheReferences: counted(0) });
    expect(cacheMissRatio).toMatchObject({ available: false, reason: 'NO_EVENTS' });
  });

  it('is missing where an event was not asked for', () => {
    expect(derive({}).instructionsPerCycle).toMatchObject({ available: false, reason: 'NOT_ASKED' });
  });

  it('counts misses per 1,000 instructions', () => {
    const { cacheMissesPerKiloInstruction, dtlbLoadMissesPerKiloInstruction } = derive({
      instructions: counted(2_000_000),
      cacheMisses: counted(3000),
    });
    expect(cacheMissesPerKiloInstruction).toEqual({ available: true, value: 1.5, unit: 'count' });
    expect(dtlbLoadMissesPerKiloInstruction).toMatchObject({ reason: 'NOT_ASKED' });
  });

  it('is the share of a processor that was used', () => {
    expect(derive({ taskClock: counted(2_500_000) }).cpuUtilization).toEqual({
      available: true,
      value: 0.25,
      unit: 'ratio',
    });
    expect(deriveOver({ taskClock: counted(5) }, 0).cpuUtilization).toMatchObject({ reason: 'NO_EVENTS' });
  });

  it('is a frequency only where the cycles have the kernel part that CPU time has', () => {
    const taskClock = counted(1_000_000, 1, false);
    expect(derive({ cycles: counted(3_000_000, 1, false), taskClock }).frequency).toEqual({
      available: true,
      value: 3000,
      unit: 'MHz',
    });
    expect(derive({ cycles: counted(3_000_000), taskClock }).frequency).toMatchObject({
      reason: 'KERNEL_EXCLUDED',
    });
  });

  it('is never NaN or infinite, whatever is counted', () => {
    const values = [
      undefined,
      counted(0),
      counted(7),
      counted(7, 2),
      toCounterValue(NaN, NaN, NaN, true, true),
    ];
    for (const cycles of values) {
      for (const instructions of values) {
        for (const taskClock of values) {
          const figures = derive({
            ...(cycles && { cycles }),
            ...(instructions && { instructions }),
            ...(taskClock && { taskClock }),
          });
          for (const figure of Object.values(figures)) {
            if (figure.available) expect(Number.isFinite(figure.value)).toBe(true);
            else expect(figure.remedy).not.toBe('');
          }
        }
      }
    }
  });
});
