import { describe, expect, it } from 'vitest';
import { readSamples } from '../../../dist/profiling/cpu/samples.js';
import { cpuProfile, repeat } from './raw-profile.js';

const never = () => false;
const msOf = (tree: ReturnType<typeof readSamples>, name: string) =>
  tree.leaves
    .filter(({ node }) => tree.nodes[node]!.callFrame.functionName === name)
    .reduce((sum, { ms }) => sum + ms, 0);

describe('weights of samples', () => {
  it('counts a gap before an idle sample as idle time in full', () => {
    const profile = cpuProfile(
      [{ name: 'work', url: '/a.js', ticks: { 1: 10 } }],
      [...repeat('work', 10), ['(idle)', 500_000]],
    );
    expect(msOf(readSamples(profile, never), '(idle)')).toBe(500);
  });

  it('caps a gap before a busy sample, in which the thread did not run', () => {
    const profile = cpuProfile(
      [{ name: 'work', url: '/a.js', ticks: { 1: 11 } }],
      [...repeat('work', 10), ['work', 500_000]],
    );
    expect(msOf(readSamples(profile, never), 'work')).toBeLessThan(20);
  });

  it('takes a negative delta, which V8 gives at times, as no time', () => {
    const profile = cpuProfile(
      [{ name: 'work', url: '/a.js', ticks: { 1: 2 } }],
      [
        ['work', 1000],
        ['work', -700],
      ],
    );
    expect(msOf(readSamples(profile, never), 'work')).toBe(1);
  });

  it('reads a profile without samples', () => {
    expect(readSamples(cpuProfile([], []), never).leaves).toEqual([]);
  });
});

describe('samples in frameless stubs', () => {
  const frames = [
    {
      name: 'caller',
      url: '/a.js',
      line: 1,
      ticks: { 5: 4 },
      children: [{ name: 'callee', url: '/a.js', line: 9, ticks: { 10: 4 } }],
    },
  ];
  const samples = Array.from({ length: 4 }, () => [...repeat('callee', 1), ...repeat('caller', 1)]).flat();

  it('go back to the callee that ran next to them, where the caller’s line only calls it', () => {
    const tree = readSamples(
      cpuProfile(frames, samples),
      (_caller, line, callee) => line === 5 && callee === 'callee',
    );
    expect(msOf(tree, 'callee')).toBe(8);
    expect(tree.leaves.filter(({ stub }) => stub)).toHaveLength(4);
  });

  it('stay with a caller whose line does work of its own', () => {
    const tree = readSamples(cpuProfile(frames, samples), never);
    expect(msOf(tree, 'caller')).toBe(4);
    expect(tree.leaves.some(({ stub }) => stub)).toBe(false);
  });

  it('are none where a function calls itself: its own work stands on that line too', () => {
    const frame = { name: 'walk', url: '/a.js', line: 1 };
    const inner = { ...frame, as: 'inner', ticks: { 5: 4 } };
    const tree = readSamples(
      cpuProfile(
        [{ ...frame, as: 'outer', ticks: { 5: 4 }, children: [inner] }],
        [...repeat('inner', 4), ...repeat('outer', 4)],
      ),
      () => true,
    );
    expect(msOf(tree, 'walk')).toBe(8);
    expect(tree.leaves.some(({ stub }) => stub)).toBe(false);
  });

  it('stay with a caller that has no callee near them', () => {
    const tree = readSamples(
      cpuProfile([{ name: 'alone', url: '/a.js', ticks: {} }], repeat('alone', 5)),
      never,
    );
    expect(msOf(tree, 'alone')).toBe(5);
    expect(tree.leaves.some(({ stub }) => stub)).toBe(false);
  });
});
