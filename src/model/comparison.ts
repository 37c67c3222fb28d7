import type { Environment } from './fingerprint.js';

/**
 * - `faster` / `slower`: the whole interval lies on one side of the region of practical equivalence.
 * - `equivalent`: the whole interval lies inside it.
 * - `inconclusive`: neither within the effort allowed. Not a claim of any kind.
 */
export type Verdict = 'faster' | 'slower' | 'equivalent' | 'inconclusive';

/** How the two sides were run, strongest first. */
export type ComparisonForm = 'fresh-processes' | 'commands' | 'service' | 'in-process';

/** One cost compared beside time, e.g. allocated bytes. */
export interface CostComparison {
  readonly name: string;
  readonly unit: string;
  readonly baseline: number;
  readonly candidate: number;
  /** Candidate over baseline; absent where the baseline is 0. */
  readonly ratio?: number;
  readonly interval?: readonly [number, number];
  /** By the same rule as the comparison's own verdict, where the figure has one. */
  readonly verdict?: Verdict;
  /** True only where every replicate gave the same number on each side. */
  readonly exact: boolean;
}

/** A comparison kept on its own: of a whole service, or of any two things that no optimisation chose between. */
export interface StoredComparison {
  readonly schemaVersion: number;
  readonly id: string;
  readonly createdAt: string;
  /** What was compared, for people. */
  readonly name: string;
  /** Whose doing the difference between the sides is. Only what the tool chose is ever called its gain. */
  readonly changedBy: 'tool' | 'person';
  readonly comparison: Comparison;
}

/** The outcome of `compare`. Also stored, as the proof beside every optimisation. */
export interface Comparison {
  readonly form: ComparisonForm;
  readonly baseline: string;
  readonly candidate: string;
  readonly verdict: Verdict;
  /** Candidate's cost over baseline's; below 1 is better. */
  readonly ratio: number;
  /** Always-valid interval of the ratio at `confidenceLevel`; null while there is no bound yet. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly confidenceLevel: number;
  /** Half-width of the region of practical equivalence, e.g. 0.01 for ±1 %. */
  readonly equivalenceMargin: number;
  /** Replicates: fresh processes, or blocks for the in-process and service forms. */
  readonly processes: number;
  /** Interleaved pairs measured in all. */
  readonly pairs: number;
  readonly elapsedMs: number;
  /** Smallest relative change that this run's noise would have let it decide (e.g. 0.03); null without bound. */
  readonly minimumDetectableEffect: number | null;
  /** What is compared: time per call, or another named cost. */
  readonly measure: string;
  /** Median cost per call of each side, in `unit`. For orientation: the verdict rests on the ratio alone. */
  readonly baselineCost: number;
  readonly candidateCost: number;
  readonly unit: string;
  /** The ratio that each replicate gave, in order; the verdict follows from these alone. */
  readonly replicateRatios?: readonly number[];
  /** How many replicates would probably show these effects at the noise seen; null where none would. */
  readonly replicatesNeeded?: readonly { readonly effect: number; readonly replicates: number | null }[];
  readonly costs: readonly CostComparison[];
  readonly environment: Environment;
  readonly warnings: readonly string[];
}
