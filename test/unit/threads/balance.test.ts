/**
 * How well partitioners balance, on virtual time: makespan over the least possible, eight shapes of cost. Part of the
 * grid of `npm run bench:balance`, the same in every run.
 */
import { describe, expect, it } from 'vitest';
import { PARTITIONERS } from '../../../dist/threads/partition/by-name.js';
import { ratiosOf, SCHEDULES, speedsOf, summary, WHOLE_GRID } from '../../../bench/balance/contest.js';
import { trapezoidPartitioner } from '../../../bench/balance/trapezoid.js';
import { simulate } from '../../fixtures/threads/simulate.js';

const grid = { ...WHOLE_GRID, participants: [2, 8, 32, 128], seeds: [1] };
const ratio = (schedule: keyof typeof SCHEDULES, { slowThird = false } = {}) =>
  summary(ratiosOf(schedule, { grid, slowThird })).mean;
/** What must hold of the default where costs are hinted at: the bounds of the design. */
const BOUND = 1.08;
const BOUND_WITH_SLOW_THREADS = 1.14;

describe('balance', () => {
  it('the default, contiguous ranges by a cost hint, comes close to the bound', () => {
    expect(ratio('default, with a cost hint')).toBeLessThanOrEqual(BOUND);
    expect(ratio('default, with a cost hint', { slowThird: true })).toBeLessThanOrEqual(
      BOUND_WITH_SLOW_THREADS,
    );
  });

  it('without a hint it is a little further from it', () => {
    expect(ratio('default')).toBeLessThan(1.1);
    expect(ratio('default', { slowThird: true })).toBeLessThan(1.16);
  });

  it('a cost hint brings the default closer', () => {
    expect(ratio('default, with a cost hint')).toBeLessThan(ratio('default'));
  });

  it('static is far from it, most of all with slow threads', () => {
    expect(ratio('static')).toBeGreaterThan(1.3);
    expect(ratio('static', { slowThird: true })).toBeGreaterThan(1.8);
  });

  it('a hint mends static as far as costs are known, not where threads are slow', () => {
    expect(ratio('static, with a cost hint')).toBeLessThan(1.15);
    expect(ratio('static, with a cost hint', { slowThird: true })).toBeGreaterThan(1.5);
  });

  it.each(['guided', 'factoring', 'trapezoid'] as const)(
    '%s lies between the default and static',
    (schedule) => {
      for (const slowThird of [false, true]) {
        expect(ratio(schedule, { slowThird })).toBeLessThan(ratio('static', { slowThird }));
        expect(ratio(schedule, { slowThird })).toBeGreaterThan(ratio('default', { slowThird }));
      }
    },
  );
});

describe('the simulation', () => {
  it('runs the partitioners of production, all of them', () => {
    const simulated = new Set(Object.values(SCHEDULES).map(({ partitioner }) => partitioner));
    for (const partitioner of PARTITIONERS) expect(simulated).toContain(partitioner);
  });

  it('has one third of the threads at half speed, at least one', () => {
    const slow = (participants: number) =>
      speedsOf(participants, true, () => 0.5).filter((speed: number) => speed === 0.5).length;
    expect([2, 3, 4, 8, 128].map(slow)).toEqual([1, 1, 1, 3, 43]);
    expect(speedsOf(8, false, () => 0.5)).toEqual(new Array(8).fill(1));
  });

  it('knows the makespan of a schedule that can be reckoned by hand', () => {
    const plan = { units: 4, participants: 2, grain: null };
    const { makespan } = simulate(SCHEDULES.static.partitioner!, {
      plan,
      costs: [1, 2, 3, 4],
      speeds: [1, 0.5],
      overhead: 0.5,
    });
    expect(makespan).toBe(0.5 + (3 + 4) / 0.5);
  });

  it.each([
    [0, 3, null],
    [1, 4, null],
    [100, 1, null],
    [1_000, 3, null],
    [1_000, 4, 7],
    [4_096, 128, null],
    [5, 128, null],
  ])('trapezoid hands out each of %i units once to %i threads (grain %j)', (units, participants, grain) => {
    const { chunks } = simulate(trapezoidPartitioner, {
      plan: { units, participants, grain },
      costs: new Array<number>(units).fill(1),
      speeds: new Array<number>(participants).fill(1),
      overhead: 0,
    });
    let end = 0;
    const sizes: number[] = [];
    for (const [, start, stop] of chunks) {
      expect(start).toBe(end);
      sizes.push(stop - start);
      end = stop;
    }
    expect(end).toBe(units);
    // Shrinking: none is larger than the one before, but for rounding.
    for (const [index, size] of sizes.entries())
      if (index > 0) expect(size).toBeLessThanOrEqual(sizes[index - 1]! + 1);
    if (units > 0)
      expect(sizes[0]).toBe(Math.min(units, Math.max(grain ?? 1, Math.ceil(units / (2 * participants)))));
  });
});
