import { afterAll, describe, expect, it } from 'vitest';
import { closeJobPools, job } from '../../../dist/threads/job.js';
import { optimizeThreads } from '../../../dist/threads/optimize-threads.js';
import { cpuLimits } from '../../../dist/host/limits.js';
import { fixture, float64, int32, rejection } from '../../fixtures/threads/setup.js';

afterAll(() => closeJobPools());

const context = (changes: object = {}) =>
  ({ environment: {}, budgetMs: 3_000, progress: () => {}, ...changes }) as never;
const severalCpus = cpuLimits().effectiveCpus >= 2;

const triangleJob = () =>
  job({
    name: 'triangle',
    task: fixture('triangle'),
    range: [0, 1_500],
    shared: { output: float64(1_500).fill(-1) },
  });

describe('optimizeThreads', () => {
  it('measures on copies, proves in fresh processes, and applies only what is faster', async () => {
    const subject = triangleJob();
    const stages = new Set<string>();
    const draft = await optimizeThreads(
      subject,
      {},
      context({ progress: ({ stage }: { stage: string }) => stages.add(stage) }),
    );
    expect(draft).toMatchObject({ type: 'thread', subject: { kind: 'job', name: 'triangle' } });
    expect(subject.options.shared.output.every((value: number) => value === -1)).toBe(true);
    if (!severalCpus) return;
    expect([...stages]).toEqual(['measure', 'screen', 'validate']);
    expect(draft.plan).toMatchObject({
      iterations: 1_500,
      present: { threads: 1 },
      candidate: { kind: 'thread' },
    });
    expect((draft.plan as any).serialMs).toBeGreaterThan(0);
    expect((draft.plan as any).dispatch[0].dispatchUs).toBeGreaterThan(0);
    const { spin, pools } = draft.plan as any;
    expect(spin.wakeUs).toBeGreaterThan(0);
    expect(spin.spinUs).toBeCloseTo(Math.min(60, Math.max(20, 2 * spin.wakeUs)), 6);
    expect(spin.threads).toBeGreaterThanOrEqual(1);
    expect(pools).toMatchObject({
      libuv: { threads: expect.any(Number) },
      v8: { threads: expect.any(Number) },
    });
    const { validation } = draft;
    expect(validation).toMatchObject({ form: 'fresh-processes', baseline: 'serial' });
    expect(draft.status === 'applied').toBe(validation!.verdict === 'faster');
    expect(draft.choice === null).toBe(draft.status !== 'applied');
    expect(subject.choice).toEqual(draft.choice ?? { ...subject.choice, threads: 1 });
    await subject.run();
    expect(subject.options.shared.output[0]).toBe(0);
  });

  it('tells, without a job, from how much work threads pay here', async () => {
    const draft = await optimizeThreads(undefined, {}, context());
    expect(draft.subject.kind).toBe('reference');
    expect(draft.subject.name).toContain('reference');
    if (!severalCpus) return;
    const { payoff } = draft.plan as any;
    expect(payoff.points).toHaveLength(10);
    for (const { serialUs, ratio } of payoff.points) {
      expect(serialUs).toBeGreaterThan(0);
      expect(ratio).toBeGreaterThan(0);
    }
  });

  it.skipIf(!severalCpus)('tries only what the settings ask for', async () => {
    const draft = await optimizeThreads(
      triangleJob(),
      {
        workloadDistribution: {
          taskPartitioning: {
            granularityControl: 'guided',
            loadBalancing: 'shared_counter',
            threadAffinity: 'none',
          },
        },
      },
      context({ budgetMs: 1_500 }),
    );
    const schedules = (draft.plan as any).screened.map(({ choice }: any) => choice.schedule);
    expect(new Set(schedules)).toEqual(new Set(['guided']));
  });

  it('stays serial with maxThreads 1, and says why', async () => {
    const subject = triangleJob();
    const draft = await optimizeThreads(subject, { maxThreads: 1 }, context());
    expect(draft).toMatchObject({ status: 'no_improvement', validation: null, choice: null });
    expect(draft.warnings.join()).toMatch(/serial/);
    expect(subject.choice.threads).toBe(1);
  });

  it.skipIf(!severalCpus)('leaves out ways to split that change the result', async () => {
    // Every iteration needs its predecessor, so the outcome depends on where the range is cut.
    const { defineTask } = await import('../../../dist/threads/task.js');
    const module =
      'data:text/javascript,' +
      encodeURIComponent(
        'export const chain = (s, e, { out }) => { for (let i = s; i < e; i++) out[i] = i === s ? s : out[i - 1] + 1; out[out.length - 1] += e - s === out.length - 1 ? 0 : 1; };',
      );
    const draft = await optimizeThreads(
      job({
        name: 'chain',
        task: defineTask(module, 'chain'),
        range: [0, 5_000],
        shared: { out: int32(5_001) },
      }),
      {},
      context(),
    );
    expect(draft.status).toBe('no_improvement');
    expect((draft.plan as any).rejected.length).toBeGreaterThan(0);
    expect(draft.warnings.join()).toMatch(/differ.*must not depend/s);
  });

  it('handles an empty range', async () => {
    const draft = await optimizeThreads(
      job({ name: 'empty', task: fixture('square'), range: [3, 3], shared: undefined }),
      {},
      context(),
    );
    expect(draft).toMatchObject({ status: 'no_improvement', validation: null });
    expect(draft.warnings.join()).toContain('empty');
  });

  it('passes on what the job itself throws', async () => {
    const broken = job({ name: 'broken', task: fixture('nowhere'), range: [0, 9], shared: undefined });
    expect((await rejection(optimizeThreads(broken, {}, context()))).code).toBe('TASK_UNLOADABLE');
  });

  it('ends by signal', async () => {
    const error = await rejection(
      optimizeThreads(triangleJob(), {}, context({ signal: AbortSignal.abort('stop') })),
    );
    expect(error).toMatchObject({ code: 'ABORTED' });
    const controller = new AbortController();
    const progress = ({ stage }: { stage: string }) => stage === 'measure' && controller.abort();
    const later = await rejection(
      optimizeThreads(triangleJob(), {}, context({ signal: controller.signal, progress })),
    );
    expect(later).toMatchObject({ code: 'ABORTED' });
  });

  it('refuses settings outside the vocabulary', async () => {
    const error = await rejection(optimizeThreads(undefined, { maxThreads: -1 }, context()));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
