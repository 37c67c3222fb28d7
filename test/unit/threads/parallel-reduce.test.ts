import { describe, expect, it } from 'vitest';
import { SCHEDULES } from '../../../dist/threads/partition/by-name.js';
import { fixture, float64, poolWith, rejection } from '../../fixtures/threads/setup.js';

const sum = fixture<(start: number, end: number, shared: { input: Float64Array }) => number>('sum');
const collect = fixture<(start: number, end: number) => number[][]>('collect');
const add = (left: number, right: number) => left + right;

describe('parallelReduce', () => {
  it('gives the same bits under every schedule and thread count', async () => {
    const pool = poolWith({ maxThreads: 3 });
    const input = float64(20_000);
    // Values whose sum depends on the order of additions.
    for (let i = 0; i < input.length; i += 1) input[i] = ((i * 7919) % 1_000) * 10 ** ((i % 31) - 15);
    const results = new Set<number>();
    for (const schedule of SCHEDULES) {
      for (const threads of [1, 2, 3]) {
        for (let run = 0; run < 3; run += 1) {
          const result = await pool.parallelReduce({
            task: sum,
            range: [0, input.length],
            shared: { input },
            schedule,
            threads,
            combine: add,
          });
          results.add(result!);
        }
      }
    }
    expect(results.size).toBe(1);
    const exact = input.reduce(add, 0);
    expect(Math.abs([...results][0]! - exact) / exact).toBeLessThan(1e-12);
  });

  it('gives the same by the short cut for what is known to be short, and checks the same', async () => {
    const pool = poolWith();
    const input = float64(1_000);
    for (let i = 0; i < input.length; i += 1) input[i] = 1 / (i + 1);
    const loop = { task: sum, range: [0, 1_000] as const, shared: { input } };
    const first = await pool.parallelReduce({ ...loop, combine: add, schedule: 'static' });
    for (let i = 0; i < 200; i += 1) expect(await pool.parallelReduce({ ...loop, combine: add })).toBe(first);
    // Each call has its own combine and initial value, and its own data.
    expect(await pool.parallelReduce({ ...loop, combine: Math.max, initial: 5_000 })).toBe(5_000);
    input.fill(2);
    expect(await pool.parallelReduce({ ...loop, combine: add })).toBe(2_000);
    const other = float64(1_000).fill(3);
    expect(await pool.parallelReduce({ ...loop, shared: { input: other }, combine: add })).toBe(3_000);
    for (const wrong of [{ combine: 5 }, { chunk: 5 }, { grain: 0 }, { range: [8, 0] }]) {
      const error = await rejection(pool.parallelReduce({ ...loop, combine: add, ...wrong } as never));
      expect(error.code).toBe('INVALID_ARGUMENT');
    }
    await pool.close();
    expect((await rejection(pool.parallelReduce({ ...loop, combine: add }))).code).toBe('CLOSED');
  });

  it.each(SCHEDULES)(
    'combines in the order of the range, with partial results of any kind: %s',
    async (schedule) => {
      const parts = await poolWith().parallelReduce({
        task: collect,
        range: [5, 1_005],
        shared: undefined,
        schedule,
        grain: 10,
        combine: (left, right) => [...left, ...right],
      });
      expect(parts).toEqual(Array.from({ length: 100 }, (_, part) => [5 + part * 10, 15 + part * 10]));
    },
  );

  it('gives `initial`, or undefined, for an empty range', async () => {
    const pool = poolWith();
    const empty = { task: sum, range: [3, 3] as const, shared: { input: float64(1) }, combine: add };
    expect(await pool.parallelReduce(empty)).toBeUndefined();
    expect(await pool.parallelReduce({ ...empty, initial: 7 })).toBe(7);
    expect(await pool.parallelReduce({ ...empty, costHint: (i: number) => i })).toBeUndefined();
  });

  it('starts from `initial`', async () => {
    const input = float64(4).fill(1);
    const result = await poolWith().parallelReduce({
      task: sum,
      range: [0, 4],
      shared: { input },
      combine: add,
      initial: 100,
    });
    expect(result).toBe(104);
  });

  it('makes room when the same data is reduced more finely', async () => {
    const pool = poolWith();
    const input = float64(5_000).fill(1);
    for (const grain of [1_000, 1, 100, 2]) {
      for (const schedule of ['static', 'stealing'] as const) {
        const result = await pool.parallelReduce({
          task: sum,
          range: [0, 5_000],
          shared: { input },
          schedule,
          grain,
          combine: add,
        });
        expect(result).toBe(5_000);
      }
    }
  });

  it('passes on what combine throws, and keeps working', async () => {
    const pool = poolWith();
    const options = { task: sum, range: [0, 100] as const, shared: { input: float64(100).fill(1) } };
    const error = await rejection(
      pool.parallelReduce({
        ...options,
        combine: () => {
          throw new TypeError('cannot combine');
        },
      }),
    );
    expect(error.message).toBe('cannot combine');
    expect(await pool.parallelReduce({ ...options, combine: add })).toBe(100);
    expect((await rejection(pool.parallelReduce(options as never))).message).toContain('combine');
  });

  it('tells of a partial result that cannot be cloned', async () => {
    const error = await rejection(
      poolWith().parallelReduce({
        task: fixture('returnFunction'),
        range: [0, 4],
        shared: undefined,
        schedule: 'static',
        combine: (left: unknown) => left,
      }),
    );
    expect(error.code).toBe('TASK_THREW');
    expect(error.cause.name).toBe('DataCloneError');
    expect(error.message).toContain('partial result of the kernel cannot be cloned: ');
  });
});
