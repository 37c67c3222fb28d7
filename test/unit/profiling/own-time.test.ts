import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { blockedSignals } from '../../../dist/profiling/blocked-signals.js';
import { withoutTool } from '../../../dist/profiling/cpu/own-time.js';
import { cpuProfile } from './raw-profile.js';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../../../dist');
const own = pathToFileURL(join(dist, 'analysis/analyse.js')).href;
const tracing = {
  name: 'tracedRead',
  url: pathToFileURL(join(dist, 'profiling/activity/traced.js')).href,
  line: 1,
};
const parser = { name: 'parse', url: 'file:///app/node_modules/acorn/dist/acorn.js', line: 6 };
const sum = { name: 'sum', url: 'file:///app/sum.js', line: 3, ticks: { 4: 1 } };
const namesOf = (profile: ReturnType<typeof cpuProfile>) =>
  profile.nodes.map(({ callFrame }) => callFrame.functionName);

describe('the tool’s own time', () => {
  it('is what its scripts do, with the packages and the natives that they call', () => {
    const given = cpuProfile(
      [
        { name: 'analyse', url: own, line: 1, children: [parser, { name: 'read', url: 'node:fs', line: 9 }] },
        sum,
      ],
      [...['analyse', 'parse', 'read'].map((name) => [name, 1000] as const), ['sum', 1000], ['(idle)', 1000]],
    );
    const { profile, ownShare } = withoutTool(given);
    expect(ownShare).toBe(0.75);
    expect(namesOf(profile)).toEqual(['(root)', '(idle)', '(garbage collector)', '(program)', 'sum']);
    expect(profile.samples).toHaveLength(2);
    expect(profile.timeDeltas).toEqual([1000, 1000]);
  });

  it('is not what the program does in the same packages, or called by the tool', () => {
    const given = cpuProfile(
      [
        { ...sum, children: [parser] },
        { name: 'dispatch', url: own, line: 1, children: [{ ...sum, as: 'variant' }] },
      ],
      [
        ['parse', 1000],
        ['variant', 1000],
        ['dispatch', 1000],
      ],
    );
    const { profile, ownShare } = withoutTool(given);
    expect(ownShare).toBeCloseTo(1 / 3);
    expect(namesOf(profile).slice(4)).toEqual(['sum', 'parse', 'dispatch', 'sum']);
    expect(profile.nodes.find(({ callFrame }) => callFrame.functionName === 'dispatch')).toMatchObject({
      hitCount: 0,
    });
  });

  it('leaves a function that is traced to whoever called it', () => {
    const given = cpuProfile([{ ...sum, children: [tracing] }], [['tracedRead', 1000]]);
    expect(withoutTool(given)).toEqual({ profile: given, ownShare: 0 });
  });
});

describe('a block of the loop', () => {
  const block = (of: Record<string, number>) =>
    cpuProfile(
      [{ name: 'analyse', url: own, line: 1, children: [parser] }, sum],
      Object.entries(of).flatMap(([name, count]) =>
        Array.from({ length: count }, () => [name, 1000] as const),
      ),
    );

  it('is told where the program made it', () => {
    expect(blockedSignals(9, block({ sum: 6, parse: 3 }), [], false)?.functions[0]?.location.function).toBe(
      'sum',
    );
    expect(blockedSignals(9, block({ '(garbage collector)': 9 }), [], false)).toBeDefined();
  });

  it('is not told where the tool made it', () => {
    expect(blockedSignals(9, block({ sum: 3, parse: 6 }), [], false)).toBeUndefined();
    // Full collections of a memory profile.
    expect(blockedSignals(9, block({ '(garbage collector)': 9, sum: 1 }), [], true)).toBeUndefined();
  });
});
