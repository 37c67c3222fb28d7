/** Options of a `ConcurrencyLimiter`, checked. */
import { describe, fail } from '../../errors.js';
import { integerWithin, positiveNumber } from '../check.js';
import { requireOptions } from '../../options.js';
import type { GradientOptions } from './gradient-limit.js';

export interface ConcurrencyLimiterOptions {
  /** For messages and metrics. Default "limiter". */
  readonly name?: string;
  /** Calls let in at once before anything is known. Default 20. */
  readonly initialLimit?: number;
  /** Never fewer than this. Default 1. */
  readonly minLimit?: number;
  /** Never more than this. Default 1,000. */
  readonly maxLimit?: number;
  /** Calls that wait for their turn; beyond that they are refused. Default 0: refuse at once. */
  readonly maxQueued?: number;
  /** A call that waited so long is refused, in ms; Infinity for never. Default 1,000. */
  readonly queueTimeoutMs?: number;
  /** Least time over which calls are averaged, in ms. Default 250. */
  readonly windowMs?: number;
  /** Least calls that are averaged. Default 10. */
  readonly windowCalls?: number;
  /** Calls that may queue behind those being served, in the service itself, 1 or more; how fast the limit grows. Default 4. */
  readonly queueSize?: number;
  /** Weight of a new estimate, above 0 up to 1. Default 0.2. */
  readonly smoothing?: number;
  /** Windows over which the long-term time is averaged. Default 600. */
  readonly longWindow?: number;
  /** How much longer than long-term calls may take before the limit sinks. Default 1.2. */
  readonly tolerance?: number;
  /** Windows from one probe of the unloaded time to the next. Default 50; 0 for none: plain Gradient2. */
  readonly probeEvery?: number;
}

export interface CheckedOptions extends GradientOptions {
  readonly name: string;
  readonly maxQueued: number;
  readonly queueTimeoutMs: number;
  readonly windowMs: number;
  readonly windowCalls: number;
}

const DEFAULTS: CheckedOptions = {
  name: 'limiter',
  initialLimit: 20,
  minLimit: 1,
  maxLimit: 1_000,
  maxQueued: 0,
  queueTimeoutMs: 1_000,
  windowMs: 250,
  windowCalls: 10,
  queueSize: 4,
  smoothing: 0.2,
  longWindow: 600,
  tolerance: 1.2,
  probeEvery: 50,
};
const MAX_CALLS = 1e6;

/** @throws INVALID_ARGUMENT */
export function checkOptions(options: ConcurrencyLimiterOptions): CheckedOptions {
  requireOptions('options', options, Object.keys(DEFAULTS));
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all: CheckedOptions = { ...DEFAULTS, ...given };
  if (typeof all.name !== 'string' || all.name === '') {
    throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(all.name), expected: 'a text' });
  }
  integerWithin('minLimit', all.minLimit, 1, MAX_CALLS);
  integerWithin('maxLimit', all.maxLimit, all.minLimit, MAX_CALLS);
  const initial =
    options.initialLimit === undefined
      ? Math.max(all.minLimit, Math.min(all.maxLimit, all.initialLimit))
      : all.initialLimit;
  integerWithin('initialLimit', initial, all.minLimit, all.maxLimit);
  integerWithin('maxQueued', all.maxQueued, 0, MAX_CALLS);
  integerWithin('windowCalls', all.windowCalls, 1, MAX_CALLS);
  integerWithin('longWindow', all.longWindow, 1, MAX_CALLS);
  integerWithin('probeEvery', all.probeEvery, 0, MAX_CALLS);
  // Without any a limit that sank under load would never rise again.
  integerWithin('queueSize', all.queueSize, 1, MAX_CALLS);
  for (const key of ['queueTimeoutMs', 'windowMs', 'smoothing', 'tolerance'] as const)
    positiveNumber(key, all[key]);
  requireWithin('smoothing', all.smoothing, 0, 1);
  requireWithin('tolerance', all.tolerance, 1, Infinity);
  return { ...all, initialLimit: initial };
}

function requireWithin(name: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  const expected = high === Infinity ? `a number of ${low} or more` : `a number above ${low} up to ${high}`;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}
