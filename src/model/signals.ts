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
  | 'lock'
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
  /** Part of `totalMs` on lines that make objects or lists; absent in results stored before it was measured. */
  readonly makingMs?: number;
  /** Part of `totalMs` on lines that visit elements in another order than that of memory, as the source shows; absent for none. */
  readonly scatteredMs?: number;
  /** Part of `totalMs` on lines that write to memory which threads share, as the source shows; absent for none. */
  readonly sharedWriteMs?: number;
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

/** What a thread is for. `runtime` are V8's and Node's own helpers, and threads of native modules. */
export type ThreadRole = 'main' | 'worker' | 'pool' | 'runtime';

/** A thread's time along the window, in steps of equal length. */
export interface ThreadLane {
  readonly stepMs: number;
  /** Share of each step on a CPU, and ready without one, 0 to 1. */
  readonly onCpu: readonly number[];
  readonly runnable: readonly number[];
}

/** One thread's time in the window. */
export interface ThreadCost {
  readonly tid: number;
  readonly name: string;
  readonly onCpuMs: number;
  readonly runnableMs: number;
  readonly role?: ThreadRole;
  /** Window less on-CPU and runnable time: waiting for events, locks or other threads. */
  readonly blockedMs?: number;
  /** Moves from one CPU to another, and context switches by the thread's own wish and against it. */
  readonly migrations?: number;
  readonly voluntarySwitches?: number;
  readonly involuntarySwitches?: number;
  readonly lane?: ThreadLane;
}

/** What a worker thread ran, as its own CPU profile tells. */
export interface ThreadProfile {
  /** Node's number of the worker, and the kernel's where it is known. */
  readonly workerId: string;
  readonly tid?: number;
  readonly title: string;
  readonly url: string;
  /** Milliseconds that the profile covers, and the share of them that was not idle. */
  readonly sampledMs: number;
  readonly busyShare: number;
  readonly functions: readonly FunctionCost[];
  readonly operations: readonly OperationCost[];
  readonly callTree: StackNode | null;
}

/**
 * What an operation is about. `fs-sync` holds the loop; `socket` is an exchange over a plain TCP or TLS connection;
 * `overfilled-write` is a write into a stream that had asked for a pause and holds several times what it wants to.
 */
export type ActivityKind =
  | 'fs'
  | 'fs-sync'
  | 'crypto'
  | 'zlib'
  | 'dns'
  | 'connect'
  | 'http'
  | 'http-server'
  | 'socket'
  | 'timer'
  | 'overfilled-write';

/** Operations of one kind that the program asked for at one place. */
export interface ActivityCost {
  readonly kind: ActivityKind;
  /** As a reader of the source knows it: `fs.readFile`, `GET`, `dns.lookup`. */
  readonly name: string;
  /** `host:port`, or a path. */
  readonly target?: string;
  /** The user's function that asked, on the line of the call. */
  readonly location?: CodeLocation;
  readonly functionLine?: number;
  /** The dependency's function that made the call, where it was not the user's own. */
  readonly via?: CodeLocation;
  /** Estimated from a sample where the rate is high. */
  readonly count: number;
  readonly errors: number;
  /** From the call to its answer: the sum, the median, the 99th percentile and the longest. */
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly bytes: number;
  readonly maxInFlight: number;
  /** Share of the operations that opened a connection, where that is known. */
  readonly newConnectionShare?: number;
  readonly peakBufferedBytes?: number;
  /** Descriptors that were opened here in the window and still are. */
  readonly openDescriptors?: number;
  /** The functions on the stack that await this operation in turn with others, and need not. */
  readonly serialIn?: SerialAwait;
}

/** An await that stands in a row with others of the same function, without need of their results. */
export interface SerialAwait {
  readonly location: CodeLocation;
  readonly functionLine: number;
  /** `loop`: one await in a loop over independent items; `sequence`: one after another. */
  readonly shape: 'loop' | 'sequence';
}

/** One call site's share of sampled allocation. */
export interface AllocationSite {
  readonly location: CodeLocation;
  /** Estimated bytes allocated during the window, including what was collected since. */
  readonly allocatedBytes: number;
  readonly share: number;
  /** Part of `allocatedBytes` that Node's own functions, called from here, allocated: 1 for what `response.end` makes. */
  readonly nodeShare?: number;
  /** Estimated bytes that were still live at the end. */
  readonly liveBytes?: number;
  readonly origin: FunctionCost['origin'];
  /** The function that the location called to allocate most of it, where it did not allocate itself: `addListener`. */
  readonly through?: string;
  /** How what it makes is kept from growing for ever, as the source tells: `fares: new LRUCache was given a limit`. */
  readonly boundedBy?: string;
}

/** Listeners of one event of one emitter that grew in number during the window. */
export interface ListenerGrowth {
  /** Name of the emitter's class, and of the event. */
  readonly emitter: string;
  readonly event: string;
  /** Where the last of them was added. */
  readonly location?: CodeLocation;
  /** How many there were when they were first counted, at the most, and at the end. */
  readonly first: number;
  readonly peak: number;
  readonly last: number;
}

/** Optimised code that V8 threw away in the window, by the function that ran at that moment. */
export interface Deoptimisation {
  /** The user's function, on its first line. */
  readonly location: CodeLocation;
  readonly count: number;
  /** Of all deoptimisations of the window, 0 to 1. */
  readonly share: number;
}

/** What native code is for. `library`: C libraries and others; `builtin`, `runtime`: V8’s, for everything else. */
export type NativeFamily =
  | 'regexp'
  | 'json'
  | 'zlib'
  | 'crypto'
  | 'megamorphic'
  | 'gc'
  | 'compiler'
  | 'builtin'
  | 'runtime'
  | 'node'
  | 'libuv'
  | 'addon'
  | 'library'
  | 'kernel';

/** A native function that the profiled thread’s CPU time went into. */
export interface NativeFunction {
  /** As the symbol says, without arguments; the module’s name where it has no symbols. */
  readonly name: string;
  /** File name of the program, library or addon. */
  readonly module: string;
  /** By the function’s name, or by that of its nearest native caller that tells: `memmove` called by JSON is JSON. */
  readonly family: NativeFamily;
  /** Of the thread’s CPU time, 0 to 1. */
  readonly share: number;
  readonly samples: number;
}

/** An object, or a variable, that the objects hang on that were made and kept since the window began. */
export interface Retainer {
  /** Class of the object (`Map`, `Array`, `Store`, `function`); `variable` where a variable itself leads to them. */
  readonly container: string;
  /** How the program comes to it: `sessions`, `Store.items`, `globalThis.cache`; empty where it has no name. */
  readonly path: string;
  /** Of the new objects that hang on it. */
  readonly bytes: number;
  readonly objects: number;
  /** Of the bytes of all new objects, 0 to 1. */
  readonly share: number;
  /** Where the variable is declared; else a function that sees it. */
  readonly location?: CodeLocation;
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
  /** Emitters whose listeners grew, the greatest growth first. */
  readonly listeners?: readonly ListenerGrowth[];
  /** By count, greatest first. */
  readonly deoptimisations?: readonly Deoptimisation[];
  /** By share, greatest first; in CPU runs on Linux with the addon. */
  readonly nativeFunctions?: readonly NativeFunction[];
  /** Input, output and other waiting, by kind and place, by total time. */
  readonly activities?: readonly ActivityCost[];
  /** CPU profiles of worker threads, one each. */
  readonly threadProfiles?: readonly ThreadProfile[];
  /** What new objects hang on, by bytes, greatest first; in memory runs that asked for it. */
  readonly retainers?: readonly Retainer[];
  /** The `.cpuprofile` (or `.heapprofile`) as V8 gave it, where it was asked for. Opens in Chrome DevTools. */
  readonly rawProfile?: unknown;
}
