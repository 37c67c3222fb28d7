import type { ProfilingResult } from './profiling-result.js';
import type { Trigger } from './trigger.js';

/** What the monitor saw, with what was found when it was looked into. */
export interface Alert extends Trigger {
  /** Diagnosed and stored. Absent where there is no profile. */
  readonly result?: ProfilingResult;
  /** Why there is none: the program may not use the inspector, or the store cannot be written. */
  readonly failure?: Error;
}
