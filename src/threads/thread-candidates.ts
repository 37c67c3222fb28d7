/** Which ways of splitting a job are worth trying: the settings' vocabulary, turned into choices. Pure. */
import { fail, describe } from '../errors.js';
import type { Schedule, ThreadChoice } from '../model/choice.js';
import type { ThreadSettings } from '../settings/threads.js';
import { oneOf } from './check.js';
import { requireOptions } from '../options.js';
import { AFFINITIES } from './placement.js';

/** What `optimizeThreads` takes: the canonical tree, and a cap on threads. */
export type ThreadOptimizationSettings = ThreadSettings & {
  /** At most this many threads. By default as many as the process has CPUs. */
  readonly maxThreads?: number | undefined;
};

/** The settings with every default filled in. */
export interface ThreadSearch {
  readonly granularityControl: 'adaptive' | 'static' | 'guided';
  readonly loadBalancing: 'work_stealing' | 'shared_counter' | 'static';
  readonly threadAffinity: ThreadChoice['affinity'];
  readonly maxThreads: number | undefined;
}

const GRANULARITIES = ['adaptive', 'static', 'guided'] as const;
const BALANCINGS = ['work_stealing', 'shared_counter', 'static'] as const;

/** @throws INVALID_ARGUMENT for values outside the vocabulary. */
export function threadSearch(settings: ThreadOptimizationSettings): ThreadSearch {
  requireOptions('settings', settings, ['workloadDistribution', 'maxThreads']);
  const asked = settings.workloadDistribution?.taskPartitioning;
  const { maxThreads } = settings;
  if (maxThreads !== undefined && !(Number.isInteger(maxThreads) && maxThreads >= 1 && maxThreads <= 1_024)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'maxThreads',
      actual: describe(maxThreads),
      expected: 'an integer from 1 to 1024',
    });
  }
  return {
    granularityControl: oneOf('granularityControl', asked?.granularityControl ?? 'adaptive', GRANULARITIES),
    loadBalancing: oneOf('loadBalancing', asked?.loadBalancing ?? 'work_stealing', BALANCINGS),
    threadAffinity: oneOf('threadAffinity', asked?.threadAffinity ?? 'none', AFFINITIES),
    maxThreads,
  };
}

/** What is known of the job before candidates are drawn up. */
export interface CandidateScope {
  readonly iterations: number;
  /** Thread counts to try, each 2 or more; see `threadCounts`. */
  readonly counts: readonly number[];
  /** Least iterations that are worth handing out, from the measured cost of one. */
  readonly payingGrain: number;
  /** Reductions have a grain of their own, which no choice may touch. */
  readonly reduces: boolean;
  readonly canPin: boolean;
}

/** Choices that run on threads; without a second CPU there are none. */
export function candidates(search: ThreadSearch, scope: CandidateScope): ThreadChoice[] {
  const choices: ThreadChoice[] = [];
  const affinities: ThreadChoice['affinity'][] = ['none'];
  // Pinning has to win against leaving it to the system.
  if (search.threadAffinity !== 'none' && scope.canPin) affinities.push(search.threadAffinity);
  for (const threads of scope.counts) {
    for (const [schedule, grain] of schedules(search, scope, threads)) {
      for (const affinity of affinities) {
        const choice: ThreadChoice = {
          kind: 'thread',
          threads,
          schedule,
          grain: scope.reduces ? null : grain,
          affinity,
        };
        if (!choices.some((other) => sameChoice(other, choice))) choices.push(choice);
      }
    }
  }
  return choices;
}

/**
 * 2, 4, 8, … and the most, with the number of cores where a core runs two threads at a time: beyond that number threads
 * share cores, which computing often loses by.
 *
 * @param most threads that may run at once here: CPUs, quota, the caller's cap and the job's iterations.
 * @param cores physical cores that the process may use; 0 where unknown.
 */
export function threadCounts(most: number, cores = 0): number[] {
  const counts = new Set<number>();
  for (let count = 2; count < most; count *= 2) counts.add(count);
  if (cores >= 2 && cores < most) counts.add(cores);
  if (most >= 2) counts.add(most);
  return [...counts].sort((a, b) => a - b);
}

/**
 * | granularity | work_stealing | shared_counter | static |
 * |---|---|---|---|
 * | adaptive | stealing; auto | factoring | one share a thread |
 * | static | stealing, equal chunks | shared counter, equal chunks | chunks dealt round robin |
 * | guided | stealing, shrinking to a floor | guided | one share a thread: there is nothing to shrink |
 */
function schedules(
  { granularityControl, loadBalancing }: ThreadSearch,
  { iterations, payingGrain }: CandidateScope,
  threads: number,
): [Schedule, number | null][] {
  const perThread = (chunks: number) => Math.max(1, Math.round(iterations / (threads * chunks)));
  const floor = Math.min(payingGrain, perThread(8));
  switch (`${loadBalancing}/${granularityControl}` as const) {
    case 'work_stealing/adaptive':
      return [
        ['auto', null],
        ['stealing', null],
        ['stealing', floor],
      ];
    case 'work_stealing/static':
      // Stealing takes an eighth of a share at a time: from that grain up, all chunks are equal.
      return [
        ['stealing', perThread(8)],
        ['stealing', perThread(4)],
      ];
    case 'work_stealing/guided':
      return [
        ['stealing', floor],
        ['stealing', perThread(64)],
      ];
    case 'shared_counter/adaptive':
      return [
        ['factoring', null],
        ['factoring', floor],
      ];
    case 'shared_counter/static':
      return [
        ['shared_counter', perThread(4)],
        ['shared_counter', perThread(16)],
        ['shared_counter', perThread(64)],
      ];
    case 'shared_counter/guided':
      return [
        ['guided', null],
        ['guided', floor],
      ];
    case 'static/adaptive':
    case 'static/guided':
      return [['static', null]];
    case 'static/static':
      return [
        ['static', perThread(4)],
        ['static', perThread(16)],
        ['static', perThread(64)],
      ];
  }
}

export function sameChoice(a: ThreadChoice, b: ThreadChoice): boolean {
  if (a.threads !== b.threads) return false;
  // On one thread nothing else matters.
  if (a.threads === 1) return true;
  return a.schedule === b.schedule && a.grain === b.grain && a.affinity === b.affinity;
}

export function describeChoice({ threads, schedule, grain, affinity }: ThreadChoice): string {
  if (threads === 1) return 'serial';
  const parts = [`${threads} threads`, schedule];
  if (grain !== null) parts.push(`grain ${grain}`);
  if (affinity !== 'none') parts.push(affinity);
  return parts.join(', ');
}
