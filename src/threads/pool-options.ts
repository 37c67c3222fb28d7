/** What callers of a pool may pass, what they get to see, and the checks. */
import type { ResourceLimits, Transferable } from 'node:worker_threads';
import { describe, fail } from '../errors.js';
import { cpuLimits } from '../host/limits.js';
import { loadNative } from '../native/load.js';
import type { ThreadChoice } from '../model/choice.js';
import { abortSignal, integerWithin, oneOf, positiveNumber } from './check.js';
import { requireOptions } from '../options.js';
import { checkStores, type CarriedStore } from './carried-store.js';
import { AFFINITIES } from './placement.js';
import type { DurationSummary } from './run-histogram.js';

export interface ThreadPoolOptions {
  /** Threads that are started at once and never retire. 0 by default: threads start with the first work. */
  readonly minThreads?: number;
  /**
   * 1 to 1,024. By default the CPUs that this process may use, its container's quota included, without as many as threads of
   * this library's other pools live in the process at that moment, but at least half of them.
   */
  readonly maxThreads?: number;
  /** Threads above `minThreads` retire after this long without work. 30,000 ms by default; Infinity for never. */
  readonly idleTimeoutMs?: number;
  /** Tasks that may wait for a thread. Unlimited by default. */
  readonly queueLimit?: number;
  /** What `run` does beyond that: reject with QUEUE_FULL (default), or wait for room. */
  readonly queueFull?: 'reject' | 'wait';
  /**
   * Asynchronous tasks that one thread may have under way at once, 1 (default) to 100. They die together where one
   * of them ends the thread, or is aborted while it runs.
   */
  readonly concurrentTasksPerThread?: number;
  /** Async stores whose values tasks find in their thread as their caller had them; see `carriedStore`. */
  readonly stores?: readonly CarriedStore[];
  /**
   * Per thread, as of `worker_threads`. A task that exceeds its heap ends its thread, not the process. `stackSizeMb` is 1 to
   * 1,024, `codeRangeSizeMb` up to 65,536: with others Node ends the process while the thread starts.
   */
  readonly resourceLimits?: ResourceLimits;
  /** First part of the threads' names; `top -H` shows as much as fits 15 bytes beside their number. `sysopt` by default. */
  readonly name?: string;
  /** Pins threads to CPUs. `none` by default. */
  readonly affinity?: ThreadChoice['affinity'];
  /**
   * How far the threads give way to others, 0 (not at all) to 19, as of `nice(1)`: for work in the background beside
   * requests. By default that of the thread that makes the pool. Where the system refuses, which it does where that is
   * higher already, threads run as they are and a process warning says so.
   */
  readonly nice?: number;
}

export interface RunOptions {
  /** Aborts the task, also while it runs: its thread is ended and replaced. */
  readonly signal?: AbortSignal;
  /** Time from the call to the result, above 0 ms. Afterwards the task is ended as by `signal`. */
  readonly deadlineMs?: number;
  /** Higher goes first. 0 by default. */
  readonly priority?: number;
  /** Objects in `args` to move instead of copying. They are moved when the task goes to its thread. */
  readonly transfer?: readonly Transferable[];
  /**
   * Tasks with equal keys go to the same thread while it lives, so that what it keeps for the key is of use; to another
   * one where it is more than 5 ms behind.
   */
  readonly affinityKey?: string | number;
}

export interface ThreadPoolStats {
  readonly threads: number;
  readonly idleThreads: number;
  readonly startingThreads: number;
  readonly running: number;
  readonly queued: number;
  readonly runningLoops: number;
  /** Tasks that gave a result; tasks that ended otherwise. */
  readonly completed: number;
  readonly failed: number;
  readonly completedLoops: number;
  readonly startedThreads: number;
  /** Threads that ended without being told to. */
  readonly diedThreads: number;
  /** From `run` to the result without the time that the task ran; undefined before the first task. */
  readonly queueTime?: DurationSummary;
  /** What tasks took in their thread. */
  readonly runTime?: DurationSummary;
  /** Share of their threads' lives in which tasks ran, 0 to 1 (above where they run concurrently); loops do not count. */
  readonly utilization?: number;
  /** What waking a sleeping thread takes here, measured, mean over the threads. */
  readonly wakeUs?: number;
  /** What a loop without work costs here; undefined until `auto` first needed it. */
  readonly dispatchUs?: number;
}

const OPTION_KEYS = [
  'minThreads',
  'maxThreads',
  'idleTimeoutMs',
  'queueLimit',
  'queueFull',
  'concurrentTasksPerThread',
  'stores',
  'resourceLimits',
  'name',
  'affinity',
  'nice',
];
const LIMIT_KEYS: Readonly<Record<keyof ResourceLimits, true>> = {
  maxYoungGenerationSizeMb: true,
  maxOldGenerationSizeMb: true,
  codeRangeSizeMb: true,
  stackSizeMb: true,
};
const RUN_KEYS = ['signal', 'deadlineMs', 'priority', 'transfer', 'affinityKey'];

/** Options with every default filled in. */
export interface ResolvedPoolOptions {
  readonly name: string;
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly idleTimeoutMs: number;
  readonly queueLimit: number;
  readonly queueFull: 'reject' | 'wait';
  readonly concurrency: number;
  readonly stores: readonly CarriedStore[];
  readonly resourceLimits: ResourceLimits | undefined;
  readonly affinity: ThreadChoice['affinity'];
  readonly nice: number | undefined;
}

/** @throws INVALID_ARGUMENT */
export function resolvePoolOptions(options: ThreadPoolOptions): ResolvedPoolOptions {
  requireOptions('options', options, OPTION_KEYS);
  const { minThreads = 0, idleTimeoutMs = 30_000, queueLimit = Infinity, name = 'sysopt' } = options;
  const { queueFull = 'reject', concurrentTasksPerThread = 1, stores = [], affinity = 'none' } = options;
  const most = options.maxThreads === undefined ? defaultThreads() : options.maxThreads;
  const maxThreads = integerWithin('maxThreads', most, 1, 1_024);
  if (queueLimit !== Infinity) integerWithin('queueLimit', queueLimit, 0, Number.MAX_SAFE_INTEGER);
  if (typeof name !== 'string' || name === '') {
    throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(name), expected: 'a text' });
  }
  return {
    name,
    minThreads: integerWithin('minThreads', minThreads, 0, maxThreads),
    maxThreads,
    idleTimeoutMs: positiveNumber('idleTimeoutMs', idleTimeoutMs),
    queueLimit,
    queueFull: oneOf('queueFull', queueFull, ['reject', 'wait']),
    concurrency: integerWithin('concurrentTasksPerThread', concurrentTasksPerThread, 1, 100),
    stores: checkStores(stores),
    resourceLimits: checkLimits(options.resourceLimits),
    affinity: oneOf('affinity', affinity, AFFINITIES),
    nice: options.nice === undefined ? undefined : integerWithin('nice', options.nice, 0, 19),
  };
}

/** Node ignores a limit that it does not know. @throws INVALID_ARGUMENT */
function checkLimits(given: ResourceLimits | undefined): ResourceLimits | undefined {
  if (given === undefined) return undefined;
  requireOptions('resourceLimits', given, LIMIT_KEYS);
  // What was checked is what every thread gets.
  const limits = { ...given };
  for (const [key, value] of Object.entries(limits)) {
    if (value !== undefined) positiveNumber(`resourceLimits.${key}`, value);
  }
  // A stack of 0.25 MB does not get Node's own start done, and where that fails the process ends (Node 20).
  requireWithin('resourceLimits.stackSizeMb', limits.stackSizeMb, 1, 1_024);
  requireWithin('resourceLimits.codeRangeSizeMb', limits.codeRangeSizeMb, 0, 65_536);
  return limits;
}

function requireWithin(name: string, value: number | undefined, low: number, high: number): void {
  if (value === undefined || (value >= low && value <= high)) return;
  const expected = low > 0 ? `a number from ${low} to ${high}` : `a number of ${high} or less`;
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}

/** @throws INVALID_ARGUMENT */
export function checkRunOptions(options: RunOptions): void {
  requireOptions('options', options, RUN_KEYS);
  const { deadlineMs, priority = 0, signal, affinityKey, transfer } = options;
  abortSignal(signal);
  if (transfer !== undefined && !Array.isArray(transfer)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'transfer',
      actual: describe(transfer),
      expected: 'an array of ArrayBuffers, MessagePorts and the like',
    });
  }
  if (affinityKey !== undefined && typeof affinityKey !== 'string' && typeof affinityKey !== 'number') {
    throw fail('INVALID_ARGUMENT', {
      name: 'affinityKey',
      actual: describe(affinityKey),
      expected: 'a text or a number',
    });
  }
  if (deadlineMs !== undefined) positiveNumber('deadlineMs', deadlineMs);
  if (Number.isFinite(priority)) return;
  throw fail('INVALID_ARGUMENT', {
    name: 'priority',
    actual: describe(priority),
    expected: 'a finite number',
  });
}

/** CPUs that this process may use, in whole threads: below one CPU it is one. */
export function allowedThreads(): number {
  return Math.min(1_024, Math.max(1, Math.floor(cpuLimits().effectiveCpus)));
}

/**
 * Threads of a pool that was given no number: what the process may use, without what other pools have taken. Pools share
 * the CPUs, so that together they are not many times as many threads; at least half of them stay, as threads of other pools
 * may be idle. Whoever knows better says `maxThreads`.
 *
 * @param living threads of pools in the process; NaN where not known.
 */
export function defaultThreads(allowed = allowedThreads(), living = computeThreads()): number {
  return Math.max(Math.ceil(allowed / 2), Math.min(allowed, allowed - (living || 0)));
}

function computeThreads(): number {
  try {
    return loadNative().computeThreads();
  } catch {
    return NaN;
  }
}
