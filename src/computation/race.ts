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
import { medianRange } from './median-range.js';
import { shuffle, type Random } from './random.js';
import type { Racer } from './racer.js';

/** Standard errors that separate two variants. */
const SEPARATION = 3;
/** Standard errors after which the worse half of many may go, to save time; it is not called slower for that. */
const LIKELY = 2.3;
/** Below this relative difference two variants are practically equal. */
const MARGIN = 0.01;
/** Below this difference it is not worth measuring on: which of two is the faster would be known, and gain little. */
const WORTH = 0.03;
/** What may be dearer than this is never given up as a tie for want of time. */
const DEAR = 0.03;
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
}

export class Race {
  readonly #contenders: readonly Racer[];
  readonly #options: RaceOptions;
  readonly #logCosts: number[][];
  readonly #eliminatedAfter: (number | undefined)[];
  /** Those that were taken out for being slower, not only to save time. */
  readonly #slower = new Set<number>();
  #isWarm = false;
  #rounds = 0;
  #elapsedMs = 0;

  constructor(contenders: readonly Racer[], options: RaceOptions) {
    this.#contenders = contenders;
    this.#options = options;
    this.#logCosts = contenders.map(() => []);
    this.#eliminatedAfter = contenders.map(() => undefined);
  }

  get rounds(): number {
    return this.#rounds;
  }

  /** Time that it took so far, warming up included. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Indices of the contenders that are left. */
  get #left(): number[] {
    return this.#contenders.map((_, i) => i).filter((i) => this.#eliminatedAfter[i] === undefined);
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
    for (let i = 0; i < count; i += 1) {
      for (const index of shuffle(this.#left, random)) {
        this.#logCosts[index]!.push(Math.log(await this.#contenders[index]!.sample()));
      }
      this.#rounds += 1;
      await breathe();
      if (now() >= untilMs) return;
    }
  }

  /** Takes out what is plainly slower than the leader; with `halve`, also the worse half of what is likely slower. */
  eliminate(halve: boolean): void {
    const leader = this.#leader();
    const ratioOf = new Map(
      this.#left.map((i) => [i, i === leader ? -Infinity : median(this.#ratios(i, leader))]),
    );
    const left = this.#left.sort((a, b) => ratioOf.get(a)! - ratioOf.get(b)!);
    for (const [rank, index] of left.entries()) {
      if (rank === 0) continue;
      const ratios = this.#ratios(index, left[0]!);
      const isSlower = medianRange(ratios, SEPARATION)[0] > MARGIN;
      const isLikelySlower =
        halve && rank >= Math.ceil(left.length / 2) && medianRange(ratios, LIKELY)[0] > 0;
      if (isSlower || isLikelySlower) this.#eliminatedAfter[index] = this.#rounds;
      if (isSlower) this.#slower.add(index);
    }
  }

  /** Takes out what cost several times as much as the leader in each round so far, before more time goes into it. */
  eliminateHopeless(): void {
    const standings = this.standings();
    const leader = standings.findIndex(({ logRatio, error }) => logRatio === 0 && error === 0);
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
    if (left.length === 1) return true;
    const leader = this.#leader();
    return left.every((i) => i === leader || medianRange(this.#ratios(i, leader), LIKELY)[1] < WORTH);
  }

  /**
   * Whether no number of rounds up to `most` is likely to tell apart those that are left: their standard errors
   * shrink with the root of the rounds at best, and would still span both the leader and the margin.
   */
  isFutile(most: number): boolean {
    const shrunk = Math.sqrt(this.#rounds / most);
    const standings = this.standings().filter((_, i) => this.#eliminatedAfter[i] === undefined);
    return standings.every(({ logRatio, error }) => {
      if (logRatio === 0 && error === 0) return true;
      const reach = SEPARATION * error * shrunk;
      return logRatio < reach && logRatio + error < DEAR;
    });
  }

  /** Where each contender stands, in the order in which they were given. */
  standings(): Standing[] {
    const leader = this.#leader();
    return this.#contenders.map(({ name }, i) => {
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
    const leader = this.#leader();
    const index = this.#contenders.findIndex(({ name }) => name === variant);
    if (index < 0 || index === leader) return undefined;
    return { leader: this.#contenders[leader]!.name, logRatios: this.#ratios(index, leader) };
  }

  /** Of those left, the one that the others are dearer than, in the rounds that they share. */
  #leader(): number {
    const medians = this.#logCosts.map((costs) => median(costs));
    return this.#left.reduce((best, i) => (medians[i]! < medians[best]! ? i : best), this.#left[0]!);
  }

  /** Log ratios of one's costs to another's. Rounds count from the start for all, so equal places are one round. */
  #ratios(index: number, leader: number): number[] {
    return this.#logCosts[index]!.map((cost, round) => cost - this.#logCosts[leader]![round]!);
  }

  async #warmUp(): Promise<void> {
    this.#isWarm = true;
    for (const contender of this.#contenders) {
      await contender.warmUp();
      await this.#options.breathe();
    }
  }
}

/** Half of the range of one standard error; infinite for fewer values than show any. */
function standardError(values: readonly number[]): number {
  if (values.length < 3) return Infinity;
  const [low, high] = medianRange(values, 1);
  return (high - low) / 2;
}
