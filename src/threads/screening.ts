/**
 * Finds the most promising of several ways to run a job: all take turns, in random order, so that what else happens
 * on the machine meets all alike; the slower half leaves after some rounds. A screening proves nothing: it says what
 * is worth proving.
 */
import type { ThreadChoice } from '../model/choice.js';

export interface Contender {
  readonly choice: ThreadChoice;
  /** Runs the job once under this choice. */
  readonly run: () => Promise<unknown>;
}

export interface Standing {
  readonly choice: ThreadChoice;
  /** Median of its time over the time of the choice in force in the same round; below 1 is faster. */
  readonly ratio: number;
  readonly rounds: number;
}

export interface ScreeningOptions {
  /** The choice in force: what ratios are against. */
  readonly present: Contender;
  readonly rivals: readonly Contender[];
  readonly budgetMs: number;
  readonly throwIfAborted: () => void;
  readonly onRound: (fraction: number) => void;
}

/** Short runs are repeated within a round up to this time, against the timer and the scheduler. */
const SAMPLE_MS = 2;
const MAX_REPEATS = 500;
const MIN_ROUNDS = 3;
const MAX_ROUNDS = 15;
const HALVE_AFTER = [3, 6, 10];

/** Rivals, fastest first. At least three rounds are run, whatever the budget. */
export async function screen(options: ScreeningOptions): Promise<Standing[]> {
  const { present, rivals, budgetMs, throwIfAborted, onRound } = options;
  const began = performance.now();
  const ratios = new Map<Contender, number[]>(rivals.map((rival) => [rival, []]));
  const repeats = new Map<Contender, number>();
  for (const contender of [present, ...rivals]) {
    throwIfAborted();
    // The first run starts threads and compiles the kernel.
    await contender.run();
    repeats.set(
      contender,
      Math.min(MAX_REPEATS, Math.ceil(SAMPLE_MS / Math.max(1e-3, await time(contender, 1)))),
    );
  }
  let remaining = [...rivals];
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const elapsed = performance.now() - began;
    if (round > MIN_ROUNDS && elapsed >= budgetMs) break;
    onRound(Math.min(1, elapsed / budgetMs));
    const times = new Map<Contender, number>();
    for (const contender of shuffled([present, ...remaining])) {
      throwIfAborted();
      times.set(contender, await time(contender, repeats.get(contender)!));
    }
    for (const rival of remaining) ratios.get(rival)!.push(times.get(rival)! / times.get(present)!);
    if (HALVE_AFTER.includes(round) && remaining.length > 2) {
      remaining.sort((a, b) => median(ratios.get(a)!) - median(ratios.get(b)!));
      remaining = remaining.slice(0, Math.max(2, Math.ceil(remaining.length / 2)));
    }
  }
  // Whoever stayed longer comes first: it was faster when the others left.
  return rivals
    .map((rival) => ({
      choice: rival.choice,
      ratio: median(ratios.get(rival)!),
      rounds: ratios.get(rival)!.length,
    }))
    .sort((a, b) => b.rounds - a.rounds || a.ratio - b.ratio);
}

/** Milliseconds a run. */
async function time({ run }: Contender, repeats: number): Promise<number> {
  const began = performance.now();
  for (let repeat = 0; repeat < repeats; repeat += 1) await run();
  return (performance.now() - began) / repeats;
}

function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
