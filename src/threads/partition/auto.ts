/**
 * `auto`: where a loop runs, decided from what is known of its cost. Work that costs less than waking threads for it
 * stays on the caller, so that splitting never makes a loop slower than it was; longer work leaves the caller, whose
 * event loop has other things to do. Among the threads it is distributed by range stealing.
 */

/** What is known of a loop before it runs. Times in ns. */
export interface LoopForecast {
  readonly iterations: number;
  /** Time of one iteration on one thread; null before anything was measured. */
  readonly iterationNs: number | null;
  /** Wall time per iteration when it last ran on threads, dispatch left out; null where it never did. */
  readonly parallelIterationNs: number | null;
  /** From the call to its completion, for a loop without work. */
  readonly dispatchNs: number;
  readonly maxThreads: number;
}

export type LoopPlan =
  | { readonly where: 'caller' }
  | { readonly where: 'threads'; readonly threads: number }
  /** Run the first iterations on the caller to learn what one costs, then ask again. */
  | { readonly where: 'probe'; readonly probeNs: number };

/** Work longer than this never stays on the caller, however badly it splits: its event loop would stand still. */
export const CALLER_LIMIT_NS = 2_000_000;

/** The caller takes part in loops up to this at a stretch; longer ones would hold it up for too long, also when halved. */
export const TOGETHER_LIMIT_NS = 6_000_000;

/**
 * In longer ones, up to this, it takes part in slices, and its event loop turns in between. What a thread costs to wake is
 * little beside those that are longer still.
 */
export const SLICED_LIMIT_NS = 100_000_000;

/** Loops up to this stay on the caller while splitting loses time, as then threads are no faster than it is. */
export const BUSY_LIMIT_NS = 16_000_000;

/** Time for learning the cost of iterations: long against the timer, short against a wake-up. */
const PROBE_NS = 30_000;

/** Threads must promise this much before the work leaves the caller, as forecasts err. */
const REQUIRED_GAIN = 1.2;

export function planLoop(forecast: LoopForecast): LoopPlan {
  const { iterations, iterationNs, dispatchNs } = forecast;
  if (iterationNs === null) return { where: 'probe', probeNs: PROBE_NS };
  const serialNs = iterations * iterationNs;
  const threads = usefulThreads(forecast, serialNs);
  const ideal = iterationNs / threads;
  const parallelNs = dispatchNs + iterations * Math.max(ideal, forecast.parallelIterationNs ?? ideal);
  if (serialNs <= CALLER_LIMIT_NS && serialNs < parallelNs * REQUIRED_GAIN) return { where: 'caller' };
  return { where: 'threads', threads };
}

/** Every thread gets at least as much work as it costs to wake it. */
function usefulThreads({ iterations, dispatchNs, maxThreads }: LoopForecast, serialNs: number): number {
  const paying = Math.floor(serialNs / Math.max(1, dispatchNs));
  return Math.max(1, Math.min(maxThreads, iterations, paying));
}
