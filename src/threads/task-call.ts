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
}

/** In one step a forecast follows a run that took so many times as long and so many ms more, and no further. */
const MOST_GROWTH = 8;
const LEAST_GROWTH_MS = 0.01;

/**
 * What a task is forecast to take after one more run, in ms. A run whose thread lost its CPU takes a time slice longer, ten
 * thousand times a short task: it must not make the next ones look long. What has become long is known after a few runs.
 */
export function forecastAfter(known: number | undefined, runMs: number): number {
  if (known === undefined) return runMs;
  return known + (Math.min(runMs, MOST_GROWTH * known + LEAST_GROWTH_MS) - known) / 4;
}

/** `waiting`: for room in the queue. `sending`: its arguments are read, by getters of theirs too. `placed`: in a lane. */
export type CallState = 'waiting' | 'queued' | 'sending' | 'placed' | 'settled';

let resolveOfLast!: (value: unknown) => void;
let rejectOfLast!: (error: unknown) => void;
/** One for all promises: a function for each would be another object for each. */
const keepSettlers = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
  resolveOfLast = resolve;
  rejectOfLast = reject;
};

export class TaskCall implements Parcel, Queued {
  readonly profile: TaskProfile;
  readonly task: Task;
  readonly args: unknown;
  readonly transfer: readonly Transferable[] | undefined;
  readonly stores: readonly unknown[] | undefined;
  readonly priority: number;
  readonly affinityKey: string | number | undefined;
  readonly calledAt: number;
  readonly promise: Promise<unknown>;
  /** Undefined in the rush of many calls, in which capturing would cost more than the call; see thread-pool.ts. */
  readonly caller: StackHolder | undefined;
  state: CallState = 'queued';
  order = 0;
  slot = -1;
  worker: PoolWorker | undefined;
  /** What its worker's backlog was raised by. */
  forecastMs = 0;
  onAbort: (() => void) | undefined;
  deadline: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    profile: TaskProfile,
    task: Task,
    args: unknown,
    { transfer, priority = 0, affinityKey, signal }: RunOptions,
    stores: readonly unknown[] | undefined,
    caller: StackHolder | undefined,
    calledAt: number,
  ) {
    this.profile = profile;
    this.task = task;
    this.args = args;
    this.transfer = transfer;
    this.stores = stores;
    this.priority = priority;
    this.affinityKey = affinityKey;
    this.signal = signal;
    this.caller = caller;
    this.calledAt = calledAt;
    this.promise = new Promise(keepSettlers);
    this.resolve = resolveOfLast;
    this.reject = rejectOfLast;
  }

  get taskId(): number {
    return this.profile.id;
  }

  get settled(): boolean {
    return this.state === 'settled';
  }
}
