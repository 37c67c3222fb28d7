import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  computation,
  f64,
  OptimizationType,
  struct,
  SystemOptimizer,
  u32,
  u8,
  type OptimizationProfile,
  type Recommendation,
} from '../../../dist/index.js';
import { measuredHere } from '../../../dist/host/environment.js';
import { ownStore } from './own-store.js';

const store = ownStore();
const { optimizer } = store;

/** Equivalent, and so far apart that any machine can tell. */
const slowAndFast = {
  name: 'unique',
  variants: {
    scan: (list: number[]) => list.filter((item, i) => list.indexOf(item) === i),
    set: (list: number[]) => [...new Set(list)],
  },
  inputs: (size: number) => Array.from({ length: size }, (_, i) => i),
  sizes: [2000],
};

/** The same as a service registers it that only wants to dispatch. */
const asRegistered = { name: slowAndFast.name, variants: slowAndFast.variants };

/** A profile as an earlier run on this host would have stored it. */
function profileOf(one: SystemOptimizer, won: Partial<OptimizationProfile>): OptimizationProfile {
  void one;
  return {
    schemaVersion: 1,
    id: 'computation-00000000-0000-7000-8000-000000000001',
    type: 'computation',
    createdAt: new Date().toISOString(),
    elapsedMs: 1,
    subject: { kind: 'computation', name: 'unique' },
    settings: {},
    plan: {},
    status: 'applied',
    validation: null,
    comparisons: [],
    choice: { kind: 'computation', bySize: [{ maxSize: null, variant: 'set' }] },
    environment: won.environment!,
    warnings: [],
    ...won,
  };
}

describe('SystemOptimizer', () => {
  it('writes nothing until something is stored', async () => {
    const one = optimizer();
    one.register(struct('Point', { x: f64 }));
    expect(one.getOptimizationStats().total).toBe(0);
    expect(existsSync(store.path)).toBe(false);
  });

  it('optimises a computation, stores it, and a later process finds it in force', async () => {
    const first = optimizer();
    const events: string[] = [];
    first.on('optimization', ({ id }) => events.push(`optimization ${id}`));
    first.on('applied', ({ id }) => events.push(`applied ${id}`));
    const result = await first.optimizeComputation({ ...slowAndFast, budgetMs: 20_000 });
    expect(result.subject).toEqual({ kind: 'computation', name: 'unique' });
    expect(result.dispatch([3, 1, 3])).toEqual([3, 1]);
    expect(await first.store.getProfile(result.id)).toMatchObject({ id: result.id, status: result.status });
    // Noise may keep any machine from a verdict; what is claimed must then agree with what is in force.
    expect(events).toContain(`optimization ${result.id}`);
    expect(events.includes(`applied ${result.id}`)).toBe(result.status === 'applied');
    const stats = first.getOptimizationStats({ type: OptimizationType.COMPUTATION });
    expect(stats.total).toBe(1);
    expect(stats.gains.count).toBe(result.status === 'applied' ? 1 : 0);

    const second = optimizer();
    const again = second.register(computation(asRegistered));
    expect(again.choice.bySize.at(-1)!.variant).toBe(result.status === 'applied' ? 'set' : 'scan');
    expect(second.getOptimizationStats().total).toBe(1);
  });

  it('leaves choices of another host out', async () => {
    const first = optimizer();
    const choice = { kind: 'computation', bySize: [{ maxSize: null, variant: 'set' }] } as const;
    await first.store.setChoice('computation:unique', {
      choice,
      profileId: 'p-1',
      appliedAt: 'now',
      ...measuredHere(),
      hostId: 'elsewhere',
    });
    expect(optimizer().register(computation(asRegistered)).choice.bySize[0]!.variant).toBe('scan');
  });

  it.each([
    ['Node', { node: 'v18.0.0' }, /computation:unique \(it was measured with Node v18\.0\.0\)/],
    ['this package', { library: '0.0.1' }, /measured with version 0\.0\.1 of this package/],
  ])('sets choices of another version of %s aside, with a warning', async (_, other, message) => {
    const choice = { kind: 'computation', bySize: [{ maxSize: null, variant: 'set' }] } as const;
    const stored = { choice, profileId: 'p-1', appliedAt: 'now', ...measuredHere() };
    await optimizer().store.setChoice('computation:unique', stored);
    expect(optimizer().register(computation(asRegistered)).choice.bySize[0]!.variant).toBe('set');
    await optimizer().store.setChoice('computation:unique', { ...stored, ...other });
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const later = optimizer();
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect(later.register(computation(asRegistered)).choice.bySize[0]!.variant).toBe('scan');
    expect(warnings[0]?.message).toMatch(message);
  });

  it('starts, with a warning, on a configuration that cannot be read, and does not overwrite it', async () => {
    const first = optimizer();
    await first.store.setRuntimeFlags([]);
    const path = join(store.path, 'config.json');
    writeFileSync(path, '{ torn');
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const second = optimizer();
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect(warnings[0]?.message).toContain(path);
    await expect(second.store.setRuntimeFlags(['--x'])).rejects.toMatchObject({ code: 'DOCUMENT_CORRUPT' });
    expect(readFileSync(path, 'utf8')).toBe('{ torn');
  });

  it('measures nothing where what wins could not be stored', async () => {
    const first = optimizer();
    await first.store.setRuntimeFlags([]);
    writeFileSync(join(store.path, 'config.json'), '{ torn');
    let calls = 0;
    const count = () => (calls += 1);
    const call = { name: 'unstored', variants: { a: count, b: count }, inputs: [1] };
    await expect(first.optimizeComputation(call)).rejects.toMatchObject({ code: 'DOCUMENT_CORRUPT' });
    const file = join(store.path, 'config.json');
    const second = new SystemOptimizer({ storagePath: join(file, 'store') });
    await expect(second.optimizeComputation(call)).rejects.toMatchObject({
      code: expect.stringMatching(/^STORAGE_/),
    });
    await second.close();
    expect(calls).toBe(0);
  });

  it('starts, with a warning, where a stored choice names a variant that is gone', async () => {
    const first = optimizer();
    const choice = { kind: 'computation', bySize: [{ maxSize: null, variant: 'removed' }] } as const;
    const stored = { choice, profileId: 'p-1', appliedAt: 'now', ...measuredHere() };
    await first.store.setChoice('computation:unique', stored);
    const registered = optimizer().register(computation(asRegistered));
    expect(registered.choice.bySize[0]!.variant).toBe('scan');
  });

  it('puts a stored profile in force again by its id, and refuses one that won nothing', async () => {
    const one = optimizer();
    const { environment } = await one.optimizeComputation({ ...slowAndFast, sizes: [4], budgetMs: 500 });
    await one.store.saveProfile(profileOf(one, { environment }));
    await one.apply('computation-00000000-0000-7000-8000-000000000001');
    expect(one.store.config()!.subjects['computation:unique']).toMatchObject({ hostId: environment.host.id });

    await one.store.saveProfile(
      profileOf(one, { environment, id: 'computation-2', status: 'no_improvement', choice: null }),
    );
    await expect(one.apply('computation-2')).rejects.toMatchObject({ code: 'NOTHING_TO_APPLY' });
    await expect(one.apply('computation-3')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  });

  describe('apply of a recommendation', () => {
    const base: Omit<Recommendation, 'action'> = {
      schemaVersion: 1,
      id: 'recommendation-1',
      createdAt: new Date().toISOString(),
      resultId: 'cpu-1',
      cause: 'sync-cpu',
      severity: 'high',
      confidence: 1,
      title: 'a title',
      evidence: [],
    };

    it('runs the optimisation it names and stores the outcome with it', async () => {
      const one = optimizer();
      one.register(computation(slowAndFast));
      const recommendation: Recommendation = {
        ...base,
        action: { kind: 'optimize-computation', subject: 'unique' },
      };
      const profile = await one.apply(recommendation);
      const { outcome } = await one.store.getRecommendation('recommendation-1');
      expect(outcome).toMatchObject({ status: profile.status, profileId: profile.id });
    }, 120_000);

    it('puts in force what the subject’s own process measured, where the subject lives elsewhere', async () => {
      const one = optimizer();
      const { environment } = await one.optimizeComputation({ ...slowAndFast, sizes: [4], budgetMs: 500 });
      await one.store.saveProfile(profileOf(one, { environment }));
      const other = optimizer();
      await other.apply({ ...base, action: { kind: 'optimize-computation', subject: 'unique' } });
      expect(other.store.config()!.subjects).toHaveProperty(['computation:unique']);
    });

    it('refuses what is no recommendation, such as the first of none', async () => {
      for (const wrong of [undefined, null, 5, {}]) {
        await expect(optimizer().apply(wrong as never)).rejects.toThrow(/Pass a recommendation, its id/);
      }
    });

    it('runs an experiment with the module given, and stores what it came to', async () => {
      const one = optimizer();
      const proposed: Recommendation = {
        ...base,
        cause: 'cache-unfriendly-access',
        location: { function: 'sumInOrder', file: '/app/table.js', line: 3 },
        action: {
          kind: 'experiment',
          cause: 'cache-unfriendly-access',
          rationale: 'Open.',
          export: 'sumInOrder',
          template: '',
        },
      };
      await one.store.saveRecommendation(proposed);
      await expect(one.apply(base.id)).rejects.toMatchObject({
        code: 'EXPERIMENT_WITHOUT_MODULE',
        message: expect.stringContaining(`sysopt test-cause --recommendation ${base.id}`),
      });
      const module = join(import.meta.dirname, '../../fixtures/experiment/table.js');
      const done = await one.apply(base.id, { module, export: 'sumInOrder' }, { maxProcesses: 6 });
      expect(done).toMatchObject({
        status: 'cause_found',
        finding: { cause: 'cache-unfriendly-access', location: { function: 'sumInOrder' } },
      });
      expect((await one.store.getRecommendation(base.id)).outcome).toMatchObject({
        status: 'cause_found',
        comparisonId: done.comparisonId,
        ratio: done.comparison.ratio,
      });
      expect((await one.store.getComparison(done.comparisonId)).name).toContain('sumInOrder');

      for (const wrong of [undefined, null, {}, { ...base, action: { kind: 'optimize-memory' } }])
        await expect(one.apply(wrong as never, { module, export: 'sumInOrder' })).rejects.toThrow(
          /Pass a recommendation whose action is an experiment/,
        );
      for (const wrong of [null, 5, { module, exports: 'sumInOrder' }])
        await expect(one.apply(proposed, wrong as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    });

    it('says what to do by hand where it can do nothing', async () => {
      const one = optimizer();
      const elsewhere: Recommendation = {
        ...base,
        action: { kind: 'optimize-memory', settings: {}, subject: 'Order' },
      };
      await expect(one.apply(elsewhere)).rejects.toMatchObject({ code: 'SUBJECT_NOT_HERE' });
      const flag: Recommendation = {
        ...base,
        action: { kind: 'runtime-flag', flag: '--max-semi-space-size=64' },
      };
      await expect(one.apply(flag)).rejects.toThrow(/--recommendation recommendation-1/);
      const code = {
        kind: 'code-change',
        summary: 'Read it once.',
        before: 'a',
        after: 'b',
        guide: 'docs/x.md',
      } as const;
      await expect(one.apply({ ...base, action: code })).rejects.toThrow(/Read it once/);
    });
  });

  it('refuses unknown settings, naming the nearest, in both spellings', async () => {
    const one = optimizer();
    await expect(one.optimizeMemory({ cacheOptimisation: {} } as never)).rejects.toThrow(/cacheOptimization/);
    await expect(one.optimizeMemory({ cache_optimization: { data_alignmen: {} } })).rejects.toThrow(
      /data_alignment|dataAlignment/,
    );
    await expect(one.profileSystem({ type: 'cpu', durationMs: -1 })).rejects.toMatchObject({
      code: 'INVALID_SETTING',
    });
  });

  it.each(['io', 'network', 'thread'] as const)('profiles %s too, and keeps what it saw', async (type) => {
    const result = await optimizer().profileSystem({ type, durationMs: 100 });
    expect(result).toMatchObject({ type, activities: expect.any(Array) });
    expect(result.analysis.findings.length).toBeGreaterThan(0);
  });

  it('names the registered subjects where the wanted one is not here', async () => {
    const one = optimizer();
    one.register(struct('Point', { id: u32, flag: u8 }));
    await expect(one.optimizeMemory({ subject: 'Pint' })).rejects.toThrow(/Point/);
  });

  it('refuses what is no subject, and a second one of a name', () => {
    const one = optimizer();
    for (const wrong of [undefined, null, 5, {}, { kind: 'struct' }, { kind: 'x', name: 'y' }]) {
      expect(() => one.register(wrong as never)).toThrow(/struct type, pool, computation/);
    }
    one.register(struct('Point', { x: f64 }));
    expect(() => one.register(struct('Point', { x: f64 }))).toThrow(/registered already/);
  });

  it('puts the figures of registered pools into a profile of this process', async () => {
    const one = optimizer();
    const pool = one.pool({ slotBytes: 64, slots: 4, name: 'frames' });
    pool.acquire();
    const { metrics } = await one.profileSystem({ type: 'memory', durationMs: 100 });
    expect(metrics['allocator.frames.inUse']).toEqual({ available: true, value: 1, unit: 'count' });
    pool.close();
  });

  it('says ABORTED whatever a call was aborted with, before it began too', async () => {
    const one = optimizer();
    const call = { name: 'aborted', variants: { a: () => 1, b: () => 1 }, inputs: [1] };
    const reason = new Error('enough');
    await expect(
      one.optimizeComputation({ ...call, signal: AbortSignal.abort(reason) }),
    ).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(one.optimizeMemory({ signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('names what are no options, and no signals', async () => {
    const one = optimizer();
    const wrong = { code: 'INVALID_ARGUMENT' };
    for (const none of [null, 5, []] as never[]) {
      await expect(one.hostProbe(none)).rejects.toMatchObject(wrong);
      await expect(one.monitor(none)).rejects.toMatchObject(wrong);
      await expect(one.completeResult(none, { pid: 1, description: 'x' })).rejects.toMatchObject(wrong);
    }
    await expect(one.hostProbe({ budget: 100 } as never)).rejects.toThrow(/budgetMs/);
  });

  it('aborts what runs when it is closed, and is closed afterwards', async () => {
    const one = optimizer();
    const running = one.profileSystem({ type: 'cpu', durationMs: 60_000 });
    const outcome = expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await one.close();
    await outcome;
    expect(() => one.register(struct('Late', { x: f64 }))).toThrow(/closed/);
    expect(() => one.getOptimizationStats()).toThrow(/closed/);
    await one.close();
  });

  it('closes for every caller at the same time', async () => {
    const one = optimizer();
    let isClosed = false;
    one.on('close', () => (isClosed = true));
    const running = one.profileSystem({ type: 'cpu', durationMs: 60_000 }).catch(() => undefined);
    void one.close();
    await one.close();
    expect(isClosed).toBe(true);
    await running;
  });
});
