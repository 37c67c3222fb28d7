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
  /** Longest stretch of samples with this function on the stack, in ms of sampled time. */
  readonly longestRunMs?: number;
}

/** What a function of the user spends time on, as the source and the stack below it tell. */
export type OperationKind =
  | 'own-code'
  | 'json'
  | 'regexp'
  | 'exception'
  | 'sync-fs'
  | 'sync-child-process'
  | 'sync-crypto'
  | 'sync-zlib'
  | 'buffer'
  | 'timer'
  | 'microtask'
  | 'console'
  | 'node';

/** Sampled time of one kind of operation in one function of the user. */
export interface OperationCost {
  readonly kind: OperationKind;
  /** The operation as a reader of the source knows it: `JSON.parse`, `fs.readFileSync`, `/^(a+)+$/`. */
  readonly name: string;
  /** The user's innermost function that is responsible; `line` is the line the time was spent on or below. */
  readonly location: CodeLocation;
  /** Line on which that function begins. */
  readonly functionLine: number;
  /** The dependency's function in which the time was spent, where it was not in the user's own. */
  readonly via?: CodeLocation;
  readonly totalMs: number;
  /** `totalMs` over all sampled busy time, 0 to 1. */
  readonly share: number;
  /** Longest stretch of samples in this operation of this function. */
  readonly longestRunMs: number;
  /** Part of `totalMs` in which V8 stood in its generic stub for reading a property of objects of many shapes. */
  readonly stubMs: number;
  /** Part of `totalMs` spent while modules were being loaded. */
  readonly startupMs: number;
  /** Named functions of the user above this one on the stack, innermost first, with the share of `totalMs` below them. */
  readonly callers: readonly {
    readonly function: string;
    readonly file: string;
    readonly line: number;
    readonly share: number;
  }[];
}

/** One thread's time in the window. */
export interface ThreadCost {
  readonly tid: number;
  readonly name: string;
  readonly onCpuMs: number;
  readonly runnableMs: number;
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
  /** The function that the location called to allocate most of it, where it did not allocate itself: `addListener`. */
  readonly through?: string;
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
  /** Sorted by `selfMs`, greatest first. */
  readonly functions: readonly FunctionCost[];
  /** Sorted by `allocatedBytes`, greatest first. */
  readonly allocations: readonly AllocationSite[];
  readonly callTree: StackNode | null;
  readonly gc: readonly GcSummary[];
  readonly warnings: readonly string[];
  /** Time by operation and responsible function, greatest first. */
  readonly operations?: readonly OperationCost[];
  readonly threads?: readonly ThreadCost[];
  /** The `.cpuprofile` (or `.heapprofile`) as V8 gave it, where it was asked for. Opens in Chrome DevTools. */
  readonly rawProfile?: unknown;
}
