// Where a choice holds: sizes that were validated, crossovers on new sizes, growth up to the greatest size.
import { describe, expect, it } from 'vitest';
import { boundedChoice } from '../../../dist/computation/bounded-choice.js';
import { fitComplexity, predictCost } from '../../../dist/computation/complexity-fit.js';
import { growthOf, outlook } from '../../../dist/computation/growth-outlook.js';
import { numbers, optimise } from './samples.js';

const GIB = 2 ** 30;
const choice = (...ranges: [number | null, string][]) => ({
  kind: 'computation' as const,
  bySize: ranges.map(([maxSize, variant]) => ({ maxSize, variant })),
});
const at = (size: number, costs: Record<string, number>) => ({
  size,
  minSize: size,
  maxSize: size,
  standings: Object.entries(costs).map(([variant, cost]) => ({
    variant,
    cost,
    logRatio: Math.log(cost / Math.min(...Object.values(costs))),
    error: 0.001,
    tied: false,
  })),
});
const all = { notValidated: new Set<number>(), leftOutAbove: false };

describe('a choice ends where it was looked at', () => {
  const measured = [at(10, { a: 2, b: 1 }), at(100, { a: 20, b: 10 }), at(1_000, { a: 200, b: 100 })];
  const present = choice([null, 'a']);
  const candidate = choice([null, 'b']);

  it('is left alone where all was validated', () => {
    expect(boundedChoice(candidate, present, measured, all)).toEqual(candidate);
    const crossing = choice([42, 'a'], [null, 'b']);
    expect(boundedChoice(crossing, present, measured, all)).toEqual(crossing);
  });

  it('gives the sizes that were not validated back', () => {
    const notValidated = new Set([1_000]);
    expect(boundedChoice(candidate, present, measured, { ...all, notValidated })).toEqual(
      choice([100, 'b'], [null, 'a']),
    );
    const middle = new Set([100]);
    expect(boundedChoice(candidate, present, measured, { ...all, notValidated: middle })).toEqual(
      choice([10, 'b'], [999, 'a'], [null, 'b']),
    );
  });

  it('gives greater sizes back that were asked for and left out', () => {
    expect(boundedChoice(candidate, present, measured, { ...all, leftOutAbove: true })).toEqual(
      choice([1_000, 'b'], [null, 'a']),
    );
    expect(boundedChoice(present, present, measured, { ...all, leftOutAbove: true })).toEqual(present);
  });
});

describe('growth', () => {
  const sizes = [10, 100, 1_000, 10_000];
  const measured = sizes.map((n) => at(n, { linear: 900 + 3 * n, square: 10 + n * n * 0.0002 }));
  const none = ['linear', 'square'].flatMap((variant) =>
    sizes.map((size) => ({ variant, size, bytes: variant === 'linear' ? size * 1_000 : 0 })),
  );
  const growth = growthOf(['linear', 'square'], measured, none);

  it('is fitted for time and for memory', () => {
    expect(growth[0]).toMatchObject({ cost: { complexity: 'n' }, memory: { complexity: 'n' } });
    expect(growth[1]).toMatchObject({
      cost: { complexity: 'n²' },
      memory: { available: false, reason: 'NO_ALLOCATION' },
    });
  });

  it('predicts with a range', () => {
    const fit = fitComplexity(measured.map(({ size }) => ({ size, cost: size * 5 })))!;
    const { value, low, high } = predictCost(fit, 1e6);
    expect(value).toBeCloseTo(5e6, -4);
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
  });

  it('warns where another variant will overtake, and where memory will run out', () => {
    const [overtaken, ...others] = outlook(growth, 'square', 10_000, 1e6, GIB);
    expect(others).toEqual([]);
    expect(overtaken).toMatch(
      /not expected to hold up to size 1000000: "square" grows like n² and "linear" like n/,
    );
    expect(outlook(growth, 'linear', 10_000, 1e7, GIB).join()).toMatch(/expected to allocate \d+ MiB a call/);
  });

  it('does not warn within what was measured, or where it holds', () => {
    expect(outlook(growth, 'square', 10_000, 10_000, GIB)).toEqual([]);
    expect(outlook(growth, 'square', 10_000, undefined, GIB)).toEqual([]);
    expect(outlook(growth, 'linear', 10_000, 1e5, GIB)).toEqual([]);
  });

  it('says where it is not known', () => {
    const few = growthOf(['linear'], measured.slice(0, 2), []);
    expect(outlook(few, 'linear', 100, 1e5, GIB)).toEqual([expect.stringMatching(/is not known/)]);
  });
});

describe('what a profile tells', () => {
  const spin = (rounds: number) => {
    let total = 0;
    for (let i = 0; i < rounds * 200; i += 1) total += Math.sqrt(i);
    return total > 0;
  };

  it('crossovers hold on sizes that did not find them, and every pair is a comparison', async () => {
    const { draft } = await optimise(
      {
        variants: {
          small: (n: number) => spin(n < 100 ? 1 : 30),
          large: (n: number) => spin(n < 100 ? 30 : 1),
        },
        inputs: (size: number) => size,
        sizes: [10, 40, 300, 1_000],
      },
      {},
      { budgetMs: 4_000 },
    );
    const [crossover] = draft.plan['crossovers'] as any[];
    expect(crossover).toMatchObject({ from: 'small', to: 'large', status: 'confirmed' });
    expect(crossover.at).toBeGreaterThanOrEqual(60);
    expect(crossover.at).toBeLessThan(160);
    const measured = (draft.plan['sizes'] as any[]).map(({ size }) => size);
    for (const { size, ratio } of crossover.heldOut) {
      expect(measured).not.toContain(size);
      expect(ratio).toBeLessThan(0.2);
    }
    expect(draft.comparisons).toHaveLength(measured.length);
    for (const comparison of draft.comparisons) {
      expect(comparison).toMatchObject({ form: 'in-process', measure: 'time', unit: 'ns' });
      expect(comparison.ratio).toBeGreaterThan(5);
      expect(comparison.baseline).toMatch(/^(small|large) \(size \d+\)$/);
    }
  });

  it('a list has no new sizes to test crossovers on, which it says', async () => {
    const { draft } = await optimise(
      {
        variants: {
          small: (n: number) => spin(n < 100 ? 1 : 30),
          large: (n: number) => spin(n < 100 ? 30 : 1),
        },
        inputs: [10, 40, 300, 1_000],
      },
      {},
      { budgetMs: 1_500 },
    );
    expect((draft.plan['crossovers'] as any[])[0]).toMatchObject({
      status: 'not-tested',
      reason: expect.stringContaining('no other size'),
    });
  });

  it('what each variant uses: CPU, allocation, peak and counters, or why not', async () => {
    const { draft } = await optimise(
      {
        variants: {
          frugal: (values: number[]) => values.reduce((sum, value) => sum + value, 0),
          greedy: (values: number[]) => [...values, ...values].reduce((sum, value) => sum + value, 0) / 2,
        },
        inputs: numbers,
        sizes: [1_000, 20_000],
      },
      {},
      { budgetMs: 4_000 },
    );
    const resources = draft.plan['resources'] as any[];
    const bytesOf = (name: string) =>
      resources.find(({ variant, size }) => variant === name && size === 20_000).allocatedBytes;
    expect(bytesOf('greedy')).toBeGreaterThan(100_000);
    expect(bytesOf('frugal')).toBeLessThan(10_000);
    for (const { cpuNs, peakBytes, counters } of resources) {
      expect(cpuNs).toBeGreaterThan(0);
      expect(peakBytes.available === true || typeof peakBytes.reason === 'string').toBe(true);
      expect(Object.keys(counters)).toEqual(['instructions', 'cycles', 'cacheMisses', 'branchMisses']);
    }
  });

  it('a weighted objective goes by its weights', async () => {
    const request = {
      variants: {
        greedy: (n: number) => new Array<number>(n).fill(1).length,
        frugal: (n: number) => {
          let count = 0;
          for (let i = 0; i < n * 60; i += 1) count += Math.sqrt(i) >= 0 ? 1 : 0;
          return count / 60;
        },
      },
      inputs: [5_000, 10_000],
    };
    const under = async (weights: object) =>
      optimise(request, { resourceUtilization: { objective: 'weighted', weights } }, { budgetMs: 5_000 });
    const memory = await under({ time: 0.1, memory: 0.9 });
    expect(memory.draft).toMatchObject({
      status: 'applied',
      validation: { measure: 'weighted', unit: 'score' },
    });
    expect(memory.subject.choice.bySize).toEqual([{ maxSize: null, variant: 'frugal' }]);
    const time = await under({ time: 1 });
    expect(time.draft.choice).toBeNull();
  });

  it('weights without their objective are said to have no effect', async () => {
    const { draft } = await optimise(
      { variants: { a: (n: number) => n, b: (n: number) => n }, inputs: [5] },
      { resourceUtilization: { weights: { time: 1 } } },
      { budgetMs: 500 },
    );
    expect(draft.warnings.join()).toMatch(/weights has no effect: the objective is time/);
  });
});
