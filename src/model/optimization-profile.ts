import type { Comparison } from './comparison.js';
import type { Choice } from './choice.js';
import type { Environment } from './fingerprint.js';
import type { OptimizationStatus, OptimizationType } from './types.js';

/** What was optimised. `reference` marks a run over the library's own records: never counted as a gain. */
export interface SubjectRef {
  readonly kind: 'reference' | 'struct' | 'pool' | 'computation' | 'job' | 'workload';
  readonly name: string;
}

/** One optimisation from settings to verdict, as it is returned and stored. */
export interface OptimizationProfile {
  readonly schemaVersion: number;
  readonly id: string;
  readonly type: OptimizationType;
  readonly createdAt: string;
  readonly elapsedMs: number;
  readonly subject: SubjectRef;
  /** The settings as they were understood: canonical camelCase, defaults filled in. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What was planned and considered, for people and for reports. Plain JSON. */
  readonly plan: Readonly<Record<string, unknown>>;
  readonly status: OptimizationStatus;
  /** The comparison that decided; null where none could be made (`status` is then `failed`). */
  readonly validation: Comparison | null;
  /** Further comparisons behind the choice, e.g. one per input size. */
  readonly comparisons: readonly Comparison[];
  /** What was put in force; null unless `applied`. */
  readonly choice: Choice | null;
  readonly environment: Environment;
  readonly warnings: readonly string[];
  /** Ids of the profiles of other subjects that the same call optimised. */
  readonly others?: readonly string[];
}
