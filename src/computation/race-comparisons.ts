/**
 * The comparisons that a race made, in the form of all others: every variant against the leader of its size.
 *
 * A race looks at its rounds again and again, so its own standard errors claim too much. Its rounds are therefore
 * cut into blocks, and the always-valid interval over the blocks' medians is given, widened for what one process
 * cannot see. The leader was picked for being the lowest, which flatters it: that is said in a warning.
 */
import type { Comparison } from '../model/comparison.js';
import type { Environment } from '../model/fingerprint.js';
import { decide, type DecisionRule } from '../validation/decision.js';
import { median } from '../validation/statistics.js';
import { UNITS, type Objective } from './cost.js';
import type { MeasuredClass } from './find-choice.js';

/** Blocks that the rounds of a pair are cut into; each has four rounds at least. */
const MAX_BLOCKS = 16;
const MIN_ROUNDS_PER_BLOCK = 4;
/** As for all that is compared within one process (see validation/in-process.ts). */
const SHARED_DEVIATION = 0.012;
const WARNING =
  'From the race that chose: the leader was picked for being the lowest, so ratios to it are a little too high. ' +
  'The decision rests on the validation.';

/** All pairs, sizes in ascending order. */
export function raceComparisons(
  measured: readonly MeasuredClass[],
  objective: Objective,
  environment: Environment,
): Comparison[] {
  const rule: DecisionRule = {
    confidenceLevel: 0.95,
    equivalenceMargin: 0.01,
    sharedDeviation: objective === 'memory' ? 0 : SHARED_DEVIATION,
  };
  return measured.flatMap(({ size, race, standings }) =>
    standings.flatMap(({ variant, cost }) => {
      const pair = race?.ratiosToLeader(variant);
      if (!pair || pair.logRatios.length === 0) return [];
      const blocks = blockMedians(pair.logRatios);
      const { verdict, ratio, interval, minimumDetectableEffect } = decide(blocks, rule);
      const leaderCost = standings.find((standing) => standing.variant === pair.leader)?.cost ?? NaN;
      const comparison: Comparison = {
        form: 'in-process',
        baseline: `${pair.leader} (size ${size})`,
        candidate: `${variant} (size ${size})`,
        verdict,
        ratio,
        interval,
        confidenceLevel: rule.confidenceLevel,
        equivalenceMargin: rule.equivalenceMargin,
        processes: blocks.length,
        pairs: pair.logRatios.length,
        elapsedMs: Math.round(race!.elapsedMs),
        minimumDetectableEffect,
        measure: objective === 'memory' ? 'allocated' : objective,
        baselineCost: Number.isFinite(leaderCost) ? leaderCost : cost / ratio,
        candidateCost: cost,
        unit: UNITS[objective],
        replicateRatios: blocks.map(Math.exp),
        costs: [],
        environment,
        warnings: [WARNING],
      };
      return [comparison];
    }),
  );
}

function blockMedians(values: readonly number[]): number[] {
  const count = Math.max(1, Math.min(MAX_BLOCKS, Math.floor(values.length / MIN_ROUNDS_PER_BLOCK)));
  return Array.from({ length: count }, (_, i) =>
    median(
      values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count)),
    ),
  );
}
