import { describe, expect, it } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import {
  checkSpace,
  configuredName,
  defaultConfiguration,
  gridConfigurations,
  isInSpace,
  neighbours,
  parseConfiguredName,
  sampleConfigurations,
} from '../../../dist/computation/parameters.js';
import { seededRandom } from '../../../dist/computation/random.js';
import { numbers, optimise } from './samples.js';

const space = {
  block: { type: 'integer', min: 1, max: 1_024, scale: 'log' },
  share: { type: 'float', min: 0, max: 1 },
  order: { type: 'categorical', values: ['row', 'column'] },
  unroll: { type: 'categorical', values: [1, 2, 4], when: (c: any) => c.order === 'row' },
} as const;

describe('a space', () => {
  it('gives samples that lie in it, differ, meet the constraints and follow from the seed', () => {
    const constraints = [(c: any) => c.order === 'column' || c.block >= 8];
    const draw = (seed: number) => sampleConfigurations(space, constraints, 40, seededRandom(seed));
    const samples = draw(7);
    expect(samples).toHaveLength(40);
    expect(new Set(samples.map((c) => JSON.stringify(c))).size).toBe(40);
    for (const sample of samples) expect(isInSpace(space, constraints, sample)).toBe(true);
    expect(draw(7)).toEqual(samples);
    expect(draw(8)).not.toEqual(samples);
  });

  it('draws a logarithmic parameter by factors', () => {
    const only = { block: space.block };
    const below32 = Array.from(
      { length: 400 },
      (_, i) => sampleConfigurations(only, [], 1, seededRandom(i))[0]!,
    ).filter(({ block }) => (block as number) < 32).length;
    expect(below32).toBeGreaterThan(150);
    expect(below32).toBeLessThan(250);
  });

  it('has conditional parameters only where they apply', () => {
    const grid = gridConfigurations(space, [], 1_000);
    expect(grid).toHaveLength(5 * 5 * (3 + 1));
    for (const { order, unroll } of grid) expect(unroll !== undefined).toBe(order === 'row');
  });

  it('looks at some of a grid that fits no memory, of all levels', () => {
    const many = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`p${i}`, { type: 'integer', min: 0, max: 4 } as const]),
    );
    const even = ({ p0, p1 }: Record<string, unknown>) => (p0 as number) + (p1 as number) === 4;
    const grid = gridConfigurations(many, [even], 64);
    expect(grid).toHaveLength(64);
    for (let level = 0; level < 5; level += 1) {
      expect(grid.some(({ p0, p1, p29 }) => p29 === level && (p0 as number) + (p1 as number) === 4)).toBe(
        true,
      );
    }
    expect(gridConfigurations(many, [even], 64)).toEqual(grid);
  });

  it('thins a grid that is too large evenly', () => {
    const thinned = gridConfigurations(space, [], 20);
    expect(thinned).toHaveLength(20);
    expect(new Set(thinned.map(({ block }) => block)).size).toBe(5);
  });

  it('knows neighbours, in bounds and within the constraints', () => {
    const of = { block: 1_024, share: 0.5, order: 'row', unroll: 2 };
    const around = neighbours(space, [(c: any) => c.share < 0.6], of);
    expect(around.length).toBeGreaterThan(3);
    for (const each of around) expect(isInSpace(space, [(c: any) => c.share < 0.6], each)).toBe(true);
    expect(around.some(({ order, unroll }) => order === 'column' && unroll === undefined)).toBe(true);
    expect(around.some(({ block }) => block === 431)).toBe(true);
  });

  it('refuses what is outside', () => {
    const inside = { block: 64, share: 0.5, order: 'column' };
    expect(isInSpace(space, [], inside)).toBe(true);
    for (const change of [{ block: 0 }, { block: 1.5 }, { order: 'x' }, { unroll: 2 }, { more: 1 }]) {
      expect(isInSpace(space, [], { ...inside, ...change })).toBe(false);
    }
  });

  it('holds nothing that its own conditions do not expect, and names those that throw', () => {
    const two = {
      order: { type: 'categorical', values: ['row', 'column'] },
      block: { type: 'integer', min: 1, max: 9, when: (c: any) => c.order.startsWith('r') },
    } as const;
    expect(isInSpace(two, [], { order: 'row', block: 4 })).toBe(true);
    expect(isInSpace(two, [], { block: 4 })).toBe(false); // As it was named before there was an order.
    const throwing = () => {
      throw new TypeError('no shape');
    };
    expect(() => gridConfigurations(two, [throwing], 9)).toThrow(
      /^a constraint \(of \(order="row", block=1\)\) threw .*TypeError: no shape/,
    );
  });

  it.each<[string, any, RegExp]>([
    ['uses', { variants: { v: { create: () => () => 1, uses: 'block' } } }, /variants.v.uses is "block"/],
    ['uses', { variants: { v: { create: () => () => 1, uses: ['toString'] } } }, /with the name "toString"/],
    ['constraints', { constraints: () => true }, /constraints is function/],
    ['constraints', { constraints: [5] }, /an array with 5 in it/],
  ])('takes no %s of another shape', (_, options, pattern) => {
    const parameters = { block: { type: 'integer', min: 1, max: 9 } };
    const variants = { v: { create: () => () => 1 } };
    expect(() => computation({ name: 'shapes', variants, parameters, ...options })).toThrow(pattern);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', {}, /parameters by name/],
    ['NaN', { a: { type: 'categorical', values: [NaN] } }, /different values/],
    ['a name that is none', { 'a b': { type: 'float', min: 0, max: 1 } }, /identifier/],
    ['no type', { a: { min: 0, max: 1 } }, /'integer', 'float' or 'categorical'/],
    ['bounds upside down', { a: { type: 'float', min: 2, max: 1 } }, /min up to max/],
    ['log from 0', { a: { type: 'integer', min: 0, max: 8, scale: 'log' } }, /min above 0/],
    ['equal values', { a: { type: 'categorical', values: [1, 1] } }, /different values/],
    ['a default outside', { a: { type: 'integer', min: 0, max: 8, default: 9 } }, /within its bounds/],
    [
      'a condition that is none',
      { a: { type: 'integer', min: 0, max: 8, when: true } },
      /`when` is a function/,
    ],
  ])('refuses %s', (_, given, pattern) => {
    expect(() => checkSpace(given)).toThrow(pattern);
  });
});

describe('names', () => {
  it.each([
    { block: 64, order: 'row' },
    { text: 'a=b, c="d" (e)' },
    { share: 0.1, on: true, n: -1e-9 },
    { most: Infinity, least: -Infinity, Infinity: 1e21, text: 'Infinity' },
    {},
  ])('of %j come back', (configuration) => {
    for (const variant of ['v', 'v (new)', 'a(b', 'a()']) {
      expect(parseConfiguredName(configuredName(variant, configuration))).toEqual({ variant, configuration });
    }
  });

  it.each(['plain', 'v(', 'v(block=)', 'v(1)'])('that are none: %s', (name) => {
    expect(parseConfiguredName(name)).toBeUndefined();
  });
});

/** Waits in proportion to how far the block size is from 64, in factors. */
const blocked = {
  create: ({ block }: any) => {
    const rounds = 400 * (1 + Math.abs(Math.log2(block / 64)) * 2);
    return (values: number[]) => {
      let total = 0;
      for (let i = 0; i < rounds; i += 1) total += Math.sqrt(i);
      return total > 0 ? values.length : 0;
    };
  },
};
const parameters = { block: { type: 'integer', min: 1, max: 4_096, scale: 'log', default: 1 } } as const;

describe('tuning', () => {
  it.each(['successive_halving', 'grid', 'random'] as const)(
    'by %s comes near the planted best',
    async (search) => {
      const { draft } = await optimise(
        { variants: { blocked }, parameters, inputs: numbers, sizes: [100, 400] },
        { performanceTuning: { search } },
        { budgetMs: 4_000 },
      );
      const candidate = (draft.plan['candidate'] as any[]).at(-1).variant as string;
      const { block } = parseConfiguredName(candidate)!.configuration as { block: number };
      expect(block).toBeGreaterThan(16);
      expect(block).toBeLessThan(256);
      expect((draft.plan['tuned'] as any[])[0].tried).toBeGreaterThanOrEqual(5);
    },
  );

  it('leaves out configurations that are wrong, not the others', async () => {
    const { draft } = await optimise(
      {
        variants: {
          reference: (values: number[]) => values.length,
          sometimes: {
            create:
              ({ block }: any) =>
              (values: number[]) =>
                values.length + (block > 64 ? 1 : 0),
          },
        },
        parameters,
        inputs: numbers,
        sizes: [50, 100],
      },
      { performanceTuning: { search: 'grid' } },
      { budgetMs: 1_500 },
    );
    expect(draft.warnings.filter((warning) => /"sometimes\(block=\d+\)" is out/.test(warning)).length).toBe(
      2,
    );
    expect(
      (draft.plan['tuned'] as any[])[0].best.every(({ configuration }: any) => configuration.block <= 64),
    ).toBe(true);
  });

  it('a configured choice is made again from its name', () => {
    const subject = computation<any>({ name: 's', variants: { blocked }, parameters });
    expect(subject.choice.bySize).toEqual([{ maxSize: null, variant: 'blocked(block=1)' }]);
    subject.applyChoice({ kind: 'computation', bySize: [{ maxSize: null, variant: 'blocked(block=77)' }] });
    expect(subject.dispatch([1, 2, 3])).toBe(3);
    for (const name of ['blocked(block=0)', 'blocked(other=1)', 'other(block=1)', 'blocked']) {
      expect(() =>
        subject.applyChoice({ kind: 'computation', bySize: [{ maxSize: null, variant: name }] }),
      ).toThrow(/names the variant/);
    }
  });

  it.each<[string, object, RegExp]>([
    [
      'parameters that no variant takes',
      { variants: { a: () => 1, b: () => 1 }, parameters },
      /no variant takes any/,
    ],
    [
      'a name that is no parameter',
      { variants: { a: { ...blocked, uses: ['x'] } }, parameters },
      /uses is with the name "x"/,
    ],
    [
      'constraints that leave nothing',
      { variants: { blocked }, parameters, constraints: [() => false] },
      /no configuration meets/,
    ],
    ['create that gives no function', { variants: { a: { create: () => 1 } }, parameters }, /variants\.a/],
    [
      'create that throws',
      {
        variants: {
          a: {
            create: () => {
              throw new Error('no');
            },
          },
        },
        parameters,
      },
      /create\(\) of variant .*no/,
    ],
  ])('refuses %s', (_, options, pattern) => {
    expect(() => computation<any>({ name: 's', ...(options as any) })).toThrow(pattern);
  });

  it('starts where the constraints allow it', () => {
    const at = defaultConfiguration(parameters);
    expect(at).toEqual({ block: 1 });
    const subject = computation<any>({
      name: 's',
      variants: { blocked },
      parameters,
      constraints: [({ block }: any) => block > 1],
    });
    expect(subject.choice.bySize[0]!.variant).toBe('blocked(block=8)');
  });
});

it('leaves out a configuration alone that cannot be made', async () => {
  const create = ({ block }: any) => {
    if (block === 3) throw new RangeError('no block of 3');
    return (values: number[]) => values.length + (block === 2 ? 0 : 0 * values.reduce((a, b) => a + b, 0));
  };
  const { draft } = await optimise(
    {
      variants: { plain: (values: number[]) => values.length, tuned: { create } },
      parameters: { block: { type: 'integer', min: 1, max: 4 } },
      inputs: numbers,
      sizes: [100, 1_000],
    },
    { performanceTuning: { search: 'grid' } },
    { budgetMs: 1_500 },
  );
  expect(draft.warnings.join()).toMatch(/"tuned\(block=3\)" is out: create\(\) of variant .*no block of 3/);
  expect((draft.plan['tuned'] as any[])[0].best.length).toBe(2);
});
