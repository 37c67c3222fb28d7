/** One call of `run`, from its admission to its settlement. */
import type { Transferable } from 'node:worker_threads';
import type { StackHolder } from './caller-stack.js';
import type { PoolWorker } from './pool-worker.js';
import type { RunOptions } from './pool-options.js';
import type { Queued } from './task-queue.js';
import type { Task } from './task.js';
import type { Parcel } from './transport/lane.js';

/** What a pool learns of a task. */
export interface TaskProfile {
  readonly id: number;
  /** What one run takes, smoothed, in ms; undefined before the first. */
  runMs: number | undefined;
  /** Whether it has ever failed. */
  hasFailed: boolean;
}

/** In one step a forecast follows a run that took so many times as long and so many ms more, and no further. */
const MOST_GROWTH = 8;
const LEAST_GROWTH_MS = 0.001;

/**
 * What a task is forecast to take after one more run, in ms. A run whose thread lost its CPU takes a time slice longer, ten
 * thousand times a short task, and the first one of a thread that has slept finds cold caches: neither must make the next
 * ones look long. What has become long is known after some ten runs.
 */
export function forecastAfter(known: number | undefined, runMs: number): number {
  if (known === undefined) return runMs;
  return known + (Math.min(runMs, MOST_GROWTH * known + LEAST_GROWTH_MS) - known) / 4;
}

const NO_OPTIONS: RunOptions = {};

/** `waiting`: for room in the queue. `sending`: its arguments are read, by getters of theirs too. `placed`: in a lane. */
export type CallState = 'waiting' | 'queued' | 'sending' | 'placed' | 'settled';

/** What few calls have. An object of its own, as each field more is memory that every call goes through. */
export interface CallExtras {
  readonly transfer: readonly Transferable[] | undefined;
  readonly stores: readonly unknown[] | undefined;
  readonly affinityKey: string | number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number | undefined;
  stopListening: (() => void) | undefined;
  deadline: NodeJS.Timeout | undefined;
}

const NO_EXTRAS: Readonly<CallExtras> = Object.freeze({
  transfer: undefined,
  stores: undefined,
  affinityKey: undefined,
  signal: undefined,
  deadlineMs: undefined,
  stopListening: undefined,
  deadline: undefined,
});

const nobody = () => undefined;
let resolveOfLast: (value: unknown) => void = nobody;
let rejectOfLast: (error: unknown) => void = nobody;
/** One for all promises: a function for each would be another object for each. */
const keepSettlers = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
  resolveOfLast = resolve;
  rejectOfLast = reject;
};

export class TaskCall implements Parcel, Queued {
  readonly profile: TaskProfile;
  readonly task: Task;
  readonly args: unknown;
  /** Its own where it was called with options; shared, and never written to, where not. */
  readonly extras: CallExtras;
  readonly priority: number;
  readonly calledAt: number;
  readonly promise: Promise<unknown>;
  /** Undefined where capturing would cost more than the call; see task-dispatcher.ts. */
  caller: StackHolder | undefined;
  state: CallState = 'queued';
  order = 0;
  slot = -1;
  worker: PoolWorker | undefined;
  /** What its worker's backlog was raised by. */
  forecastMs = 0;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    profile: TaskProfile,
    task: Task,
    args: unknown,
    options: RunOptions | undefined,
    stores: readonly unknown[] | undefined,
    calledAt: number,
  ) {
    this.profile = profile;
    this.task = task;
    this.args = args;
    if (options === undefined && stores === undefined) {
      this.extras = NO_EXTRAS;
      this.priority = 0;
    } else {
      const { transfer, priority = 0, affinityKey, signal, deadlineMs } = options ?? NO_OPTIONS;
      this.extras = {
        transfer,
        stores,
        affinityKey,
        signal,
        deadlineMs,
        stopListening: undefined,
        deadline: undefined,
      };
      this.priority = priority;
    }
    this.caller = undefined;
    this.calledAt = calledAt;
    this.promise = new Promise(keepSettlers);
    this.resolve = resolveOfLast;
    this.reject = rejectOfLast;
    // They would keep the last result, and the async stores of its caller, until the next call.
    resolveOfLast = rejectOfLast = nobody;
  }

  get transfer(): readonly Transferable[] | undefined {
    return this.extras.transfer;
  }

  get stores(): readonly unknown[] | undefined {
    return this.extras.stores;
  }

  get taskId(): number {
    return this.profile.id;
  }

  get settled(): boolean {
    return this.state === 'settled';
  }
}
