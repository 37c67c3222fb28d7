import { describe, expect, it } from 'vitest';
import { choiceOf, crossovers, pickVariants } from '../../../dist/computation/selection.js';

/** Costs by variant; within 2 % of the least counts as tied. */
function measured(size: number, costs: Record<string, number>) {
  const least = Math.min(...Object.values(costs));
  const standings = Object.entries(costs).map(([variant, cost]) => ({
    variant,
    cost,
    logRatio: Math.log(cost / least),
    error: 0.001,
    tied: cost <= least * 1.02,
  }));
  return { size, minSize: size, maxSize: size, standings };
}
const present = (variant: string) => ({ kind: 'computation' as const, bySize: [{ maxSize: null, variant }] });
const NAMES = ['a', 'b', 'c'];

describe('picks', () => {
  it('the leader of each size', () => {
    const sizes = [measured(1, { a: 1, b: 2 }), measured(10, { a: 9, b: 3 }), measured(100, { a: 90, b: 4 })];
    expect(pickVariants(sizes, NAMES, present('a'), true)).toEqual(['a', 'b', 'b']);
  });

  it('on a tie what is in force, then the earlier', () => {
    const sizes = [measured(1, { a: 1.01, b: 1, c: 1.005 })];
    expect(pickVariants(sizes, NAMES, present('c'), true)).toEqual(['c']);
    expect(pickVariants(sizes, NAMES, present('a'), true)).toEqual(['a']);
    expect(
      pickVariants(
        sizes.map((at) => ({ ...at, standings: at.standings.slice(1) })),
        NAMES,
        present('a'),
        true,
      ),
    ).toEqual(['b']);
  });

  it('no change that wins less than it risks', () => {
    const sizes = [1, 2, 3].map((size) => measured(size, { a: 1, b: size === 2 ? 0.975 : 2 }));
    expect(pickVariants(sizes, NAMES, present('a'), true)).toEqual(['a', 'b', 'a']);
    const slight = [1, 2, 3].map((size) => measured(size, { a: 1, b: size === 2 ? 0.99 : 2 }));
    expect(pickVariants(slight, NAMES, present('a'), true)).toEqual(['a', 'a', 'a']);
  });

  it('one variant for all sizes without crossover: the one that loses least', () => {
    const sizes = [
      measured(1, { a: 1, b: 1.5 }),
      measured(10, { a: 8, b: 1 }),
      measured(20, { a: 1, b: 1.3 }),
    ];
    expect(pickVariants(sizes, NAMES, present('a'), false)).toEqual(['b', 'b', 'b']);
  });

  it('never a variant at a size where it takes no part', () => {
    const sizes = [measured(1, { a: 9, b: 1 }), measured(10, { a: 9 })];
    expect(pickVariants(sizes, NAMES, present('a'), true)).toEqual(['b', 'a']);
    expect(pickVariants(sizes, NAMES, present('a'), false)).toEqual(['a', 'a']);
  });
});

describe('crossovers', () => {
  it('lie where the costs cross, interpolated as power laws', () => {
    // a: 10·n, b: 1000 → equal at 100
    const sizes = [measured(10, { a: 100, b: 1000 }), measured(1000, { a: 10_000, b: 1000 })];
    const [change] = crossovers(sizes, ['a', 'b']);
    expect(change).toMatchObject({ from: 'a', to: 'b', between: [10, 1000] });
    expect(change!.at).toBeGreaterThan(90);
    expect(change!.at).toBeLessThan(115);
  });

  it('lie half way on the logarithmic scale where nothing can be interpolated', () => {
    const [change] = crossovers([measured(10, { a: 1 }), measured(1000, { b: 1 })], ['a', 'b']);
    expect(change!.at).toBeGreaterThan(80);
    expect(change!.at).toBeLessThan(125);
  });

  it('stay between the sizes measured, neighbours included', () => {
    const sizes = [measured(4, { a: 1, b: 1.5 }), measured(5, { a: 2, b: 1 })];
    expect(crossovers(sizes, ['a', 'b'])[0]!.at).toBe(4);
    const zero = [measured(0, { a: 1, b: 1.5 }), measured(8, { a: 2, b: 1 })];
    const { at } = crossovers(zero, ['a', 'b'])[0]!;
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThan(8);
  });

  it('become ranges', () => {
    const sizes = [measured(1, { a: 1, b: 2 }), measured(9, { a: 5, b: 1 })];
    const changes = crossovers(sizes, ['a', 'b']);
    expect(choiceOf(['a', 'b'], changes)).toEqual({
      kind: 'computation',
      bySize: [
        { maxSize: changes[0]!.at, variant: 'a' },
        { maxSize: null, variant: 'b' },
      ],
    });
    expect(choiceOf(['a', 'a'], [])).toEqual({
      kind: 'computation',
      bySize: [{ maxSize: null, variant: 'a' }],
    });
  });
});
