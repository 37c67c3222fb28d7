import { describe, expect, it } from 'vitest';
import { SettingsError } from '../../../dist/errors.js';
import {
  parseComputationSettings,
  parseMemorySettings,
  parseProfileOptions,
} from '../../../dist/settings/parse.js';

async function rejection(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: any = await promise.then(
    () => expect.unreachable('was accepted'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SettingsError);
  return { code: error.code, message: error.message };
}

describe('unknown keys', () => {
  it.each([
    [
      { cacheOptimization: { dataAlignment: { structPackin: 'cache_line' } } },
      /"cacheOptimization\.dataAlignment\.structPackin"\. Did you mean "cacheOptimization\.dataAlignment\.structPacking"/,
    ],
    [
      { cache_optimisation: true },
      /"cache_optimisation"\. Did you mean "cacheOptimization"/, // as the caller spelled it
    ],
    [{ structPacking: 'cache_line' }, /Did you mean "cacheOptimization\.dataAlignment\.structPacking"/],
    [{ quantum: 1 }, /Known here: cacheOptimization, memoryAllocation, runtime/],
    [JSON.parse('{"__proto__":{"polluted":true}}'), /"__proto__"/],
    [{ constructor: { prototype: { polluted: true } } }, /"constructor"/],
    [{ cacheOptimization: { prototype: {} } }, /"cacheOptimization\.prototype"/],
  ])('%j', async (input, pattern) => {
    const { code, message } = await rejection(parseMemorySettings(input));
    expect(code).toBe('UNKNOWN_SETTING');
    expect(message).toMatch(pattern);
    expect(({} as any).polluted).toBeUndefined();
  });

  it('a long key costs no time and gets the list of keys', async () => {
    const { message } = await rejection(parseMemorySettings({ ['x'.repeat(1e6)]: 1 }));
    expect(message).toMatch(/Known here/);
  });
});

describe('invalid values', () => {
  const cycle: Record<string, unknown> = {};
  cycle['cacheOptimization'] = { dataAlignment: cycle };
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = { cacheOptimization: deep };
  const hostile = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('trap');
      },
    },
  );
  it.each<[string, unknown, RegExp]>([
    ['array', [], /whole tree\)" is an array of 0\. Use an object/],
    ['null', null, /is null\. Use an object/],
    ['text', 'fast', /is "fast"\. Use an object/],
    ['function', () => 1, /is function/],
    ['array for a group', { runtime: [1] }, /"runtime" is an array of 1\. Use true, false or an object/],
    ['getter', Object.defineProperty({}, 'runtime', { get: () => true, enumerable: true }), /is a getter/],
    ['throwing proxy', hostile, /throws when it is read/],
    ['class instance', new (class Settings {})(), /is a Settings/],
    ['Map', new Map([['runtime', true]]), /is a Map/],
    ['symbol key', { [Symbol('x')]: 1 }, /symbols/],
    ['cycle', cycle, /"cacheOptimization\.dataAlignment" is a reference back/],
    ['depth', deep, /nested deeper/],
    ['zero', { runtime: { youngGeneration: 0 } }, /"runtime\.youngGeneration" is 0\. .* from 1 to/],
    ['NaN', { runtime: { old_generation: NaN } }, /"runtime\.old_generation" is NaN/],
    [
      'misspelled value',
      { cacheOptimization: { dataAlignment: { structPacking: 'minimal-padding' } } },
      /Use "minimal_padding" \(the nearest\), or another of "minimal_padding", "cache_line" or "declared"/,
    ],
    [
      'other cache line',
      { cacheOptimization: { dataAlignment: { cacheLineOptimization: 32 } } },
      /is 32\. Use 64 or 128/,
    ],
  ])('%s', async (_, input, pattern) => {
    const { code, message } = await rejection(parseMemorySettings(input));
    expect(code).toBe('INVALID_SETTING');
    expect(message).toMatch(pattern);
  });

  it.each([
    [{}, /"type" is missing/],
    [undefined, /missing/],
    [{ type: 'cpus' }, /Use "cpu" \(the nearest\)/],
    [{ type: 'cpu', durationMs: -5 }, /"durationMs" is -5\. Use a number from 10 to/],
    [{ type: 'cpu', durationMs: Infinity }, /"durationMs" is Infinity/],
    [{ type: 'cpu', durationMs: '5000' }, /"durationMs" is "5000"/],
    [{ type: 'cpu', signal: {} }, /"signal" is an object\. Use an AbortSignal/],
  ])('profile options %j', async (input, pattern) => {
    expect((await rejection(parseProfileOptions(input))).message).toMatch(pattern);
  });

  it('knows the names that stand beside settings', async () => {
    const unknown = async (key: string) => (await rejection(parseComputationSettings({ [key]: 1 }))).message;
    expect(await unknown('variant')).toMatch(/Did you mean "variants"\?/);
    expect(await unknown('budget')).toMatch(/Did you mean "budgetMs"\?/);
    expect(await unknown('quantum')).toMatch(/Known here: .*performanceTuning, name, variants, .*, signal\./);
  });

  it('says what no schema can say in the words of its author', async () => {
    const weights = { resourceUtilization: { objective: 'weighted', weights: { time: 0 } } };
    const { message } = await rejection(parseComputationSettings(weights));
    expect(message).toMatch(/weights" is an object\. Use an object with one weight above 0/);
  });

  it('accepts plain objects without a prototype and from another realm', async () => {
    const { runInNewContext } = await import('node:vm');
    expect(await parseComputationSettings(Object.create(null))).toEqual(await parseComputationSettings({}));
    expect(await parseMemorySettings(runInNewContext('({ runtime: true })'))).toHaveProperty('runtime');
  });
});
