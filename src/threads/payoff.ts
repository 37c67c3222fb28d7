/** What this machine charges for threads: the cost of handing work out, and how much work pays for it. */
import type { ThreadChoice } from '../model/choice.js';
import { SERIAL } from './job.js';
import { referenceJob } from './reference-job.js';
import { median } from './screening.js';
import { defineTask } from './task.js';
import type { ThreadPool } from './thread-pool.js';

export interface DispatchCost {
  readonly threads: number;
  /** From the call to the completion of a loop without work, median, in µs. */
  readonly dispatchUs: number;
  /** Work (on one thread) from which splitting it over these threads ideally pays, in µs. */
  readonly payoffUs: number;
}

const noop = defineTask(new URL('./noop-kernel.js', import.meta.url), 'noop');
const RUNS = 60;
const WARM_UP_RUNS = 20;

/** Costs some milliseconds, and the start of the pool's threads where they are not up. */
export async function measureDispatch(
  pool: ThreadPool,
  threadCounts: readonly number[],
  throwIfAborted: () => void,
): Promise<DispatchCost[]> {
  await pool.start();
  const costs: DispatchCost[] = [];
  for (const threads of threadCounts) {
    const times: number[] = [];
    for (let run = -WARM_UP_RUNS; run < RUNS; run += 1) {
      throwIfAborted();
      const began = performance.now();
      // One iteration a thread, and nobody may take another's: the loop ends when all were there.
      await pool.parallelFor({
        task: noop,
        range: [0, threads],
        shared: undefined,
        schedule: 'static',
        threads,
      });
      if (run >= 0) times.push((performance.now() - began) * 1e3);
    }
    const dispatchUs = median(times);
    costs.push({ threads, dispatchUs, payoffUs: (dispatchUs * threads) / (threads - 1) });
  }
  return costs;
}

export interface Payoff {
  /** Interleaved pairs at growing amounts of work; below 1, threads were faster. */
  readonly points: readonly { readonly rows: number; readonly serialUs: number; readonly ratio: number }[];
  /** Least work, in µs on one thread, from which threads won at every larger amount; null where they never did. */
  readonly payoffUs: number | null;
}

const PAYOFF_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const PAYOFF_PAIRS = 15;
/** Threads have to win by this much for a size to count: a rounded-off tie is no gain. */
const WIN = 0.95;

/** From how much work on this machine a choice beats a serial loop, measured on the reference job. */
export async function measurePayoff(choice: ThreadChoice, throwIfAborted: () => void): Promise<Payoff> {
  const points: { rows: number; serialUs: number; ratio: number }[] = [];
  for (const rows of PAYOFF_ROWS) {
    const serial = referenceJob(rows);
    const split = referenceJob(rows);
    serial.applyChoice(SERIAL);
    split.applyChoice(choice);
    const serialUs: number[] = [];
    const ratios: number[] = [];
    for (let pair = -3; pair < PAYOFF_PAIRS; pair += 1) {
      throwIfAborted();
      const order = pair % 2 === 0 ? [serial, split] : [split, serial];
      const times = new Map<unknown, number>();
      for (const each of order) {
        const began = performance.now();
        await each.run();
        times.set(each, (performance.now() - began) * 1e3);
      }
      if (pair < 0) continue;
      serialUs.push(times.get(serial)!);
      ratios.push(times.get(split)! / times.get(serial)!);
    }
    points.push({ rows, serialUs: median(serialUs), ratio: median(ratios) });
  }
  const lastLoss = points.findLastIndex(({ ratio }) => ratio > WIN);
  return { points, payoffUs: points[lastLoss + 1]?.serialUs ?? null };
}
