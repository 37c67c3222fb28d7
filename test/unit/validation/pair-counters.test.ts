import { describe, expect, it } from 'vitest';
import { createFallback } from '../../../dist/native/fallback.js';
import type { NativeContract } from '../../../dist/native/contract.js';
import { countPair } from '../../../dist/validation/pair-counters.js';
import type { Side } from '../../../dist/validation/batch.js';

let work = 0;
const side = (label: string, instructions: number): Side => ({
  label,
  asynchronous: false,
  call: () => (work += instructions),
});

/** Counters of a processor that counts what the sides say they did, and has no cache events. */
function counting({ runningShare = 1, base = 0 } = {}) {
  const open = new Map<number, Float64Array | undefined>();
  const native = {
    implementation: 'addon',
    countersOpen(rows: Float64Array) {
      const names = Array.from({ length: rows.length / 4 }, (_, i) => rows[4 * i + 1]!);
      // Of the generic hardware events, 2 and 3 are those of the last cache.
      const events = names.map((config) => {
        const lacks = config === 2 || config === 3;
        return {
          errno: lacks ? 2 : 0,
          code: lacks ? 'ENOENT' : '',
          excludesKernel: true,
          group: lacks ? -1 : 0,
        };
      });
      open.set(1, undefined);
      return { id: 1, events };
    },
    countersBind: (id: number, out: Float64Array) => open.set(id, out),
    countersReadBound(id: number) {
      const out = open.get(id)!;
      for (let i = 0; i + 2 < out.length; i += 3) {
        // Opening itself counts something, and each reading goes on.
        base += 10;
        out.set([work + base + 1, base + 1, (base + 1) * runningShare], i);
      }
    },
    countersClose: (id: number) => open.delete(id),
  } as unknown as NativeContract;
  return { native, open };
}

describe('counters beside the time of a pair', () => {
  it('are medians per call of each side, without events that the processor lacks', async () => {
    const { native, open } = counting();
    const costs = await countPair([side('a', 1_000), side('b', 3_000)], [100, 50], () => {}, native);
    expect(costs.map(({ name }) => name)).toEqual(['instructions', 'cycles', 'branch misses']);
    for (const { unit, baseline, candidate } of costs) {
      expect(unit).toBe('per call');
      // The readings of this script are within a call's hundredth.
      expect(Math.abs(baseline - 1_000)).toBeLessThan(10);
      expect(Math.abs(candidate - 3_000)).toBeLessThan(30);
    }
    expect(open.size).toBe(0);
  });

  it('are left out where they ran for a part of the time only', async () => {
    const { native } = counting({ runningShare: 0.5 });
    expect(await countPair([side('a', 1), side('b', 1)], [10, 10], () => {}, native)).toEqual([]);
  });

  it('are absent without the addon', async () => {
    let called = 0;
    const counted = { label: 'a', asynchronous: false, call: () => (called += 1) };
    expect(await countPair([counted, counted], [10, 10], () => {}, createFallback('a test'))).toEqual([]);
    expect(called).toBe(0);
  });

  it('are closed where a side throws', async () => {
    const { native, open } = counting();
    const bad = side('bad', 0);
    const throws = {
      ...bad,
      call: () => {
        throw new Error('no');
      },
    };
    await expect(countPair([throws, bad], [1, 1], () => {}, native)).rejects.toThrow('no');
    expect(open.size).toBe(0);
  });
});
