// Variants of a module in every form: what they are named, what a choice may name before the module is loaded, and that
// fresh processes compare them as they are.
import { describe, expect, it, vi } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import { cloneOf, shareAgain, sharedPlaces } from '../../../dist/computation/shared-inputs.js';
import { KINDS, optimise } from './samples.js';

const form = {
  module: KINDS,
  exports: ['slow', 'wasteful', 'described'],
  parallel: 'overThreads',
  native: 'byKernels',
};
const parameters = { waste: { type: 'integer', min: 1, max: 30, default: 30 } } as const;
const make = (variants: object = form) =>
  computation<any>({ name: 'sum', variants: variants as never, parameters });
const choose = (...ranges: [number | null, string][]) => ({
  kind: 'computation' as const,
  bySize: ranges.map(([maxSize, variant]) => ({ maxSize, variant })),
});
const values = Float64Array.of(1, 2, 3);

describe('a module with described variants', () => {
  it('has all of them once it is loaded', async () => {
    const subject = make();
    expect(subject.variantNames).toEqual(['slow', 'wasteful', 'described', 'parallelFor', 'native']);
    await subject.load();
    expect(subject.variantNames).toEqual([
      'slow',
      'wasteful(waste=30)',
      'described',
      'parallelFor',
      'native',
      'nativeParallel',
    ]);
    const shared = new Float64Array(new SharedArrayBuffer(24));
    shared.set(values);
    for (const variant of subject.variantNames) {
      subject.applyChoice(choose([null, variant]));
      expect(await subject.dispatch(shared)).toBe(6);
    }
    expect(subject.tunables.map(({ name }) => name)).toEqual(['wasteful']);
  });

  it('takes a stored choice before it is loaded, configurations included', () => {
    const subject = make();
    subject.applyChoice(choose([2, 'wasteful(waste=3)'], [5, 'wasteful'], [null, 'nativeParallel']));
    expect(subject.isLoaded).toBe(false);
    expect(subject.dispatch(values)).toBe(6);
    expect(subject.choice).toEqual(
      choose([2, 'wasteful(waste=3)'], [5, 'wasteful(waste=30)'], [null, 'nativeParallel']),
    );
    expect(() => make().applyChoice(choose([null, 'other(waste=3)']))).toThrow(/names the variant/);
    expect(() => make({ module: KINDS, exports: ['slow'] }).applyChoice(choose([null, 'native']))).toThrow();
  });

  it('replaces what the module turns out not to have, aloud', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const subject = make();
    subject.applyChoice(choose([1, 'wasteful(waste=99)'], [null, 'described']));
    expect(subject.dispatch(values)).toBe(6);
    expect(subject.choice).toEqual(choose([1, 'slow'], [null, 'described']));
    expect(warned.mock.calls.map(([message]) => message)).toEqual([
      expect.stringMatching(/wasteful\(waste=99\)/),
    ]);
    warned.mockRestore();
  });

  it.each([
    [{ ...form, parallel: '' }, /variants\.parallel is ""/],
    [{ ...form, native: 'slow' }, /variants\.native is "slow"/],
  ])('refuses %j', (variants, message) => {
    expect(() => make(variants)).toThrow(message);
  });

  it('says that a module cannot be loaded, whatever it throws', async () => {
    const module = 'data:text/javascript,throw Object.create(null)';
    const subject = computation({ name: 'odd', variants: { module, exports: ['a', 'b'] } } as never);
    await expect(subject.load()).rejects.toMatchObject({ code: 'SUBJECT_UNLOADABLE' });
  });

  it('refuses objects in place of names, and parameters that are none', () => {
    const options = { name: 'sum', variants: form };
    expect(() => computation({ ...options, native: { run: () => 1 } } as never)).toThrow(/variants\.native/);
    expect(() => computation({ ...options, parameters: { waste: 7 } } as never)).toThrow(/waste/);
  });
});

describe('fresh processes', () => {
  const inputs = () => ({
    args: [new Float64Array(new SharedArrayBuffer(8 * 300_000)).fill(0.5)],
  });
  const compare = async (variants: object, more: object = {}) => {
    const request = { variants, inputs, sizes: [300_000], ...more };
    return (await optimise(request, {}, { budgetMs: 8_000 })).draft;
  };

  it('compare configurations of an export', async () => {
    const draft = await compare({ module: KINDS, exports: ['slow', 'wasteful'] }, { parameters });
    expect(draft.validation).toMatchObject({ form: 'fresh-processes', baseline: 'slow' });
    expect(draft.validation!.candidate).toMatch(/^wasteful\(waste=\d+\)$/);
  });

  it('compare native kernels', async () => {
    const draft = await compare({ module: KINDS, exports: ['slow'], native: 'byKernels' });
    expect(draft.validation).toMatchObject({ form: 'fresh-processes' });
    expect(draft.validation!.candidate).toMatch(/^native/);
  });

  it('compare loops over threads, in shared memory as here', async () => {
    const draft = await compare({ module: KINDS, exports: ['slow'], parallel: 'overThreads' });
    expect(draft.warnings.filter((warning) => /cannot be sent|copied/.test(warning))).toEqual([]);
    expect(draft.validation).toMatchObject({
      form: 'fresh-processes',
      candidate: 'parallelFor',
    });
  });
});

it('finds arrays in shared memory and moves them there again', () => {
  const shared = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length)).fill(2);
  const whole = { a: [shared(2), { b: shared(3), c: new Float32Array(1) }], list: [1, 2], map: new Map() };
  const places = sharedPlaces(whole);
  expect(places).toEqual([
    ['a', '0'],
    ['a', '1', 'b'],
  ]);
  const sent: any = { a: [Float32Array.of(2, 2), { b: Float32Array.of(2, 2, 2), c: new Float32Array(1) }] };
  shareAgain(sent, places);
  expect(sent.a[0].buffer).toBeInstanceOf(SharedArrayBuffer);
  expect([...sent.a[1].b]).toEqual([2, 2, 2]);
  expect(sent.a[1].c.buffer).toBeInstanceOf(ArrayBuffer);
});

it('clones into memory of its own what lies in shared memory, and Buffers as Buffers', () => {
  const shared = Float64Array.from([1, 2, 3]);
  const values = new Float64Array(new SharedArrayBuffer(24));
  values.set(shared);
  const whole = [{ values, bytes: Buffer.from('abc') }, new Map([[1, 2]])] as const;
  const clone = cloneOf(whole);
  expect(clone).toEqual(whole);
  expect(Buffer.isBuffer(clone[0].bytes)).toBe(true);
  values[0] = 9;
  whole[0].bytes[0] = 0;
  expect([clone[0].values[0], clone[0].bytes.toString()]).toEqual([1, 'abc']);
});
