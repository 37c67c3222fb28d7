/**
 * Tells from the always-on figures that something is out of the ordinary and a profile would say what.
 *
 * Method. Figures are gathered by the second; when a second is full, three conditions are looked at: timers that were
 * late again and again, a loop that is busy throughout, and a heap whose floor rises from each ten seconds to the next.
 * Each must hold over a while, so that one long collection or one burst raises nothing.
 *
 * Rejected: deviations from a learnt normal. A service's load moves by the hour, and such detectors either cry wolf or
 * learn the fault; fixed limits are what a person can set and reason about.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { Trigger } from '../model/trigger.js';

/** When the monitor profiles by itself, and how. `false` for a limit switches that one off. */
export interface AnomalyOptions {
  /** Lateness of the monitor's own timer in milliseconds, 10 to 60,000, reached three times in ten seconds. Default 200. */
  readonly loopDelayMs?: number | false;
  /** Event-loop utilisation over ten seconds, above 0 to 1. Default 0.95. */
  readonly utilization?: number | false;
  /**
   * Growth of the heap's floor in bytes per minute, 1 MiB or more, over a minute in which it rose every ten seconds.
   * Default 32 MiB.
   */
  readonly heapGrowthBytesPerMinute?: number | false;
  /** Length of the profile in milliseconds, 3,000 to 10,000. Default 5,000. */
  readonly profileMs?: number;
  /** Distance of CPU samples in microseconds, 1,000 to 1,000,000. Default 10,000 (100 Hz). */
  readonly samplingIntervalUs?: number;
  /** From the end of one such profile to the start of the next at the earliest, in milliseconds, up to a day. Default 600,000. */
  readonly cooldownMs?: number;
}

export type AnomalyLimits = Required<AnomalyOptions>;

const LIMIT_NAMES: Readonly<Record<keyof AnomalyOptions, true>> = {
  loopDelayMs: true,
  utilization: true,
  heapGrowthBytesPerMinute: true,
  profileMs: true,
  samplingIntervalUs: true,
  cooldownMs: true,
};
const BUCKET_MS = 1000;
const JUDGED_MS = 10_000;
const LATE_POINTS = 3;
/** Parts of the minute whose floors must rise one after the other. */
const FLOORS = 6;
const MIB = 2 ** 20;

/** @throws InvalidArgumentError for a figure outside its range. */
export function anomalyLimits(options: AnomalyOptions): AnomalyLimits {
  requireOptions('anomalies', options, LIMIT_NAMES);
  const limits: AnomalyLimits = {
    loopDelayMs: options.loopDelayMs ?? 200,
    utilization: options.utilization ?? 0.95,
    heapGrowthBytesPerMinute: options.heapGrowthBytesPerMinute ?? 32 * MIB,
    profileMs: options.profileMs ?? 5000,
    samplingIntervalUs: options.samplingIntervalUs ?? 10_000,
    cooldownMs: options.cooldownMs ?? 600_000,
  };
  const check = (name: keyof AnomalyLimits, least: number, most: number, unit: string) => {
    const value = limits[name];
    const mayBeOff = !['profileMs', 'samplingIntervalUs', 'cooldownMs'].includes(name);
    if (mayBeOff && value === false) return;
    if (typeof value === 'number' && value >= least && value <= most) return;
    throw fail('INVALID_ARGUMENT', {
      name: `anomalies.${name}`,
      actual: describe(value),
      expected: `${unit} from ${least} to ${most}${mayBeOff ? ', or false' : ''}`,
    });
  };
  check('loopDelayMs', 10, 60_000, 'a number of milliseconds');
  check('utilization', 0.01, 1, 'a share');
  check('heapGrowthBytesPerMinute', MIB, Number.MAX_SAFE_INTEGER, 'a number of bytes');
  check('profileMs', 3000, 10_000, 'a number of milliseconds');
  check('samplingIntervalUs', 1000, 1_000_000, 'a number of microseconds');
  check('cooldownMs', 0, 86_400_000, 'a number of milliseconds');
  return limits;
}

interface Bucket {
  elapsedMs: number;
  busyMs: number;
  late: number;
  worstLateMs: number;
  floorBytes: number;
}

const newBucket = (): Bucket => ({
  elapsedMs: 0,
  busyMs: 0,
  late: 0,
  worstLateMs: 0,
  floorBytes: Infinity,
});

/** One point of the monitor. */
export interface AnomalyPoint {
  /** Since the point before. */
  readonly elapsedMs: number;
  /** How much later than its time the monitor's timer fired. */
  readonly lateMs: number;
  readonly utilization: number;
  readonly heapUsedBytes: number;
}

/** Takes the monitor's points, in bounded memory; a point costs a few additions. */
export class AnomalyDetector {
  readonly #limits: AnomalyLimits;
  /** The last minute by the second, oldest first. */
  #buckets: Bucket[] = [];
  #open = newBucket();

  constructor(limits: AnomalyLimits) {
    this.#limits = limits;
  }

  /** @returns what is out of the ordinary, gravest kind first, at most once a second. */
  add({ elapsedMs, lateMs, utilization, heapUsedBytes }: AnomalyPoint): Trigger | undefined {
    const open = this.#open;
    open.elapsedMs += elapsedMs;
    open.busyMs += utilization * elapsedMs;
    const { loopDelayMs } = this.#limits;
    if (loopDelayMs !== false && lateMs >= loopDelayMs) open.late += 1;
    open.worstLateMs = Math.max(open.worstLateMs, lateMs);
    open.floorBytes = Math.min(open.floorBytes, heapUsedBytes);
    if (open.elapsedMs < BUCKET_MS) return undefined;
    this.#buckets.push(open);
    this.#open = newBucket();
    const recent = this.#last(JUDGED_MS);
    const minute = this.#last(JUDGED_MS * FLOORS);
    if (minute !== undefined) this.#buckets = minute;
    return this.#growth(minute) ?? this.#delay(recent) ?? this.#busy(recent);
  }

  /** Forgets what was seen, as after a profile, which is no ordinary time. */
  reset(): void {
    this.#buckets = [];
    this.#open = newBucket();
  }

  /** The newest buckets that make up so much time; undefined before there are enough. */
  #last(ms: number): Bucket[] | undefined {
    let elapsedMs = 0;
    for (let at = this.#buckets.length - 1; at >= 0; at -= 1) {
      elapsedMs += this.#buckets[at]!.elapsedMs;
      if (elapsedMs >= ms) return this.#buckets.slice(at);
    }
    return undefined;
  }

  #delay(recent: readonly Bucket[] | undefined): Trigger | undefined {
    const { loopDelayMs: limit } = this.#limits;
    if (limit === false || recent === undefined) return undefined;
    const late = recent.reduce((sum, bucket) => sum + bucket.late, 0);
    if (late < LATE_POINTS) return undefined;
    const value = Math.max(...recent.map(({ worstLateMs }) => worstLateMs));
    return {
      kind: 'loop-delay',
      value,
      limit,
      unit: 'ms',
      statement: `A timer was late by ${limit} ms or more ${late} times in ten seconds, at worst by ${Math.round(value)} ms.`,
    };
  }

  #busy(recent: readonly Bucket[] | undefined): Trigger | undefined {
    const { utilization: limit } = this.#limits;
    if (limit === false || recent === undefined) return undefined;
    const elapsedMs = recent.reduce((sum, bucket) => sum + bucket.elapsedMs, 0);
    const value = recent.reduce((sum, { busyMs }) => sum + busyMs, 0) / elapsedMs;
    if (value < limit) return undefined;
    return {
      kind: 'utilization',
      value,
      limit,
      unit: 'share',
      statement: `The event loop was busy for ${(value * 100).toFixed(0)} % of the last ten seconds.`,
    };
  }

  #growth(minute: readonly Bucket[] | undefined): Trigger | undefined {
    const { heapGrowthBytesPerMinute: limit } = this.#limits;
    if (limit === false || minute === undefined || minute.length < FLOORS) return undefined;
    const floors: number[] = [];
    for (let part = 0; part < FLOORS; part += 1) {
      const from = Math.floor((part * minute.length) / FLOORS);
      const to = Math.floor(((part + 1) * minute.length) / FLOORS);
      floors.push(Math.min(...minute.slice(from, to).map(({ floorBytes }) => floorBytes)));
    }
    if (floors.some((floor, part) => part > 0 && floor <= floors[part - 1]!)) return undefined;
    const elapsedMs = minute.reduce((sum, bucket) => sum + bucket.elapsedMs, 0);
    // Floors stand for the middle of their part.
    const value = ((floors.at(-1)! - floors[0]!) / (elapsedMs * (1 - 1 / FLOORS))) * 60_000;
    if (value < limit) return undefined;
    return {
      kind: 'heap-growth',
      value,
      limit,
      unit: 'bytes/min',
      statement: `The heap’s floor rose by ${(value / MIB).toFixed(0)} MiB a minute, in every ten seconds of the last minute.`,
    };
  }
}
