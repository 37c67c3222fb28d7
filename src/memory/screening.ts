/** A cheap first look in this process: which of several functions is worth an exact comparison. */
import { setImmediate } from 'node:timers/promises';
import { fail } from '../errors.js';

export interface Screened<T> {
  readonly item: T;
  /** Median over rounds of its time over the first one's in the same round. For choosing only, never a claim. */
  readonly ratio: number;
}

const WARM_UP_MS = 60;
const SLICE_MS = 4;
const MIN_ROUNDS = 5;

/**
 * Runs the functions in interleaved rounds for `budgetMs`; the first is what the others are held against.
 * Gives them in ascending order of ratio, the first included.
 */
export async function screen<T>(
  runners: readonly { readonly item: T; readonly run: () => unknown }[],
  budgetMs: number,
  signal: AbortSignal | undefined,
): Promise<Screened<T>[]> {
  const batches = runners.map(({ run }) => warmUp(run));
  const ratios: number[][] = runners.map(() => []);
  const until = performance.now() + budgetMs;
  for (let round = 0; round < MIN_ROUNDS || performance.now() < until; round += 1) {
    if (signal?.aborted === true) throw fail('ABORTED', { what: 'Screening' }, { cause: signal.reason });
    // Rotated, so that no function always follows the same other one.
    const times: number[] = [];
    for (let k = 0; k < runners.length; k += 1) {
      const index = (k + round) % runners.length;
      const { run } = runners[index] as { run: () => unknown };
      const batch = batches[index] as number;
      const began = performance.now();
      for (let call = 0; call < batch; call += 1) run();
      times[index] = (performance.now() - began) / batch;
    }
    times.forEach((time, index) => (ratios[index] as number[]).push(time / (times[0] as number)));
    await setImmediate(); // the service's own event loop goes on
  }
  return runners
    .map(({ item }, index) => ({ item, ratio: median(ratios[index] as number[]) }))
    .sort((a, b) => a.ratio - b.ratio);
}

/** Calls per slice, after warming up. */
function warmUp(run: () => unknown): number {
  const until = performance.now() + WARM_UP_MS;
  let calls = 0;
  const began = performance.now();
  do {
    run();
    calls += 1;
  } while (performance.now() < until);
  return Math.max(1, Math.round((calls * SLICE_MS) / (performance.now() - began)));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
