import type { ExperimentCause, ExperimentStatus } from './experiment.js';
import type { Cause, CodeLocation, Evidence, Severity } from './finding.js';
import type { OptimizationStatus } from './types.js';

/** A typed call that the optimizer can carry out, or a precise change for a person to make. */
export type Action =
  | {
      readonly kind: 'optimize-memory';
      readonly settings: Record<string, unknown>;
      readonly subject?: string;
    }
  | { readonly kind: 'optimize-computation'; readonly subject?: string }
  | { readonly kind: 'optimize-threads'; readonly subject?: string }
  | {
      /** A Node or V8 flag to try; carried out by `sysopt optimize --recommendation`, which starts the program. */
      readonly kind: 'runtime-flag';
      readonly flag: string;
    }
  | {
      /** A variable of the environment to try, which Node or libuv reads at the start; carried out like a flag. */
      readonly kind: 'environment';
      readonly variable: string;
      readonly value: string;
    }
  | {
      /**
       * A measurement that decides on a cause which leaves no passive signal; carried out by `sysopt test-cause
       * --recommendation`, or by `optimizer.apply` with the module.
       */
      readonly kind: 'experiment';
      readonly cause: ExperimentCause;
      /** Why the profile leaves this cause open, and why that is no diagnosis. */
      readonly rationale: string;
      /** Name of the function that the module of the experiment exports. */
      readonly export: string;
      /** Such a module, which runs as it stands and is to be filled with the program's own data and work. */
      readonly template: string;
    }
  | {
      readonly kind: 'code-change';
      readonly summary: string;
      /** The line that the finding names, as it stands there; absent where the file cannot be read. */
      readonly source?: string;
      /** A short example of the pattern found, and of what to write in its place. */
      readonly before: string;
      readonly after: string;
      /** Page of the guide, relative to the package: `docs/guide-memory.md#…`. */
      readonly guide: string;
    };

/** What tells actions apart: `recommendation.action.kind`. */
export type ActionKind = Action['kind'];

/** By the compiler all of them: what the store accepts. */
const KINDS: Readonly<Record<ActionKind, true>> = {
  'optimize-memory': true,
  'optimize-computation': true,
  'optimize-threads': true,
  'runtime-flag': true,
  environment: true,
  experiment: true,
  'code-change': true,
};
export const ACTION_KINDS = Object.keys(KINDS) as readonly ActionKind[];

/** What carrying a recommendation out led to. */
export interface RecommendationOutcome {
  /** Of an experiment: whether its cause was found. Nothing is applied by one. */
  readonly status: OptimizationStatus | ExperimentStatus;
  /** The optimisation that was run. */
  readonly profileId?: string;
  /** The stored comparison, where it was an experiment. */
  readonly comparisonId?: string;
  readonly appliedAt: string;
  /** Candidate's cost over baseline's (below 1 is better), where it was measured. Of an experiment: without the cause. */
  readonly ratio?: number;
  readonly interval?: readonly [number, number];
}

export interface Recommendation {
  readonly schemaVersion: number;
  readonly id: string;
  readonly createdAt: string;
  /** Id of the profiling result that gave rise to it. */
  readonly resultId: string;
  readonly cause: Cause;
  readonly severity: Severity;
  readonly confidence: number;
  readonly title: string;
  readonly evidence: readonly Evidence[];
  readonly location?: CodeLocation;
  readonly action: Action;
  readonly outcome?: RecommendationOutcome;
}
