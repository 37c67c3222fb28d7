import { describe, expect, it } from 'vitest';
import { SlabPool } from '../../../dist/memory/slab-pool.js';
import { loadNative } from '../../../dist/native/load.js';
import { randomSource } from './random.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('SlabPool', () => {
  it('hands out distinct slots that keep what was written', () => {
    using pool = new SlabPool({ slotBytes: 24, slots: 50 });
    const handles = Array.from({ length: 50 }, () => pool.acquire());
    handles.forEach((handle, k) => pool.view(handle).fill(k));
    handles.forEach((handle, k) => expect([...new Set(pool.view(handle))]).toEqual([k]));
    expect(new Set(handles).size).toBe(50);
  });

  it('aligns every slot, in every segment', () => {
    for (const alignment of [8, 64, 128, 4096, 'page'] as const) {
      using pool = new SlabPool({ slotBytes: 40, slots: 3, maxSlots: 20, alignment });
      for (let k = 0; k < 20; k += 1) {
        const address = loadNative().addressOf(pool.view(pool.acquire()));
        const bytes = alignment === 'page' ? 4096n : BigInt(alignment);
        expect(address % bytes).toBe(0n);
        if (loadNative().implementation === 'addon') expect(address).not.toBe(0n);
      }
    }
  });

  it('gives the same view and Buffer whenever a slot is acquired, of exactly slotBytes', () => {
    using pool = new SlabPool({ slotBytes: 100, slots: 1 });
    const first = pool.acquire();
    const view = pool.view(first);
    const buffer = pool.buffer(first);
    expect(view.length).toBe(100);
    expect(Buffer.isBuffer(buffer)).toBe(true);
    buffer.write('shared');
    expect(pool.view(first)[0]).toBe('s'.charCodeAt(0));
    pool.release(first);
    const second = pool.acquire();
    expect(second).not.toBe(first);
    expect(pool.view(second)).toBe(view);
    expect(pool.buffer(second)).toBe(buffer);
    expect(pool.offset(second)).toBe(view.byteOffset);
  });

  it('grows by segments to maxSlots, then throws; what was handed out stays', () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 4, maxSlots: 10 });
    const handles = Array.from({ length: 10 }, (_, k) => {
      const handle = pool.acquire();
      pool.view(handle).fill(k);
      return handle;
    });
    expect(() => pool.acquire()).toThrow(code('POOL_EXHAUSTED'));
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ capacity: 10, inUse: 10, highWater: 10, growths: 2, exhausted: 2 });
    handles.forEach((handle, k) => expect(pool.view(handle)[7]).toBe(k));
    pool.release(handles[3]!);
    expect(pool.tryAcquire()).toBeDefined();
  });

  it('never hands a slot out twice and loses none, over random traffic', () => {
    const random = randomSource(3);
    for (const checks of ['generation', 'none'] as const) {
      using pool = new SlabPool({ slotBytes: 16, slots: 5, maxSlots: 300, checks });
      const held = new Map<number, number>();
      let most = 0;
      for (let round = 0; round < 30_000; round += 1) {
        if (random() < 0.505) {
          const handle = pool.tryAcquire();
          if (handle === undefined) {
            expect(held.size).toBe(300);
            continue;
          }
          if (held.has(handle)) expect.fail('a handle in use was handed out');
          pool.view(handle).fill(round & 255);
          held.set(handle, round & 255);
        } else if (held.size > 0) {
          const handle = [...held.keys()][Math.floor(random() * held.size)]!;
          const view = pool.view(handle);
          if (view[0] !== held.get(handle) || view[15] !== held.get(handle)) expect.fail('slots overlap');
          pool.release(handle);
          held.delete(handle);
        }
        most = Math.max(most, held.size);
      }
      expect(pool.stats()).toMatchObject({ inUse: held.size, highWater: most });
    }
  });

  it('trims pages of free slots, which read as zero afterwards, and keeps the others', () => {
    using pool = new SlabPool({ slotBytes: 4096, slots: 64, alignment: 'page' });
    const handles = Array.from({ length: 64 }, () => pool.acquire());
    for (const handle of handles) pool.view(handle).fill(7);
    const kept = handles.pop()!;
    for (const handle of handles) pool.release(handle);
    const returned = pool.trim();
    if (loadNative().implementation === 'addon') expect(returned).toBe(63 * 4096);
    expect(pool.view(kept)[4095]).toBe(7);
    const again = pool.acquire();
    if (returned > 0) expect(pool.view(again)[0]).toBe(0);
  });
});

describe('SlabPool.acquireAsync', () => {
  it('serves waiting callers first come, first served', async () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 1 });
    const held = await pool.acquireAsync();
    const order: string[] = [];
    const first = pool.acquireAsync().then((handle) => (order.push('first'), handle));
    const second = pool.acquireAsync().then((handle) => (order.push('second'), handle));
    expect(pool.stats().waiting).toBe(2);
    pool.release(held);
    expect(pool.tryAcquire()).toBeUndefined(); // the slot went to the first waiter, not to a latecomer
    pool.release(await first);
    pool.release(await second);
    expect(order).toEqual(['first', 'second']);
    expect(pool.stats()).toMatchObject({ waiting: 0, inUse: 0 });
  });

  it('refuses to wait with what is no signal, also while slots are free', async () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 1 });
    for (const wrong of [
      { signal: 5 },
      { signal: null },
      { signal: new AbortController() },
      { timeoutMs: 5 },
      5,
    ]) {
      await expect(pool.acquireAsync(wrong as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(pool.stats()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it('leaves the queue when its signal fires, and loses no slot by it', async () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 1, name: 'io' });
    const held = pool.acquire();
    const controller = new AbortController();
    const aborted = pool.acquireAsync({ signal: controller.signal });
    const patient = pool.acquireAsync();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
    pool.release(held);
    pool.release(await patient);
    expect(pool.stats().inUse).toBe(0);
    await expect(pool.acquireAsync({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('rejects waiting callers when the pool closes', async () => {
    const pool = new SlabPool({ slotBytes: 8, slots: 1 });
    pool.acquire();
    const waiting = pool.acquireAsync();
    pool.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(pool.acquireAsync()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe("SlabPool with checks 'none'", () => {
  it('serves waiting callers in their order too, and goes on at full speed afterwards', async () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 2, checks: 'none' });
    expect(pool).toBeInstanceOf(SlabPool);
    const held = [pool.acquire(), pool.acquire()];
    const waiting = [pool.acquireAsync(), pool.acquireAsync()];
    pool.release(held[1]!);
    pool.release(held[0]!);
    expect(await Promise.all(waiting)).toEqual([held[1], held[0]]);
    for (const handle of held) pool.release(handle);
    expect(pool.stats()).toMatchObject({ inUse: 0, highWater: 2, waiting: 0 });
    expect(new Set([pool.acquire(), pool.acquire()])).toEqual(new Set(held));
  });

  it('refuses the debugging options, which need to know the slots in use', () => {
    for (const debug of [{ poison: true }, { captureStacks: true }]) {
      const make = () => new SlabPool({ slotBytes: 8, slots: 2, checks: 'none', ...debug });
      expect(make).toThrow(code('INVALID_ARGUMENT'));
    }
  });
});

describe('misuse of SlabPool', () => {
  it('refuses double releases and stale handles, also after the slot was taken again', () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 1, name: 'orders' });
    const handle = pool.acquire();
    pool.release(handle);
    for (const use of [
      () => pool.release(handle),
      () => pool.view(handle),
      () => pool.buffer(handle),
      () => pool.offset(handle),
    ]) {
      expect(use).toThrow(code('STALE_HANDLE'));
    }
    const next = pool.acquire();
    expect(() => pool.release(handle)).toThrow(/"orders"/);
    expect(pool.has(handle)).toBe(false);
    expect(pool.has(next)).toBe(true);
    expect(pool.stats().inUse).toBe(1);
  });

  it.each([NaN, -1, 0.5, 2 ** 53, Infinity, '1', null, undefined, {}, 4_000_000_000, 1n])(
    'refuses %s as a handle',
    (wrong) => {
      using pool = new SlabPool({ slotBytes: 8, slots: 3 });
      pool.acquire();
      for (const use of [() => pool.release(wrong as never), () => pool.view(wrong as never)]) {
        expect(use).toThrow(Error);
        if (typeof wrong !== 'bigint') expect(use).toThrow(expect.objectContaining({ name: 'HandleError' }));
      }
      expect(pool.stats().inUse).toBe(1);
    },
  );

  it('refuses handles of another pool', () => {
    using one = new SlabPool({ slotBytes: 8, slots: 100 });
    using other = new SlabPool({ slotBytes: 8, slots: 100 });
    const foreign = one.acquire();
    other.acquire();
    expect(() => other.release(foreign)).toThrow(expect.objectContaining({ name: 'HandleError' }));
  });

  it.each([1, 2, 3, 4, 5])(
    'refuses every forged handle of %i free slots, even the one it would give out next',
    (slots) => {
      // The first slots were used and are free, the others were never taken.
      using pool = new SlabPool({ slotBytes: 8, slots, maxSlots: 8 });
      const first = pool.acquire();
      const second = slots > 1 ? pool.acquire() : first;
      for (const handle of new Set([first, second])) pool.release(handle);
      const step = 8;
      const next = Array.from({ length: 17 }, (_, k) => (first + k * step) & 0x7fff_ffff);
      const small = Array.from({ length: 64 }, (_, k) => k - 32);
      for (const forged of [...next, ...small, ~first, ~second, -(2 ** 31), 2 ** 31 - 1]) {
        for (let slot = 0; slot < 8; slot += 1) {
          const handle = (forged & ~7) | slot;
          expect(pool.has(handle)).toBe(false);
          expect(() => pool.release(handle)).toThrow(expect.objectContaining({ name: 'HandleError' }));
          expect(() => pool.view(handle)).toThrow(expect.objectContaining({ name: 'HandleError' }));
        }
      }
      expect(pool.stats().inUse).toBe(0);
    },
  );

  it('throws CLOSED after close, and kept views do no harm', () => {
    const pool = new SlabPool({ slotBytes: 64, slots: 2 });
    const handle = pool.acquire();
    const view = pool.view(handle);
    const buffer = pool.buffer(handle);
    view.fill(9);
    pool.close();
    pool.close();
    for (const use of [
      () => pool.acquire(),
      () => pool.tryAcquire(),
      () => pool.release(handle),
      () => pool.view(handle),
      () => pool.buffer(handle),
      () => pool.trim(),
    ]) {
      expect(use).toThrow(code('CLOSED'));
    }
    expect(view[0]).toBeUndefined();
    view[0] = 1;
    expect(() => buffer.fill(1)).toThrow(TypeError); // V8 says that the buffer is detached
    expect(pool.has(handle)).toBe(false);
    expect(pool.stats()).toMatchObject({ closed: true, inUse: 0, highWater: 1 });
  });

  it("with checks 'none' still stays within its memory", () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 2, checks: 'none' });
    const handle = pool.acquire();
    pool.release(handle);
    expect(() => pool.release(handle)).toThrow(code('STALE_HANDLE')); // more releases than slots
    expect(() => pool.view(7)).toThrow(expect.objectContaining({ name: 'HandleError' }));
    expect(() => pool.release(NaN)).toThrow(expect.objectContaining({ name: 'HandleError' }));
    expect(() => pool.has(handle)).toThrow(code('NOT_SUPPORTED'));
  });

  it.each([
    ['slotBytes', { slotBytes: 0, slots: 1 }],
    ['slotBytes', { slotBytes: NaN, slots: 1 }],
    ['slotBytes', { slotBytes: 2 ** 53, slots: 1 }],
    ['slotBytes', { slotBytes: -8, slots: 1 }],
    ['slotBytes', { slotBytes: 1.5, slots: 1 }],
    ['slots', { slotBytes: 8, slots: 0 }],
    ['slots', { slotBytes: 8, slots: 2 ** 53 }],
    ['maxSlots', { slotBytes: 8, slots: 10, maxSlots: 9 }],
    ['alignment', { slotBytes: 8, slots: 1, alignment: 3 }],
    ['alignment', { slotBytes: 8, slots: 1, alignment: 2 ** 40 }],
    ['hugePages', { slotBytes: 8, slots: 1, hugePages: 'yes' }],
    ['prefault', { slotBytes: 8, slots: 1, prefault: 1 }],
    ['checks', { slotBytes: 8, slots: 1, checks: 'all' }],
    ['name', { slotBytes: 8, slots: 1, name: 5 }],
    ['"slotSize"', { slotBytes: 8, slots: 1, slotSize: 8 }],
    ['options', undefined],
  ])('names %s where it is wrong', (name, options) => {
    const make = () => new SlabPool(options as never);
    expect(make).toThrow(code('INVALID_ARGUMENT'));
    expect(make).toThrow(name);
  });

  it('refuses more memory than can be had with a clear error', () => {
    expect(() => new SlabPool({ slotBytes: 2 ** 30, slots: 2 ** 24 })).toThrow(code('INVALID_ARGUMENT'));
  });
});

describe('SlabPool as a subject', () => {
  const choice = {
    kind: 'pool',
    slots: 32,
    alignmentBytes: 128,
    hugePages: 'never',
    prefault: true,
  } as const;

  it('lays itself out anew where no slot is in use; handles from before stay stale', () => {
    using pool = new SlabPool({ slotBytes: 40, slots: 4, maxSlots: 64, name: 'p' });
    const stale = pool.acquire();
    pool.release(stale);
    pool.applyChoice(choice);
    expect(pool.choice).toEqual(choice);
    expect(pool.stats().capacity).toBe(32);
    expect(() => pool.view(stale)).toThrow(code('STALE_HANDLE'));
    const handles = Array.from({ length: 32 }, () => pool.acquire());
    expect(new Set(handles).size).toBe(32);
    const offsets = handles.map((handle) => pool.offset(handle)).toSorted((a, b) => a - b);
    expect(offsets[1]! - offsets[0]!).toBe(128);
  });

  it('serves callers that wait when a choice adds slots', async () => {
    using pool = new SlabPool({ slotBytes: 40, slots: 1, maxSlots: 1 });
    using wider = new SlabPool({ slotBytes: 40, slots: 2, maxSlots: 64 });
    while (wider.stats().inUse < 64) wider.acquire();
    const waiting = wider.acquireAsync();
    wider.applyChoice({ ...choice, slots: 64 });
    expect(wider.stats().waiting).toBe(1); // 64 is all that it may have
    wider.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    pool.applyChoice(choice);
    expect(pool.stats().capacity).toBe(1);
  });

  it('keeps handles of slots that went and came back stale', () => {
    using pool = new SlabPool({ slotBytes: 40, slots: 16, maxSlots: 16 });
    const stale = Array.from({ length: 16 }, () => pool.acquire());
    for (const handle of stale) pool.release(handle);
    pool.applyChoice({ ...choice, slots: 2 });
    pool.applyChoice({ ...choice, slots: 16 });
    const fresh = Array.from({ length: 16 }, () => pool.acquire());
    expect(new Set(fresh).size).toBe(16);
    for (const handle of stale) expect(pool.has(handle)).toBe(false);
    expect(pool.stats()).toMatchObject({ inUse: 16, highWater: 16 });
  });

  it('keeps slots in use where they are and grows for the rest', () => {
    using pool = new SlabPool({ slotBytes: 40, slots: 4, maxSlots: 16 });
    const handle = pool.acquire();
    const view = pool.view(handle);
    view.fill(5);
    pool.applyChoice(choice);
    expect(pool.stats().capacity).toBe(16); // never beyond maxSlots
    expect(pool.view(handle)).toBe(view);
    expect(view[39]).toBe(5);
  });

  it('refuses a choice of another kind', () => {
    using pool = new SlabPool({ slotBytes: 40, slots: 4 });
    const wrong = { kind: 'memory', packing: 'declared', cacheLineBytes: 64, order: 'aos' } as const;
    expect(() => pool.applyChoice(wrong)).toThrow(code('INVALID_ARGUMENT'));
  });
});
