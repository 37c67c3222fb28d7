import { describe, expect, it } from 'vitest';
import { fixture, float64, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';
import { randomFrom } from '../../fixtures/threads/simulate.js';

const SCHEDULES = ['auto', 'static', 'stealing'] as const;

describe('parallelMap', () => {
  it('fills an array of the same type, or the one given', async () => {
    const pool = poolWith();
    const input = float64(1_000).map((_, i) => i);
    const shared = float64(1_000);
    shared.set(input);
    const task = fixture<(s: number, e: number, d: never) => void>('scaleInto');
    for (const schedule of SCHEDULES) {
      const made = await pool.parallelMap({ task: task as never, input: shared, shared: 3, schedule });
      expect(made).toBeInstanceOf(Float64Array);
      expect([...made]).toEqual([...input].map((value) => value * 3));
    }
    const output = int32(1_000);
    expect(await pool.parallelMap({ task: task as never, input: shared, output, shared: 2 })).toBe(output);
    expect(output[999]).toBe(1_998);
  });

  it.each([
    [{ input: new Float64Array(4) }, 'input'],
    [{ input: [1, 2] }, 'input'],
    [{ input: float64(4), output: float64(5) }, 'output.length'],
    [{ input: float64(4), chunks: 1 }, 'chunks'],
  ])('refuses %j', async (wrong, named) => {
    const error = await rejection(poolWith().parallelMap({ task: fixture('scaleInto'), ...wrong } as never));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(named);
  });
});

describe('parallelScan', () => {
  it.each(['sum', 'product', 'min', 'max'] as const)(
    'gives what a serial scan gives: %s',
    async (operation) => {
      const pool = poolWith();
      const random = randomFrom(3);
      for (const length of [0, 1, 16_384, 16_385, 70_000]) {
        const input = float64(length);
        for (let i = 0; i < length; i += 1) input[i] = Math.floor(random() * 3) - 1 || 1;
        const combine = {
          sum: (a: number, b: number) => a + b,
          product: (a: number, b: number) => a * b,
          min: Math.min,
          max: Math.max,
        }[operation];
        const neutral = { sum: 0, product: 1, min: Infinity, max: -Infinity }[operation];
        const inclusive: number[] = [];
        const exclusive: number[] = [];
        let total = neutral;
        for (const value of input) {
          exclusive.push(total);
          inclusive.push((total = combine(total, value)));
        }
        for (const schedule of SCHEDULES) {
          const made = await pool.parallelScan({ input, operation, schedule });
          expect(
            Buffer.compare(Buffer.from(made.buffer), Buffer.from(Float64Array.from(inclusive).buffer)),
          ).toBe(0);
        }
        expect([...(await pool.parallelScan({ input, operation, exclusive: true }))]).toEqual(exclusive);
      }
    },
  );

  it('gives the same bits of float sums under every schedule, in place too', async () => {
    const pool = poolWith();
    const random = randomFrom(5);
    const input = float64(50_000).map(() => 0) as unknown as Float64Array;
    const shared = float64(50_000);
    for (let i = 0; i < input.length; i += 1) shared[i] = random() * 10 ** (random() * 12);
    const results = [];
    for (const schedule of SCHEDULES) results.push(await pool.parallelScan({ input: shared, schedule }));
    expect(await pool.parallelScan({ input: shared, output: shared })).toBe(shared);
    for (const result of results)
      expect(Buffer.compare(Buffer.from(result.buffer), Buffer.from(shared.buffer))).toBe(0);
  });
});

describe('parallelSort', () => {
  const lengths = [0, 1, 2, 32_767, 32_768, 65_536, 65_537, 100_003, 262_144];
  it.each([
    ['random', (random: () => number) => random() * 1e6 - 5e5],
    ['few values', (random: () => number) => Math.floor(random() * 3)],
    [
      'special values',
      (random: () => number) => [NaN, -0, 0, Infinity, -Infinity, 1][Math.floor(random() * 6)]!,
    ],
    ['one value', () => 7],
  ])('sorts as TypedArray.prototype.sort does: %s', async (_, make) => {
    const pool = poolWith();
    const random = randomFrom(11);
    for (const length of lengths) {
      const values = float64(length);
      for (let i = 0; i < length; i += 1) values[i] = make(random);
      const expected = Float64Array.from(values).sort();
      expect(await pool.parallelSort({ values, schedule: 'stealing' })).toBe(values);
      expect(Buffer.compare(Buffer.from(values.buffer), Buffer.from(expected.buffer))).toBe(0);
    }
  });

  it('sorts integers, on the schedule that auto chooses', async () => {
    const pool = poolWith();
    const random = randomFrom(13);
    const values = int32(150_000);
    for (let i = 0; i < values.length; i += 1) values[i] = Math.floor(random() * 2 ** 32);
    const expected = Int32Array.from(values).sort();
    await pool.parallelSort({ values });
    expect(Buffer.compare(Buffer.from(values.buffer), Buffer.from(expected.buffer))).toBe(0);
  });

  it('stops where its signal is aborted', async () => {
    const values = float64(100_000);
    const error = await rejection(poolWith().parallelSort({ values, signal: AbortSignal.abort() }));
    expect(error.code).toBe('ABORTED');
  });
});
