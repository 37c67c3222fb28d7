import type { Alert } from './model/alert.js';
import type { OptimizationProfile } from './model/optimization-profile.js';
import type { ProfilingResult } from './model/profiling-result.js';
import type { Recommendation } from './model/recommendation.js';

/** Long work tells where it is. */
export interface Progress {
  readonly stage: string;
  /** 0 to 1 where the amount of work is known. */
  readonly fraction?: number;
  readonly message: string;
}

/** Events of a `SystemOptimizer`, with their arguments. */
export interface OptimizerEvents {
  profile: [result: ProfilingResult];
  recommendation: [recommendation: Recommendation];
  optimization: [profile: OptimizationProfile];
  applied: [profile: OptimizationProfile];
  /** The monitor saw something out of the ordinary and looked into it. Follows `profile`. */
  alert: [alert: Alert];
  progress: [progress: Progress];
  warning: [message: string];
  close: [];
}
