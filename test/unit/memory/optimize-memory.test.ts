import { describe, expect, it } from 'vitest';
import { optimizeMemory } from '../../../dist/memory/optimize-memory.js';
import { layoutCandidates, readRequest } from '../../../dist/memory/memory-request.js';
import { SlabPool } from '../../../dist/memory/slab-pool.js';
import { f64, u32, u8, utf8 } from '../../../dist/memory/struct/field-types.js';
import { struct, structFromDescriptor, type StructType } from '../../../dist/memory/struct/struct-type.js';
import { parseMemorySettings } from '../../../dist/settings/parse.js';
import { workload } from '../../../dist/validation/workload.js';
import type { OptimizationContext } from '../../../dist/model/context.js';

const fields = { flag: u8, price: f64, side: u8, count: u32 };
const context = (budgetMs = 1_500, signal?: AbortSignal): OptimizationContext => ({
  environment: {} as never,
  budgetMs,
  ...(signal && { signal }),
  progress: () => {},
});

/** Work that depends on the choice so strongly that no noise hides it. */
function spinning(isCheap: (type: StructType) => boolean) {
  return (type: unknown) => {
    const turns = isCheap(type as StructType) ? 2_000 : 200_000;
    return () => {
      let sum = 0;
      for (let k = 0; k < turns; k += 1) sum = (sum + k * 7) & 1023;
      return sum > 2000 ? sum : 1;
    };
  };
}

describe('optimizeMemory on a struct', () => {
  it('applies what a workload proves faster', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const settings = await parseMemorySettings({
      cacheOptimization: { cacheLocality: { spatialLocality: { arrayTraversal: 'stride_optimization' } } },
    });
    const setup = spinning((type) => type.choice.order === 'soa');
    const draft = await optimizeMemory(
      T,
      settings,
      [workload({ name: 'w', subject: 'T', setup })],
      context(15_000),
    );
    expect(draft).toMatchObject({
      type: 'memory',
      subject: { kind: 'struct', name: 'T' },
      status: 'applied',
      choice: { kind: 'memory', order: 'soa' },
      validation: { verdict: 'faster' },
    });
    expect(draft.validation!.ratio).toBeLessThan(0.5);
    expect(T.choice).toMatchObject({ order: 'soa', source: 'measured' });
  });

  it('applies nothing where the present choice is the best', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const settings = await parseMemorySettings({
      cacheOptimization: { cacheLocality: { spatialLocality: true } },
    });
    const setup = spinning((type) => type.choice.order === 'aos' && type.choice.packing === 'declared');
    const draft = await optimizeMemory(T, settings, [workload({ name: 'w', setup })], context(15_000));
    expect(draft).toMatchObject({
      status: 'no_improvement',
      choice: null,
      validation: { verdict: 'slower' },
    });
    expect(T.choice).toMatchObject({ order: 'aos', packing: 'declared', source: 'declared' });
  });

  it('prefers the workload that names the subject', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const used: string[] = [];
    const named = (name: string, subject?: string) =>
      workload({
        name,
        ...(subject && { subject }),
        setup: (type) => {
          used.push(name);
          return spinning(() => true)(type);
        },
      });
    const settings = await parseMemorySettings({ cacheOptimization: { dataAlignment: true } });
    await optimizeMemory(T, settings, [named('any'), named('other', 'U'), named('own', 'T')], context());
    expect(new Set(used)).toEqual(new Set(['own']));
  });

  it('has nothing to compare where the settings are in force already', async () => {
    const T = struct('T', fields);
    const settings = await parseMemorySettings({ cacheOptimization: { dataAlignment: true } });
    const draft = await optimizeMemory(T, settings, [], context());
    expect(draft).toMatchObject({ status: 'no_improvement', validation: null, choice: null });
    expect(draft.warnings.join()).toMatch(/in force already/);
  });

  it('measures with its own access pattern over the fields where there is no workload', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const settings = await parseMemorySettings({
      cacheOptimization: {
        dataAlignment: { structPacking: 'minimal_padding', memoryAccessPatterns: 'random_access' },
      },
    });
    const draft = await optimizeMemory(T, settings, [], context(4_000));
    expect(draft.validation).toMatchObject({ form: 'fresh-processes' });
    expect(draft.plan).toMatchObject({
      accessPattern: [{ access: 'random' }],
      layouts: [{ present: { sizeBytes: 24 }, candidate: { sizeBytes: 16 } }],
    });
  });

  it('says that a struct without numbers needs a workload', async () => {
    const T = struct('T', { name: utf8(9), other: utf8(3) }, { packing: 'declared' });
    const settings = await parseMemorySettings({
      cacheOptimization: { dataAlignment: { structPacking: 'cache_line' } },
    });
    const draft = await optimizeMemory(T, settings, [], context());
    expect(draft).toMatchObject({ status: 'failed', validation: null, choice: null });
    expect(draft.warnings.join()).toMatch(/Register a workload/);
  });

  it('learns the hot fields from the workload for dataClustering', async () => {
    const T = struct('T', { a: f64, b: f64, c: f64, d: f64 }, { packing: 'declared' });
    const settings = await parseMemorySettings({
      cacheOptimization: { cacheLocality: { spatialLocality: { dataClustering: 'proximity_based' } } },
    });
    const w = workload({
      name: 'w',
      setup: (type) => {
        const all = (type as StructType<any>).array(500);
        const p: any = all.cursor();
        for (let k = 0; k < 500; k += 1) p.index = k;
        p.a = 1; // touched by setup only
        return () => {
          let sum = 0;
          for (let k = 0; k < 500; k += 1) {
            p.index = k;
            sum += p.c;
            p.d = k;
          }
          return sum;
        };
      },
    });
    const draft = await optimizeMemory(T, settings, [w], context());
    expect(draft.plan).toMatchObject({
      accessesPerField: {
        a: { reads: 0, writes: 0 },
        c: { reads: 500, writes: 0 },
        d: { reads: 0, writes: 500, writers: { 0: 500 } },
      },
    });
    expect(draft.plan).not.toHaveProperty('writers');
    expect((draft.plan as any).candidates.every((text: string) => text.endsWith('hot c d'))).toBe(true);
  });

  it('turns a workload that throws into a failed profile, not into a crash', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const settings = await parseMemorySettings({ cacheOptimization: { dataAlignment: true } });
    for (const setup of [
      () => {
        throw new Error('no database');
      },
      () => () => {
        throw new Error('no database');
      },
    ]) {
      const draft = await optimizeMemory(T, settings, [workload({ name: 'w', setup })], context());
      expect(draft).toMatchObject({ status: 'failed', choice: null });
      expect(draft.warnings.join()).toMatch(/no database/);
    }
    const missing = workload({ name: 'w', module: '/does/not/exist.js', export: 'x' });
    expect((await optimizeMemory(T, settings, [missing], context())).status).toBe('failed');
  });

  it('measures a workload module in fresh processes, and leaves layouts out that would change nothing', async () => {
    const T = struct('T', fields, { packing: 'declared', hot: ['price'] });
    const module = new URL('../../fixtures/memory-scan.js', import.meta.url);
    const settings = await parseMemorySettings({
      cacheOptimization: { cacheLocality: { spatialLocality: true } },
    });
    const draft = await optimizeMemory(
      T,
      settings,
      [workload({ name: 'w', module, export: 'scan' })],
      context(4_000),
    );
    expect(draft.validation).toMatchObject({ form: 'fresh-processes' });
    const { candidates } = draft.plan as { candidates: string[] };
    expect(candidates.filter((text) => text.startsWith('aos, declared'))).toEqual([]);
    expect(candidates.map((text) => text.split(',')[0]).toSorted()).toEqual(['aos', 'aos', 'aosoa', 'soa']);
  });

  it('survives a workload module that ends its process', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const module = new URL('../../fixtures/memory-scan.js', import.meta.url);
    const settings = await parseMemorySettings({ cacheOptimization: { dataAlignment: true } });
    const draft = await optimizeMemory(
      T,
      settings,
      [workload({ name: 'w', module, export: 'exits' })],
      context(),
    );
    expect(draft).toMatchObject({ status: 'failed', choice: null });
    expect(draft.warnings.join()).toMatch(/code 3/);
  });

  it('aborts, before it starts and in the middle', async () => {
    const T = struct('T', fields, { packing: 'declared' });
    const settings = await parseMemorySettings({});
    const aborted = optimizeMemory(T, settings, [], context(1_000, AbortSignal.abort()));
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    const later = optimizeMemory(T, settings, [], context(60_000, AbortSignal.timeout(400)));
    await expect(later).rejects.toMatchObject({ code: 'ABORTED' });
    expect(T.choice.source).toBe('declared');
  });

  it('refuses other kinds of subjects', async () => {
    const other = { kind: 'job', name: 'j' } as const;
    await expect(optimizeMemory(other, await parseMemorySettings({}), [], context())).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('learning who writes', () => {
  it('counts reads and writes by thread, and offers layouts that keep two writers apart', async () => {
    const T = struct('T', { a: u32, b: u32, c: u32 }, { packing: 'declared' });
    const settings = await parseMemorySettings({
      cacheOptimization: { cacheLocality: { spatialLocality: { dataClustering: 'proximity_based' } } },
    });
    const w = workload({
      name: 'two threads',
      module: new URL('../../fixtures/memory-writers.js', import.meta.url),
      export: 'twoThreads',
    });
    const draft = await optimizeMemory(T, settings, [w], context(3_000));
    const { accessesPerField: seen, candidates } = draft.plan as any;
    expect(seen.a).toMatchObject({ reads: 0, writes: 300 });
    expect(Object.keys(seen.a.writers)).toEqual(['0']);
    expect(seen.b).toMatchObject({ reads: 0, writes: 200 });
    const [other] = Object.keys(seen.b.writers);
    expect(Number(other)).toBeGreaterThan(0);
    expect(seen.c).toMatchObject({ reads: 100, writes: 0, writers: {} });
    expect((draft.plan as any).writers).toEqual({ thread_0: ['a'], [`thread_${other!}`]: ['b'] });
    expect(candidates.filter((text: string) => text.includes('apart a | b')).length).toBeGreaterThan(0);
    expect(candidates.filter((text: string) => !text.includes('apart')).length).toBeGreaterThan(0);
  });

  it('puts learnt writers on lines of their own, also after JSON', () => {
    const T = struct('T', { a: u32, b: u32, c: u32 });
    T.applyChoice({ ...T.choice, writers: { thread_0: ['a'], thread_1: ['b'] } }, 'measured');
    const lines = (type: StructType<any>) =>
      Object.fromEntries(type.layout.fields.map(({ name, cacheLine }) => [name, cacheLine]));
    expect(T.layout.sharedWriterLines).toBe(0);
    expect(lines(T).a).not.toBe(lines(T).b);
    const again = structFromDescriptor(JSON.parse(JSON.stringify(T.descriptor)));
    expect(lines(again)).toEqual(lines(T));
    expect(again.choice.writers).toEqual(T.choice.writers);
  });
});

describe('optimizeMemory on a pool', () => {
  it('sizes it from its traffic and measures that', async () => {
    using pool = new SlabPool({ slotBytes: 100, slots: 4, maxSlots: 1024, name: 'p' });
    const held = Array.from({ length: 100 }, () => pool.acquire());
    for (const handle of held) pool.release(handle);
    const settings = await parseMemorySettings({
      cacheOptimization: { dataAlignment: { cacheLineOptimization: 128 } },
    });
    const draft = await optimizeMemory(pool, settings, [], context(4_000));
    expect(draft.subject).toEqual({ kind: 'pool', name: 'p' });
    expect(draft.plan).toMatchObject({
      traffic: { highWater: 100, growths: 5, growthBurst: 96 },
      candidate: { slots: 128, growSlots: 96, alignmentBytes: 128 },
    });
    expect(draft.validation).toMatchObject({ form: 'fresh-processes' });
    expect(draft.warnings.join()).toMatch(/structPacking.*do nothing for pool "p"/);
    expect(pool.choice.slots).toBe(draft.status === 'applied' ? 128 : 4);
  });

  it('has learnt to grow by the largest burst, once such a choice is applied', () => {
    using pool = new SlabPool({ slotBytes: 64, slots: 4, maxSlots: 1024 });
    for (const handle of Array.from({ length: 100 }, () => pool.acquire())) pool.release(handle);
    expect(pool.growthBurst).toBe(96);
    pool.applyChoice({ ...pool.choice, slots: 16, growSlots: 96 });
    const capacities = Array.from({ length: 113 }, () => {
      pool.acquire();
      return pool.stats().capacity;
    });
    expect([...new Set(capacities)]).toEqual([16, 112, 208]);
    expect(() => pool.applyChoice({ ...pool.choice, growSlots: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('says where there was no traffic to learn from, and where maxSlots was too small', async () => {
    using idle = new SlabPool({ slotBytes: 64, slots: 16, name: 'idle' });
    const settings = await parseMemorySettings({ runtime: { youngGeneration: 64 } });
    const draft = await optimizeMemory(idle, settings, [], context());
    expect(draft.warnings.join()).toMatch(/no traffic yet/);
    expect(draft.warnings.join()).toMatch(/--max-semi-space-size=64/);
    using full = new SlabPool({ slotBytes: 64, slots: 1, name: 'full' });
    full.acquire();
    full.tryAcquire();
    expect((await optimizeMemory(full, settings, [], context())).warnings.join()).toMatch(/raise maxSlots/);
  });
});

describe('optimizeMemory with nothing registered', () => {
  it('measures the reference records and never calls them a subject of the service', async () => {
    const settings = await parseMemorySettings({
      cache_optimization: {
        data_alignment: { struct_packing: 'minimal_padding', cache_line_optimization: 64 },
      },
    });
    const draft = await optimizeMemory(undefined, settings, [], context(4_000));
    expect(draft.subject.kind).toBe('reference');
    expect(draft.validation).toMatchObject({ form: 'fresh-processes' });
    expect((draft.plan as any).layouts.length).toBeGreaterThanOrEqual(4);
    if (draft.status === 'applied') expect(draft.choice).not.toHaveProperty('hot');
  });
});

describe('every key of the vocabulary has an effect', () => {
  const present = { kind: 'memory', packing: 'declared', cacheLineBytes: 64, order: 'aos' } as const;
  const request = async (tree: object) => readRequest(await parseMemorySettings(tree));
  const alignment = (keys: object) => ({ cacheOptimization: { dataAlignment: keys } });
  const spatial = (keys: object) => ({ cacheOptimization: { cacheLocality: { spatialLocality: keys } } });

  it('and each of its keys changes what is asked', async () => {
    const leaves: [string, unknown][] = [
      ['cacheOptimization.dataAlignment.structPacking', 'cache_line'],
      ['cacheOptimization.dataAlignment.cacheLineOptimization', 128],
      ['cacheOptimization.dataAlignment.memoryAccessPatterns', 'sequential_access'],
      ['cacheOptimization.cacheLocality.spatialLocality.arrayTraversal', 'stride_optimization'],
      ['cacheOptimization.cacheLocality.spatialLocality.dataClustering', 'proximity_based'],
      ['cacheOptimization.cacheLocality.temporalLocality.dataReuse', 'loop_fusion'],
      ['cacheOptimization.cacheLocality.temporalLocality.variableLifetime', 'scope_minimization'],
      ['memoryAllocation.poolingStrategy.objectPools', 'configurable'],
      ['memoryAllocation.poolingStrategy.arenaAllocation', 'thread_local'],
      ['memoryAllocation.poolingStrategy.fragmentationPrevention', 'buddy_system'],
      ['runtime.youngGeneration', 48],
      ['runtime.oldGeneration', 2048],
    ];
    const treeOf = (path: string, value: unknown): object =>
      path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
    // The list is complete: all settings together have these leaves and no other.
    const everything = await parseMemorySettings({
      cacheOptimization: { dataAlignment: { memoryAccessPatterns: 'random_access' }, cacheLocality: true },
      memoryAllocation: true,
      runtime: true,
    });
    const pathsOf = (tree: object, at = ''): string[] =>
      Object.entries(tree).flatMap(([key, value]) =>
        typeof value === 'object' && value !== null ? pathsOf(value, `${at}${key}.`) : [`${at}${key}`],
      );
    expect(pathsOf(everything).toSorted()).toEqual(leaves.map(([path]) => path).toSorted());
    for (const [path, value] of leaves) {
      // Beside a group without the key, so that a group's own defaults are no effect of the key.
      const groupPath = path.split('.').slice(0, -1).join('.');
      const without = await request(treeOf(groupPath, {}));
      expect(await request(treeOf(path, value)), path).not.toEqual(without);
    }
  });

  it('structPacking and cacheLineOptimization restrict the candidates', async () => {
    for (const structPacking of ['minimal_padding', 'cache_line'] as const) {
      for (const cacheLineOptimization of [64, 128] as const) {
        const found = layoutCandidates(
          await request(alignment({ structPacking, cacheLineOptimization })),
          present,
          undefined,
        );
        expect(found).toEqual([
          { ...present, packing: structPacking, cacheLineBytes: cacheLineOptimization },
        ]);
      }
    }
  });

  it('memoryAccessPatterns chooses the measured pattern and opens the orders', async () => {
    expect((await request(alignment({}))).access).toBe('mixed');
    expect(await request(alignment({ memoryAccessPatterns: 'sequential_access' }))).toMatchObject({
      access: 'sequential',
      compareOrders: true,
    });
    expect((await request(alignment({ memoryAccessPatterns: 'random_access' }))).access).toBe('random');
  });

  it('arrayTraversal opens the orders, dataClustering the hot fields', async () => {
    const orders = layoutCandidates(
      await request(spatial({ arrayTraversal: 'stride_optimization' })),
      present,
      undefined,
    ).map((choice) => choice.order);
    expect(new Set(orders)).toEqual(new Set(['aos', 'soa', 'aosoa']));
    expect(await request(spatial({ dataClustering: 'proximity_based' }))).toMatchObject({
      clusterHot: true,
      compareOrders: false,
    });
  });

  it.each([
    [
      { cacheOptimization: { cacheLocality: { temporalLocality: { dataReuse: 'loop_fusion' } } } },
      'loop_fusion',
    ],
    [
      {
        cacheOptimization: {
          cacheLocality: { temporalLocality: { variableLifetime: 'scope_minimization' } },
        },
      },
      'scope_minimization',
    ],
    [{ memoryAllocation: { poolingStrategy: { objectPools: 'configurable' } } }, 'object_pools'],
    [{ memoryAllocation: { poolingStrategy: { arenaAllocation: 'thread_local' } } }, 'thread_arena'],
    [{ memoryAllocation: { poolingStrategy: { fragmentationPrevention: 'buddy_system' } } }, 'buddy_system'],
  ] as const)('%j is measured as a study of its own', async (tree, study) => {
    const T = struct('T', fields);
    const draft = await optimizeMemory(T, await parseMemorySettings(tree), [], context(6_000));
    expect((draft.plan as any).studies.map((each: any) => each.study)).toEqual([study]);
    expect(draft.comparisons.length).toBeGreaterThanOrEqual(1);
    expect(draft.comparisons.at(-1)!.ratio).toBeGreaterThan(0);
    if (study === 'buddy_system')
      expect((draft.plan as any).studies[0].fragmentation.internal).toBeGreaterThan(0);
  });

  it('runtime sizes become flags that a workload module is run with', async () => {
    expect((await request({ runtime: { youngGeneration: 48, oldGeneration: true } })).flags).toEqual([
      '--max-semi-space-size=48',
      '--max-old-space-size=1024',
      '--max-old-space-size=4096',
    ]);
    const module = new URL('../../fixtures/memory-churn.js', import.meta.url);
    const T = struct('T', fields);
    const draft = await optimizeMemory(
      T,
      await parseMemorySettings({ runtime: { youngGeneration: 64 } }),
      [workload({ name: 'churn', module, export: 'churn' })],
      context(12_000),
    );
    expect((draft.plan as any).runtimeFlags).toEqual([
      expect.objectContaining({ flag: '--max-semi-space-size=64', verdict: expect.any(String) }),
    ]);
  });
});
