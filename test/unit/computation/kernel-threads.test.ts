// The kernels on native threads: the same bits as on one, waiting or not, and what is refused.
import { describe, expect, it } from 'vitest';
import * as kernels from '../../../dist/computation/kernels/kernels.js';
import { loadNative } from '../../../dist/native/load.js';
import { randomSource } from '../memory/random.js';

const { background } = kernels;
const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

function shared(length: number, seed = 1): Float64Array {
  const next = randomSource(seed);
  const values = new Float64Array(new SharedArrayBuffer(length * 8));
  for (let i = 0; i < length; i += 1) values[i] = (next() - 0.5) * 1000;
  return values;
}
const keysOf = (length: number) => {
  const keys = new Uint32Array(new SharedArrayBuffer(length * 4));
  for (let i = 0; i < length; i += 1) keys[i] = (i * 7919) % 100;
  return keys;
};

/** Element by element: `toEqual` takes minutes over so many. */
function sameArray(a: ArrayLike<number>, b: ArrayLike<number>): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i += 1) if (!Object.is(a[i], b[i])) expect([i, a[i]]).toEqual([i, b[i]]);
}

describe.each([0, 1, 65_536, 131_072, 131_073, 800_001])('kernels on threads, %i values', (length) => {
  const a = shared(length, length);
  const b = shared(length, length + 1);
  const keys = keysOf(length);
  const bins = { bins: 50, low: -400, high: 400 };

  it.each([2, 3, 8])('give with %i threads what one gives', async (threads) => {
    const on = { threads };
    const pairs: [unknown, unknown, Promise<unknown>][] = [
      [kernels.sum(a), kernels.sum(a, on), background.sum(a, on)],
      [
        kernels.sum(a, { compensated: true }),
        kernels.sum(a, { compensated: true, threads }),
        background.sum(a, { compensated: true, threads }),
      ],
      [kernels.mean(a), kernels.mean(a, on), background.mean(a, on)],
      [kernels.min(a), kernels.min(a, on), background.min(a, on)],
      [kernels.max(a), kernels.max(a, on), background.max(a, on)],
      [kernels.argmin(a), kernels.argmin(a, on), background.argmin(a, on)],
      [kernels.argmax(a), kernels.argmax(a, on), background.argmax(a, on)],
      [kernels.moments(a), kernels.moments(a, on), background.moments(a, on)],
      [kernels.dot(a, b), kernels.dot(a, b, on), background.dot(a, b, on)],
      [
        kernels.histogram(a, bins),
        kernels.histogram(a, { ...bins, threads }),
        background.histogram(a, { ...bins, threads }),
      ],
      [
        kernels.groupSum(keys, a, 100),
        kernels.groupSum(keys, a, 100, on),
        background.groupSum(keys, a, 100, on),
      ],
    ];
    for (const [one, many, later] of pairs) {
      expect(many).toEqual(one);
      expect(await later).toEqual(one);
    }
    const sums = kernels.prefixSum(a);
    sameArray(kernels.prefixSum(a, new Float64Array(length), on), sums);
    sameArray(await background.prefixSum(a, undefined, on), sums);
    const order = kernels.argsort(a);
    sameArray(kernels.argsort(a, new Uint32Array(length), on), order);
    sameArray(await background.argsort(a, undefined, on), order);
    const sorted = a.slice().sort();
    sameArray(kernels.sort(a.slice(), on), sorted);
    const inPlace = shared(length, length);
    expect(await background.sort(inPlace, on)).toBe(inPlace);
    sameArray(inPlace, sorted);
    const updated = kernels.axpy(0.3, a, Float64Array.from(b));
    const copy = shared(length, length + 1);
    expect(kernels.axpy(0.3, a, copy, on)).toBe(copy);
    sameArray(copy, updated);
    const scaled = Float64Array.from(updated, (value) => value * 3);
    expect(await background.scale(copy, 3, on)).toBe(copy);
    sameArray(copy, scaled);
    const again = shared(length, length + 1);
    expect(await background.axpy(0.3, a, again)).toBe(again);
    sameArray(again, updated);
  });
});

describe('kernels in the background', () => {
  it('refuse memory that can go away', async () => {
    await expect(background.sum(new Float64Array(10))).rejects.toThrow(invalid);
    await expect(background.dot(shared(5), new Float64Array(5))).rejects.toThrow(invalid);
    await expect(background.sum('x' as never)).rejects.toThrow(invalid);
    await expect(background.sum(shared(5), { threads: 65 })).rejects.toThrow(invalid);
    const native = loadNative().kernels!;
    expect(() => native.arrayJobAsync(0, 2, new Float64Array(10), new Float64Array(10))).toThrow(TypeError);
  });

  it('reject with the key that is no group', async () => {
    const keys = keysOf(200_000);
    keys[150_000] = 1000;
    keys[199_999] = 1000;
    const values = shared(200_000);
    await expect(background.groupSum(keys, values, 100)).rejects.toThrow(/keys\[150000\] is 1000/);
    expect(() => kernels.groupSum(keys, values, 100, { threads: 2 })).toThrow(/keys\[150000\] is 1000/);
  });

  it('keep what they work on when nobody else does', async () => {
    const sums = Array.from({ length: 40 }, (_, k) => background.sum(shared(200_000, k)));
    const alone = Array.from({ length: 40 }, (_, k) => kernels.sum(shared(200_000, k)));
    expect(await Promise.all(sums)).toEqual(alone);
  });

  it('use one pool, which has no more threads than were asked for', async () => {
    await background.sum(shared(2 ** 20), { threads: 3 });
    const threads = loadNative().kernels!.poolThreads();
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(threads).toBeLessThanOrEqual(64);
  });
});
