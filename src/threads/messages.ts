/**
 * Messages between a pool and its workers: what does not fit a slot of a lane (see transport/), and everything rare.
 * Tuples with a number first: structured clone writes every property name of an object.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AttachedObject } from './attached-objects.js';
import type { WireError } from './error-transfer.js';
import type { Task } from './task.js';

export const ToWorker = { TASK: 0, ARGUMENTS: 1, LOOP: 2, FORGET_LOOP: 3 } as const;

export type MessageToWorker =
  /** Before the first run of a task in this worker. */
  | readonly [kind: typeof ToWorker.TASK, taskId: number, task: Task]
  /** Arguments of the task whose slot names this ticket. */
  | readonly [kind: typeof ToWorker.ARGUMENTS, ticket: number, args: unknown]
  | readonly [
      kind: typeof ToWorker.LOOP,
      loop: number,
      task: Task,
      shared: unknown,
      control: SharedArrayBuffer,
      partials: SharedArrayBuffer | undefined,
      /** Of `partials`; see `LoopControl.partialsVersion`. */
      partialsVersion: number,
      /** Objects within `shared` that the worker makes anew. */
      attached: readonly AttachedObject[],
    ]
  | readonly [kind: typeof ToWorker.FORGET_LOOP, loop: number];

export const FromWorker = {
  READY: 0,
  WAKE: 1,
  RETURNED: 2,
  LOOP_DONE: 3,
  LOOP_LEFT: 4,
  LOOP_FAILURE: 5,
  LOOP_PARTIALS: 6,
} as const;

export type MessageFromWorker =
  | readonly [
      kind: typeof FromWorker.READY,
      warning: string | undefined,
      /** The kernel's id of the thread; 0 where unknown. */
      tid: number,
    ]
  /** Results lie in the lane, and the pool asked to be told. */
  | readonly [kind: typeof FromWorker.WAKE]
  /** Result of a slot, or its error as a WireError; sent before the slot is given back. */
  | readonly [kind: typeof FromWorker.RETURNED, slot: number, value: unknown]
  /** From the worker that finished the last unit, where the caller waits for it. */
  | readonly [kind: typeof FromWorker.LOOP_DONE, loop: number, generation: number]
  /** From a worker that left a loop that has failed. */
  | readonly [kind: typeof FromWorker.LOOP_LEFT, loop: number, generation: number]
  | readonly [
      kind: typeof FromWorker.LOOP_FAILURE,
      loop: number,
      generation: number,
      error: WireError,
      /** Range that threw; absent where the task could not be loaded. */
      start?: number,
      end?: number,
    ]
  | readonly [
      kind: typeof FromWorker.LOOP_PARTIALS,
      loop: number,
      generation: number,
      partials: readonly (readonly [unit: number, value: unknown])[],
    ];

/** `workerData` of a pool's worker. */
export interface WorkerSetup {
  readonly port: MessagePort;
  readonly mailbox: SharedArrayBuffer;
  readonly lane: SharedArrayBuffer;
  /** Who of the pool's threads may spin; see transport/spin.ts. */
  readonly spin: SharedArrayBuffer;
  /** From 0; unique among the living threads of the pool. */
  readonly place: number;
  readonly name: string;
  /** CPUs to pin the thread to; empty for none. */
  readonly cpus: readonly number[];
  /** 0 to 19; undefined for that of the thread that made it. */
  readonly nice: number | undefined;
  /** Asynchronous tasks that may be under way at once. */
  readonly concurrency: number;
  /** Where the declared async stores are exported, in the order of their values. */
  readonly stores: readonly { readonly module: string; readonly export: string }[];
}
