/**
 * A race of variants on one size: rounds in which every variant that is left runs one batch, in random order.
 * What slows the host for a second slows all of a round, so variants are compared by the logarithm of their cost
 * against the leader's in the same round, and by medians, which shrug off the rounds that something fell into.
 *
 * How sure a median is follows from the sign test. The order within a round is random, so of two equal variants each
 * is the dearer in half of the rounds whatever the noise is like; its range needs no spread to be estimated. Rejected:
 * 1.25 · 1.4826 · MAD ÷ √n. Of eight rounds on a shared host, where times fall into groups, it came out near zero
 * every few races, and variants that were 25 % faster were taken out for being slower.
 *
 * A race chooses; it proves nothing. Looking at the data again and again until a difference shows finds one where
 * there is none, so what wins here is validated afterwards on measurements of its own.
 */
import { median } from '../validation/statistics.js';
import { settled } from './checked-call.js';
import { medianRange } from './median-range.js';
import { shuffle, type Random } from './random.js';
import type { Racer } from './racer.js';

/** Standard errors that separate two variants. With 2.3 for the worse half of many, five times as many wrong ones went. */
const SEPARATION = 3;
/** Standard errors within which a difference that is not worth finding has to lie. */
const LIKELY = 2.3;
/** Below this relative difference two variants are practically equal. */
const MARGIN = 0.01;
/** Below this difference it is not worth measuring on: which of two is the faster would be known, and gain little. */
const WORTH = 0.03;
/** What may be dearer than this is never given up as a tie for want of time. */
const DEAR = 0.03;
/** Time that a variant is measured for at one size where nothing is left out, and the bounds of the rounds that this makes. */
const FULL_MS = 64;
const MIN_FULL_ROUNDS = 128;
const MAX_FULL_ROUNDS = 1024;
/** Rounds are shorter than a turn of the event loop takes; it gets one after this long at the latest, and a round. */
const BREATHE_MS = 1;
/** Log ratio of what no disturbance explains if it shows in every round. */
const HOPELESS = Math.log(4);

export interface Standing {
  readonly variant: string;
  /** Median cost of one call. */
  readonly cost: number;
  /** Median log ratio of its cost to the leader's; 0 for the leader. */
  readonly logRatio: number;
  /** Its standard error. */
  readonly error: number;
  /** Could not be told apart from the leader by all that was measured of it, or practically equals it. */
  readonly tied: boolean;
  /** Rounds after which it was out; absent for those that stayed. */
  readonly eliminatedAfter?: number;
}

export interface RaceOptions {
  /** Draws the order of each round. */
  readonly random: Random;
  /** Milliseconds; `performance.now`, or the clock of a simulation. */
  readonly now: () => number;
  /** Called between rounds: gives the event loop a turn and throws where the caller gave up. */
  readonly breathe: () => Promise<void>;
  /** Milliseconds that a batch of calls which return promises, or a warm-up, may take; without end by default. */
  readonly maxBatchMs?: number;
  /** Told of each contender that is out because it threw, or because its promise was waited for in vain. */
  readonly onFailure?: (variant: string, cause: unknown) => void;
}

export class Race {
  readonly #contenders: readonly Racer[];
  readonly #options: RaceOptions;
  readonly #logCosts: number[][];
  readonly #eliminatedAfter: (number | undefined)[];
  /** Those that were taken out for being slower, not only to save time. */
  readonly #slower = new Set<number>();
  /** What those threw that took part no longer because they threw. */
  readonly #failures = new Map<number, unknown>();
  #isWarm = false;
  #rounds = 0;
  #elapsedMs = 0;
  #led: { readonly state: string; readonly leader: number } | undefined;
  #samples = 0;
  #sampledMs = 0;

  constructor(contenders: readonly Racer[], options: RaceOptions) {
    this.#contenders = contenders;
    this.#options = options;
    this.#logCosts = contenders.map(() => []);
    this.#eliminatedAfter = contenders.map(() => undefined);
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** Contenders that threw while they were measured, with what they threw. They are out, and have no standing. */
  get failures(): { readonly variant: string; readonly cause: unknown }[] {
    return [...this.#failures].map(([i, cause]) => ({ variant: this.#contenders[i]!.name, cause }));
  }

  /** Time that it took so far, warming up included. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Rounds that measure every variant fully: for {@link FULL_MS} each, within bounds. */
  get fullRounds(): number {
    if (this.#samples === 0) return MIN_FULL_ROUNDS;
    const rounds = Math.round((FULL_MS * this.#samples) / Math.max(this.#sampledMs, 1e-6));
    return Math.min(MAX_FULL_ROUNDS, Math.max(MIN_FULL_ROUNDS, rounds));
  }

  /** Indices of the contenders that are left. */
  get #left(): number[] {
    return this.#contenders.map((_, i) => i).filter((i) => this.#eliminatedAfter[i] === undefined);
  }

  /** Whether nobody is left to run another round, for all threw. */
  get isOver(): boolean {
    return this.#left.length === 0;
  }

  /** Runs rounds until `count` are done or time is up, one at least. */
  async run(count: number, untilMs: number): Promise<void> {
    const startMs = this.#options.now();
    if (!this.#isWarm) await this.#warmUp();
    await this.#runRounds(count, untilMs);
    this.#elapsedMs += this.#options.now() - startMs;
  }

  async #runRounds(count: number, untilMs: number): Promise<void> {
    const { random, now, breathe } = this.#options;
    let breathedMs = now();
    for (let i = 0; i < count; i += 1) {
      const beganMs = now();
      const order = shuffle(this.#left, random);
      if (order.length === 0) return;
      for (const index of order) {
        try {
          const cost = this.#contenders[index]!.sample();
          this.#logCosts[index]!.push(Math.log(typeof cost === 'number' ? cost : await this.#settled(cost)));
        } catch (error) {
          this.#fail(index, error);
        }
      }
      this.#rounds += 1;
      this.#samples += order.length;
      const endedMs = now();
      this.#sampledMs += endedMs - beganMs;
      if (endedMs - breathedMs >= BREATHE_MS || endedMs >= untilMs) {
        await breathe();
        breathedMs = now();
        if (breathedMs >= untilMs) return;
      }
    }
    await breathe();
  }

  /** Takes out what is slower than the leader by the margin; with `halve`, of the worse half also what is slower at all. */
  eliminate(halve: boolean): void {
    if (this.#left.length === 0) return;
    const leader = this.#leader();
    const ratioOf = new Map(
      this.#left.map((i) => [i, i === leader ? -Infinity : median(this.#ratios(i, leader))]),
    );
    const left = this.#left.sort((a, b) => ratioOf.get(a)! - ratioOf.get(b)!);
    for (const [rank, index] of left.entries()) {
      if (rank === 0) continue;
      const [low] = medianRange(this.#ratios(index, left[0]!), SEPARATION);
      const isSlower = low > MARGIN;
      const isWorseHalf = halve && rank >= Math.ceil(left.length / 2) && low > 0;
      if (isSlower || isWorseHalf) this.#eliminatedAfter[index] = this.#rounds;
      if (isSlower) this.#slower.add(index);
    }
  }

  /** Takes out what cost several times as much as the leader in each round so far, before more time goes into it. */
  eliminateHopeless(): void {
    if (this.#left.length === 0) return;
    const leader = this.#leader();
    for (const index of this.#left) {
      const ratios = this.#logCosts[index]!.map((cost, round) => cost - this.#logCosts[leader]![round]!);
      if (index === leader || Math.min(...ratios) <= HOPELESS) continue;
      this.#eliminatedAfter[index] = this.#rounds;
      this.#slower.add(index);
    }
  }

  /** Whether more rounds could not change the outcome: one is left, or all that are left are practically equal. */
  isDecided(): boolean {
    const left = this.#left;
    if (left.length <= 1) return true;
    const leader = this.#leader();
    return left.every((i) => i === leader || medianRange(this.#ratios(i, leader), LIKELY)[1] < WORTH);
  }

  /**
   * Whether no number of rounds up to `most` is likely to tell apart those that are left: their standard errors
   * shrink with the root of the rounds at best, and would still span both the leader and the margin.
   */
  isFutile(most: number): boolean {
    const shrunk = Math.sqrt(this.#rounds / most);
    const standings = this.standings().filter(({ eliminatedAfter }) => eliminatedAfter === undefined);
    return standings.every(({ logRatio, error }) => {
      if (logRatio === 0 && error === 0) return true;
      const reach = SEPARATION * error * shrunk;
      return logRatio < reach && logRatio + error < DEAR;
    });
  }

  /** Where each contender stands, in the order in which they were given. */
  standings(): Standing[] {
    if (this.#left.length === 0) return [];
    const leader = this.#leader();
    return this.#contenders.flatMap(({ name }, i) => {
      if (this.#failures.has(i)) return [];
      const ratios = this.#ratios(i, leader);
      const logRatio = i === leader ? 0 : median(ratios);
      const [low, high] = i === leader ? [0, 0] : medianRange(ratios, SEPARATION);
      const error = i === leader ? 0 : standardError(ratios);
      const eliminatedAfter = this.#eliminatedAfter[i];
      const cannotBeTold = low <= 0;
      const practicallyEqual = high < MARGIN;
      return {
        variant: name,
        cost: Math.exp(median(this.#logCosts[i]!)),
        logRatio: Math.max(0, logRatio),
        error,
        // One that was taken out to save time, and not for being slower, was not told apart either.
        tied: i === leader || (!this.#slower.has(i) && (cannotBeTold || practicallyEqual)),
        ...(eliminatedAfter !== undefined && { eliminatedAfter }),
      };
    });
  }

  /**
   * Log ratio of a contender's cost to the leader's in each round that both ran, and the leader's name; undefined
   * for the leader itself.
   */
  ratiosToLeader(variant: string): { readonly leader: string; readonly logRatios: number[] } | undefined {
    const index = this.#contenders.findIndex(({ name }) => name === variant);
    if (index < 0 || this.#left.length === 0 || this.#failures.has(index)) return undefined;
    const leader = this.#leader();
    if (index === leader) return undefined;
    return { leader: this.#contenders[leader]!.name, logRatios: this.#ratios(index, leader) };
  }

  /**
   * Of those left, one that none is cheaper than in the rounds that they share. Found from the least median cost, which
   * carries what the host did from one round to the next, by going on to whatever is cheaper in pairs.
   */
  #leader(): number {
    const left = this.#left;
    const state = `${this.#rounds} ${left.join()}`;
    if (this.#led?.state === state) return this.#led.leader;
    const medians = this.#logCosts.map((costs) => median(costs));
    let leader = left.reduce((best, i) => (medians[i]! < medians[best]! ? i : best), left[0]!);
    // Pairs of medians can go round in a circle, so none leads twice.
    const passed = new Set<number>();
    for (;;) {
      passed.add(leader);
      const rivals = left.filter((i) => !passed.has(i));
      const ratios = rivals.map((i) => median(this.#ratios(i, leader)));
      const least = Math.min(0, ...ratios);
      if (!(least < 0)) break;
      leader = rivals[ratios.indexOf(least)]!;
    }
    this.#led = { state, leader };
    return leader;
  }

  /** Log ratios of one's costs to another's. Rounds count from the start for all, so equal places are one round. */
  #ratios(index: number, leader: number): number[] {
    return this.#logCosts[index]!.map((cost, round) => cost - this.#logCosts[leader]![round]!);
  }

  async #warmUp(): Promise<void> {
    this.#isWarm = true;
    for (const [index, contender] of this.#contenders.entries()) {
      try {
        await this.#settled(contender.warmUp());
      } catch (error) {
        this.#fail(index, error);
      }
      await this.#options.breathe();
    }
  }

  /** A promise that nobody settles would end the process in silence, and the race with it. */
  #settled<T>(promise: Promise<T>): Promise<T> {
    const { maxBatchMs } = this.#options;
    return maxBatchMs === undefined ? promise : settled(promise, maxBatchMs);
  }

  #fail(index: number, cause: unknown): void {
    this.#failures.set(index, cause);
    this.#options.onFailure?.(this.#contenders[index]!.name, cause);
    this.#eliminatedAfter[index] = this.#rounds;
  }
}

/** Half of the range of one standard error; infinite for fewer values than show any. */
function standardError(values: readonly number[]): number {
  if (values.length < 3) return Infinity;
  const [low, high] = medianRange(values, 1);
  return (high - low) / 2;
}
