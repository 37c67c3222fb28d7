/** From log ratios of replicates to a verdict. Pure: no clock, no process. */
import type { Verdict } from '../model/comparison.js';
import { confidenceSequence, evidenceAgainst, halfWidthFactor } from './confidence-sequence.js';
import { normalQuantile } from './distributions.js';
import { standardDeviation } from './statistics.js';

export interface DecisionRule {
  readonly confidenceLevel: number;
  /** Half-width of the region of practical equivalence as a share, e.g. 0.01. */
  readonly equivalenceMargin: number;
  /**
   * Standard deviation of an error that all replicates share and that their spread therefore cannot show, in
   * log units; 0 where replicates are independent.
   */
  readonly sharedDeviation?: number;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly ratio: number;
  /** Null while there is no bound. */
  readonly interval: readonly [number, number] | null;
  readonly minimumDetectableEffect: number | null;
  /** Whether more replicates could still narrow the interval: not once the shared error is nearly all of it. */
  readonly improvable: boolean;
}

/** Verdict over log ratios (candidate ÷ baseline), one per replicate. At least one. */
export function decide(logRatios: readonly number[], rule: DecisionRule): Decision {
  const sequence = confidenceSequence(logRatios, rule.confidenceLevel);
  const centre = sequence.mean;
  const halfWidth = Math.hypot(sequence.halfWidth, sharedHalfWidth(rule));
  const ratio = Math.exp(centre);
  if (!Number.isFinite(halfWidth)) {
    return {
      verdict: 'inconclusive',
      ratio,
      interval: null,
      minimumDetectableEffect: null,
      improvable: true,
    };
  }
  const [low, high] = [centre - halfWidth, centre + halfWidth];
  return {
    verdict: verdictOf(low, high, rule.equivalenceMargin),
    ratio,
    interval: [Math.exp(low), Math.exp(high)],
    minimumDetectableEffect: Math.expm1(halfWidth + Math.log1p(rule.equivalenceMargin)),
    improvable: sequence.halfWidth > sharedHalfWidth(rule) / 4,
  };
}

/** Verdict for an interval of the log ratio. */
export function verdictOf(low: number, high: number, equivalenceMargin: number): Verdict {
  const margin = Math.log1p(equivalenceMargin);
  if (high < -margin) return 'faster';
  if (low > margin) return 'slower';
  return low > -margin && high < margin ? 'equivalent' : 'inconclusive';
}

/** A shared error is one draw from a normal distribution: its two-sided quantile bounds it. */
function sharedHalfWidth(rule: DecisionRule): number {
  const deviation = rule.sharedDeviation ?? 0;
  return deviation === 0 ? 0 : deviation * normalQuantile((1 + rule.confidenceLevel) / 2);
}

/**
 * How many replicates would probably show a relative effect (e.g. 0.03) or rule it out, given the spread so
 * far. Null where no number up to 10,000 would.
 */
export function replicatesFor(
  effect: number,
  logRatios: readonly number[],
  rule: DecisionRule,
): number | null {
  if (logRatios.length < 2) return null;
  const room = Math.log1p(effect) - Math.log1p(rule.equivalenceMargin);
  const deviation = standardDeviation(logRatios);
  for (let n = 4; n <= 10_000; n = n < 100 ? n + 2 : Math.ceil(n * 1.05)) {
    const halfWidth = Math.hypot(halfWidthFactor(n, rule.confidenceLevel) * deviation, sharedHalfWidth(rule));
    if (halfWidth < room) return n;
  }
  return null;
}

/**
 * Holm's step-down correction (Holm 1979): which claims of a difference stand when the chance of any false one
 * among all of them is to stay below `alpha`.
 *
 * @returns per series the level at which its claim was tested, or null where it does not stand.
 */
export function holm(series: readonly (readonly number[])[], rule: DecisionRule): (number | null)[] {
  const alpha = 1 - rule.confidenceLevel;
  const margin = Math.log1p(rule.equivalenceMargin);
  const levels = new Array<number | null>(series.length).fill(null);
  const order = series
    .map((logRatios, index) => ({ index, p: evidenceAgainst(logRatios, margin) }))
    .sort((a, b) => a.p - b.p);
  for (const [rank, { index, p }] of order.entries()) {
    const allowed = alpha / (series.length - rank);
    if (p > allowed) break;
    levels[index] = 1 - allowed;
  }
  return levels;
}
