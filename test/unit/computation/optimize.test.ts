import { describe, expect, it } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import { optimizeComputation } from '../../../dist/computation/optimize-computation.js';
import { parseComputationSettings } from '../../../dist/settings/parse.js';
import { context, duplicates, LOOKUPS, numbers, optimise } from './samples.js';

const { quadratic, linear } = duplicates;
/** For tests that need an outcome and not a proof. */
const BRIEF = { budgetMs: 1_500 };
const planted = { variants: { quadratic, linear }, inputs: numbers, sizes: [300, 1_200] };

describe('a planted winner', () => {
  it('is found, proved and put in force', async () => {
    const { draft, dispatch, choices, subject } = await optimise(planted);
    expect(draft).toMatchObject({
      type: 'computation',
      subject: { kind: 'computation', name: 'subject' },
      status: 'applied',
      choice: { kind: 'computation', bySize: [{ maxSize: null, variant: 'linear' }] },
    });
    expect(draft.validation).toMatchObject({ verdict: 'faster', form: 'in-process', measure: 'time' });
    expect(draft.validation!.ratio).toBeLessThan(0.5);
    expect(subject.choice).toEqual(draft.choice);
    expect(dispatch).toBe(subject.dispatch);
    expect(dispatch(numbers(50))).toBe(linear(numbers(50)));
    expect(choices.map(({ size, variant }) => [size, variant])).toEqual([
      [300, 'linear'],
      [1_200, 'linear'],
    ]);
  });

  it('that is in force already stays, proved against its strongest rival', async () => {
    const { draft, subject } = await optimise({ ...planted, variants: { linear, quadratic } });
    expect(draft).toMatchObject({ status: 'no_improvement', choice: null });
    expect(draft.validation).toMatchObject({ verdict: 'slower', baseline: 'linear', candidate: 'quadratic' });
    expect(subject.choice.bySize).toEqual([{ maxSize: null, variant: 'linear' }]);
  });

  it('in a module is proved in fresh processes', async () => {
    const { draft } = await optimise(
      {
        variants: { module: LOOKUPS, exports: ['copying', 'binary'] },
        inputs: (size: number) => ({ args: [Array.from({ length: size }, (_, i) => i), size - 1] }),
        sizes: [64, 512],
      },
      {},
      { budgetMs: 15_000 },
    );
    expect(draft.status).toBe('applied');
    expect(draft.validation).toMatchObject({ form: 'fresh-processes', verdict: 'faster' });
    expect(draft.validation!.processes).toBeGreaterThanOrEqual(4);
  });

  it('in a module with a size of the caller’s own is proved in fresh processes too', async () => {
    const { draft } = await optimise(
      {
        variants: { module: LOOKUPS, exports: ['copying', 'binary'] },
        inputs: [{ args: [[1, 2, 3, 4, 5, 6, 7, 8], 8] }],
        size: (sorted: number[]) => sorted.length * 2,
      },
      {},
      { budgetMs: 15_000 },
    );
    expect(draft.validation).toMatchObject({ form: 'fresh-processes', verdict: 'faster' });
    expect(draft.plan['validatedSizes']).toEqual([16]);
  });
});

it('finds a planted crossover', async () => {
  // Below 100 the first is a hundred times faster, above the second.
  const spin = (rounds: number) => {
    let total = 0;
    for (let i = 0; i < rounds * 200; i += 1) total += Math.sqrt(i);
    return total > 0;
  };
  const { draft, subject } = await optimise({
    variants: {
      small: (n: number) => spin(n < 100 ? 1 : 100),
      large: (n: number) => spin(n < 100 ? 100 : 1),
    },
    inputs: [1, 10, 40, 300, 1_000, 3_000],
  });
  expect(draft.status).toBe('applied');
  const [crossover] = draft.plan['crossovers'] as any[];
  expect(crossover).toMatchObject({ from: 'small', to: 'large', between: [40, 300] });
  expect(subject.choice.bySize).toEqual([
    { maxSize: crossover.at, variant: 'small' },
    { maxSize: null, variant: 'large' },
  ]);
  expect(crossover.at).toBeGreaterThanOrEqual(40);
  expect(crossover.at).toBeLessThan(300);
});

it('without crossover one variant serves all sizes', async () => {
  const { subject } = await optimise(planted, { algorithmOptimization: { crossover: false } });
  expect(subject.choice.bySize).toHaveLength(1);
});

describe('objectives', () => {
  // Allocates much and is fast; allocates nothing and is slow.
  const greedy = (n: number) => new Array<number>(n).fill(1).length;
  const frugal = (n: number) => {
    let count = 0;
    for (let i = 0; i < n * 60; i += 1) count += Math.sqrt(i) >= 0 ? 1 : 0;
    return count / 60;
  };
  const request = { variants: { greedy, frugal }, inputs: [5_000, 10_000] };

  it('memory prefers the frugal, time the fast', async () => {
    const memory = await optimise(request, { resourceUtilization: { objective: 'memory' } });
    expect(memory.draft).toMatchObject({
      status: 'applied',
      validation: { measure: 'allocated', unit: 'bytes' },
    });
    expect(memory.subject.choice.bySize).toEqual([{ maxSize: null, variant: 'frugal' }]);
    const time = await optimise(request, { resourceUtilization: { objective: 'time' } });
    expect(time.draft.status).toBe('no_improvement');
  });

  it.each(['cpu', 'p99'] as const)('%s is what is compared', async (objective) => {
    const { draft } = await optimise(planted, { resourceUtilization: { objective } });
    expect(draft.validation?.measure).toBe(objective);
    expect(draft.validation!.ratio).toBeLessThan(1);
    expect(draft.plan).toMatchObject({ objective, unit: 'ns' });
  });

  it('maxMemoryBytes leaves out what allocates more', async () => {
    const { draft } = await optimise(
      { ...request, variants: { frugal, greedy } },
      { resourceUtilization: { maxMemoryBytes: 4_000 } },
    );
    expect(draft.status).toBe('failed');
    expect(draft.warnings.join()).toMatch(/"greedy" is left out at size 5000: it allocates \d+ bytes/);
  });
});

describe('searches', () => {
  it.each(['successive_halving', 'grid', 'random'] as const)('%s finds the winner', async (search) => {
    const { draft } = await optimise(planted, { performanceTuning: { search, budgetMs: 600 } }, BRIEF);
    expect(draft.plan['candidate']).toEqual([{ maxSize: null, variant: 'linear' }]);
    const standings = (draft.plan['sizes'] as any[]).flatMap((at) => at.standings);
    const eliminated = standings.filter(({ eliminatedAfter }) => eliminatedAfter !== undefined);
    expect(eliminated.length > 0).toBe(search === 'successive_halving');
  });

  it('fixed races nothing and proves the last variant', async () => {
    const { draft, choices } = await optimise(
      { ...planted, variants: { quadratic, other: quadratic, linear } },
      { algorithmOptimization: { selection: 'fixed' } },
    );
    expect(choices.every(({ standings }) => standings.length === 0)).toBe(true);
    expect(draft).toMatchObject({ status: 'applied', validation: { candidate: 'linear' } });
  });
});

it('fixed, with the last variant in force already, is held against the first', async () => {
  const subject = computation<any>({ name: 's', ...planted });
  subject.applyChoice({ kind: 'computation', bySize: [{ maxSize: null, variant: 'linear' }] });
  const settings = await parseComputationSettings({ algorithmOptimization: false });
  const { draft } = await optimizeComputation({ computation: subject as any }, settings, context());
  expect(draft).toMatchObject({
    status: 'no_improvement',
    validation: { baseline: 'linear', candidate: 'quadratic' },
  });
});

it('what is in force takes part even where the settings leave it out', async () => {
  const subject = computation<any>({
    name: 's',
    ...planted,
    variants: { quadratic, threaded: { run: quadratic, execution: 'threads' }, linear },
  });
  subject.applyChoice({ kind: 'computation', bySize: [{ maxSize: null, variant: 'threaded' }] });
  const settings = await parseComputationSettings({ parallelization: false });
  const { draft } = await optimizeComputation({ computation: subject as any }, settings, context());
  expect(draft).toMatchObject({
    status: 'applied',
    validation: { baseline: 'threaded', candidate: 'linear' },
  });
  expect(draft.warnings.join()).toMatch(/"threaded" takes part although/);
});

it('a generator that fails between the sizes asked for spoils none of them', async () => {
  const sizes = [40, 400];
  const spin = (rounds: number) => {
    let total = 0;
    for (let i = 0; i < rounds * 200; i += 1) total += Math.sqrt(i);
    return total > 0;
  };
  const { draft } = await optimise({
    variants: {
      small: (n: number) => spin(n < 100 ? 1 : 50),
      large: (n: number) => spin(n < 100 ? 50 : 1),
    },
    inputs: (size: number) => {
      if (!sizes.includes(size)) throw new Error('only what I know');
      return size;
    },
    sizes,
  });
  expect(draft.plan['crossovers']).toHaveLength(1);
  expect(draft.warnings.join()).toMatch(/crossover was not measured more closely: .*only what I know/);
});

describe('parallelization', () => {
  const threaded = { run: linear, execution: 'threads', threads: 4 } as const;

  it.each<[string, object, string[]]>([
    ['auto takes all', { strategy: 'auto' }, ['quadratic', 'threaded']],
    ['serial leaves threads out', { strategy: 'serial' }, []],
    ['threads takes them', { strategy: 'threads' }, ['quadratic', 'threaded']],
    ['maxThreads leaves out what uses more', { maxThreads: 2 }, []],
  ])('%s', async (_, parallelization, raced) => {
    const { draft } = await optimise({ ...planted, variants: { quadratic, threaded } }, { parallelization });
    const sizes = draft.plan['sizes'] as any[];
    expect((sizes[0]?.standings ?? []).map((s: any) => s.variant)).toEqual(raced);
    if (raced.length === 0) {
      expect(draft.warnings.join()).toContain('"threaded" is left out by the parallelization settings');
    }
  });

  it('says what it cannot do', async () => {
    const { draft } = await optimise(
      planted,
      { parallelization: { strategy: 'native', maxThreads: 2 } },
      BRIEF,
    );
    expect(draft.warnings.join()).toMatch(/found no such variant.*maxThreads has no effect/s);
  });
});

it('equal variants are called indistinguishable or equal, and the earlier stays', async () => {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const { draft, subject } = await optimise(
    {
      variants: { first: sum, second: sum, third: sum },
      inputs: numbers,
      sizes: [500],
    },
    {},
    BRIEF,
  );
  expect(draft.status).not.toBe('failed');
  expect(draft.status === 'applied').toBe(subject.choice.bySize[0]!.variant !== 'first');
  expect(draft.plan['sizes']).toHaveLength(1);
});

it('reports the growth of each variant, or why it cannot', async () => {
  const { draft } = await optimise({ ...planted, sizes: [50, 150, 450, 1_350] }, {}, BRIEF);
  const fits = draft.plan['complexity'] as any;
  expect([fits.quadratic.complexity, ...fits.quadratic.alsoPlausible]).toContain('n²');
  const short = await optimise(planted, {}, BRIEF);
  expect((short.draft.plan['complexity'] as any).linear).toMatchObject({
    available: false,
    reason: 'TOO_FEW_SIZES',
  });
});

it('its draft is plain JSON', async () => {
  const { draft } = await optimise(planted, {}, BRIEF);
  expect(JSON.parse(JSON.stringify(draft))).toEqual(draft);
});

it('reports progress through its stages', async () => {
  const stages = new Set<string>();
  await optimise(planted, {}, { ...BRIEF, progress: ({ stage }) => void stages.add(stage) });
  expect([...stages]).toEqual(['check', 'race', 'validate']);
});

describe('bad input', () => {
  it.each<[string, object, RegExp]>([
    ['one variant', { variants: { linear } }, /one function \("linear"\)\. Pass two or more/],
    ['no inputs', { inputs: undefined }, /inputs is missing/],
    ['an empty list', { inputs: [], sizes: undefined }, /inputs is an array of 0/],
    ['sizes beside a list', { inputs: [[1]], sizes: [1] }, /sizes is an array of 1/],
    ['sizes that are none', { sizes: [1, -1] }, /sizes\[1\] is -1/],
    ['no sizes', { sizes: [] }, /sizes is empty/],
    ['inputs without size', { inputs: [{ a: 1 }], sizes: undefined }, /size of input 0 is NaN/],
    [
      'a generator that throws',
      {
        inputs: () => {
          throw new Error('dry');
        },
      },
      /inputs\(300\) threw.*dry/,
    ],
    ['a size that is no number', { size: () => 'big' }, /size of input 0 is "big"/],
  ])('%s', async (_, changes, pattern) => {
    await expect(optimise({ ...planted, ...changes })).rejects.toThrow(pattern);
  });

  it('an abort ends it, before and while it runs', async () => {
    await expect(optimise(planted, {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    const controller = new AbortController();
    const running = optimise(
      planted,
      {},
      { signal: controller.signal, progress: ({ stage }) => stage === 'race' && controller.abort() },
    );
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('a variant too slow for the budget is left out from that size on', async () => {
    const cubic = (values: number[]) => {
      let total = 0;
      for (let i = 0; i < values.length ** 2 * 40; i += 1) total += Math.sqrt(i);
      return total >= 0 ? linear(values) : 0;
    };
    const { draft } = await optimise(
      { variants: { linear, cubic }, inputs: numbers, sizes: [30, 100, 300, 1_000, 30_000] },
      {},
      { budgetMs: 3_000 },
    );
    const { rejected } = (draft.plan['variants'] as any[]).find(({ name }) => name === 'cubic');
    expect(rejected).toMatchObject({ reason: 'too-slow' });
    // What could be measured was: at the sizes below.
    expect(draft.validation).toMatchObject({ baseline: 'linear' });
    expect(draft.choice).toBeNull();
  });
});
