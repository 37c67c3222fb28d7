import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compare, compareAll } from '../../../dist/validation/compare.js';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/validation/${name}`, import.meta.url));
const module = fixture('subjects.js');
const values = Array.from({ length: 2000 }, (_, i) => i);
const of = (name: string, more = {}) => ({ module, export: name, args: [values], ...more });
/** Enough for errors, which all come in the first process. */
const quick = { maxProcesses: 4 };

describe('compare over module exports', () => {
  it('finds an eightfold difference, in fresh processes, with what it rests on', async () => {
    const result = await compare(
      of('makeSum', { args: [4000], factory: true }),
      of('makeSlowSum', { args: [4000], factory: true, label: 'eight times' }),
    );
    expect(result).toMatchObject({
      form: 'fresh-processes',
      baseline: 'makeSum',
      candidate: 'eight times',
      verdict: 'slower',
      measure: 'time',
      unit: 'ns',
    });
    expect(result.ratio).toBeGreaterThan(5);
    expect(result.interval![0]).toBeLessThan(result.ratio);
    expect(result.interval![1]).toBeGreaterThan(result.ratio);
    expect(result.replicateRatios).toHaveLength(result.processes);
    expect(result.processes).toBeGreaterThanOrEqual(4);
    expect(result.environment.host.id).toMatch(/^[0-9a-f]{16}$/);
    expect(result.costs.map(({ name }) => name)).toContain('allocated');
  });

  it('counts allocated bytes per call', async () => {
    const result = await compare(
      { module: fixture('workloads.js'), export: 'allocating', args: [100], factory: true },
      { module: fixture('workloads.js'), export: 'allocating', args: [200], factory: true },
      { ...quick, checkResults: false },
    );
    const allocated = result.costs.find(({ name }) => name === 'allocated')!;
    expect(allocated.baseline).toBeGreaterThan(100 * 50);
    expect(allocated.candidate / allocated.baseline).toBeGreaterThan(1.7);
    expect(allocated.candidate / allocated.baseline).toBeLessThan(2.3);
  });

  it('accepts results that agree within a tolerance or by a function of the caller', async () => {
    const seen: unknown[][] = [];
    const check = (a: unknown, b: unknown) => {
      seen.push([a, b]);
      return true;
    };
    await compare(of('sumLoop'), of('sumWrong'), { ...quick, checkResults: check });
    expect(seen[0]).toEqual([1_999_000, 1_999_001]);
    await compare(of('sumLoop'), of('sumWrong'), { ...quick, checkResults: { relativeTolerance: 1e-5 } });
  });

  it('times the making of functions where no result is to be checked', async () => {
    const made = of('makeSum', { args: [4000] });
    const result = await compare(made, made, { ...quick, checkResults: false });
    expect(result.pairs).toBeGreaterThan(0);
  });

  it('awaits asynchronous variants', async () => {
    const result = await compare(of('sumLoop'), of('sumAsync'), quick);
    expect(result.pairs).toBeGreaterThan(0);
  });

  it('reports progress after every process', async () => {
    const messages: string[] = [];
    await compare(of('sumLoop'), of('sumReduce'), {
      ...quick,
      onProgress: ({ message }) => messages.push(message),
    });
    expect(messages).toHaveLength(4);
    expect(messages.at(-1)).toMatch(/^sumReduce against sumLoop: ratio [\d.]+ \[.*\] after 4 processes$/);
  });

  it('passes Node flags on', async () => {
    const subject = {
      module: 'data:text/javascript,export const flags = () => process.execArgv.join()',
      export: 'flags',
    };
    const seen: unknown[] = [];
    await compare(subject, subject, {
      ...quick,
      nodeFlags: ['--max-semi-space-size=2'],
      checkResults: (a) => seen.push(a) > 0,
    });
    expect(seen[0]).toContain('--max-semi-space-size=2');
  });

  it('corrects several comparisons together', async () => {
    const [slow, same] = await compareAll(
      [
        [of('makeSum', { args: [4000], factory: true }), of('makeSlowSum', { args: [4000], factory: true })],
        [of('sumLoop'), of('sumLoop')],
      ],
      { maxProcesses: 16 },
    );
    expect(slow!.verdict).toBe('slower');
    expect(slow!.confidenceLevel).toBeCloseTo(0.975, 10);
    expect(['equivalent', 'inconclusive']).toContain(same!.verdict);
    expect(same).toMatchObject({ baseline: 'sumLoop (baseline)', candidate: 'sumLoop (candidate)' });
  });
});

describe('compare over subjects that cannot be compared', () => {
  const failing = (name: string, options = {}) =>
    compare(of('sumLoop'), of(name), { ...quick, ...options }).then(
      () => expect.unreachable('should have failed'),
      (error: unknown) => error,
    );

  it('names results that differ, and where', async () => {
    const error = await failing('sumWrong');
    expect(error).toMatchObject({ name: 'SubjectError', code: 'SUBJECTS_DISAGREE' });
    expect(String(error)).toContain(
      'sumWrong and sumLoop give different results: result is 1999000 against 1999001',
    );
  });

  it.each([
    ['throwsAtOnce', 'TypeError: bad input'],
    ['throwsLater', 'RangeError: too often'],
    ['rejects', 'Error: refused'],
  ])('names a side that throws: %s', async (name, reason) => {
    const error = await failing(name, { checkResults: false });
    expect(error).toMatchObject({ code: 'SUBJECT_THREW' });
    expect(String(error)).toContain(`${name} threw while it was measured: ${reason}`);
    expect(((error as Error).cause as Error).stack).toContain('subjects.js');
  });

  it('names a body without work', async () => {
    const error = await failing('doesNothing', { checkResults: false });
    expect(error).toMatchObject({ code: 'ZERO_WORK' });
    expect(String(error)).toMatch(/^SubjectError: doesNothing does no measurable work/);
  });

  it.each([
    ['an export that is missing', { export: 'gone' }, /has no export "gone"\. It exports: .*sumLoop/s],
    ['an export that is no function', { export: 'notAFunction' }, /is no function/],
    [
      'a factory that returns no function',
      { export: 'makeNothing', factory: true },
      /factory returned a value of type number/,
    ],
    [
      'a factory that was not called one, whose making would be timed',
      { export: 'makeSum', args: [4000] },
      /Cannot load broken: it returned a function, which would not be timed\. Give `factory: true` \(--factory\)/,
    ],
    [
      'a module that is missing',
      { module: fixture('gone.js') },
      /Cannot find module .*gone\.js'\. Check the path/,
    ],
    [
      'a module with a syntax error',
      { module: 'data:text/javascript,export const broken = (;' },
      /SyntaxError/,
    ],
    [
      'a package that is missing',
      { module: 'data:text/javascript,import "no-such-package-here"' },
      /no-such-package-here/,
    ],
  ])('names %s', async (_, change, expected) => {
    const error: unknown = await compare(
      of('sumLoop'),
      { ...of('sumLoop'), label: 'broken', ...change },
      quick,
    ).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SUBJECT_UNLOADABLE' });
    expect(String(error)).toMatch(expected);
  });

  it('names TypeScript that this Node cannot load', async () => {
    const error: unknown = await compare(of('sumLoop'), of('typed', { module: fixture('typed.ts') }), {
      ...quick,
      checkResults: false,
    }).catch((reason: unknown) => reason);
    // Node lines that strip types load it.
    if (error instanceof Error) expect(String(error)).toMatch(/SUBJECT_UNLOADABLE|Cannot load typed/);
    else expect(process.features).toHaveProperty('typescript');
  });

  it('refuses arguments that no process can receive', async () => {
    const broken = of('sumLoop', { args: [() => 1] });
    await expect(compare(of('sumLoop'), broken, quick)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(compare(of('sumLoop'), broken, quick)).rejects.toThrow(/candidate\.args/);
  });
});

describe('compare over wrong arguments', () => {
  it.each<[name: string, baseline: any, candidate: any, options: any]>([
    ['a subject of no kind', 5, () => 1, {}],
    ['null', null, () => 1, {}],
    ['two kinds', { command: ['true'] }, () => 1, {}],
    ['an empty command', { command: [] }, { command: ['true'] }, {}],
    ['a service without URL', { service: ['x'] }, { service: ['x'], url: 'http://localhost' }, {}],
    ['an export that is no name', { module: 'a', export: 5 }, { module: 'a', export: 'b' }, {}],
    ['a negative margin', () => 1, () => 1, { equivalenceMargin: -1 }],
    ['a level of 1', () => 1, () => 1, { confidenceLevel: 1 }],
    ['a NaN cap', () => 1, () => 1, { maxProcesses: NaN }],
    ['an unknown option', () => 1, () => 1, { maxProcess: 5 }],
    ['an unknown measure', () => 1, () => 1, { measure: 'joules' }],
    ['a measure of services', () => 1, () => 1, { measure: 'p99' }],
    ['flags as one text', () => 1, () => 1, { nodeFlags: '--expose-gc' }],
    ['a check that is none', () => 1, () => 1, { checkResults: {} }],
  ])('refuses %s', async (_, baseline, candidate, options) => {
    await expect(compare(baseline, candidate, options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
