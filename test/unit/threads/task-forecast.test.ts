import { describe, expect, it } from 'vitest';
import { forecastAfter } from '../../../dist/threads/task-call.js';

const after = (known: number | undefined, ...runsMs: number[]) =>
  runsMs.reduce<number | undefined>(forecastAfter, known)!;

describe('the forecast of a task', () => {
  it('is the first run, then moves by quarters', () => {
    expect(after(undefined, 3)).toBe(3);
    expect(after(4, 8)).toBe(5);
    expect(after(4, 0)).toBe(3);
  });

  it('hardly changes by a run whose thread lost its CPU', () => {
    // A short task stays one: below 10 µs, not at a millisecond.
    expect(after(0.0003, 4)).toBeLessThan(0.01);
    expect(after(0.0003, 4, ...new Array<number>(16).fill(0.0003))).toBeLessThan(0.0005);
  });

  it('follows a task that has become long within some runs', () => {
    expect(after(0.0003, ...new Array<number>(12).fill(10))).toBeGreaterThan(5);
  });
});
