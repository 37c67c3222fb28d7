/** What `optimizeThreads` makes of machines that this one is not: quotas below two CPUs, cores of two threads, more CPUs. */
import { afterAll, describe, expect, it } from 'vitest';
import { closeJobPools, job } from '../../../dist/threads/job.js';
import { optimizeThreads } from '../../../dist/threads/optimize-threads.js';
import { physicalCores, type LogicalCpu } from '../../../dist/threads/placement.js';
import { pilotChoices, speedsByThreads } from '../../../dist/threads/scaling-pilot.js';
import { threadSearch } from '../../../dist/threads/thread-candidates.js';
import { fixture, float64 } from '../../fixtures/threads/setup.js';

afterAll(() => closeJobPools());

const context = { environment: {}, budgetMs: 1_500, progress: () => {} } as never;
const triangleJob = () =>
  job({
    name: 'triangle',
    task: fixture('triangle'),
    range: [0, 800],
    shared: { output: float64(800).fill(-1) },
  });
/** CPUs in pairs that share a core. */
const hyperthreaded = (cpus: number): LogicalCpu[] =>
  Array.from({ length: cpus }, (_, cpu) => ({ cpu, core: `0:${cpu >> 1}`, node: 0 }));
const plan = async (host: Parameters<typeof optimizeThreads>[3]) =>
  (await optimizeThreads(triangleJob(), {}, context, host)) as any;

describe('a container quota', () => {
  it.each([0.5, 1.5])('of %f CPUs on four keeps the job serial, and is named', async (quotaCpus) => {
    const limits = { allowedCpus: 4, quotaCpus, effectiveCpus: quotaCpus };
    const draft = await plan({ limits, cpus: hyperthreaded(4) });
    expect(draft.plan).toMatchObject({
      threads: 1,
      cpus: limits,
      candidate: null,
      screened: [],
      dispatch: [],
    });
    expect(draft.status).toBe('no_improvement');
    // Nobody to wait with: what one CPU does belongs to the program.
    expect(draft.plan.spin).toEqual({ threads: 0, wakeUs: null, spinUs: null });
    expect(draft.plan.pools.advice.runtimeFlags).toEqual([`--v8-pool-size=${Math.ceil(quotaCpus)}`]);
    expect(draft.warnings.join()).toContain('--v8-pool-size');
    expect(draft.warnings.join()).toContain(`quota is ${quotaCpus} CPUs`);
    expect(draft.plan.scalability).toMatchObject({ available: false, reason: 'TOO_FEW_THREAD_COUNTS' });
  });

  it('of 2.5 CPUs allows two threads', async () => {
    const limits = { allowedCpus: 4, quotaCpus: 2.5, effectiveCpus: 2.5 };
    const draft = await plan({ limits, cpus: [] });
    expect(draft.plan.threads).toBe(2);
    expect(new Set(draft.plan.screened.map((standing: any) => standing.choice.threads))).toEqual(
      new Set([2]),
    );
    expect(draft.plan.scalability).toMatchObject({
      available: false,
      message: expect.stringContaining('2 thread counts'),
    });
  });
});

describe('a larger machine', () => {
  it('of three cores and six threads has three threads among the candidates, and is fitted the law', async () => {
    expect(physicalCores(hyperthreaded(6))).toBe(3);
    const draft = await plan({ limits: { allowedCpus: 6, effectiveCpus: 6 }, cpus: hyperthreaded(6) });
    const { scalability, screened } = draft.plan;
    expect(scalability.available).toBe(true);
    expect(scalability.points.map(({ threads }: any) => threads)).toEqual([1, 2, 3, 4, 6]);
    expect(scalability.points[0].speedup).toBe(1);
    for (const share of [scalability.contention, scalability.coherency, scalability.relativeError])
      expect(share).toBeGreaterThanOrEqual(0);
    // Which counts are screened in full follows from the law; two threads always are.
    const tried = new Set(screened.map((standing: any) => standing.choice.threads));
    expect(tried).toContain(2);
    if (scalability.peakThreads === null) expect(tried).toContain(3);
  });
});

describe('the pilot', () => {
  const scope = { iterations: 1_000, payingGrain: 8, reduces: false, canPin: true };
  const search = threadSearch({});

  it('takes one free choice a thread count', () => {
    const pinned = threadSearch({
      workloadDistribution: {
        taskPartitioning: {
          threadAffinity: 'compact',
          loadBalancing: 'shared_counter',
          granularityControl: 'adaptive',
        },
      },
    });
    const choices = pilotChoices(pinned, { ...scope, counts: [2, 4, 8], most: 8 });
    expect(choices.map(({ threads }) => threads)).toEqual([2, 4, 8]);
    for (const { affinity, schedule } of choices) expect([affinity, schedule]).toEqual(['none', 'factoring']);
  });

  it('takes every count where the powers of two are too few, and none where all are', () => {
    const counts = (most: number, given: number[]) =>
      pilotChoices(search, { ...scope, counts: given, most }).map(({ threads }) => threads);
    expect(counts(4, [2, 4])).toEqual([2, 3, 4]);
    expect(counts(3, [2, 3])).toEqual([]);
    expect(counts(1, [])).toEqual([]);
  });

  it('takes the best of each count, over a serial run, whatever is in force', () => {
    const choice = (threads: number) =>
      ({ kind: 'thread', threads, schedule: 'auto', grain: null, affinity: 'none' }) as const;
    const standing = (threads: number, ratio: number) => ({ choice: choice(threads), ratio, rounds: 3 });
    expect(speedsByThreads([standing(2, 0.6), standing(2, 0.5), standing(4, 0.25)], choice(1))).toEqual([
      { threads: 1, speedup: 1 },
      { threads: 2, speedup: 2 },
      { threads: 4, speedup: 4 },
    ]);
    expect(speedsByThreads([standing(1, 2), standing(4, 0.8)], choice(2))).toEqual([
      { threads: 1, speedup: 1 },
      { threads: 2, speedup: 2 },
      { threads: 4, speedup: 2.5 },
    ]);
    expect(speedsByThreads([standing(4, 0.8)], choice(2))).toEqual([]);
    expect(speedsByThreads([], choice(1))).toEqual([]);
  });
});
