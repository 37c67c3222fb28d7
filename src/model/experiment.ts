/**
 * Causes on which no passive signal decides, and what a function is told that does its work both ways: as the program
 * does it, and without the cause.
 */
export const EXPERIMENT_CAUSES = ['false-sharing', 'cache-unfriendly-access', 'lock-contention'] as const;

/** A cause that `testCause` decides on: one of `EXPERIMENT_CAUSES`. */
export type ExperimentCause = (typeof EXPERIMENT_CAUSES)[number];

/** What the function is told, beside its own arguments, as its last one. */
export type ExperimentArm =
  | { readonly strideBytes: number }
  | { readonly order: 'as-is' | 'sequential' }
  | { readonly lock: 'as-is' | 'other' };

/** What an experiment came to: the cause was found, was ruled out by measurement, or could not be decided on. */
export type ExperimentStatus = 'cause_found' | 'ruled_out' | 'inconclusive';
