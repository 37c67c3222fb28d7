import { describe, expect, it } from 'vitest';
import { checkAgreement } from '../../../dist/computation/agreement.js';
import { numbers, optimise } from './samples.js';

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
/** For tests that need an outcome and not a proof. */
const BRIEF = { budgetMs: 1_500 };
const SIZES = [10, 100, 1000];

async function rejectionOf(suspect: (values: number[]) => unknown, options: object = {}) {
  const { draft, subject } = await optimise({
    variants: { reference: sum, suspect },
    inputs: numbers,
    sizes: SIZES,
    ...options,
  });
  const variants = draft.plan['variants'] as { name: string; rejected: any }[];
  expect(subject.choice.bySize).toEqual([{ maxSize: null, variant: 'reference' }]);
  return { rejected: variants.find(({ name }) => name === 'suspect')!.rejected, draft };
}

describe('a promise that is never settled', () => {
  const options = { equivalence: undefined, maxCallMs: 1, throwIfAborted: () => {} };
  const classes = [{ size: 10, minSize: 10, maxSize: 10, inputs: [[numbers(10)]] }];
  const settles = { name: 'settles', run: async (values: number[]) => sum(values) };
  const hangs = { name: 'hangs', run: () => new Promise(() => {}) };

  it('puts its variant out, and is not waited for again', async () => {
    const { rejections } = await checkAgreement([settles, hangs] as any, classes, options);
    expect(rejections).toEqual([
      {
        variant: 'hangs',
        reason: 'threw',
        size: 10,
        smallest: null,
        message: '"hangs" is out: at size 10 it did not settle the promise that it returned within 1 s.',
      },
    ]);
  });

  it('is an error of the first variant', async () => {
    await expect(checkAgreement([hangs, settles] as any, classes, options)).rejects.toThrow(
      /variant "hangs" \(size 10\).*did not settle the promise/,
    );
  });
});

describe('a variant that throws once in thousands of calls', () => {
  const every = (calls: number, run: (values: number[]) => number) => {
    let made = 0;
    return (values: number[]) => {
      made += 1;
      if (made % calls === 0) throw new Error('socket hang up');
      return run(values);
    };
  };

  it('is out, by name, and the race goes on', async () => {
    const { draft, choices } = await optimise(
      {
        variants: { reference: sum, flaky: every(5_000, sum), other: (values: number[]) => sum(values) },
        inputs: numbers,
        sizes: SIZES,
      },
      {},
      BRIEF,
    );
    expect(draft.warnings).toContainEqual(
      expect.stringMatching(/^"flaky" is out: at size \d+ it threw Error: socket hang up in the race/),
    );
    const variants = draft.plan['variants'] as { name: string; rejected: any }[];
    expect(variants.find(({ name }) => name === 'flaky')!.rejected.reason).toBe('threw');
    expect(choices).toHaveLength(3);
    for (const { standings } of choices) {
      expect(standings.map(({ variant }) => variant)).toEqual(['reference', 'other']);
    }
  });

  it('ends the call with an error that names it, where it is the first', async () => {
    const options = { variants: { first: every(5_000, sum), other: sum }, inputs: numbers, sizes: SIZES };
    await expect(optimise(options, {}, BRIEF)).rejects.toThrow(
      /variant "first" \(size 10\) threw while it was measured: Error: socket hang up/,
    );
  });
});

describe('inputs that cannot be used', () => {
  const variants = { reference: sum, other: (values: number[]) => sum(values) };
  it.each<[string, object, RegExp]>([
    ['promises', { inputs: async (n: number) => numbers(n), sizes: SIZES }, /inputs\(10\) is a promise/],
    ['a size below 0', { inputs: numbers, sizes: [10, -1] }, /sizes\[1\] is -1/],
    ['no sizes', { inputs: numbers, sizes: [] }, /sizes is empty/],
  ])('%s', async (_, options, message) => {
    await expect(optimise({ variants, ...options }, {}, BRIEF)).rejects.toThrow(message);
  });
});

describe('a variant that is not the same is out, with the smallest size that shows it', () => {
  it.each<[string, (values: number[]) => unknown, string, number]>([
    ['wrong at large sizes', (values) => (values.length > 500 ? 0 : sum(values)), 'differs', 1000],
    ['of another type', (values) => String(sum(values)), 'differs', 10],
    [
      'throwing',
      (values) => {
        if (values.length >= 100) throw new TypeError('too many');
        return sum(values);
      },
      'threw',
      100,
    ],
    [
      'rejecting',
      (values) => (values.length >= 100 ? Promise.reject(new Error('no')) : sum(values)),
      'threw',
      100,
    ],
    ['changing its input', (values) => sum(values.sort((a, b) => b - a)), 'changes-input', 10],
    [
      'emptying its input and throwing',
      (values) => {
        values.length = 0;
        throw new Error('gone');
      },
      'threw',
      10,
    ],
    [
      'flaky',
      (
        (calls) => (values: number[]) =>
          sum(values) + (calls++ % 2)
      )(0),
      'not-repeatable',
      10,
    ],
  ])('%s', async (_, suspect, reason, size) => {
    const { rejected, draft } = await rejectionOf(suspect);
    expect(rejected).toMatchObject({ reason, size });
    // Nothing was left to compare: that is a failure to measure, never a result.
    expect(draft).toMatchObject({ status: 'failed', validation: null, choice: null });
    expect(draft.warnings.join()).toContain('"suspect" is out: at size');
  });

  it('and the others race on with the input as the caller gave it', async () => {
    const input = numbers(2000);
    const before = [...input];
    const { draft } = await optimise(
      {
        variants: {
          reference: sum,
          vandal: (values: number[]) => sum(values.splice(0)),
          double: (v: number[]) => sum(v),
        },
        inputs: [input],
      },
      {},
      BRIEF,
    );
    expect(input).toEqual(before);
    expect(draft.validation).not.toBeNull();
  });
});

describe('equality', () => {
  const nearly = (values: number[]) => sum(values) * (1 + 1e-9);

  it('is deep and exact by default', async () => {
    expect((await rejectionOf(nearly)).rejected).toMatchObject({ reason: 'differs' });
  });

  it.each<[string, unknown]>([
    ['within a relative difference', { relativeTolerance: 1e-6 }],
    ['by the caller', (a: number, b: number) => Math.abs(a - b) < 1],
  ])('%s', async (_, equivalence) => {
    const { draft } = await optimise(
      {
        variants: { reference: sum, nearly },
        inputs: numbers,
        sizes: [100],
        equivalence,
      },
      {},
      BRIEF,
    );
    expect(draft.validation).not.toBeNull();
  });

  it('awaits asynchronous variants', async () => {
    const { draft } = await optimise(
      {
        variants: {
          reference: async (values: number[]) => sum(values),
          other: async (values: number[]) => sum(values),
        },
        inputs: numbers,
        sizes: [200],
      },
      {},
      BRIEF,
    );
    expect(draft.validation).not.toBeNull();
    const { rejected } = await rejectionOf(async (values) => sum(values) + 1);
    expect(rejected).toMatchObject({ reason: 'differs' });
  });
});

describe('a reference that nothing can be held against is an error', () => {
  it.each<[string, (values: number[]) => unknown, RegExp]>([
    [
      'it throws',
      () => {
        throw new RangeError('broken');
      },
      /variant "reference" \(size 10\).*RangeError: broken/,
    ],
    ['it changes its input', (values) => values.sort((a, b) => b - a).length, /changes its input/],
    [
      'it is flaky',
      (
        (calls) => () =>
          calls++
      )(0),
      /another result when it is called again/,
    ],
  ])('%s', async (_, reference, pattern) => {
    await expect(
      optimise({ variants: { reference, other: sum }, inputs: numbers, sizes: SIZES }),
    ).rejects.toThrow(pattern);
  });
});

it('a variant in force that turns out wrong is replaced by the first', async () => {
  const { computation } = await import('../../../dist/computation/computation.js');
  const { optimizeComputation } = await import('../../../dist/computation/optimize-computation.js');
  const { parseComputationSettings } = await import('../../../dist/settings/parse.js');
  const { context } = await import('./samples.js');
  const subject = computation<any>({
    name: 's',
    variants: { right: sum, wrong: () => 0 },
    inputs: numbers,
    sizes: [10],
  });
  subject.applyChoice({ kind: 'computation', bySize: [{ maxSize: null, variant: 'wrong' }] });
  const { draft } = await optimizeComputation(
    { computation: subject as any },
    await parseComputationSettings({}),
    context(),
  );
  expect(subject.choice.bySize).toEqual([{ maxSize: null, variant: 'right' }]);
  expect(draft.warnings.join()).toMatch(/"wrong" was in force and is wrong/);
});
