/**
 * How many calls to let in at once, from how long they take.
 *
 * Method: Gradient2 of Netflix's concurrency-limits (Gradient2Limit.java, 2018): the limit is multiplied by the ratio of
 * long-term to present round-trip time, held between one half and one, plus room for a small queue; smoothed; and not
 * raised while fewer than half of the places are in use. A long-term time that is more than twice the present one
 * is a memory of past overload and decays faster.
 *
 * One thing is added. The long-term time follows the present one, so under overload that lasts, Gradient2 learns the
 * queueing time as normal and its limit creeps up without end (on a simulated server that
 * is at its best with 10 calls it is at 95 after 500 windows with a tolerance of 1.5, and at 513 after
 * 1,500). So every `probeEvery` windows the limit is lowered to half of what was last
 * seen to suffice, for one window, as BBR does: what is measured then, with next to no queue, is the long-term time.
 */
export interface GradientOptions {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
  /** Calls that may queue behind those being served. */
  readonly queueSize: number;
  /** Weight of a new estimate: above 0 up to 1. */
  readonly smoothing: number;
  /** Windows over which the long-term time is averaged. */
  readonly longWindow: number;
  /** How much longer than long-term a call may take before the limit sinks: 1 or more. */
  readonly tolerance: number;
  /** Windows from one probe to the next; 0 for none, which is plain Gradient2. */
  readonly probeEvery: number;
}

const WARM_UP_WINDOWS = 10;
const LOWEST_GRADIENT = 0.5;
const DRIFT_RATIO = 2;
const DRIFT_DECAY = 0.9;
/** Less than this part of the time with half the calls. */
const STILL_QUEUEING = 0.65;

/** Exponential average that begins as a plain one. */
class LongTermAverage {
  value = 0;
  #count = 0;
  readonly #factor: number;

  constructor(window: number) {
    this.#factor = 2 / (window + 1);
  }

  add(sample: number): void {
    this.#count += 1;
    const weight = this.#count <= WARM_UP_WINDOWS ? 1 / this.#count : this.#factor;
    this.value += (sample - this.value) * weight;
  }
}

type Phase = 'normal' | 'draining' | 'probing';

export class GradientLimit {
  readonly #options: GradientOptions;
  readonly #longTerm: LongTermAverage;
  #estimate: number;
  #windows = 0;
  #phase: Phase = 'normal';
  #gradient = 1;
  /** Of the limit, while probing; and the time at the step before. */
  #divisor = 2;
  #probedMs = 0;
  #shortMs = 0;

  constructor(options: GradientOptions) {
    this.#options = options;
    this.#longTerm = new LongTermAverage(options.longWindow);
    this.#estimate = options.initialLimit;
    // The first average may have been taken under overload: probe as soon as there is one.
    this.#windows = Math.max(0, options.probeEvery - WARM_UP_WINDOWS);
  }

  /** Calls to let in at once, in whole numbers. */
  get limit(): number {
    const { minLimit } = this.#options;
    if (this.#phase === 'normal') return Math.floor(this.#estimate);
    return Math.max(minLimit, Math.floor(this.#estimate / this.#divisor));
  }

  get longTermMs(): number {
    return this.#longTerm.value;
  }

  get shortTermMs(): number {
    return this.#shortMs;
  }

  get gradient(): number {
    return this.#gradient;
  }

  /**
   * Takes in one window.
   *
   * @param averageMs mean time of its calls. @param mostInFlight most calls that were in at once.
   */
  update(averageMs: number, mostInFlight: number): void {
    this.#windows += 1;
    // What is too short for the clock counts as a nanosecond: ratios of it are taken.
    const shortMs = Math.max(averageMs, 1e-6);
    this.#shortMs = shortMs;
    if (this.#phase !== 'normal') {
      this.#probe(shortMs);
      return;
    }
    const { queueSize, smoothing, minLimit, maxLimit, tolerance, probeEvery } = this.#options;
    this.#longTerm.add(shortMs);
    if (this.#longTerm.value / shortMs > DRIFT_RATIO) this.#longTerm.value *= DRIFT_DECAY;
    // Half-empty says nothing about what more calls would do.
    if (mostInFlight < this.#estimate / 2) return;
    const ratio = (tolerance * this.#longTerm.value) / shortMs;
    this.#gradient = Math.max(LOWEST_GRADIENT, Math.min(1, ratio));
    const aim = this.#estimate * this.#gradient + queueSize;
    const smoothed = this.#estimate * (1 - smoothing) + aim * smoothing;
    this.#estimate = Math.max(minLimit, Math.min(maxLimit, smoothed));
    if (probeEvery > 0 && this.#windows >= probeEvery) {
      this.#phase = 'draining';
      this.#divisor = 2;
      this.#probedMs = shortMs;
    }
  }

  #probe(shortMs: number): void {
    // The first window at the lower limit still has calls in it that queued before.
    if (this.#phase === 'draining') {
      this.#phase = 'probing';
      return;
    }
    const before = this.#probedMs;
    this.#probedMs = shortMs;
    // Halving the calls nearly halved the time, so they still queue: as after a drop in capacity. Half of that again.
    if (shortMs < before * STILL_QUEUEING && this.limit > this.#options.minLimit) {
      this.#divisor *= 2;
      this.#phase = 'draining';
      return;
    }
    this.#longTerm.value = shortMs;
    this.#phase = 'normal';
    this.#windows = 0;
  }
}
