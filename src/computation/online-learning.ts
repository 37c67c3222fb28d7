/**
 * Learning after the choice: whether what won when it was measured still wins on the calls that come.
 *
 * On the hot path one call in `sampleEvery` leaves its arguments behind, and nothing else is done. In idle time, in
 * slices of a few milliseconds and for a bounded share of the time, the variant in force and one rival are called with
 * them in random order; their ratio is held against the one that the choice was made on. Where the variant in force is
 * shown to be slower, all rivals of that range are raced anew on measurements that took no part in showing it, and what
 * wins is put in force.
 *
 * Rejected: trying another variant on one call in a thousand (an ε-greedy bandit). It makes users wait for the slower
 * variant, and single calls at different times compare the times rather than the variants.
 */
import { EventEmitter } from 'node:events';
import { describe, fail } from '../errors.js';
import { median } from '../validation/statistics.js';
import { sampleCalls } from './call-sampling.js';
import { differenceOf, reasonOf, settled, Unsettled } from './checked-call.js';
import type { Computation } from './computation.js';
import type { Arguments } from './inputs.js';
import {
  hostEnvironment,
  settingsOf,
  type LearningEnvironment,
  type LearningEvents,
  type LearningOptions,
  type LearningStats,
} from './learning-options.js';
import { medianRange } from './median-range.js';
import { seededRandom, type Random } from './random.js';
import type { AnyFunction } from './variants.js';

export type { LearningEvents, LearningOptions, LearningStats } from './learning-options.js';

/** Pairs before anything is concluded, and at most in a window. */
const MIN_PAIRS = 16;
const MAX_PAIRS = 48;
/** Standard errors that show something. */
const SHOWN = 3;
/** Log ratios: a rival must be faster by this to be raced, and a ratio is another if it moved by that. */
const LOST = Math.log(1.02);
const MOVED = Math.log(1.1);
/** Rivals that were slower than this, or take longer, are never called. */
const MAX_RATIO = 4;
const MAX_CALL_MS = 5;
/** Inputs this many times larger or smaller than any measured one say nothing of what a call costs. */
const MAX_SIZE_FACTOR = 4;
const BATCH_MS = 0.2;
/** A batch that waits longer waits for a promise that nobody settles. */
const MAX_BATCH_MS = 30_000;
const MAX_REPEATS = 1_000;

interface Window {
  ratios: number[];
  /** Being confirmed: from here on the ratios are new. */
  confirming: boolean;
  told: boolean;
}

/** Watches one computation until it is closed. */
export class OnlineLearning extends EventEmitter<LearningEvents> {
  readonly #computation: Computation;
  readonly #environment: LearningEnvironment;
  readonly #settings: ReturnType<typeof settingsOf>;
  readonly #random: Random;
  /** Log cost by variant, for each measured size; moved by what is learnt. */
  readonly #costs: { readonly size: number; readonly logCosts: Map<string, number> }[];
  readonly #rejected = new Set<string>();
  /** Arguments left behind, by range of the choice. */
  readonly #left = new Map<number, Arguments>();
  readonly #windows = new Map<string, Window>();
  #cancel: (() => void) | undefined;
  #turn = 0;
  #closed = false;
  #stats = { sampled: 0, slices: 0, postponed: 0, pairs: 0, measuringMs: 0, changes: 0 };

  /** @internal Use `keepLearning`. */
  constructor(computation: Computation, options: LearningOptions) {
    super();
    this.#settings = settingsOf(options);
    const { choices, environment = hostEnvironment(), seed = 1 } = options;
    this.#computation = computation;
    this.#environment = environment;
    this.#random = seededRandom(seed);
    this.#costs = choices
      .filter(({ standings }) => standings.length > 0)
      .map(({ size, standings }) => ({
        size,
        logCosts: new Map(standings.map(({ variant, cost }) => [variant, Math.log(cost)])),
      }));
    computation.instrument((run, range) => this.#sampled(run, range));
    this.#plan(0);
  }

  /** What was done so far. */
  get stats(): LearningStats {
    return { ...this.#stats };
  }

  /** Stops for good: no more samples and slices. What was learnt stays in force, at the full speed of `dispatch`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel?.();
    this.#left.clear();
    this.#computation.instrument(undefined);
  }

  #sampled(run: AnyFunction, range: number): AnyFunction {
    return sampleCalls(run, this.#settings.sampleEvery, (args) => {
      this.#stats.sampled += 1;
      this.#left.set(range, args);
    });
  }

  #plan(spentMs: number): void {
    if (this.#closed) return;
    const { intervalMs, maxShare } = this.#settings;
    const delayMs = Math.max(intervalMs, spentMs / maxShare);
    this.#cancel = this.#environment.schedule(() => void this.#slice(), delayMs);
  }

  async #slice(): Promise<void> {
    const { now, utilization } = this.#environment;
    const startMs = now();
    if (utilization() > this.#settings.maxUtilization) this.#stats.postponed += 1;
    else if (this.#left.size > 0) {
      this.#stats.slices += 1;
      const ranges = [...this.#left.keys()];
      this.#turn += 1;
      await this.#measure(ranges[this.#turn % ranges.length]!, startMs);
    }
    const spentMs = now() - startMs;
    this.#stats.measuringMs += spentMs;
    this.#plan(spentMs);
  }

  async #measure(range: number, startMs: number): Promise<void> {
    const computation = this.#computation;
    const args = this.#left.get(range)!;
    const own = computation.choice.bySize[range]?.variant;
    const size = sizeOf(computation, args);
    const known = this.#nearest(size);
    const ownCost = own === undefined ? undefined : known?.logCosts.get(own);
    const rivals = known && ownCost !== undefined ? this.#rivalsOf(own!, ownCost, known.logCosts) : [];
    if (own === undefined || rivals.length === 0) {
      this.#left.delete(range); // Nothing is to be learnt of it.
      return;
    }
    const confirming = rivals.filter((rival) => this.#window(range, own, rival).confirming);
    const candidates = confirming.length > 0 ? confirming : rivals;
    do {
      const rival = candidates[Math.floor(this.#random() * candidates.length)]!;
      const logRatio = await this.#pair(args, own, rival, known!.logCosts);
      if (this.#closed) return;
      if (logRatio === undefined) return;
      const window = this.#window(range, own, rival);
      window.ratios.push(logRatio);
      if (window.ratios.length > MAX_PAIRS) window.ratios.shift();
      this.#stats.pairs += 1;
    } while (this.#environment.now() - startMs < this.#settings.sliceMs);
    this.#conclude(range, size, own, rivals, known!.logCosts);
  }

  /** Log of the rival's cost over that in force, from one batch of each; undefined where the rival is out now. */
  async #pair(
    args: Arguments,
    own: string,
    rival: string,
    logCosts: ReadonlyMap<string, number>,
  ): Promise<number | undefined> {
    const { now } = this.#environment;
    const ownNs = Math.exp(logCosts.get(own)!);
    const repeats = Math.max(1, Math.min(MAX_REPEATS, Math.round((BATCH_MS * 1e6) / ownNs)));
    const batch = async (name: string): Promise<{ ms: number; result: unknown }> => {
      const { run } = this.#computation.variantNamed(name)!;
      const beganMs = now();
      let result: unknown;
      for (let i = 0; i < repeats; i += 1) {
        result = run(...args);
        if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function')
          result = await result;
      }
      return { ms: Math.max(now() - beganMs, 1e-6), result };
    };
    const rivalFirst = this.#random() < 0.5;
    let called = own;
    try {
      called = rivalFirst ? rival : own;
      const first = await settled(batch(called), MAX_BATCH_MS, false);
      called = rivalFirst ? own : rival;
      const second = await settled(batch(called), MAX_BATCH_MS, false);
      const [ownBatch, rivalBatch] = rivalFirst ? [second, first] : [first, second];
      called = rival;
      const difference = differenceOf(
        this.#computation.options.equivalence,
        ownBatch.result,
        rivalBatch.result,
      );
      if (difference === null) return Math.log(rivalBatch.ms / ownBatch.ms);
      this.#reject(rival, difference);
    } catch (error) {
      // Of the variant in force it is the caller's, who got the same error.
      if (called === own) this.#left.clear();
      else this.#reject(rival, error instanceof Unsettled ? error.message : reasonOf(error));
    }
    return undefined;
  }

  #conclude(
    range: number,
    size: number,
    own: string,
    rivals: readonly string[],
    logCosts: Map<string, number>,
  ): void {
    for (const rival of rivals) {
      const window = this.#window(range, own, rival);
      if (window.ratios.length < MIN_PAIRS || window.confirming) continue;
      const [low, high] = medianRange(window.ratios, SHOWN);
      const expected = logCosts.get(rival)! - logCosts.get(own)!;
      if (!window.told && (high < expected - MOVED || low > expected + MOVED)) {
        window.told = true;
        const ratio = Math.exp(median(window.ratios));
        this.emit('drift', { size, variant: own, rival, expected: Math.exp(expected), ratio });
      }
      if (high >= -LOST) continue;
      // Shown to be slower than this one: all are raced anew, on measurements that did not show it.
      for (const each of rivals) {
        const again = this.#window(range, own, each);
        again.ratios = [];
        again.confirming = true;
      }
      return;
    }
    const windows = rivals.map((rival) => this.#window(range, own, rival));
    if (!windows.every(({ confirming, ratios }) => confirming && ratios.length >= MIN_PAIRS)) return;
    for (const [i, rival] of rivals.entries()) {
      logCosts.set(rival, logCosts.get(own)! + median(windows[i]!.ratios));
    }
    const best = rivals.reduce((least, rival) =>
      logCosts.get(rival)! < logCosts.get(least)! ? rival : least,
    );
    const { ratios } = this.#window(range, own, best);
    this.#windows.clear();
    if (medianRange(ratios, SHOWN)[1] < -LOST) this.#change(range, size, own, best, Math.exp(median(ratios)));
  }

  #change(range: number, size: number, from: string, to: string, ratio: number): void {
    const bySize = this.#computation.choice.bySize
      .map((part, i) => (i === range ? { ...part, variant: to } : part))
      // Neighbours that call the same now are one range.
      .filter((part, i, all) => all[i + 1]?.variant !== part.variant);
    this.#stats.changes += 1;
    this.#left.clear(); // Their ranges are others now.
    this.#computation.applyChoice({ kind: 'computation', bySize });
    this.emit('choice', { size, from, to, ratio, choice: this.#computation.choice });
  }

  #reject(variant: string, reason: string): void {
    this.#rejected.add(variant);
    this.#windows.clear();
    this.emit('rejected', { variant, reason });
  }

  #rivalsOf(own: string, ownCost: number, logCosts: ReadonlyMap<string, number>): string[] {
    const greatest = Math.min(ownCost + Math.log(MAX_RATIO), Math.log(MAX_CALL_MS * 1e6));
    if (ownCost > greatest) return [];
    return [...logCosts]
      .filter(([name, cost]) => name !== own && cost <= greatest && !this.#rejected.has(name))
      .map(([name]) => name)
      .filter((name) => this.#computation.variantNamed(name) !== undefined);
  }

  /** What was measured at about this size; undefined where nothing near was. */
  #nearest(size: number) {
    if (!(size >= 0)) return undefined;
    const distance = (to: number) => Math.abs(Math.log((to + 1) / (size + 1)));
    const [first, ...others] = this.#costs;
    if (!first) return undefined;
    const nearest = others.reduce(
      (best, each) => (distance(each.size) < distance(best.size) ? each : best),
      first,
    );
    return distance(nearest.size) <= Math.log(MAX_SIZE_FACTOR) ? nearest : undefined;
  }

  #window(range: number, own: string, rival: string): Window {
    const key = JSON.stringify([range, own, rival]);
    let window = this.#windows.get(key);
    if (!window) this.#windows.set(key, (window = { ratios: [], confirming: false, told: false }));
    return window;
  }
}

/** NaN where it cannot be told: with one range `dispatch` never asks, so a function that throws comes to light here. */
function sizeOf({ size }: Computation, args: Arguments): number {
  try {
    return size(...args);
  } catch {
    return NaN;
  }
}

/**
 * Keeps a computation's choice right while it is used: see above for how. Costs some nanoseconds a call while it runs,
 * `maxShare` of the time at most, and memory for the arguments of one call per range. Its timer does not keep the
 * process alive. Variants are called with arguments of earlier calls, and must not change them.
 *
 * @throws INVALID_ARGUMENT for options that are not as described, and for a computation that is watched already.
 *
 * @example
 * const { choices } = await optimizer.optimizeComputation({ subject: 'lookup' });
 * const learning = keepLearning(lookup, { choices });
 * learning.on('choice', ({ size, from, to, ratio }) => log.info({ size, from, to, ratio }, 'another variant'));
 * // at the end: learning.close();
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a computation of any functions
export function keepLearning(computation: Computation<any>, options: LearningOptions): OnlineLearning {
  if (typeof (computation as Partial<Computation> | null | undefined)?.instrument !== 'function') {
    const expected = 'what computation() gave';
    throw fail('INVALID_ARGUMENT', { name: 'computation', actual: describe(computation), expected });
  }
  return new OnlineLearning(computation as Computation, options);
}
