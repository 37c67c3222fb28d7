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

/** What carrying a recommendation out led to. */
export interface RecommendationOutcome {
  readonly status: OptimizationStatus;
  readonly profileId: string;
  readonly appliedAt: string;
  /** Candidate's cost over baseline's (below 1 is better), where it was measured. */
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
