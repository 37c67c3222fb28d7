import { describe, expect, it, vi } from 'vitest';
import { checkAgreement } from '../../../dist/computation/agreement.js';
import { timedCall } from '../../../dist/computation/checked-call.js';
import { raceOf } from '../../../dist/computation/find-choice.js';
import { withinMemory } from '../../../dist/computation/participants.js';
import { resourcesOf } from '../../../dist/computation/resources-by-size.js';
import { duplicates, numbers, optimise } from './samples.js';

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

  it('is told as such where only a later call gives it', async () => {
    let made = 0;
    const tires = {
      name: 'tires',
      run: (values: number[]) => {
        made += 1;
        return made > 4 ? new Promise(() => {}) : settles.run(values);
      },
    };
    const { rejections } = await checkAgreement([settles, tires] as any, classes, options);
    expect(rejections.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^"tires" is out: at size 10 it did not settle the promise.* within 1 s, after \d/,
      ),
    ]);
  });
});

it('puts a variant out whose promise is settled no longer in the race', async () => {
  let made = 0;
  const tires = async (values: number[]) => {
    made += 1;
    return made > 3_000 ? new Promise<number>(() => {}) : sum(values);
  };
  const { draft } = await optimise(
    { variants: { settles: async (values: number[]) => sum(values), tires }, inputs: numbers, sizes: [100] },
    {},
    BRIEF,
  );
  expect(draft.warnings).toContainEqual(
    expect.stringMatching(
      /^"tires" is out: at size 100 it did not settle the promise.* within 5 s in the race/,
    ),
  );
}, 20_000);

it('waits once for a promise that is settled no longer, however many sizes are raced', async () => {
  const gate = { isOpen: true };
  const classes = [10, 20, 40].map((size) => ({ size, minSize: size, maxSize: size, inputs: [[size]] }));
  const tires = {
    name: 'tires',
    run: () => (gate.isOpen ? 1 : new Promise(() => {})),
    execution: 'serial' as const,
  };
  const steady = { name: 'steady', run: async () => 1, execution: 'serial' as const };
  const unsettled = new Map();
  const request = {
    asynchronous: true,
    measure: { objective: 'time' },
    overheadBytes: 0,
    random: Math.random,
    agreement: { equivalence: undefined, maxCallMs: 1, throwIfAborted: () => {} },
    unsettled,
  };
  gate.isOpen = false;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    for (const [i, sizeClass] of classes.entries()) {
      const race = raceOf([steady, tires], sizeClass, request as any);
      const run = race.run(1, Infinity);
      if (i === 0) {
        while (unsettled.size === 0) {
          await new Promise(setImmediate);
          vi.advanceTimersByTime(1_000);
        }
      }
      await run; // Of the others no timer has to fire.
      expect(race.failures).toMatchObject([{ variant: 'tires', cause: unsettled.get('tires') }]);
    }
  } finally {
    vi.useRealTimers();
  }
});

it('names the first variant where it throws when it is called again', async () => {
  let made = 0;
  const once = () => {
    made += 1;
    if (made === 2) throw new Error('socket hang up');
    return 1;
  };
  const classes = [{ size: 10, minSize: 10, maxSize: 10, inputs: [[1]] }];
  const options = { equivalence: undefined, maxCallMs: 1, throwIfAborted: () => {} };
  const variants = [
    { name: 'once', run: once },
    { name: 'other', run: () => 1 },
  ];
  await expect(checkAgreement(variants as any, classes, options)).rejects.toMatchObject({
    code: 'SUBJECT_THREW',
    message: expect.stringMatching(/^variant "once" \(size 10\) threw .*Error: socket hang up/),
  });
});

it('leaves no timer behind for a promise whose then throws', async () => {
  vi.useFakeTimers();
  try {
    const broken = {
      then() {
        throw new Error('no then');
      },
    };
    await expect(timedCall({ name: 'broken', run: () => broken } as any, [])).rejects.toThrow('no then');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
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

/** Has a private part: a clone of it cannot be called. */
class Order {
  readonly #raises: number[] = [];
  price: number;
  constructor(price: number) {
    this.price = price;
  }
  raise(): number {
    this.#raises.push(1);
    this.price += 1;
    return this.price;
  }
}

it('names neither variant alone where an input that cannot be cloned may have been changed', async () => {
  const input = { values: [3], of: () => 1 };
  const variants = [
    { name: 'plain', run: ({ values }: typeof input) => values[0] },
    { name: 'suspect', run: ({ values }: typeof input) => (values[0]! += 1) - 1 },
  ];
  const classes = [{ size: 1, minSize: 1, maxSize: 1, inputs: [[input]] }];
  const options = { equivalence: undefined, maxCallMs: 20, throwIfAborted: () => {} };
  await expect(checkAgreement(variants as any, classes, options)).rejects.toThrow(
    /variants.plain is .*, unless another variant changed its input, which cannot be cloned/,
  );
});

it('holds results against the first variant by what they are themselves, where a class is private', async () => {
  const equivalence = (a: any, b: any) => a.raise() > 0 && b.raise() > 0;
  const { rejections } = await checkAgreement(
    [
      { name: 'a', run: () => new Order(1) },
      { name: 'b', run: () => new Order(1) },
    ] as any,
    [{ size: 1, minSize: 1, maxSize: 1, inputs: [[1]] }],
    { equivalence, maxCallMs: 20, throwIfAborted: () => {} },
  );
  expect(rejections).toEqual([]);
});

describe('an input that a variant changes', () => {
  const options = { equivalence: undefined, maxCallMs: 20, throwIfAborted: () => {} };
  const sharedOf = (...values: number[]) => {
    const shared = new Float64Array(new SharedArrayBuffer(8 * values.length));
    shared.set(values);
    return shared;
  };
  const greatest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, value), -Infinity);
  it.each<[string, () => unknown, (input: any) => unknown, (input: any) => unknown]>([
    ['in shared memory', () => sharedOf(3, 1, 2), greatest, (values) => values.sort().at(-1)],
    [
      'in shared memory, within an object',
      () => ({ values: sharedOf(3, 1, 2), options: Object.freeze({ deep: true }) }),
      ({ values }) => greatest(values),
      ({ values }) => values.sort().at(-1),
    ],
    ['in a Buffer', () => Buffer.from('cab'), (bytes) => bytes.length, (bytes) => bytes.fill(0).length],
    ['in an instance of a class', () => new Order(4), ({ price }) => price, (order) => order.raise() - 1],
    [
      'in one of many instances',
      () => Array.from({ length: 3 }, (_, i) => new Order(i)),
      (orders) => orders.length,
      (orders) => orders.map((order: Order) => order.raise()).length,
    ],
    [
      'in an object without a prototype',
      () => Object.assign(Object.create(null), { a: 1 }),
      ({ a }) => a,
      (input) => (input.a += 1) - 1,
    ],
    ['by a key more', () => ({ a: 1 }), ({ a }) => a, (input) => ((input.b = 2), input.a)],
  ])('is found and put back, %s', async (_, make, reference, suspect) => {
    const input = make();
    const inner = (input as { values?: unknown }).values;
    const classes = [{ size: 3, minSize: 3, maxSize: 3, inputs: [[input]] }];
    const variants = [
      { name: 'plain', run: reference },
      { name: 'suspect', run: suspect },
    ];
    const { rejections, warnings } = await checkAgreement(variants as any, classes, options);
    expect(rejections).toMatchObject([{ variant: 'suspect', reason: 'changes-input' }]);
    expect(warnings).toEqual([]);
    expect(classes[0]!.inputs[0]![0]).toBe(input);
    expect(input).toEqual(make());
    expect((input as { values?: unknown }).values).toBe(inner); // The same memory.
  });
});

describe('a variant that fails after the race alone', () => {
  const failing = async (objective: string, fails: () => unknown, atValidation?: () => void) => {
    let isOver = false;
    const progress = ({ stage }: { stage: string }) => {
      if (stage !== 'validate' || isOver) return;
      isOver = true;
      atValidation?.();
    };
    const late = (run: (values: number[]) => unknown) => (values: number[]) =>
      isOver ? fails() : run(values);
    const slow = async (values: number[]) => duplicates.quadratic(values);
    const variants = {
      slow: late(atValidation ? slow : duplicates.quadratic),
      linear: late(duplicates.linear),
    };
    const request = { variants, inputs: numbers, sizes: [100, 300] };
    const settings = { resourceUtilization: { objective } };
    const { draft } = await optimise(request, settings, { ...BRIEF, progress });
    return draft;
  };
  it.each(['time', 'cpu', 'p99', 'memory', 'weighted'])(
    'costs the proof and no more, for %s',
    async (objective) => {
      const draft = await failing(objective, () => {
        throw new Error('socket hang up');
      });
      expect(draft).toMatchObject({ status: 'failed', validation: null, choice: null });
      expect(draft.warnings.join()).toMatch(/threw while it was measured: Error: socket hang up/);
    },
  );

  it('ends the call although its promise is never settled', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const minuteLater = () => setImmediate(() => vi.advanceTimersByTime(60_000));
      const draft = await failing('p99', () => new Promise(() => {}), minuteLater);
      expect(draft.status).toBe('failed');
      expect(draft.warnings.join()).toMatch(/a variant threw .*did not settle the promise.* within 60 s/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is left out of what it uses, and of sizes where its memory is not known', async () => {
    const sizeClass = { size: 1, minSize: 1, maxSize: 1, inputs: [[1]] };
    const never = { name: 'never', run: () => new Promise(() => {}), execution: 'serial' as const };
    const standings = [{ variant: 'never', cost: 1 }];
    const throws = () => {
      throw new Error('too many');
    };
    const variants = [
      { name: 'plain', run: () => 1, execution: 'serial' as const },
      { name: 'throws', run: throws, execution: 'serial' as const },
    ];
    expect(await withinMemory(variants, sizeClass, false, 0, 1e9)).toMatchObject({
      variants: [{ name: 'plain' }],
      warnings: ['"throws" is left out at size 1: it threw Error: too many when its memory was measured.'],
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const measure = {
        asynchronous: true,
        overheadBytes: 0,
        measure: { objective: 'time' },
        endMs: Infinity,
      };
      const uses = resourcesOf([{ size: 1, sizeClass, standings }] as any, [never], measure as any);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await uses).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what a caller gives beside the variants', () => {
  const request = {
    variants: { sum, other: (values: number[]) => sum(values) },
    inputs: numbers,
    sizes: [10],
  };
  const throws = () => {
    throw new TypeError('no such thing');
  };
  it.each<[string, object, object]>([
    [
      'an equivalence that throws',
      { equivalence: throws },
      { code: 'SUBJECT_THREW', message: /^equivalence\(\) threw/ },
    ],
    [
      'an equivalence that is asynchronous, which would hold all results equal',
      { equivalence: async () => false },
      { code: 'INVALID_ARGUMENT', message: /equivalence is a function that returned a promise/ },
    ],
    [
      'a size that throws',
      { size: throws },
      { code: 'SUBJECT_THREW', message: /^size\(\) threw .*TypeError: no such/ },
    ],
  ])('is named: %s', async (_, options, { code, message }: any) => {
    const expected = { code, message: expect.stringMatching(message) };
    await expect(optimise({ ...request, ...options })).rejects.toMatchObject(expected);
  });

  it('may throw what has no text', async () => {
    const odd = () => {
      throw Object.create(null);
    };
    const { draft } = await optimise({ ...request, variants: { sum, odd } }, {}, { budgetMs: 300 });
    expect(draft.warnings.join()).toMatch(/"odd" is out: at size 10 it threw an object/);
  });
});
