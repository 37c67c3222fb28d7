import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { computation } from '../../../dist/computation/computation.js';
import { LOOKUPS } from './samples.js';

const named =
  (name: string) =>
  (...args: unknown[]) => [name, ...args];
const make = (options: object = {}) =>
  computation<any>({ name: 'c', variants: { a: named('a'), b: named('b'), c: named('c') }, ...options });
const bySize = (...ranges: [number | null, string][]) => ({
  kind: 'computation' as const,
  bySize: ranges.map(([maxSize, variant]) => ({ maxSize, variant })),
});

it('calls the first variant until something else is chosen, with all arguments', () => {
  const { dispatch, choice } = make();
  expect(choice).toEqual(bySize([null, 'a']));
  expect(dispatch([1, 2], 'x', undefined)).toEqual(['a', [1, 2], 'x', undefined]);
  expect(dispatch()).toEqual(['a']);
  expect(dispatch(1, 2, 3, 4, 5)).toEqual(['a', 1, 2, 3, 4, 5]);
});

it('chooses by size, bounds included, with one function for life', () => {
  const subject = make();
  const { dispatch } = subject;
  subject.applyChoice(bySize([10, 'a'], [20, 'b'], [null, 'c']));
  const pick = (n: number) => (dispatch('x'.repeat(n)) as unknown[])[0];
  expect([0, 10, 11, 20, 21, 1000].map(pick)).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  expect([0, 10, 11, 21].map((n) => subject.variantFor(n))).toEqual(['a', 'a', 'b', 'c']);
  subject.applyChoice(bySize([5, 'c'], [null, 'b']));
  expect([5, 6].map(pick)).toEqual(['c', 'b']);
  subject.applyChoice(bySize([null, 'b']));
  expect(pick(5)).toBe('b');
  expect(subject.dispatch).toBe(dispatch);
});

it('chooses among many ranges', () => {
  const variants = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`v${i}`, () => i]));
  const subject = make({ variants, size: (n: number) => n });
  subject.applyChoice(
    bySize(...Array.from({ length: 9 }, (_, i) => [i === 8 ? null : i * 10, `v${i}`] as any)),
  );
  for (let n = 0; n < 100; n += 1) expect(subject.dispatch(n)).toBe(Math.min(8, Math.ceil(n / 10)));
});

it.each([
  ['a number', 7, 7],
  ['a string', 'abc', 3],
  ['an array', [1, 2], 2],
  ['a typed array', new Float64Array(5), 5],
  ['a Map', new Map([[1, 1]]), 1],
  ['a Set', new Set([1, 2]), 2],
  ['an ArrayBuffer', new ArrayBuffer(9), 9],
  ['an object', { a: 1 }, NaN],
  ['nothing', undefined, NaN],
  ['null', null, NaN],
])('knows the size of %s', (_, input, size) => {
  expect(make().size(input)).toBe(size);
});

it('what has no size goes to the last range', () => {
  const subject = make();
  subject.applyChoice(bySize([10, 'a'], [null, 'b']));
  expect((subject.dispatch({}) as unknown[])[0]).toBe('b');
});

it('takes the size from all arguments where the caller says how', () => {
  const subject = make({ size: (a: number, b: number) => a * b });
  subject.applyChoice(bySize([10, 'a'], [null, 'b']));
  expect((subject.dispatch(2, 5) as unknown[])[0]).toBe('a');
  expect((subject.dispatch(3, 5) as unknown[])[0]).toBe('b');
});

it('keeps the object of a described variant, as a thread job needs', async () => {
  class Job {
    readonly kind = 'job';
    readonly factor = 3;
    run(n: number) {
      return n * this.factor;
    }
  }
  const subject = make({ variants: { job: new Job() } });
  expect(subject.dispatch(4)).toBe(12);
  expect((await subject.load())[0]).toMatchObject({ name: 'job', execution: 'threads' });
});

it('works alike where code generation is forbidden', () => {
  const script = `
    import { computation } from ${JSON.stringify(new URL('../../../dist/computation/computation.js', import.meta.url).href)};
    const named = (name) => (...args) => name + args.length;
    const subject = computation({ name: 'c', variants: { a: named('a'), b: named('b'), c: named('c') } });
    const { dispatch } = subject;
    const seen = [dispatch('x'), dispatch()];
    subject.applyChoice({ kind: 'computation', bySize: [
      { maxSize: 1, variant: 'a' }, { maxSize: 2, variant: 'b' }, { maxSize: null, variant: 'c' }] });
    for (const args of [['x'], ['xx', 1], ['xxx', 1, 2], ['xx', 1, 2, 3], [{}], ['xxxx']]) seen.push(dispatch(...args));
    let forbidden = false;
    try { new Function(''); } catch { forbidden = true; }
    console.log(JSON.stringify([forbidden, seen]));
  `;
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script];
  const [forbidden, seen] = JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
  expect(forbidden).toBe(true);
  expect(seen).toEqual(['a1', 'a0', 'a1', 'b2', 'c3', 'b4', 'c1', 'c1']);
});

describe('a module form', () => {
  it('is loaded by its first call, also after a choice', () => {
    const subject = make({ variants: { module: LOOKUPS, exports: ['scan', 'binary'] } });
    subject.applyChoice(bySize([3, 'scan'], [null, 'binary']));
    expect(subject.dispatch([1, 2, 3], 2)).toBe(1);
    expect(subject.dispatch([1, 2, 3, 4, 5], 4)).toBe(3);
  });

  it.each([
    [{ module: '/no/such/file.js', exports: ['x'] }, /no\/such\/file/],
    [{ module: LOOKUPS, exports: ['nope'] }, /exports no such name.*It exports: .*scan/],
    [{ module: LOOKUPS, exports: ['notAFunction'] }, /no function/],
  ])('%j cannot be loaded, and says why', async (variants, pattern) => {
    const subject = make({ variants });
    expect(() => subject.dispatch([1], 1)).toThrow(pattern);
    await expect(subject.load()).rejects.toMatchObject({ code: 'SUBJECT_UNLOADABLE' });
  });
});

describe('refuses', () => {
  it.each<[any, RegExp]>([
    [undefined, /options is undefined/],
    [{}, /name is undefined/],
    [{ name: 'c', variants: { a: () => 1 }, sizez: [1] }, /unknown key "sizez".*\(the nearest\).*sizes/],
    [{ name: 'c', variants: { a: () => 1 }, native: { run: () => 1, thread: 2 } }, /"thread".*"threads"/],
    [{ name: 'c', variants: { a: () => 1 }, parallel: { tasks: 1 } }, /"tasks".*"task"/],
    [{ name: '' }, /name is ""/],
    [{ name: 'c' }, /variants is undefined/],
    [{ name: 'c', variants: {} }, /without functions/],
    [{ name: 'c', variants: [() => 1] }, /variants is an array/],
    [{ name: 'c', variants: { a: 1 } }, /variants\.a is 1/],
    [{ name: 'c', variants: { a: { run: () => 1, execution: 'magic' } } }, /variants\.a\.execution/],
    [{ name: 'c', variants: { a: { run: () => 1, threads: 0 } } }, /variants\.a\.threads is 0/],
    [{ name: 'c', variants: { module: LOOKUPS, exports: [] } }, /variants\.exports/],
    [{ name: 'c', variants: { module: LOOKUPS, exports: ['a', 'a'] } }, /different names/],
    [{ name: 'c', variants: { a: () => 1 }, size: 7 }, /size is 7/],
    [{ name: 'c', variants: { a: () => 1 }, equivalence: 'close' }, /equivalence is "close"/],
    [{ name: 'c', variants: { a: () => 1 }, equivalence: null }, /equivalence is null/],
    [{ name: 'c', variants: { a: () => 1 }, equivalence: { relativeTolerance: -1 } }, /equivalence/],
  ])('options %j', (options, pattern) => {
    expect(() => computation(options)).toThrow(pattern);
  });

  it.each<[any, RegExp]>([
    [null, /null/],
    [{ kind: 'memory' }, /kind: 'computation'/],
    [{ kind: 'computation', bySize: [] }, /kind: 'computation'/],
    [bySize([null, 'zzz']), /variant "zzz".*only variants of a, b, c/],
    [bySize([10, 'a']), /not in order/],
    [bySize([null, 'a'], [null, 'b']), /not in order/],
    [bySize([10, 'a'], [10, 'b'], [null, 'c']), /not in order/],
    [bySize([NaN, 'a'], [null, 'b']), /not in order/],
    [{ kind: 'computation', bySize: [null] }, /variant undefined/],
  ])('a choice %j, and keeps the present one', (choice, pattern) => {
    const subject = make();
    expect(() => subject.applyChoice(choice)).toThrow(pattern);
    expect(subject.choice).toEqual(bySize([null, 'a']));
    expect((subject.dispatch(1) as unknown[])[0]).toBe('a');
  });
});
