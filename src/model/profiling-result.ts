import type { Trigger } from './trigger.js';
import type { Finding, RuledOut } from './finding.js';
import type { Environment } from './fingerprint.js';
import type { Metrics, TimelinePoint } from './metric.js';
import type { Recommendation } from './recommendation.js';
import type {
  ActivityCost,
  AllocationSite,
  FunctionCost,
  NativeFunction,
  Retainer,
  StackNode,
  ThreadCost,
  ThreadProfile,
} from './signals.js';
import type { ProfileType } from './types.js';

/** Shortest window of a profile: four samples of V8's profiler. It takes a hundred times as long to say much. */
export const MIN_PROFILE_MS = 10;

/** Longest window of a profile: V8 keeps every sample until the end, about 240,000 for ten busy minutes at 400 Hz. */
export const MAX_PROFILE_MS = 600_000;

/** What was profiled. */
export interface ProfileTarget {
  readonly pid: number;
  /** Command line for a started program, `in-process` for one that profiles itself. */
  readonly description: string;
  /** Load that was driven, where the profiler drove it. */
  readonly load?: LoadSummary;
}

export interface LoadSummary {
  readonly url: string;
  readonly requests: number;
  readonly errors: number;
  readonly requestsPerSecond: number;
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
}

export interface Analysis {
  /** Best first. Holds a `healthy` finding where nothing is wrong; never empty. */
  readonly findings: readonly Finding[];
  readonly ruledOut: readonly RuledOut[];
  /** One paragraph for people. */
  readonly summary: string;
}

/** One profiling run from signals to recommendations, as it is returned and stored. */
export interface ProfilingResult {
  readonly schemaVersion: number;
  readonly id: string;
  readonly type: ProfileType;
  readonly createdAt: string;
  readonly durationMs: number;
  readonly target: ProfileTarget;
  /** Why the monitor took it by itself; absent for one that was asked for. */
  readonly trigger?: Trigger;
  readonly environment: Environment;
  readonly metrics: Metrics;
  readonly timeline: readonly TimelinePoint[];
  /** Hottest functions by self time, for a CPU run. */
  readonly functions: readonly FunctionCost[];
  /** Allocation by site, for a memory run. */
  readonly allocations: readonly AllocationSite[];
  /** Merged call tree for the flame graph: CPU time, or allocated bytes for a memory run. */
  readonly callTree: StackNode | null;
  /** Native functions of the profiled thread by share of its CPU time, for a CPU run. */
  readonly nativeFunctions?: readonly NativeFunction[];
  /** What new objects hang on, by bytes, for a memory run with `retainers`. */
  readonly retainers?: readonly Retainer[];
  /** Input, output and other waiting, by kind and place, by total time. */
  readonly activities?: readonly ActivityCost[];
  readonly threads?: readonly ThreadCost[];
  /** CPU profiles of worker threads, one each. */
  readonly threadProfiles?: readonly ThreadProfile[];
  readonly analysis: Analysis;
  readonly recommendations: readonly Recommendation[];
  readonly warnings: readonly string[];
  /** Set where the store could not be written: this is the only copy. */
  readonly stored?: false;
}
