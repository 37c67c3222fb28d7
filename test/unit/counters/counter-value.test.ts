import { describe, expect, it } from 'vitest';
import { sumCounterValues, toCounterValue, type CounterValue } from '../../../dist/counters/counter-value.js';

const counted = (value: number, scaleFactor = 1): CounterValue => ({
  available: true,
  value,
  exact: scaleFactor === 1,
  scaleFactor,
  excludesKernel: true,
});

describe('a counter value', () => {
  it('is exact where the counter ran all the time', () => {
    expect(toCounterValue(42, 1000, 1000, false, true)).toEqual(counted(42));
  });

  it('is scaled, and says so, where it shared its place', () => {
    expect(toCounterValue(100, 1000, 250, true, false)).toEqual({
      available: true,
      value: 400,
      exact: false,
      scaleFactor: 4,
      excludesKernel: false,
    });
  });

  it('is never scaled down by clocks that disagree by a tick', () => {
    expect(toCounterValue(100, 999, 1000, true, false)).toMatchObject({ value: 100, scaleFactor: 1 });
  });

  it.each([
    ['never ran', [0, 1000, 0], 'NOT_SCHEDULED'],
    ['was not enabled', [0, 0, 0], 'NOT_SCHEDULED'],
    ['stays at 0 where work is never 0', [0, 1000, 1000], 'NOT_COUNTING'],
    ['gives no number', [NaN, NaN, NaN], 'NOT_COUNTING'],
    ['went back', [-5, 1000, 1000], 'NOT_COUNTING'],
  ] as const)('is missing with a reason where it %s', (_why, [value, enabled, running], reason) => {
    expect(toCounterValue(value, enabled, running, true, true)).toMatchObject({
      available: false,
      reason,
      message: expect.any(String),
      remedy: expect.any(String),
    });
  });

  it('may be 0 where nothing happened', () => {
    expect(toCounterValue(0, 1000, 1000, false, false)).toMatchObject({ available: true, value: 0 });
  });
});

describe('values of several threads', () => {
  it('add up, exact only where all are', () => {
    expect(sumCounterValues([counted(3), counted(4)])).toEqual(counted(7));
    expect(sumCounterValues([counted(300), counted(300, 3)])).toEqual({
      ...counted(600),
      exact: false,
      scaleFactor: 1.5,
    });
    expect(sumCounterValues([counted(0, 2), counted(0, 2)])).toMatchObject({
      value: 0,
      exact: false,
      scaleFactor: 1,
    });
  });

  it('are no value where one thread has none', () => {
    const missing = toCounterValue(0, 1000, 0, true, true);
    expect(sumCounterValues([counted(3), missing])).toEqual(missing);
    expect(sumCounterValues([])).toMatchObject({ available: false });
  });
});
