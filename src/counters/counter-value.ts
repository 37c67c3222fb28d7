/** From raw readings to values that say what they are worth, and how the values of several threads add up. */
import { refuse, type CounterRefusal } from '../native/counter-refusal.js';

export interface AvailableCounterValue {
  readonly available: true;
  /** Count, or nanoseconds for `taskClock`. Scaled by `scaleFactor` where the counter did not run all the time. */
  readonly value: number;
  /** True where the counter ran all the time that it was to run: nothing was extrapolated. */
  readonly exact: boolean;
  /** Time enabled over time running: 1 is exact; 4 means that three quarters of the value are extrapolated. */
  readonly scaleFactor: number;
  /** True where only the part outside the kernel was counted. */
  readonly excludesKernel: boolean;
}

export type CounterValue = AvailableCounterValue | CounterRefusal;

const STOPPED = refuse('NOT_COUNTING');
const NEVER_RAN = refuse('NOT_SCHEDULED');

/**
 * What happened between two readings of one counter.
 *
 * @param alwaysCounts the event cannot be 0 over any work: where it is, the counter does not count.
 */
export function toCounterValue(
  value: number,
  enabledNs: number,
  runningNs: number,
  alwaysCounts: boolean,
  excludesKernel: boolean,
): CounterValue {
  // Not `runningNs <= 0`: NaN is no time either.
  if (!(runningNs > 0)) return Number.isNaN(value) ? STOPPED : NEVER_RAN;
  if (!(value > 0) && (alwaysCounts || value !== 0)) return STOPPED;
  if (enabledNs > runningNs) {
    const scaleFactor = enabledNs / runningNs;
    return {
      available: true,
      value: Math.round(value * scaleFactor),
      exact: false,
      scaleFactor,
      excludesKernel,
    };
  }
  return { available: true, value, exact: true, scaleFactor: 1, excludesKernel };
}

/**
 * The values of several threads as one: their sum where every thread has one, else the first refusal. A sum over a
 * part of the threads would pass for the whole.
 */
export function sumCounterValues(parts: readonly CounterValue[]): CounterValue {
  let value = 0;
  let raw = 0;
  let excludesKernel = false;
  for (const part of parts) {
    if (!part.available) return part;
    value += part.value;
    raw += part.value / part.scaleFactor;
    excludesKernel ||= part.excludesKernel;
  }
  if (parts.length === 0) return NEVER_RAN;
  const exact = parts.every((part) => part.available && part.exact);
  return {
    available: true,
    value,
    exact,
    scaleFactor: exact || raw === 0 ? 1 : value / raw,
    excludesKernel,
  };
}
