/**
 * Warm-up by steadiness. A fixed time is always wrong for someone: a plain loop still changed by a quarter
 * after 120 ms on one machine, and a second is wasted on what settles in thirty milliseconds.
 *
 * Both sides run in turns until, over three successive windows of rounds, neither side's median moves by more
 * than its own noise explains (Georges, Buytaert & Eeckhout 2007 ask for a bounded coefficient of variation;
 * on a shared host that never comes, so the bound here follows the noise). Batches grow with the speed, so that
 * they hold their length while the code is being optimised.
 */
import type { Side } from './batch.js';
import { runBatch } from './batch.js';
import { median, medianDeviation } from './statistics.js';

/** Steady within this share, however quiet the host. */
const TOLERANCE = 0.01;
const MIN_MS = 60;
const MAX_MS = 1500;
/** Rounds a window; a window of slow calls is shorter. */
const WINDOW = 12;

export interface WarmUp {
  readonly callsPerBatch: readonly [number, number];
  /** Time of one batch of each side, together. */
  readonly roundMs: number;
  /** False where the time limit came first. */
  readonly steady: boolean;
}

export interface WarmUpOptions {
  readonly batchMs: number;
  readonly first: 0 | 1;
  readonly breathe: () => void | Promise<void>;
  /** Both were warmed up in this process before: what is left is to find how many calls make a batch. */
  readonly isWarm?: boolean;
}

export async function warmUp(sides: readonly [Side, Side], options: WarmUpOptions): Promise<WarmUp> {
  const calls: [number, number] = [1, 1];
  const perCall: [number[], number[]] = [[], []];
  const order = options.first === 0 ? ([0, 1] as const) : ([1, 0] as const);
  let spentMs = 0;
  let steady = false;
  for (let round = 1; ; round += 1) {
    for (const side of order) {
      const { timeMs } = await runBatch(sides[side], calls[side]);
      spentMs += timeMs;
      perCall[side].push(timeMs / calls[side]);
      // At most eightfold: the first calls run interpreted, and their speed says little of what follows.
      const wished = (calls[side] * options.batchMs) / Math.max(timeMs, 1e-6);
      calls[side] = Math.max(1, Math.min(Math.round(wished), calls[side] * 8));
    }
    await options.breathe();
    const window = Math.max(1, Math.min(WINDOW, Math.floor((20 * round) / Math.max(spentMs, 1e-6))));
    steady =
      spentMs >= MIN_MS && (options.isWarm === true || perCall.every((times) => isSteady(times, window)));
    if (steady || spentMs >= MAX_MS) break;
  }
  const recent = perCall.map((times) => median(times.slice(-WINDOW))) as [number, number];
  const callsPerBatch = recent.map((timeMs) => Math.max(1, Math.round(options.batchMs / timeMs)));
  return {
    callsPerBatch: callsPerBatch as [number, number],
    roundMs: recent[0] * callsPerBatch[0]! + recent[1] * callsPerBatch[1]!,
    steady,
  };
}

/** Whether the medians of the last three windows agree as well as their noise lets them. */
function isSteady(times: readonly number[], window: number): boolean {
  if (times.length < 3 * window) return false;
  const windows = [3, 2, 1].map((k) =>
    times.slice(times.length - k * window, times.length - (k - 1) * window),
  );
  const medians = windows.map(median);
  const centre = median(medians);
  // 1.25 · σ/√n is the standard error of a median; twice the difference of two such is rarely exceeded.
  const noise = (3.5 * median(windows.map(medianDeviation))) / Math.sqrt(window) / centre;
  // Windows of a few slow calls show no noise of their own.
  const tolerance = window < 4 ? 5 * TOLERANCE : Math.max(TOLERANCE, noise);
  return (Math.max(...medians) - Math.min(...medians)) / centre <= tolerance;
}
