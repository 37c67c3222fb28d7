/** What a profiling run looks at. The values are accepted as plain strings too (`'cpu'`). */
export const ProfileType = {
  CPU: 'cpu',
  MEMORY: 'memory',
  IO: 'io',
  NETWORK: 'network',
  THREAD: 'thread',
} as const;
export type ProfileType = (typeof ProfileType)[keyof typeof ProfileType];

/** What an optimisation acts on. The values are accepted as plain strings too (`'memory'`). */
export const OptimizationType = {
  MEMORY: 'memory',
  COMPUTATION: 'computation',
  THREAD: 'thread',
} as const;
export type OptimizationType = (typeof OptimizationType)[keyof typeof OptimizationType];

/**
 * How an optimisation ended.
 *
 * - `applied`: measured better on this machine and put in force.
 * - `no_improvement`: measured, and the present state is as good or better; nothing was changed.
 * - `inconclusive`: the machine was too noisy for the effort allowed; nothing was changed.
 * - `failed`: could not be measured (the reason is in the profile's `warnings`); nothing was changed.
 */
export type OptimizationStatus = 'applied' | 'no_improvement' | 'inconclusive' | 'failed';
export const OPTIMIZATION_STATUSES: readonly OptimizationStatus[] = [
  'applied',
  'no_improvement',
  'inconclusive',
  'failed',
];

/** Version of the stored documents. A reader refuses a later major version with a clear error. */
export const SCHEMA_VERSION = 1;
