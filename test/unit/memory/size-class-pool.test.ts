import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measuredHere } from '../../../dist/host/environment.js';
import { optimizeMemory } from '../../../dist/memory/optimize-memory.js';
import { optimizeSizeClasses } from '../../../dist/memory/optimize-size-classes.js';
import { SizeBuckets } from '../../../dist/memory/size-buckets.js';
import { fitSizeClasses } from '../../../dist/memory/size-class-fit.js';
import { learnSizeClasses, sizesInUse } from '../../../dist/memory/size-class-learning.js';
import { SizeClassPool } from '../../../dist/memory/size-class-pool.js';
import type { OptimizationContext } from '../../../dist/model/context.js';
import { loadNative } from '../../../dist/native/load.js';
import { parseMemorySettings } from '../../../dist/settings/parse.js';
import { Store } from '../../../dist/storage/store.js';
import { SystemOptimizer } from '../../../dist/system-optimizer.js';
import { workload } from '../../../dist/validation/workload.js';
import { randomSource } from './random.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });
const context = (budgetMs: number): OptimizationContext => ({
  environment: {} as never,
  budgetMs,
  progress: () => {},
});

/** Takes sizes by their counts, `live` of each at a time. */
function use(pool: SizeClassPool, traffic: Record<number, number>, live = 1): void {
  for (const [size, count] of Object.entries(traffic)) {
    const held: number[] = [];
    for (let k = 0; k < count; k += 1) {
      held.push(pool.acquire(Number(size)));
      if (held.length === live) for (const handle of held.splice(0)) pool.release(handle);
    }
    for (const handle of held) pool.release(handle);
  }
}

describe('SizeBuckets', () => {
  it.each([
    [8, 8192],
    [64, 2 ** 20],
    [64, 100_000],
    [4096, 2 ** 23],
    [2 ** 21, 2 ** 30],
  ])('puts every size into the bucket whose end it does not exceed, aligned to %i up to %i', (align, max) => {
    const buckets = new SizeBuckets(align, max);
    const ends = Array.from({ length: buckets.count }, (_, index) => buckets.upperBytes(index));
    expect(ends.every((end, k) => end % align === 0 && (k === 0 || end > ends[k - 1]!))).toBe(true);
    expect(ends.at(-1)!).toBeGreaterThanOrEqual(max);
    const next = randomSource(7);
    const sizes = [1, max, ...ends.flatMap((end) => [end - 1, end, end + 1])];
    for (let k = 0; k < 2000; k += 1) sizes.push(1 + Math.floor(next() * max));
    const wrong = sizes.filter((size) => {
      if (size > max || size < 1) return false;
      const index = buckets.indexOf(size);
      // Beyond the small ones, rounding up costs less than 0.8 %.
      const isTight = size <= buckets.smallLimit || ends[index]! / size < 1.008;
      return !(isTight && size <= ends[index]! && (index === 0 || size > ends[index - 1]!));
    });
    expect(wrong).toEqual([]);
  });

  it('spaces classes four per doubling, and fewer where that were more than 64', () => {
    expect(new SizeBuckets(64, 2048).defaultClasses()).toEqual([
      64, 128, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048,
    ]);
    for (const max of [1, 63, 64, 65, 1000, 2 ** 20, 8 * 2 ** 20, 2 ** 27, 2 ** 30]) {
      const classes = new SizeBuckets(64, max).defaultClasses();
      expect(classes.length).toBeLessThanOrEqual(64);
      expect(classes.at(-1)!).toBeGreaterThanOrEqual(max);
      expect(classes.at(-1)! / max).toBeLessThan(max < 64 ? 65 : 2);
    }
  });
});

describe('fitSizeClasses', () => {
  /** Every choice of k ends out of the sizes, the last one among them. */
  function exhaustive(sizes: number[], counts: number[], k: number): number {
    const last = sizes.length - 1;
    let best = Infinity;
    for (let mask = 0; mask < 1 << last; mask += 1) {
      const ends = [...sizes.keys()].filter((at) => at === last || (mask >> at) & 1);
      if (ends.length > k) continue;
      const cost = sizes.reduce(
        (sum, _, at) => sum + counts[at]! * sizes[ends.find((end) => end >= at)!]!,
        0,
      );
      best = Math.min(best, cost);
    }
    return best;
  }

  it('wastes as little as any other classes of that number', () => {
    const next = randomSource(11);
    for (let round = 0; round < 300; round += 1) {
      const n = 1 + Math.floor(next() * 9);
      const sizes = [...new Set(Array.from({ length: n }, () => 64 * (1 + Math.floor(next() * 400))))];
      sizes.sort((a, b) => a - b);
      const counts = sizes.map(() => Math.floor(1 + next() ** 3 * 1000));
      const k = 1 + Math.floor(next() * 5);
      const fit = fitSizeClasses({ sizes, counts }, k);
      expect(fit.classes.length).toBeLessThanOrEqual(k);
      expect(fit.slotBytes).toBe(exhaustive(sizes, counts, fit.classes.length));
      const paid = sizes.reduce(
        (sum, size, at) => sum + counts[at]! * fit.classes.find((end) => end >= size)!,
        0,
      );
      expect(paid).toBe(fit.slotBytes);
    }
  });

  it('stops where a further class saves nothing worth having', () => {
    const sizes = [1000, 1001, 1002, 8000];
    expect(fitSizeClasses({ sizes, counts: [9, 9, 9, 9] }, 32).classes).toEqual([1002, 8000]);
    expect(fitSizeClasses({ sizes: [], counts: [] }, 4).classes).toEqual([]);
    expect(fitSizeClasses({ sizes: [8, 16, 24], counts: [0, 3, 0] }, 4).classes).toEqual([16]);
  });
});

describe('SizeClassPool', () => {
  it('hands out aligned slots that are large enough, of the least class that is', () => {
    using pool = new SizeClassPool({ maxBytes: 2000, sizeClasses: [100, 600] });
    for (const [size, slot] of [
      [1, 128],
      [128, 128],
      [129, 640],
      [640, 640],
      [641, 2048],
      [2000, 2048],
    ] as const) {
      const handle = pool.acquire(size);
      expect(pool.view(handle).length).toBe(slot);
      expect(pool.buffer(handle).length).toBe(slot);
      expect(pool.view(handle)).toBe(pool.view(handle));
      expect(loadNative().addressOf(pool.view(handle)) % 64n).toBe(0n);
      expect(handle).toBe(handle | 0);
      expect(pool.has(handle)).toBe(true);
      pool.release(handle);
      expect(pool.has(handle)).toBe(false);
    }
  });

  it('keeps what was written, through random traffic of many sizes', () => {
    using pool = new SizeClassPool({ maxBytes: 200_000, maxSlotsPerClass: 256 });
    const next = randomSource(3);
    const live: { handle: number; size: number; mark: number }[] = [];
    const seen = new Set<number>();
    const problems: string[] = [];
    for (let round = 0; round < 20_000; round += 1) {
      if (live.length < 200 && next() < 0.55) {
        const size = Math.max(1, Math.floor(200_000 * next() ** 6));
        const handle = pool.acquire(size);
        if (seen.has(handle)) problems.push(`handle ${handle} given twice`);
        seen.add(handle);
        const bytes = pool.view(handle);
        const mark = round & 255;
        bytes[0] = mark;
        bytes[size - 1] = mark;
        live.push({ handle, size, mark });
      } else if (live.length > 0) {
        const { handle, size, mark } = live.splice(Math.floor(next() * live.length), 1)[0]!;
        const bytes = pool.buffer(handle);
        if (bytes[0] !== mark || bytes[size - 1] !== mark) problems.push(`${size} bytes overwritten`);
        pool.release(handle);
        if (pool.has(handle)) problems.push(`handle ${handle} in use after release`);
        seen.delete(handle);
      }
    }
    expect(problems).toEqual([]);
    expect(pool.stats().inUse).toBe(live.length);
  });

  it('refuses what is no handle of its own, and stale ones', () => {
    using pool = new SizeClassPool({ maxBytes: 4096 });
    const handle = pool.acquire(100);
    pool.release(handle);
    for (const call of ['release', 'view', 'buffer'] as const) {
      expect(() => pool[call](handle)).toThrow(code('STALE_HANDLE'));
      for (const bad of [-1, 0.5, NaN, 2 ** 40, 2 ** 31 - 1, undefined, null, 'x', {}]) {
        expect(() => pool[call](bad as never)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(STALE|FOREIGN)_HANDLE$/) }),
        );
        expect(pool.has(bad as never)).toBe(false);
      }
    }
    const again = pool.acquire(100);
    expect(again).not.toBe(handle);
    expect(() => pool.release(handle)).toThrow(code('STALE_HANDLE'));
  });

  it('refuses sizes out of range, and counts those that are too large', () => {
    using pool = new SizeClassPool({ maxBytes: 100_000 });
    for (const bad of [0, -1, 1.5, NaN, Infinity, 2 ** 53, '8', undefined, 100_001]) {
      expect(() => pool.acquire(bad as never)).toThrow(code('INVALID_ARGUMENT'));
    }
    expect(pool.stats()).toMatchObject({ oversized: 2, largestOversizedBytes: 2 ** 53, highWater: 0 });
    expect(pool.traffic()).toEqual({ sizes: [], counts: [], requestedBytes: 0 });
  });

  it.each([
    {},
    { maxBytes: 0 },
    { maxBytes: 2 ** 31 },
    { maxBytes: 64, sizeClasses: [65] },
    { maxBytes: 64, sizeClasses: 64 },
    { maxBytes: 1 << 20, sizeClasses: Array.from({ length: 65 }, (_, k) => 64 * (k + 1)) },
    { maxBytes: 64, slotsPerClass: 9, maxSlotsPerClass: 8 },
    { maxBytes: 64, maxSlotsPerClass: 2 ** 18 + 1 },
    { maxBytes: 64, alignment: 48 },
    { maxBytes: 64, maxSlots: 8 },
    { maxBytes: 64, name: 8 },
  ])('refuses %o', (options) => {
    expect(() => new SizeClassPool(options as never)).toThrow(code('INVALID_ARGUMENT'));
  });

  it('is exhausted by class, and waits by class', async () => {
    using pool = new SizeClassPool({
      maxBytes: 256,
      sizeClasses: [128],
      slotsPerClass: 1,
      maxSlotsPerClass: 2,
    });
    const held = [pool.acquire(100), pool.acquire(100)];
    expect(() => pool.acquire(100)).toThrow(code('POOL_EXHAUSTED'));
    expect(pool.tryAcquire(100)).toBeUndefined();
    expect(pool.has(pool.acquire(200))).toBe(true);
    const waiting = pool.acquireAsync(50);
    expect(pool.stats().waiting).toBe(1);
    pool.release(held[0]!);
    expect(pool.has(await waiting)).toBe(true);
    await expect(pool.acquireAsync(50, { signal: AbortSignal.abort() })).rejects.toEqual(code('ABORTED'));
    expect(pool.stats().classes[0]).toMatchObject({ slotBytes: 128, capacity: 2, inUse: 2, exhausted: 2 });
  });

  it('reserves a class when it is first used, and gives pages back', () => {
    using pool = new SizeClassPool({ maxBytes: 1 << 20 });
    expect(pool.stats()).toMatchObject({ capacity: 0, bytes: { capacity: 0, internalFragmentation: null } });
    const handle = pool.acquire(50_000);
    const { classes, bytes } = pool.stats();
    expect(classes.filter(({ capacity }) => capacity > 0)).toHaveLength(1);
    expect(bytes).toMatchObject({ capacity: 2 * 57_344, internalFragmentation: 1 - 50_000 / 57_344 });
    pool.view(handle).fill(1);
    pool.release(handle);
    expect(pool.trim()).toBeGreaterThan(50_000);
  });

  it('throws CLOSED after close, twice without harm', async () => {
    const pool = new SizeClassPool({ maxBytes: 4096, slotsPerClass: 1, maxSlotsPerClass: 1 });
    const handle = pool.acquire(10);
    const kept = pool.view(handle);
    const waiting = expect(pool.acquireAsync(10)).rejects.toEqual(code('CLOSED'));
    pool.close();
    pool.close();
    await waiting;
    expect(kept[0]).toBeUndefined();
    for (const call of [
      () => pool.acquire(10),
      () => pool.tryAcquire(10),
      () => pool.release(handle),
      () => pool.view(handle),
      () => pool.buffer(handle),
      () => pool.trim(),
      () => pool.applyChoice(pool.choice),
    ]) {
      expect(call).toThrow(code('CLOSED'));
    }
    expect(pool.has(handle)).toBe(false);
    expect(pool.stats()).toMatchObject({ closed: true, inUse: 0, bytes: { capacity: 0 } });
  });

  it('finds leaks and late writers where asked to', () => {
    using pool = new SizeClassPool({ maxBytes: 4096, poison: true, captureStacks: true });
    const handles = [pool.acquire(10), pool.acquire(3000)];
    const leaks = pool.leaks();
    expect(leaks).toHaveLength(2); // two places in this line
    expect(leaks.every(({ site }) => site.includes('size-class-pool.test'))).toBe(true);
    const kept = pool.view(handles[0]!);
    pool.release(handles[0]!);
    kept[3] = 1;
    expect(() => pool.acquire(10)).toThrow(code('USE_AFTER_RELEASE'));
    using plain = new SizeClassPool({ maxBytes: 64 });
    expect(() => plain.leaks()).toThrow(code('NOT_SUPPORTED'));
  });
});

describe('applying size classes', () => {
  const classes = (...sizes: number[]) =>
    ({
      kind: 'size_classes',
      classes: sizes.map((slotBytes) => ({ slotBytes, slots: 4, growSlots: 3 })),
    }) as const;

  it('wastes less in classes that fit, and begins and grows as they say', () => {
    using pool = new SizeClassPool({ maxBytes: 4096 });
    use(pool, { 1030: 100 });
    expect(pool.stats().bytes).toMatchObject({ internalFragmentation: 1 - 1030 / 1280 });
    pool.applyChoice(classes(1088));
    expect(pool.choice.classes.map(({ slotBytes }) => slotBytes)).toEqual([1088, 4096]);
    expect(pool.stats().bytes).toMatchObject({ internalFragmentation: 1 - 1030 / 1088, capacity: 0 });
    const capacities = Array.from({ length: 9 }, () => {
      pool.acquire(1030);
      return pool.stats().classes[0]!.capacity;
    });
    expect(capacities).toEqual([4, 4, 4, 4, 7, 7, 7, 10, 10]);
  });

  it('leaves slots in use where they are; a class that went is freed with the last of them', () => {
    using pool = new SizeClassPool({ maxBytes: 4096, sizeClasses: [1024] });
    const [first, second, other] = [pool.acquire(1000), pool.acquire(1000), pool.acquire(2000)];
    pool.view(first).fill(5);
    pool.applyChoice(classes(512, 2048));
    const third = pool.acquire(1000);
    expect(pool.view(third).length).toBe(2048);
    expect(pool.view(first).every((byte) => byte === 5) && pool.view(first).length === 1024).toBe(true);
    expect(pool.stats().inUse).toBe(4);
    const before = pool.stats().bytes as { capacity: number };
    pool.release(first);
    pool.release(second);
    const after = pool.stats().bytes as { capacity: number };
    expect(before.capacity - after.capacity).toBe(64 * 1024);
    expect(() => pool.release(second)).toThrow(code('STALE_HANDLE'));
    expect(() => pool.view(first)).toThrow(code('STALE_HANDLE'));
    pool.release(third);
    pool.release(other); // of the class for maxBytes, which stayed
    expect(pool.stats().inUse).toBe(0);
  });

  it('keeps handles of all generations of classes apart', () => {
    using pool = new SizeClassPool({ maxBytes: 4096 });
    const held: number[] = [];
    for (let round = 1; round <= 40; round += 1) {
      pool.applyChoice(classes(64 * round));
      held.push(pool.acquire(64 * round));
    }
    expect(new Set(held).size).toBe(40);
    held.forEach((handle, k) => expect(pool.view(handle).length).toBe(64 * (k + 1)));
    for (const handle of held) pool.release(handle);
    for (const handle of held) expect(() => pool.release(handle)).toThrow(code('STALE_HANDLE'));
  });

  it('refuses more classes than handles can name, and stays as it was', () => {
    using pool = new SizeClassPool({ maxBytes: 1 << 20, slotsPerClass: 1 });
    const many = (from: number) => classes(...Array.from({ length: 63 }, (_, k) => 64 * (from + 2 * k)));
    const fill = () => pool.choice.classes.forEach(({ slotBytes }) => pool.acquire(slotBytes));
    pool.applyChoice(many(1));
    fill();
    pool.applyChoice(many(2));
    fill();
    const before = pool.choice;
    expect(() => pool.applyChoice(many(200))).toThrow(code('INVALID_ARGUMENT'));
    expect(pool.choice).toEqual(before);
    expect(pool.has(pool.acquire(100))).toBe(true);
  });

  it.each([
    null,
    { kind: 'pool', slots: 1, alignmentBytes: 64, hugePages: 'never', prefault: false },
    { kind: 'size_classes' },
    { kind: 'size_classes', classes: [null] },
    { kind: 'size_classes', classes: [{ slotBytes: 0, slots: 1 }] },
    { kind: 'size_classes', classes: [{ slotBytes: 64, slots: 0 }] },
    { kind: 'size_classes', classes: [{ slotBytes: 64, slots: 1, growSlots: 0 }] },
  ])('refuses %o', (choice) => {
    using pool = new SizeClassPool({ maxBytes: 4096 });
    expect(() => pool.applyChoice(choice as never)).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('learning size classes', () => {
  const traffic = { 70: 4000, 1030: 3000, 1500: 2000, 4200: 1000 };

  it('fits classes to the sizes that were asked for', () => {
    using pool = new SizeClassPool({ maxBytes: 65_536 });
    use(pool, traffic, 40);
    const learning = learnSizeClasses(pool)!;
    expect(learning.learnt.slotSizes).toEqual([128, 1088, 1536, 4224, 65_536]);
    expect(learning.learnt.internalFragmentation).toBeLessThan(0.4 * learning.present.internalFragmentation);
    // Forty of each at a time, with a quarter of headroom, in steps of sixteen; the rest begins small.
    expect(learning.choice.classes.map(({ slots }) => slots)).toEqual([64, 64, 64, 64, 2]);
    pool.applyChoice(learning.choice);
    expect(pool.stats().bytes).toMatchObject({
      internalFragmentation: learning.learnt.internalFragmentation,
    });
  });

  it('has what was in use at once as the slots of merged classes, and the bursts as their growth', () => {
    using pool = new SizeClassPool({
      maxBytes: 1024,
      sizeClasses: [64, 128, 192, 256, 512],
      slotsPerClass: 8,
    });
    // 90 and 10 live at a time in classes that one learnt class takes over, as the small ones are rare.
    use(pool, { 500: 90_000, 250: 10 }, 90);
    const learning = learnSizeClasses(pool)!;
    expect(learning.learnt.slotSizes).toEqual([512, 1024]);
    const [only] = learning.choice.classes;
    expect(only).toEqual({ slotBytes: 512, slots: 128, growSlots: 96 }); // 1.25 · 100; 82 + 2 beyond the first 8
    expect(sizesInUse(pool, 1000).filter((size) => size === 512)).toHaveLength(90);
    expect(sizesInUse(pool, 50)).toHaveLength(50);
  });

  it('learns the same again from the same traffic, once applied', () => {
    using pool = new SizeClassPool({ maxBytes: 65_536, slotsPerClass: 8 });
    use(pool, traffic, 40);
    const sizes = sizesInUse(pool, 1000);
    const { choice } = learnSizeClasses(pool)!;
    pool.applyChoice(choice);
    expect(learnSizeClasses(pool)!.choice).toEqual(choice);
    expect(sizesInUse(pool, 1000)).toEqual(sizes);
    use(pool, { 1030: 200 }, 200);
    expect(learnSizeClasses(pool)!.choice.classes[1]).toEqual({
      slotBytes: 1088,
      slots: 256,
      growSlots: 144,
    });
  });

  it('wins where it is as fast and smaller, and only there', async () => {
    const statusFor = async (verdict: string, sizes: Record<number, number>, sizeClasses?: number[]) => {
      using pool = new SizeClassPool({ maxBytes: 4096, ...(sizeClasses && { sizeClasses }) });
      use(pool, sizes, 20);
      const budget = {
        warnings: [],
        decidingMs: () => 1,
        compare: () => Promise.resolve({ verdict }),
      } as never;
      return (await optimizeSizeClasses(pool, undefined, budget, 0)).status;
    };
    const wasteful = { 70: 100, 1030: 100 };
    expect(await statusFor('equivalent', wasteful)).toBe('applied');
    expect(await statusFor('faster', wasteful)).toBe('applied');
    expect(await statusFor('slower', wasteful)).toBe('no_improvement');
    expect(await statusFor('inconclusive', wasteful)).toBe('inconclusive');
    expect(await statusFor('equivalent', { 1024: 100 }, [1024])).toBe('no_improvement');
  });

  it('is stored, and recalled by the next process that registers the pool', async () => {
    const storagePath = mkdtempSync(join(tmpdir(), 'size-classes-'));
    try {
      using pool = new SizeClassPool({ maxBytes: 4096, name: 'messages' });
      use(pool, { 70: 100, 1030: 100 }, 20);
      const { choice } = learnSizeClasses(pool)!;
      const store = new Store(storagePath, {});
      await store.setChoice('pool:messages', {
        choice,
        profileId: 'p',
        appliedAt: new Date().toISOString(),
        ...measuredHere(),
      });
      const optimizer = new SystemOptimizer({ storagePath });
      using next = optimizer.register(new SizeClassPool({ maxBytes: 4096, name: 'messages' }));
      expect(next.choice).toEqual(choice);
      await optimizer.close();
    } finally {
      rmSync(storagePath, { recursive: true, force: true });
    }
  });

  it('is validated and put in force by optimizeMemory, with the workload of the service', async () => {
    using pool = new SizeClassPool({ maxBytes: 65_536, name: 'messages' });
    use(pool, traffic, 40);
    const before = pool.stats().bytes as { internalFragmentation: number };
    const seen: number[] = [];
    const setup = (subject: unknown) => {
      const given = subject as SizeClassPool;
      seen.push(given.choice.classes.length);
      const turns = given.choice.classes.length === 5 ? 2_000 : 200_000;
      return () => {
        const handle = given.acquire(1030);
        let sum = given.view(handle).length;
        for (let k = 0; k < turns; k += 1) sum = (sum + k * 7) & 1023;
        given.release(handle);
        return sum > 2000 ? sum : 1;
      };
    };
    const settings = await parseMemorySettings({ cacheOptimization: { dataAlignment: true } });
    const draft = await optimizeMemory(pool, settings, [workload({ name: 'w', setup })], context(8_000));
    expect(draft).toMatchObject({
      subject: { kind: 'pool', name: 'messages' },
      status: 'applied',
      validation: { verdict: 'faster' },
      choice: { kind: 'size_classes' },
    });
    expect(seen).toEqual([36, 5]);
    expect(pool.choice).toEqual(draft.choice);
    const after = pool.stats().bytes as { internalFragmentation: number };
    expect(after.internalFragmentation).toBeLessThan(0.4 * before.internalFragmentation);
    expect(draft.warnings.join()).toMatch(/do nothing for pool "messages"/);

    using next = new SizeClassPool({ maxBytes: 65_536, name: 'messages' });
    next.applyChoice(JSON.parse(JSON.stringify(draft.choice)) as never);
    expect(next.choice).toEqual(pool.choice);
  });

  it('measures the life of a pool in fresh processes where there is no workload', async () => {
    using pool = new SizeClassPool({ maxBytes: 4096 });
    use(pool, { 70: 400, 1030: 300 }, 30);
    const settings = await parseMemorySettings({ runtime: {} });
    const draft = await optimizeMemory(pool, settings, [], context(3_000));
    expect(draft.validation).toMatchObject({ form: 'fresh-processes' });
    expect(draft.plan).toMatchObject({
      traffic: { requests: 700, highWater: 60 },
      learnt: { slotSizes: [128, 1088, 4096] },
    });
    expect(pool.choice.classes.length).toBe(draft.status === 'applied' ? 3 : 20);
  });

  it('says what it cannot learn from, and which limits were too low', async () => {
    using pool = new SizeClassPool({ maxBytes: 64, slotsPerClass: 1, maxSlotsPerClass: 1, name: 'tight' });
    const settings = await parseMemorySettings({ runtime: {} });
    const idle = await optimizeMemory(pool, settings, [], context(1_000));
    expect(idle).toMatchObject({ status: 'no_improvement', choice: null });
    expect(idle.warnings.join()).toMatch(/no traffic yet/);
    pool.acquire(64);
    expect(() => pool.acquire(64)).toThrow(code('POOL_EXHAUSTED'));
    expect(() => pool.acquire(65)).toThrow(code('INVALID_ARGUMENT'));
    const full = await optimizeMemory(pool, settings, [], context(1_000));
    expect(full.warnings.join()).toMatch(/raise maxBytes.*raise maxSlotsPerClass/);
  });
});
