import { describe, expect, it } from 'vitest';
import { derive, toCounterValue, type CounterValue } from '../../../dist/counters/counter-value.js';

const reading = (value: number, enabledNs = 1000, runningNs = 1000) => ({ value, enabledNs, runningNs });
const counted = (value: number, scaleFactor = 1): CounterValue => ({
  available: true,
  value,
  exact: scaleFactor === 1,
  scaleFactor,
  excludesKernel: true,
});

describe('a counter value', () => {
  it('is exact where the counter ran all the time', () => {
    expect(toCounterValue('cacheMisses', reading(42), true)).toEqual({
      available: true,
      value: 42,
      exact: true,
      scaleFactor: 1,
      excludesKernel: true,
    });
  });

  it('is scaled, and says so, where it shared its place', () => {
    expect(toCounterValue('cycles', reading(100, 1000, 250), false)).toEqual({
      available: true,
      value: 400,
      exact: false,
      scaleFactor: 4,
      excludesKernel: false,
    });
  });

  it('is never scaled down by clocks that disagree by a tick', () => {
    expect(toCounterValue('cycles', reading(100, 999, 1000), false)).toMatchObject({
      value: 100,
      scaleFactor: 1,
    });
  });

  it.each([
    ['never ran', reading(0, 1000, 0), 'NOT_SCHEDULED'],
    ['was not enabled', reading(0, 0, 0), 'NOT_SCHEDULED'],
    ['stays at 0 where work is never 0', reading(0), 'NOT_COUNTING'],
    ['gives no number', reading(NaN, NaN, NaN), 'NOT_COUNTING'],
  ])('is missing with a reason where it %s', (_why, numbers, reason) => {
    expect(toCounterValue('instructions', numbers, true)).toMatchObject({
      available: false,
      reason,
      message: expect.any(String),
      remedy: expect.any(String),
    });
  });

  it('may be 0 where nothing happened', () => {
    expect(toCounterValue('majorFaults', reading(0), false)).toMatchObject({ available: true, value: 0 });
  });
});

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
    const cycles = toCounterValue('cycles', reading(0, 1000, 0), true);
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
});
