import { describe, expect, it } from 'vitest';
import { SlabPool } from '../../../dist/memory/slab-pool.js';

const code = (wanted: string) => expect.objectContaining({ code: wanted });

function takeForOrders(pool: SlabPool): number {
  return pool.acquire();
}

function takeForQuotes(pool: SlabPool): number | undefined {
  return pool.tryAcquire();
}

async function waitForIt(pool: SlabPool): Promise<number> {
  return pool.acquireAsync();
}

describe('SlabPool with poison', () => {
  it.each([1, 4095, 4096, 10_000])('reports a write after the release of a slot of %i bytes', (slotBytes) => {
    using pool = new SlabPool({ slotBytes, slots: 2, poison: true, name: 'frames' });
    const handle = pool.acquire();
    const kept = pool.view(handle);
    pool.release(handle);
    expect(kept.every((byte) => byte === 0xdb)).toBe(true);
    kept[slotBytes - 1] = 0x07;
    expect(() => pool.acquire()).toThrow(code('USE_AFTER_RELEASE'));
    // Mended and still free.
    expect(pool.stats().inUse).toBe(0);
    expect(pool.view(pool.acquire()).length).toBe(slotBytes);
  });

  it('names the slot, the byte, and with stacks the release', () => {
    using pool = new SlabPool({ slotBytes: 64, slots: 1, poison: true, captureStacks: true, name: 'frames' });
    const handle = takeForOrders(pool);
    const kept = pool.buffer(handle);
    (function letGo() {
      pool.release(handle);
    })();
    kept.write('x', 5);
    expect(() => pool.acquire()).toThrow(/Slot 0 of pool "frames".*byte 5 is 0x78.*letGo.*slab-trace\.test/);
  });

  it('lets correct traffic pass, after a trim too', () => {
    using pool = new SlabPool({ slotBytes: 4096, slots: 4, maxSlots: 16, alignment: 'page', poison: true });
    const held: number[] = [];
    for (let round = 0; round < 200; round += 1) {
      if (round % 3 === 2) pool.release(held.shift()!);
      else {
        const handle = pool.tryAcquire();
        if (handle !== undefined) pool.view(held[held.push(handle) - 1]!).fill(round);
      }
      if (round % 50 === 49) pool.trim();
    }
    expect(pool.stats().inUse).toBe(held.length);
  });
});

describe('SlabPool with captureStacks', () => {
  it('groups what nobody released by the place that took it', async () => {
    using pool = new SlabPool({ slotBytes: 100, slots: 6, captureStacks: true });
    for (let k = 0; k < 3; k += 1) takeForOrders(pool);
    takeForQuotes(pool);
    takeForQuotes(pool);
    const passing = takeForOrders(pool);
    const waiting = waitForIt(pool);
    pool.release(passing);
    await waiting;
    const leaks = pool.leaks();
    expect(leaks.map(({ count, sizeBytes }) => [count, sizeBytes])).toEqual([
      [3, 300],
      [2, 200],
      [1, 100],
    ]);
    expect(leaks[0]!.site).toMatch(/takeForOrders.*slab-trace\.test/);
    expect(leaks[1]!.site).toMatch(/takeForQuotes.*slab-trace\.test/);
    expect(leaks[2]!.site).toMatch(/waitForIt.*slab-trace\.test/);
    for (const { stack, oldestMs } of leaks) {
      expect(stack).not.toContain('SlabPool.');
      expect(oldestMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('reports nothing where everything came back, and after the close what did not', () => {
    const pool = new SlabPool({ slotBytes: 8, slots: 2, captureStacks: true });
    pool.release(takeForOrders(pool));
    expect(pool.leaks()).toEqual([]);
    takeForQuotes(pool);
    pool.close();
    expect(pool.leaks()).toMatchObject([{ count: 1, site: expect.stringContaining('takeForQuotes') }]);
  });

  it('tells with a stale handle where it was released', () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 1, captureStacks: true });
    const handle = pool.acquire();
    (function firstRelease() {
      pool.release(handle);
    })();
    expect(() => pool.release(handle)).toThrow(
      expect.objectContaining({
        code: 'STALE_HANDLE',
        cause: expect.objectContaining({ stack: expect.stringContaining('firstRelease') }),
      }),
    );
  });

  it('is refused where stacks were not captured', () => {
    using pool = new SlabPool({ slotBytes: 8, slots: 1 });
    expect(() => pool.leaks()).toThrow(code('NOT_SUPPORTED'));
  });

  it('refuses what every pool refuses', () => {
    const pool = new SlabPool({ slotBytes: 8, slots: 2, poison: true, captureStacks: true });
    const handle = pool.acquire();
    pool.acquire();
    expect(() => pool.acquire()).toThrow(code('POOL_EXHAUSTED'));
    pool.release(handle);
    expect(() => pool.view(handle)).toThrow(code('STALE_HANDLE'));
    expect(() => pool.release(NaN)).toThrow(code('FOREIGN_HANDLE'));
    pool.close();
    expect(() => pool.acquire()).toThrow(code('CLOSED'));
  });
});
