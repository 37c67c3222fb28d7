// Faults that calling twice in a row does not show: kept state, kept results, flaky and late ones.
import { describe, expect, it } from 'vitest';
import { checkAgreement, checkOrders } from '../../../dist/computation/agreement.js';
import { sizeClasses } from '../../../dist/computation/inputs.js';
import { findKeptResults, freshOfGenerator, freshOfList } from '../../../dist/computation/kept-results.js';
import { seededRandom } from '../../../dist/computation/random.js';
import { shrink } from '../../../dist/computation/shrink.js';
import { numbers, optimise } from './samples.js';

const options = { equivalence: undefined, maxCallMs: 500, throwIfAborted: () => {}, random: seededRandom(3) };
const variant = (name: string, run: (...args: any[]) => unknown) => ({
  name,
  run,
  execution: 'serial' as const,
});
const classesOf = (inputs: any, sizes?: number[]) => sizeClasses(inputs, sizes, (a: any) => a.length ?? a);
const slowSum = (values: number[]) => {
  let total = 0;
  for (let round = 0; round < 20; round += 1) {
    for (const value of values) total += Math.sqrt(value + round);
  }
  return total;
};
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

describe('state between calls', () => {
  it.each<[string, () => (values: number[]) => unknown, string]>([
    [
      'a result that depends on the call before',
      () => {
        let before = 0;
        return (values) => {
          const wrong = before > values.length;
          before = values.length;
          return sum(values) + (wrong ? 1 : 0);
        };
      },
      'keeps-state',
    ],
    [
      'a result that goes wrong after many calls',
      () => {
        let calls = 0;
        return (values) => sum(values) + ((calls += 1) > 60 ? 1 : 0);
      },
      'keeps-state',
    ],
    [
      'a result that is wrong now and then',
      () => {
        let calls = 0;
        return (values) => sum(values) + ((calls += 1) % 31 === 30 ? 1 : 0);
      },
      'not-repeatable',
    ],
    [
      'an input that is changed late',
      () => {
        let calls = 0;
        return (values) => {
          const total = sum(values);
          if ((calls += 1) > 40) values[0] = -1;
          return total;
        };
      },
      'changes-input',
    ],
  ])('%s is found', async (_, make, reason) => {
    const { rejections } = await checkAgreement(
      [variant('reference', sum), variant('suspect', make())],
      classesOf(numbers, [10, 20, 40]),
      options,
    );
    expect(rejections).toMatchObject([{ variant: 'suspect', reason }]);
  });

  it('a result buffer that the next call overwrites is found', async () => {
    const doubled = (values: number[]) => values.map((value) => value * 2);
    const scratch: number[] = [];
    const reusing = (values: number[]) => {
      scratch.length = values.length;
      for (const [i, value] of values.entries()) scratch[i] = value * 2;
      return scratch;
    };
    const { rejections } = await checkAgreement(
      [variant('reference', doubled), variant('suspect', reusing)],
      classesOf(numbers, [10, 20]),
      options,
    );
    expect(rejections).toMatchObject([{ reason: 'keeps-state' }]);
    expect(rejections[0]!.message).toMatch(/changes the result of an earlier call/);
  });

  it('a variant that spoils another through shared state is found after the race', async () => {
    let spoiled = false;
    const suspect = (values: number[]) => (spoiled ? -1 : sum(values));
    const variants = [variant('reference', sum), variant('suspect', suspect)];
    const agreement = await checkAgreement(variants, classesOf(numbers, [10, 20]), options);
    expect(agreement.rejections).toEqual([]);
    spoiled = true;
    const late = await checkOrders(variants, agreement.calls, agreement.rejections, options);
    expect(late).toMatchObject([{ variant: 'suspect', reason: 'keeps-state' }]);
  });

  it('a reference that depends on its calls is an error', async () => {
    let calls = 0;
    const counting = (values: number[]) => sum(values) + ((calls += 1) > 30 ? 1 : 0);
    await expect(
      checkAgreement([variant('reference', counting)], classesOf(numbers, [10, 20]), options),
    ).rejects.toThrow(/variants\.reference is a function that .*depends on earlier calls/);
  });

  it('finds nothing in what is sound', async () => {
    const { rejections, calls } = await checkAgreement(
      [variant('reference', sum), variant('other', (values: number[]) => sum(values))],
      classesOf(numbers, [10, 20, 40]),
      options,
    );
    expect(rejections).toEqual([]);
    expect(calls).toHaveLength(3);
  });
});

describe('results kept between calls', () => {
  const byContents = () => {
    const kept = new Map<string, number>();
    return (values: number[]) => {
      const key = [values.length, values[0], values.at(-1)].join(':');
      let result = kept.get(key);
      if (result === undefined) kept.set(key, (result = slowSum(values)));
      return result;
    };
  };
  const byIdentity = () => {
    const kept = new WeakMap<object, number>();
    return (values: number[]) => {
      let result = kept.get(values);
      if (result === undefined) kept.set(values, (result = slowSum(values)));
      return result;
    };
  };
  const fromGenerator = (run: (values: number[]) => unknown) => {
    const [only] = classesOf(numbers, [4_000]);
    return findKeptResults(
      [variant('plain', slowSum), variant('suspect', run)],
      only!.inputs[0]!,
      (index) => freshOfGenerator(numbers, only!, index),
      () => {},
    );
  };

  it.each([
    ['contents', byContents],
    ['identity', byIdentity],
  ])('by %s are found with a generator', async (_, make) => {
    const [found, ...others] = await fromGenerator(make());
    expect(others).toEqual([]);
    expect(found).toMatchObject({ variant: 'suspect', by: 'variant' });
    expect(found!.ratio).toBeGreaterThan(4);
  });

  it('are found with a list of inputs', async () => {
    const list = Array.from({ length: 8 }, (_, i) => numbers(4_000 + i));
    const classes = classesOf(list);
    const found = await findKeptResults(
      [variant('plain', slowSum), variant('suspect', byContents())],
      classes[0]!.inputs[0]!,
      () => freshOfList(classes),
      () => {},
    );
    expect(found.map((one) => one.variant)).toEqual(['suspect']);
  });

  it('are not seen where there are none', async () => {
    expect(await fromGenerator((values) => slowSum(values))).toEqual([]);
  });

  const request = (suspect: (values: number[]) => unknown, more: object = {}) => ({
    variants: { plain: slowSum, suspect },
    inputs: numbers,
    sizes: [2_000, 4_000],
    ...more,
  });

  it('are not what the engine keeps of the elements: that is warned about, of the first variant too', async () => {
    const random = seededRandom(5);
    const texts = (size: number) =>
      Array.from({ length: size }, () =>
        Array.from({ length: 60 }, () => Math.floor(random() * 36 ** 4).toString(36)).join(''),
      );
    const { draft } = await optimise(
      {
        variants: {
          // Hashes each text, which is kept with it.
          set: (values: string[]) => new Set(values).size,
          compare: (values: string[]) => values.filter((value, i) => values.indexOf(value) === i).length,
        },
        inputs: texts,
        sizes: [100, 300],
      },
      {},
      { budgetMs: 1_500 },
    );
    const [set] = draft.plan['variants'] as any[];
    expect(set).toMatchObject({ name: 'set', rejected: null });
    expect(draft.warnings.join()).toMatch(
      /"set" takes .* times faster\), by what the engine and the caches keep/,
    );
  });

  it.each<[string, (values: number[]) => unknown]>([
    ['an object', (values) => ({ values, kind: 'numbers' })],
    ['a map', (values) => new Map(values.map((value, i) => [i, value]))],
  ])('are found within %s too', async (_, wrapped) => {
    const inputs = (size: number) => wrapped(numbers(size));
    const [only] = sizeClasses(inputs, [4_000], () => 4_000);
    const plain = (input: any) => slowSum([...(input.values?.call ? input.values() : input.values)]);
    const kept = new WeakMap<object, number>();
    const suspect = (input: object) => {
      let result = kept.get(input);
      if (result === undefined) kept.set(input, (result = plain(input)));
      return result;
    };
    const found = await findKeptResults(
      [variant('plain', plain), variant('suspect', suspect)],
      only!.inputs[0]!,
      (index) => freshOfGenerator(inputs, only!, index),
      () => {},
    );
    expect(found).toMatchObject([{ variant: 'suspect', by: 'variant' }]);
  });

  it('are not looked for on threads, where a first call hands the memory over', async () => {
    const kept = byContents();
    const variants = {
      plain: slowSum,
      suspect: { run: kept, execution: 'threads' as const },
    };
    const { draft } = await optimise(request(slowSum, { variants }), {}, { budgetMs: 1_500 });
    expect(draft.warnings.join()).not.toContain('keeps results');
  });

  it('put a variant out, unless inputs repeat in production too', async () => {
    const { draft } = await optimise(request(byContents()), {}, { budgetMs: 1_500 });
    expect(draft.choice).toBeNull();
    expect(draft.warnings.join()).toMatch(
      /"suspect" is out: it keeps results between calls.*repeatedInputs: true/,
    );
    const admitted = await optimise(request(byContents(), { repeatedInputs: true }), {}, { budgetMs: 1_500 });
    expect(admitted.draft.plan['candidate']).toEqual([{ maxSize: null, variant: 'suspect' }]);
  });

  it('in the reference are an error', async () => {
    const variants = { plain: byContents(), suspect: slowSum };
    await expect(optimise(request(slowSum, { variants }))).rejects.toThrow(
      /variants\.plain is a function that keeps results/,
    );
  });
});

describe('the smallest input that shows a difference', () => {
  it('keeps the elements that matter', async () => {
    const smallest = await shrink(
      variant('reference', sum),
      variant(
        'suspect',
        (values: number[]) => sum(values) + (values.includes(71) && values.includes(3) ? 1 : 0),
      ),
      [Array.from({ length: 100 }, (_, i) => i)],
      { equivalence: undefined, budgetMs: 5_000 },
    );
    expect(smallest).toEqual({ length: 2, input: '([3,71])' });
  });

  it.each<[string, unknown, (value: any) => unknown, (value: any) => unknown, object]>([
    [
      'a text',
      'some words and a ; in between',
      (text: string) => text.length,
      (text: string) => (text.includes(';') ? -1 : text.length),
      { length: 1, input: '(";")' },
    ],
    [
      'a typed array',
      Float64Array.from([1, 2, NaN, 4]),
      (values: Float64Array) => values.some(Number.isNaN),
      () => false,
      { length: 1, input: '(Float64Array [NaN])' },
    ],
    ['a number', 7, (n: number) => n, () => 0, { length: undefined, input: '(7)' }],
  ])('of %s', async (_, input, reference, suspect, expected) => {
    const found = await shrink(variant('r', reference), variant('s', suspect), [input], {
      equivalence: undefined,
      budgetMs: 5_000,
    });
    expect(found).toEqual(expected);
  });

  it('leaves inputs alone that the reference does not accept', async () => {
    const strict = (values: number[]) => {
      if (values.length < 5) throw new Error('too few');
      return sum(values);
    };
    const found = await shrink(
      variant('r', strict),
      variant('s', () => -1),
      [numbers(40)],
      {
        equivalence: undefined,
        budgetMs: 5_000,
      },
    );
    expect(found.length).toBe(5);
  });

  it('is in the report, with the size that showed it', async () => {
    const { draft } = await optimise(
      {
        variants: { sum, suspect: (values: number[]) => (values.length > 50 ? 0 : sum(values)) },
        inputs: (size: number) => Array.from({ length: size }, () => 1),
        sizes: [10, 100],
      },
      {},
      { budgetMs: 1_000 },
    );
    const [, suspect] = draft.plan['variants'] as any[];
    expect(suspect.rejected).toMatchObject({ reason: 'differs', size: 100, smallest: { length: 51 } });
    expect(draft.warnings.join()).toContain('Smallest input that shows it: ([1,1,');
  });
});

describe('sizes', () => {
  it('at which a variant is wrong are found at the greatest one stated', async () => {
    const { draft } = await optimise(
      {
        variants: {
          sum,
          suspect: (values: number[]) => (values.length > 5_000 ? 0 : sum(values)),
          third: (values: number[]) => sum(values),
        },
        inputs: numbers,
        sizes: [10, 100],
        maxSize: 10_000,
      },
      {},
      { budgetMs: 1_000 },
    );
    expect((draft.plan['variants'] as any[])[1].rejected).toMatchObject({ reason: 'differs', size: 10_000 });
    expect((draft.plan['sizes'] as any[]).map(({ size }) => size)).toEqual([10, 100]);
  });

  it('that find no memory are left out, aloud', () => {
    const warnings: string[] = [];
    const inputs = (size: number) => new Float64Array(size);
    const classes = sizeClasses(
      inputs,
      [10, 1_000, 2 ** 50],
      (a: any) => a.length,
      (w) => warnings.push(w),
    );
    expect(classes.map(({ size }) => size)).toEqual([10, 1_000]);
    expect(warnings.join()).toMatch(/Sizes from 1125899906842624 on are left out: inputs\(.*found no memory/);
  });

  it('that would take too much memory are not even made', () => {
    const asked: number[] = [];
    const warnings: string[] = [];
    const inputs = (size: number) => {
      asked.push(size);
      return new Array(Math.min(size, 1_000_000)).fill(0.5).map((_, i) => i + 0.5);
    };
    sizeClasses(
      inputs,
      [10, 1_000_000, 4_000_000_000],
      (a: any) => a.length,
      (w) => warnings.push(w),
    );
    expect(asked).toEqual([10, 1_000_000]);
    expect(warnings.join()).toMatch(
      /Sizes from 4000000000 on are left out: such an input would take about \d+ MiB/,
    );
  });

  it('for which the generator throws are an error that names the size', () => {
    const inputs = (size: number) => {
      if (size > 50) throw new Error('dry');
      return numbers(size);
    };
    expect(() => classesOf(inputs, [10, 100])).toThrow(/inputs\(100\) threw.*dry/);
  });
});
