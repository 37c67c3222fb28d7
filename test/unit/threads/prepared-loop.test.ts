/** Loops that stay on the caller take a short cut; what they check and give must not depend on it. */
import { describe, expect, it } from 'vitest';
import type { ThreadPool } from '../../../dist/threads/thread-pool.js';
import { fixture, float64, int32, poolWith, rejection } from '../../fixtures/threads/setup.js';

const square = fixture<(start: number, end: number, shared: Squares) => void>('square');
interface Squares {
  input: Float64Array;
  output: Float64Array;
}

function squares(length: number): Squares {
  const input = float64(length);
  for (let i = 0; i < length; i += 1) input[i] = i + 1;
  return { input, output: float64(length) };
}

/** Runs a loop until it is known to be short, also where the first runs were interrupted for milliseconds. */
async function warmed(pool: ThreadPool, shared: Squares, range: readonly [number, number]) {
  for (let i = 0; i < 60; i += 1) await pool.parallelFor({ task: square, range, shared });
}

describe('loops that are known to be short', () => {
  it('run on the caller before the call returns', async () => {
    const pool = poolWith();
    const shared = squares(8);
    await warmed(pool, shared, [0, 8]);
    shared.output.fill(0);
    const promise = pool.parallelFor({ task: square, range: [0, 8], shared });
    expect([...shared.output]).toEqual([1, 4, 9, 16, 25, 36, 49, 64]);
    await promise;
  });

  it('use the data and the range of this call, not of an earlier one', async () => {
    const pool = poolWith();
    await warmed(pool, squares(8), [0, 8]);
    const other = squares(8);
    await pool.parallelFor({ task: square, range: [0, 8], shared: other });
    expect(other.output[7]).toBe(64);
    other.output.fill(0);
    await pool.parallelFor({ task: square, range: [2, 4], shared: other });
    expect([...other.output]).toEqual([0, 0, 9, 16, 0, 0, 0, 0]);
  });

  it('use what was put into the same data since', async () => {
    const pool = poolWith();
    const shared = squares(8);
    await warmed(pool, shared, [0, 8]);
    const loop = { task: square, range: [0, 8] as const, shared };
    for (let i = 0; i < 200; i += 1) await pool.parallelFor(loop);
    const before = shared.output.fill(0);
    shared.output = float64(8);
    await pool.parallelFor(loop);
    expect([before[7], shared.output[7]]).toEqual([0, 64]);
  });

  // After some calls a kernel gets a caller of its own, with data and range as constants.
  it('see what changes in their data, also after thousands of calls', async () => {
    const pool = poolWith();
    const shared = squares(8);
    const step = pool.prepare({ task: square, range: [2, 6], shared });
    for (let i = 0; i < 3_000; i += 1) await step();
    shared.output.fill(0);
    expect(step()).toBeUndefined();
    expect([...shared.output]).toEqual([0, 0, 9, 16, 25, 36, 0, 0]);
    shared.input.fill(3);
    void step();
    expect([...shared.output]).toEqual([0, 0, 9, 9, 9, 9, 0, 0]);
    shared.input = float64(8);
    void step();
    expect([...shared.output]).toEqual(new Array(8).fill(0));
  });

  it('name the range where their kernel throws, also after many calls', async () => {
    const pool = poolWith();
    const shared = { at: 0, words: int32(4) };
    const task = fixture('throwsAt');
    const step = pool.prepare({ task, range: [3, 9], shared });
    for (let i = 0; i < 300; i += 1) await step();
    shared.at = 5;
    const error = await rejection(step()!);
    expect([error.code, error.cause.message]).toEqual(['TASK_THREW', 'at 5']);
    expect(error.message).toContain('[3, 9)');
  });

  it.each([
    ['an ordinary array', { shared: { input: new Float64Array(8), output: float64(8) } }],
    ['an unknown key', { chunk: 5 }],
    ['a range backwards', { range: [8, 0] }],
    ['a grain of 0', { grain: 0 }],
    ['a schedule that is none', { schedule: 'fast' }],
  ])('still refuse %s', async (_, wrong) => {
    const pool = poolWith();
    const shared = squares(8);
    await warmed(pool, shared, [0, 8]);
    const options = { task: square, range: [0, 8] as const, shared, ...wrong };
    expect((await rejection(pool.parallelFor(options as never))).code).toBe('INVALID_ARGUMENT');
  });

  it('still heed a signal, and a closed pool', async () => {
    const pool = poolWith();
    const shared = squares(8);
    await warmed(pool, shared, [0, 8]);
    const loop = { task: square, range: [0, 8] as const, shared };
    expect((await rejection(pool.parallelFor({ ...loop, signal: AbortSignal.abort() }))).code).toBe(
      'ABORTED',
    );
    await pool.close();
    expect((await rejection(pool.parallelFor(loop))).code).toBe('CLOSED');
  });

  it('reject with the range that threw', async () => {
    const pool = poolWith();
    const shared = { words: int32(1), output: float64(4) };
    const task = fixture<(start: number, end: number, shared: unknown) => void>('throwWhenTold');
    const loop = { task, range: [0, 4] as const, shared };
    for (let i = 0; i < 60; i += 1) await pool.parallelFor(loop);
    shared.words[0] = 1;
    const error = await rejection(pool.parallelFor(loop));
    expect(error).toMatchObject({ code: 'TASK_THREW', cause: { message: 'told' } });
    expect(error.message).toContain('[0, 4)');
  });
});

describe('prepare', () => {
  it('checks once, runs as parallelFor does, and then on the spot', async () => {
    const pool = poolWith();
    expect(() => pool.prepare({ task: square, range: [4, 0], shared: squares(4) })).toThrow(/range/);
    const shared = squares(8);
    const run = pool.prepare({ task: square, range: [0, 8], shared });
    const first = run();
    expect(first).toBeInstanceOf(Promise);
    await first;
    for (let i = 0; i < 60; i += 1) await run();
    shared.output.fill(0);
    expect(run()).toBeUndefined();
    expect(shared.output[7]).toBe(64);
    await pool.close();
    expect((await rejection(run()!)).code).toBe('CLOSED');
  });

  it('keeps loops of one task apart', async () => {
    const pool = poolWith();
    const [a, b] = [squares(4), squares(8)];
    const runA = pool.prepare({ task: square, range: [0, 4], shared: a });
    const runB = pool.prepare({ task: square, range: [0, 8], shared: b });
    for (let i = 0; i < 60; i += 1) {
      await runA();
      await runB();
    }
    a.output.fill(0);
    b.output.fill(0);
    expect([runA(), runB()]).toEqual([undefined, undefined]);
    expect([a.output[3], b.output[7]]).toEqual([16, 64]);
  });
});
