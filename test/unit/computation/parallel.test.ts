// The same computation as a loop over threads: results, choice, and what is refused.
import { afterAll, describe, expect, it } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import { cpuLimits } from '../../../dist/host/limits.js';
import { closeJobPools } from '../../../dist/threads/job.js';
import { defineTask } from '../../../dist/threads/task.js';
import { optimise } from './samples.js';

const fixture = new URL('../../fixtures/computation/ranges.js', import.meta.url);
const task = (name: string) => defineTask(fixture, name);
const shared = (size: number) => {
  const values = new Float64Array(new SharedArrayBuffer(size * 8));
  for (let i = 0; i < size; i += 1) values[i] = i % 7;
  return values;
};
const loop = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
const summing = {
  task: task('sumRange'),
  range: (values: Float64Array) => [0, values.length] as [number, number],
  shared: (values: Float64Array) => ({ values }),
  combine: (left: number, right: number) => left + right,
  initial: 0,
};
const onThreads = { kind: 'computation', bySize: [{ maxSize: null, variant: 'parallelFor' }] } as const;

afterAll(() => closeJobPools());

describe('a computation with a parallel form', () => {
  const make = (changes: object = {}) =>
    computation<any>({ name: 'sum', variants: { loop }, parallel: { ...summing, ...changes } });

  it('has it as a variant, and the first in force', () => {
    const subject = make();
    expect(subject.variantNames).toEqual(['loop', 'parallelFor']);
    expect(subject.dispatch(shared(10))).toBe(loop(shared(10)));
  });

  it('says how many threads it uses, so that a limit of them holds for it', async () => {
    const threadsOf = async (changes: object) => (await make(changes).load())[1]!.threads;
    expect(await threadsOf({ threads: 3 })).toBe(3);
    expect(await threadsOf({})).toBe(Math.max(1, Math.floor(cpuLimits().effectiveCpus)));
  });

  it.each([0, 1, 7, 1_000, 50_000])('gives what the loop gives for %i elements', async (size) => {
    const subject = make({ threads: 2 });
    subject.applyChoice(onThreads);
    const result: unknown = subject.dispatch(shared(size));
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(loop(shared(size)));
  });

  it('calls the threads above a size only', async () => {
    const subject = make();
    subject.applyChoice({
      kind: 'computation',
      bySize: [
        { maxSize: 100, variant: 'loop' },
        { maxSize: null, variant: 'parallelFor' },
      ],
    });
    expect(subject.dispatch(shared(100))).toBe(loop(shared(100)));
    expect(await subject.dispatch(shared(101))).toBe(loop(shared(101)));
  });

  it('writes in place without `combine`, and makes the result of the shared data', async () => {
    const subject = computation<any>({
      name: 'squares',
      variants: { map: (values: Float64Array) => values.map((value) => value ** 2) },
      parallel: {
        task: task('squareRange'),
        range: (values: Float64Array) => [0, values.length],
        shared: (values: Float64Array) => ({ values, squares: shared(values.length) }),
        result: (none: undefined, data: { squares: Float64Array }) => {
          expect(none).toBeUndefined();
          return data.squares;
        },
      },
    });
    subject.applyChoice(onThreads);
    const values = shared(5_000);
    expect(await subject.dispatch(values)).toEqual(values.map((value) => value ** 2));
  });

  it('rejects with what the kernel throws', async () => {
    const subject = make({ task: task('failRange') });
    subject.applyChoice(onThreads);
    await expect(subject.dispatch(shared(100))).rejects.toThrow(/no such range/);
  });

  it.each([
    [{ range: [0, 1] }, /parallel.range/],
    [{ shared: undefined }, /parallel.shared/],
    [{ combine: 1 }, /parallel.combine/],
    [{ result: 'sum' }, /parallel.result/],
    [{ task: () => {} }, /parallel.task/],
    [{ threads: 0 }, /parallel.threads/],
    [{ threads: 1.5 }, /parallel.threads/],
  ])('refuses %o', (changes, pattern) => {
    expect(() => make(changes)).toThrow(pattern);
  });
});

describe('the race', () => {
  it('holds the loop over threads against the others, and leaves it out where it is wrong', async () => {
    const { draft } = await optimise(
      {
        variants: { loop },
        parallel: { ...summing, combine: (left: number, right: number) => left + right + 1, initial: 1 },
        inputs: shared,
        sizes: [10, 1_000],
      },
      {},
      { budgetMs: 1_500 },
    );
    const variants = draft.plan['variants'] as { name: string; execution: string; rejected: unknown }[];
    expect(variants.find(({ name }) => name === 'parallelFor')).toMatchObject({ execution: 'threads' });
    expect(draft.warnings.join('\n')).toMatch(/parallelFor/);
    expect(draft.choice).toBeNull();
  });

  it('leaves it out where the strategy is serial', async () => {
    const { choices } = await optimise(
      {
        variants: { loop, again: (values: Float64Array) => loop(values) },
        parallel: summing,
        inputs: shared,
        sizes: [100],
      },
      { parallelization: { strategy: 'serial' } },
      { budgetMs: 1_500 },
    );
    expect(choices[0]!.standings.map(({ variant }) => variant).sort()).toEqual(['again', 'loop']);
  });
});
