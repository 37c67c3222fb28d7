import { describe, expect, it } from 'vitest';
import { CALLER_LIMIT_NS, planLoop } from '../../../dist/threads/partition/auto.js';

const base = {
  iterations: 1_000,
  iterationNs: 1_000,
  parallelIterationNs: null,
  dispatchNs: 50_000,
  maxThreads: 4,
};

describe('planLoop', () => {
  it('probes while nothing is known', () => {
    expect(planLoop({ ...base, iterationNs: null })).toMatchObject({ where: 'probe' });
  });
  it('stays on the caller for work that costs less than handing it out', () => {
    expect(planLoop({ ...base, iterationNs: 40 })).toEqual({ where: 'caller' });
  });
  it('goes to threads for work that pays', () => {
    expect(planLoop(base)).toEqual({ where: 'threads', threads: 4 });
  });
  it('wakes no more threads than the work pays for, and than there are iterations', () => {
    expect(planLoop({ ...base, iterationNs: 170 })).toEqual({ where: 'threads', threads: 3 });
    expect(planLoop({ ...base, iterations: 3, iterationNs: 1e6 })).toEqual({ where: 'threads', threads: 3 });
  });
  it('comes back to the caller where threads did not help the last times', () => {
    expect(planLoop({ ...base, parallelIterationNs: 990 })).toEqual({ where: 'caller' });
  });
  it('never holds the caller up for long, even where threads do not help', () => {
    const long = { ...base, iterations: CALLER_LIMIT_NS, iterationNs: 2, parallelIterationNs: 3 };
    expect(planLoop(long).where).toBe('threads');
    expect(planLoop({ ...long, maxThreads: 1 })).toEqual({ where: 'threads', threads: 1 });
  });
  it('stays on the caller on one CPU while that is short', () => {
    expect(planLoop({ ...base, maxThreads: 1 })).toEqual({ where: 'caller' });
  });
});
