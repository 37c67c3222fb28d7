import type { Progress } from '../events.js';
import type { Environment } from './fingerprint.js';
import type { OptimizationProfile } from './optimization-profile.js';

/** What the facade hands to a room that optimises. */
export interface OptimizationContext {
  readonly environment: Environment;
  /** Milliseconds that the whole optimisation may take. Rooms divide it among their comparisons. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

/** What a room returns; the facade adds identity, time and environment, and stores it. */
export type OptimizationDraft = Omit<
  OptimizationProfile,
  'schemaVersion' | 'id' | 'createdAt' | 'elapsedMs' | 'environment' | 'others'
>;
