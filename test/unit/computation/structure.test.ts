// What wins by structure: blocks, memoisation, coalesced calls.
import { describe, expect, it } from 'vitest';
import { forEachBlock, tileSide } from '../../../dist/computation/blocks.js';
import { coalesce } from '../../../dist/computation/coalesce.js';
import { memoise } from '../../../dist/computation/memoise.js';
import { cacheFromLatencies, effectiveCacheBytes } from '../../../dist/host/effective-cache.js';

describe('forEachBlock', () => {
  it.each([
    [0, 5, 2],
    [5, 0, 2],
    [7, 5, 3],
    [8, 8, 4],
    [3, 100, 64],
  ])('visits every element of %i × %i once in tiles of %i', (rows, columns, tile) => {
    const visits = new Uint8Array(rows * columns);
    forEachBlock(
      rows,
      columns,
      (r0, r1, c0, c1) => {
        expect(r1 - r0).toBeLessThanOrEqual(tile);
        expect(c1 - c0).toBeLessThanOrEqual(tile);
        for (let r = r0; r < r1; r += 1) for (let c = c0; c < c1; c += 1) visits[r * columns + c]! += 1;
      },
      { tile },
    );
    expect(visits.every((count) => count === 1)).toBe(true);
  });

  it('sizes tiles so that all matrices fit half of the first cache', () => {
    for (const [elementBytes, matrices] of [
      [8, 1],
      [8, 3],
      [4, 2],
      [64, 2],
    ] as const) {
      const side = tileSide({ elementBytes, matrices });
      expect(side).toBeGreaterThanOrEqual(1);
      expect(side * side * elementBytes * matrices).toBeLessThanOrEqual(effectiveCacheBytes().l1 / 2);
    }
    expect(tileSide({ elementBytes: 1 << 20 })).toBe(1);
  });

  it.each([
    [() => forEachBlock(-1, 1, () => {}), /rows is -1/],
    [() => forEachBlock(1, 1.5, () => {}), /columns is 1.5/],
    [() => forEachBlock(1, 1, () => {}, { tile: 0 }), /tile is 0/],
    [() => forEachBlock(1, 1, undefined as any), /fn is undefined/],
    [() => tileSide({ matrices: 0 }), /matrices is 0/],
    [() => tileSide(null as any), /options of tileSide is null/],
    [() => tileSide({ matrix: 3 } as any), /"matrices" \(the nearest\)/],
    [() => forEachBlock(1, 1, () => {}, { tile: undefined, matrices: -1 } as any), /matrices is -1/],
  ])('refuses what it cannot do', (call, pattern) => {
    expect(call).toThrow(pattern);
  });
});

describe('cache sizes from latencies', () => {
  const curve = (...ns: number[]) => ns.map((value, i) => [8192 * 2 ** i, value] as const);

  it('are where the times step up', () => {
    expect(cacheFromLatencies(curve(1, 1.05, 1.1, 3, 3.2, 3.5, 9, 20))).toEqual({
      l1: 32_768,
      l2: 262_144,
      last: 262_144,
      source: 'measured',
    });
  });

  it('are not made up where the times show none, or nonsense', () => {
    expect(cacheFromLatencies(curve(1, 1, 1, 1, 1))).toBeNull();
    expect(cacheFromLatencies(curve(1, 9, 9, 9, 9))).toBeNull();
  });

  it('of this host are plausible', () => {
    const { l1, l2 } = effectiveCacheBytes();
    expect(l1).toBeGreaterThanOrEqual(8 * 1024);
    expect(l2).toBeGreaterThanOrEqual(l1);
  });
});

describe('memoise', () => {
  /** A clock that a computation moves on by its own cost. */
  function costly(costs: Record<string, number>, options: object = {}) {
    let clockMs = 0;
    const calls: string[] = [];
    const compute = memoise(
      (key: string) => {
        calls.push(key);
        clockMs += costs[key] ?? 1;
        return `${key}!`;
      },
      { maxSize: 2, now: () => clockMs, ...options },
    );
    return { compute, calls, wait: (ms: number) => (clockMs += ms) };
  }

  it('computes once and tells what that saved', () => {
    const { compute, calls } = costly({ a: 7 });
    expect([compute('a'), compute('a'), compute('a')]).toEqual(['a!', 'a!', 'a!']);
    expect(calls).toEqual(['a']);
    expect(compute.stats()).toEqual({
      hits: 2,
      misses: 1,
      evictions: 0,
      entries: 1,
      size: 1,
      computedMs: 7,
      savedMs: 14,
    });
  });

  it('gives up what is cheap before what is dear, unlike LRU', () => {
    const { compute, calls } = costly({ dear: 1_000, b: 1, c: 1, d: 1 });
    for (const key of ['dear', 'b', 'c', 'd', 'dear']) compute(key);
    expect(calls).toEqual(['dear', 'b', 'c', 'd']);
  });

  it('gives up what was once dear and is not asked for', () => {
    const { compute, calls } = costly({ dear: 5 });
    compute('dear');
    for (let i = 0; i < 50; i += 1) compute(`k${i}`);
    compute('dear');
    expect(calls.filter((key) => key === 'dear')).toHaveLength(2);
  });

  it('stays within its bound by size, and keeps nothing larger than it', () => {
    const { compute } = costly({}, { maxSize: 10, size: (value: string) => value.length });
    for (let i = 0; i < 100; i += 1) {
      compute('x'.repeat(i % 15));
      expect(compute.stats().size).toBeLessThanOrEqual(10);
    }
    expect(compute.stats().evictions).toBeGreaterThan(0);
  });

  it('agrees with a plain cache on every result under random use', () => {
    const { compute } = costly({}, { maxSize: 37 });
    let state = 1;
    for (let i = 0; i < 20_000; i += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const key = `k${(state >>> 16) % 90}`;
      expect(compute(key)).toBe(`${key}!`);
    }
    const { entries, size, hits, misses } = compute.stats();
    expect([entries, size]).toEqual([37, 37]);
    expect(hits + misses).toBe(20_000);
  });

  it('computes anew after maxAgeMs, and after clear', () => {
    const { compute, calls, wait } = costly({}, { maxAgeMs: 100 });
    compute('a');
    wait(50);
    compute('a');
    wait(51);
    compute('a');
    expect(calls).toEqual(['a', 'a']);
    compute.clear();
    compute('a');
    expect(calls).toHaveLength(3);
  });

  it('shares a promise, and keeps no rejection', async () => {
    let calls = 0;
    const fetch = memoise(
      async (key: string) => {
        calls += 1;
        await Promise.resolve();
        if (key === 'bad') throw new Error('no');
        return key;
      },
      { maxSize: 10 },
    );
    expect(await Promise.all([fetch('a'), fetch('a')])).toEqual(['a', 'a']);
    expect(await fetch('a')).toBe('a');
    expect(calls).toBe(1);
    await expect(fetch('bad')).rejects.toThrow('no');
    await expect(fetch('bad')).rejects.toThrow('no');
    expect(calls).toBe(3);
    expect(fetch.stats().entries).toBe(1);
  });

  it('keeps nothing whose size cannot be told, also of promises', async () => {
    const size = (value: string) => {
      if (value === 'odd') throw new Error('no size');
      return value === 'text' ? ('7' as unknown as number) : 1;
    };
    let calls = 0;
    const echo = memoise((key: string) => ((calls += 1), key), { maxSize: 5, size });
    expect(() => echo('odd')).toThrow('no size');
    expect(() => echo('odd')).toThrow('no size');
    expect([echo('text'), echo('text'), echo('a'), echo('a')]).toEqual(['text', 'text', 'a', 'a']);
    expect(calls).toBe(5);
    expect(echo.stats()).toMatchObject({ entries: 1, size: 1 });
    const later = memoise(async (key: string) => key, { maxSize: 5, size });
    await expect(later('odd')).rejects.toThrow('no size');
    expect([await later('text'), await later('a')]).toEqual(['text', 'a']);
    expect(later.stats()).toMatchObject({ misses: 3, entries: 1, size: 1 });
  });

  it('counts once what a function asked for while it computed it', () => {
    let depth = 0;
    const nested: (key: string) => number = memoise(
      (key: string) => {
        depth += 1;
        return depth < 3 ? nested(key) + 1 : 0;
      },
      { maxSize: 5 },
    );
    expect(nested('a')).toBe(2);
    expect((nested as ReturnType<typeof memoise>).stats()).toMatchObject({ entries: 1, size: 1 });
  });

  it('keeps nothing of what throws, and refuses bad options', () => {
    let calls = 0;
    const throwing = memoise(
      () => {
        throw new Error(`call ${(calls += 1)}`);
      },
      { maxSize: 1 },
    );
    expect(throwing).toThrow('call 1');
    expect(throwing).toThrow('call 2');
    expect(() => memoise(() => 1, { maxSize: 0 })).toThrow(/maxSize is 0/);
    expect(() => memoise(5 as any, { maxSize: 1 })).toThrow(/fn is 5/);
    expect(() => (memoise as any)(5)).toThrow(/fn is 5/);
    expect(() => memoise(() => 1, { maxSize: 1, key: 5 as any })).toThrow(/key is 5/);
    // Its second argument would be left out of the key.
    expect(() => memoise((a: number, b: number) => a + b, { maxSize: 5 })).toThrow(/key is none/);
  });
});

describe('coalesce', () => {
  it('asks once for the calls of a turn, and once for equal keys', async () => {
    const batches: number[][] = [];
    const double = coalesce((keys: readonly number[]) => {
      batches.push([...keys]);
      return keys.map((key) => key * 2);
    });
    expect(await Promise.all([double(1), double(2), double(1)])).toEqual([2, 4, 2]);
    expect(await double(1)).toBe(2);
    expect(batches).toEqual([[1, 2], [1]]);
    expect(double.stats()).toEqual({ calls: 4, batches: 2, keys: 3 });
  });

  it('sends a full batch at once', async () => {
    const sizes: number[] = [];
    const echo = coalesce(
      (keys: readonly number[]) => {
        sizes.push(keys.length);
        return [...keys];
      },
      { maxBatch: 3, maxWaitMs: 60_000 },
    );
    const all = Array.from({ length: 7 }, (_, i) => echo(i));
    expect(sizes).toEqual([3, 3]);
    echo.flush();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('takes keys as equal by their identity', async () => {
    const byId = coalesce((keys: readonly { id: number }[]) => keys.map(({ id }) => id), {
      identity: ({ id }) => id,
    });
    await Promise.all([byId({ id: 1 }), byId({ id: 1 })]);
    expect(byId.stats().keys).toBe(1);
  });

  it('rejects one call for its error, all for a throw or a wrong count', async () => {
    const mixed = coalesce((keys: readonly number[]) =>
      keys.map((key) => (key < 0 ? new Error(`bad ${key}`) : key)),
    );
    expect(await Promise.allSettled([mixed(1), mixed(-1)])).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { message: 'bad -1' } },
    ]);
    const throwing = coalesce(() => {
      throw new Error('down');
    });
    await expect(Promise.all([throwing(1), throwing(2)])).rejects.toThrow('down');
    const short = coalesce((): number[] => []);
    await expect(short(1)).rejects.toThrow(/an array of 0 for 1 keys/);
  });

  it('rejects the call whose key has no identity, and takes no harm from a function that empties its keys', async () => {
    const emptying = coalesce(
      (keys: readonly number[]) => {
        const results: number[] = [];
        while (keys.length > 0) results.push((keys as number[]).shift()! * 2);
        return results;
      },
      {
        identity: (key) => {
          if (key < 0) throw new Error('no identity');
          return key;
        },
      },
    );
    expect(await Promise.allSettled([emptying(1), emptying(-1), emptying(2)])).toMatchObject([
      { status: 'fulfilled', value: 2 },
      { status: 'rejected', reason: { message: 'no identity' } },
      { status: 'fulfilled', value: 4 },
    ]);
  });

  it('refuses bad options', () => {
    expect(() => coalesce(5 as any)).toThrow(/batch is 5/);
    expect(() => coalesce(() => [], { maxBatch: 0 })).toThrow(/maxBatch is 0/);
    expect(() => coalesce(() => [], { maxWaitMs: -1 })).toThrow(/maxWaitMs is -1/);
  });
});
