import { describe, expect, it } from 'vitest';
import {
  candidates,
  describeChoice,
  sameChoice,
  threadCounts,
  threadSearch,
} from '../../../dist/threads/thread-candidates.js';

const scope = { iterations: 10_000, counts: [2, 4], payingGrain: 8, reduces: false, canPin: true };
const asked = (taskPartitioning: object, changes: object = {}) =>
  candidates(threadSearch({ workloadDistribution: { taskPartitioning } } as never), { ...scope, ...changes });
const schedulesOf = (settings: object) => [...new Set(asked(settings).map(({ schedule }) => schedule))];

describe('candidates', () => {
  it('loadBalancing decides who hands out work', () => {
    expect(schedulesOf({ loadBalancing: 'work_stealing' })).toEqual(['auto', 'stealing']);
    expect(schedulesOf({ loadBalancing: 'shared_counter' })).toEqual(['factoring']);
    expect(schedulesOf({ loadBalancing: 'static' })).toEqual(['static']);
  });
  it('granularityControl decides how chunks are cut', () => {
    expect(schedulesOf({ loadBalancing: 'shared_counter', granularityControl: 'static' })).toEqual([
      'shared_counter',
    ]);
    expect(schedulesOf({ loadBalancing: 'shared_counter', granularityControl: 'guided' })).toEqual([
      'guided',
    ]);
    const grains = (granularityControl: string) =>
      asked({ loadBalancing: 'static', granularityControl }).map(({ grain }) => grain);
    expect(grains('adaptive')).toEqual([null, null]);
    expect(grains('static').every((grain) => grain !== null)).toBe(true);
    const stealing = asked({ granularityControl: 'static' });
    expect(stealing.every(({ schedule, grain }) => schedule === 'stealing' && grain !== null)).toBe(true);
  });
  it('threadAffinity adds pinned candidates beside free ones', () => {
    for (const threadAffinity of ['compact', 'scatter', 'numa_aware']) {
      expect(new Set(asked({ threadAffinity }).map(({ affinity }) => affinity))).toEqual(
        new Set(['none', threadAffinity]),
      );
    }
    expect(asked({ threadAffinity: 'none' }).every(({ affinity }) => affinity === 'none')).toBe(true);
    expect(
      asked({ threadAffinity: 'compact' }, { canPin: false }).every(({ affinity }) => affinity === 'none'),
    ).toBe(true);
  });
  it('tries the thread counts that it is given', () => {
    const counts = (changes: object) => [...new Set(asked({}, changes).map(({ threads }) => threads))];
    expect(counts({ counts: [2, 5, 8] })).toEqual([2, 5, 8]);
    expect(counts({ counts: [] })).toEqual([]);
  });
  it('leaves the grain of reductions alone, without doubles', () => {
    const choices = asked({ granularityControl: 'static' }, { reduces: true });
    expect(choices.every(({ grain }) => grain === null)).toBe(true);
    expect(choices).toHaveLength(2);
  });
});

describe('threadSearch', () => {
  it('fills defaults in', () => {
    expect(threadSearch({})).toEqual({
      granularityControl: 'adaptive',
      loadBalancing: 'work_stealing',
      threadAffinity: 'none',
      maxThreads: undefined,
    });
  });
  it.each([
    { maxThreads: 0 },
    { maxThreads: 1.5 },
    { maxThreads: '2' },
    { threads: 2 },
    { workloadDistribution: { taskPartitioning: { loadBalancing: 'dynamic' } } },
  ])('refuses %j', (settings) => {
    expect(() => threadSearch(settings as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('choices', () => {
  const choice = { kind: 'thread', threads: 2, schedule: 'stealing', grain: 5, affinity: 'compact' } as const;
  it('are named', () => {
    expect(describeChoice(choice)).toBe('2 threads, stealing, grain 5, compact');
    expect(describeChoice({ ...choice, threads: 1 })).toBe('serial');
  });
  it('on one thread are all the same', () => {
    expect(sameChoice({ ...choice, threads: 1 }, { ...choice, threads: 1, grain: null })).toBe(true);
    expect(sameChoice(choice, { ...choice, grain: null })).toBe(false);
  });
});

describe('threadCounts', () => {
  it('are 2, 4, … and the most', () => {
    expect(threadCounts(12)).toEqual([2, 4, 8, 12]);
    expect(threadCounts(4)).toEqual([2, 4]);
    expect(threadCounts(2)).toEqual([2]);
    expect(threadCounts(1)).toEqual([]);
    expect(threadCounts(0)).toEqual([]);
  });
  it('have the number of cores among them where cores run two threads at a time', () => {
    expect(threadCounts(12, 6)).toEqual([2, 4, 6, 8, 12]);
    expect(threadCounts(4, 2)).toEqual([2, 4]);
    // A quota below the cores, a core of one thread, and a host that does not tell.
    expect(threadCounts(4, 6)).toEqual([2, 4]);
    expect(threadCounts(6, 6)).toEqual([2, 4, 6]);
    expect(threadCounts(6, 1)).toEqual([2, 4, 6]);
    expect(threadCounts(6, 0)).toEqual([2, 4, 6]);
  });
});
