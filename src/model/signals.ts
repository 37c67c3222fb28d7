import type { CodeLocation } from './finding.js';
import type { Metrics, TimelinePoint } from './metric.js';
import type { ProfileType } from './types.js';

/** One function's share of sampled CPU time. */
export interface FunctionCost {
  readonly location: CodeLocation;
  /** Time in the function itself, and with all it called. Milliseconds of sampled CPU time. */
  readonly selfMs: number;
  readonly totalMs: number;
  /** `selfMs` and `totalMs` over all sampled non-idle time, 0 to 1. */
  readonly selfShare: number;
  readonly totalShare: number;
  /** Line inside the function on which most self samples fell (1-based), where V8 gave line ticks. */
  readonly hottestLine?: number;
  /** What kind of code this is. */
  readonly origin: 'user' | 'dependency' | 'node' | 'native' | 'gc' | 'program';
}

/** One call site's share of sampled allocation. */
export interface AllocationSite {
  readonly location: CodeLocation;
  /** Estimated bytes allocated during the window, including what was collected since. */
  readonly allocatedBytes: number;
  readonly share: number;
  /** Estimated bytes that were still live at the end. */
  readonly liveBytes?: number;
  readonly origin: FunctionCost['origin'];
}

/** Node of a merged call tree. `value` is inclusive: milliseconds of CPU, or bytes. */
export interface StackNode {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  readonly value: number;
  readonly children: readonly StackNode[];
}

/** Collections of one kind during the window. */
export interface GcSummary {
  readonly kind: 'scavenge' | 'minor-mark-sweep' | 'mark-sweep-compact' | 'incremental' | 'weak-callbacks';
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

/** Everything that a profiling session gathered: what rules see, and all that they see. */
export interface Signals {
  readonly type: ProfileType;
  readonly durationMs: number;
  readonly metrics: Metrics;
  readonly timeline: readonly TimelinePoint[];
  /** Present for CPU runs. Sorted by `selfMs`, greatest first. */
  readonly functions: readonly FunctionCost[];
  /** Present for memory runs. Sorted by `allocatedBytes`, greatest first. */
  readonly allocations: readonly AllocationSite[];
  readonly callTree: StackNode | null;
  readonly gc: readonly GcSummary[];
  readonly warnings: readonly string[];
}
