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

  it.each([0, 1, 100])('is no less strict with %i values than with many', async (length) => {
    const pool = poolWith();
    const values = float64(length).fill(2);
    const sort = (more: object) => rejection(pool.parallelSort({ values, ...more }));
    expect(await sort({ signal: AbortSignal.abort() })).toMatchObject({ code: 'ABORTED' });
    expect((await sort({ schedule: 'bogus' })).message).toContain('schedule');
    expect((await sort({ threads: 0 })).message).toContain('threads');
    await pool.close();
    expect(await sort({})).toMatchObject({ code: 'CLOSED' });
  });

  it('stops where its signal is aborted', async () => {
    const values = float64(100_000);
    const error = await rejection(poolWith().parallelSort({ values, signal: AbortSignal.abort() }));
    expect(error.code).toBe('ABORTED');
  });
});

describe('what is handed through to loops', () => {
  const input = float64(4);
  const calls = {
    parallelMap: (more: object) =>
      poolWith().parallelMap({ task: fixture('scaleInto'), input, shared: 1, ...more } as never),
    parallelScan: (more: object) => poolWith().parallelScan({ input, ...more }),
    parallelSort: (more: object) => poolWith().parallelSort({ values: input, ...more }),
  };

  it.each(
    Object.keys(calls).flatMap((name) => [
      [name, { threads: 0 }, 'threads'],
      [name, { threads: NaN }, 'threads'],
      [name, { schedule: '' }, 'schedule'],
      [name, { signal: null }, 'signal'],
      [name, { signal: false }, 'signal'],
    ]),
  )('is checked where it is nothing: %s %j', async (name, more, named) => {
    const error = await rejection(calls[name as keyof typeof calls](more));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain(named);
  });

  it.each([
    ['parallelSort', '{ values }'],
    ['parallelScan', '{ input }'],
    ['parallelMap', '{ task, input }'],
  ] as const)('%s says how an array is passed', async (name, how) => {
    const pool = poolWith();
    const call = pool[name].bind(pool) as (options: never) => Promise<unknown>;
    for (const wrong of [float64(3), [3, 1, 2], new Float64Array(3)]) {
      const error = await rejection(call(wrong as never));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(error.message).toContain(`${name}(${how})`);
    }
  });
});

describe('arrays that overlap', () => {
  it('are refused: what is read is written meanwhile', async () => {
    const memory = new SharedArrayBuffer(8 * 8);
    const input = new Float64Array(memory, 0, 4);
    const pool = poolWith();
    const overlapping = [new Float64Array(memory, 8, 4), new Float32Array(memory, 0, 4)];
    for (const output of overlapping) {
      const scan = await rejection(pool.parallelScan({ input, output }));
      expect(scan).toMatchObject({ code: 'INVALID_ARGUMENT' });
      const map = { task: fixture('scaleInto'), input, output, shared: 1 };
      expect(await rejection(pool.parallelMap(map as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    input.set([1, 2, 3, 4]);
    const beside = new Float64Array(memory, 32, 4);
    expect([...(await pool.parallelScan({ input, output: beside }))]).toEqual([1, 3, 6, 10]);
    expect([...(await pool.parallelScan({ input, output: input }))]).toEqual([1, 3, 6, 10]);
  });
});

describe('an exclusive scan of integers', () => {
  it.each([
    [Int8Array, -128, 127],
    [Uint8Array, 0, 255],
    [Uint8ClampedArray, 0, 255],
    [Int16Array, -32_768, 32_767],
    [Uint16Array, 0, 65_535],
    [Int32Array, -(2 ** 31), 2 ** 31 - 1],
    [Uint32Array, 0, 2 ** 32 - 1],
  ] as const)('begins with what changes no minimum or maximum: %o', async (Numbers, least, greatest) => {
    const pool = poolWith();
    const Shared = Numbers as unknown as new (memory: SharedArrayBuffer) => Int32Array;
    const input = new Shared(new SharedArrayBuffer(3 * Numbers.BYTES_PER_ELEMENT));
    input.set([5, 3, 7]);
    const scan = async (operation: 'min' | 'max') => [
      ...(await pool.parallelScan({ input, operation, exclusive: true })),
    ];
    expect(await scan('min')).toEqual([greatest, 5, 3]);
    expect(await scan('max')).toEqual([least, 5, 5]);
  });
});
