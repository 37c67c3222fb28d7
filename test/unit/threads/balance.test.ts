/** How well partitioners balance, on virtual time: makespan over the least possible, eight cost shapes. */
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../../dist/model/choice.js';
import { PARTITIONERS, partitionerIndex } from '../../../dist/threads/partition/by-name.js';
import { costShapes, geometricMean, lowerBound, simulate } from '../../fixtures/threads/simulate.js';

const UNITS = 4_096;
const shapes = Object.values(costShapes(UNITS));

function weightsOf(costs: readonly number[]) {
  return Array.from({ length: 64 }, (_, part) =>
    costs.slice((part * UNITS) / 64, ((part + 1) * UNITS) / 64).reduce((sum, cost) => sum + cost, 0),
  );
}

function ratio(schedule: Schedule, { slowThird = false, hinted = false } = {}): number {
  const partitioner = PARTITIONERS[partitionerIndex(schedule)]!;
  const ratios: number[] = [];
  for (const participants of [2, 4, 16, 64]) {
    const speeds = Array.from({ length: participants }, (_, index) =>
      slowThird && index % 3 === 1 ? 0.5 : 1,
    );
    for (const costs of shapes) {
      const plan = { units: UNITS, participants, grain: null, ...(hinted && { weights: weightsOf(costs) }) };
      const { makespan } = simulate(partitioner, { plan, costs, speeds, overhead: 0.1 });
      ratios.push(makespan / lowerBound({ costs, speeds }));
    }
  }
  return geometricMean(ratios);
}

describe('balance', () => {
  it('stealing comes close to the bound', () => {
    expect(ratio('stealing')).toBeLessThan(1.12);
    expect(ratio('stealing', { slowThird: true })).toBeLessThan(1.18);
  });

  it('a cost hint brings it closer', () => {
    expect(ratio('stealing', { hinted: true })).toBeLessThan(ratio('stealing'));
    expect(ratio('stealing', { hinted: true })).toBeLessThan(1.1);
  });

  it('static is far from it, most of all with slow threads', () => {
    expect(ratio('static')).toBeGreaterThan(1.3);
    expect(ratio('static', { slowThird: true })).toBeGreaterThan(1.8);
  });

  it('a hint mends static as far as costs are known, not where threads are slow', () => {
    expect(ratio('static', { hinted: true })).toBeLessThan(1.15);
    expect(ratio('static', { hinted: true, slowThird: true })).toBeGreaterThan(1.5);
  });

  it.each(['guided', 'factoring'] as const)('%s lies between stealing and static', (schedule) => {
    for (const slowThird of [false, true]) {
      expect(ratio(schedule, { slowThird })).toBeLessThan(ratio('static', { slowThird }));
      expect(ratio(schedule, { slowThird })).toBeGreaterThan(ratio('stealing', { slowThird }));
    }
  });
});
