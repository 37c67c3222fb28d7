/**
 * Messages between a pool and its workers. Tuples with a number first: structured clone writes every property name
 * of an object, and these are the hot path of small tasks.
 */
import type { MessagePort } from 'node:worker_threads';
import type { WireError } from './error-transfer.js';
import type { Task } from './task.js';

export const ToWorker = { RUN: 0, LOOP: 1, FORGET_LOOP: 2 } as const;

export type MessageToWorker =
  /** The task itself comes along the first time that this worker meets it. */
  | readonly [kind: typeof ToWorker.RUN, call: number, taskId: number, args: unknown, task?: Task]
  | readonly [
      kind: typeof ToWorker.LOOP,
      loop: number,
      task: Task,
      shared: unknown,
      control: SharedArrayBuffer,
      partials: SharedArrayBuffer | undefined,
    ]
  | readonly [kind: typeof ToWorker.FORGET_LOOP, loop: number];

export const FromWorker = {
  READY: 0,
  RESULT: 1,
  FAILURE: 2,
  LOOP_DONE: 3,
  LOOP_LEFT: 4,
  LOOP_FAILURE: 5,
  LOOP_PARTIALS: 6,
} as const;

export type MessageFromWorker =
  | readonly [kind: typeof FromWorker.READY, warning: string | undefined]
  | readonly [kind: typeof FromWorker.RESULT, call: number, value: unknown]
  | readonly [kind: typeof FromWorker.FAILURE, call: number, error: WireError]
  /** From the worker that finished the last unit. */
  | readonly [kind: typeof FromWorker.LOOP_DONE, loop: number, generation: number]
  /** From a worker that left a loop whose gate is shut. */
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
  readonly name: string;
  /** CPUs to pin the thread to; empty for none. */
  readonly cpus: readonly number[];
}
