/**
 * What runs tasks, wherever: in this process (`LocalExecutor`, the default) or in others, through a queue
 * (`system-optimizer/bullmq`). A service is written against this interface and moves from one to the other by
 * constructing another executor; task modules and calls stay as they are.
 *
 * The contract is the weaker of the two worlds, for both: a task may run more than once (a consumer that dies in
 * the middle of a job leaves no trace of how far it came), so tasks that change something outside take an
 * `idempotencyKey` or are idempotent themselves.
 */
import { describe, fail, OptimizerError, type ErrorCode } from '../errors.js';
import { abortSignal, integerWithin, positiveNumber } from './check.js';
import { requireOptions } from '../options.js';
import type { Task } from './task.js';

export interface ExecuteOptions {
  /** Ends the wait, and the task itself unless it has an `idempotencyKey`: others may wait for it then. */
  readonly signal?: AbortSignal;
  /** From the call to the result, all attempts and pauses included, above 0 ms. None by default. */
  readonly deadlineMs?: number;
  /** Higher goes first. An integer from −1,000,000 to 1,000,000; 0 by default. */
  readonly priority?: number;
  /**
   * Calls of one task with equal keys are one job: they share its run and its result, also after it has ended, for the
   * executor's `keepResultsMs`. A job that failed for good keeps its key as long as it is a dead letter.
   */
  readonly idempotencyKey?: string;
  /** How often the task may run until its error counts, 1 (default) to 100. */
  readonly attempts?: number;
  /** Pause before the second attempt, in ms; it doubles each time up to an hour, and varies by half. Default 1,000. */
  readonly backoffMs?: number;
}

/** A job that failed for good, kept to be looked at, run again or thrown away. */
export interface DeadLetter {
  readonly id: string;
  /** `module` as the executor knows it: a URL here, a path below the root in a queue. */
  readonly task: { readonly module: string; readonly export: string };
  readonly args: unknown;
  readonly idempotencyKey?: string;
  /** Runs that ended with an error. */
  readonly attempts: number;
  /** As `run` rejected. */
  readonly error: unknown;
  /** ISO 8601. */
  readonly failedAt: string;
}

/** Where a dead letter is asked for that is not there. */
export const DEAD_LETTER_REMEDY =
  'List them with executor.deadLetters(); one that was run again, removed or pushed out by newer ones is gone.';

export interface Executor extends AsyncDisposable {
  /**
   * Runs a task and gives its result.
   *
   * Rejects with what the task threw (class, message, cause, properties and stack kept), or with TASK_TIMED_OUT,
   * ABORTED, CLOSED, TASK_UNLOADABLE, WORKER_DIED and what else the executor documents.
   */
  run<A, R>(task: Task<(args: A) => R>, args: A, options?: ExecuteOptions): Promise<Awaited<R>>;
  run<R>(task: Task<() => R>, args?: undefined, options?: ExecuteOptions): Promise<Awaited<R>>;
  /** The newest first, at most `limit` (100 by default). */
  deadLetters(options?: { readonly limit?: number }): Promise<DeadLetter[]>;
  /** Runs a dead letter again with its attempts anew; the result as of `run`. @throws UNKNOWN_ID */
  retryDeadLetter(id: string): Promise<unknown>;
  /** Throws a dead letter away. @throws UNKNOWN_ID */
  removeDeadLetter(id: string): Promise<void>;
  /** Takes no more calls, waits for those under way. With `force` they reject with CLOSED instead. */
  close(options?: { readonly force?: boolean }): Promise<void>;
}

export interface CheckedExecuteOptions extends ExecuteOptions {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly priority: number;
}

const EXECUTE_KEYS = ['signal', 'deadlineMs', 'priority', 'idempotencyKey', 'attempts', 'backoffMs'];
export const MAX_PRIORITY = 1_000_000;
const MAX_BACKOFF_MS = 3_600_000;

/** @throws INVALID_ARGUMENT */
export function checkExecuteOptions(options: ExecuteOptions = {}): CheckedExecuteOptions {
  requireOptions('options', options, EXECUTE_KEYS);
  const { deadlineMs, idempotencyKey, attempts = 1, backoffMs = 1_000, priority = 0 } = options;
  abortSignal(options.signal);
  if (deadlineMs !== undefined) positiveNumber('deadlineMs', deadlineMs);
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== 'string' || idempotencyKey === '')) {
    throw fail('INVALID_ARGUMENT', {
      name: 'idempotencyKey',
      actual: describe(idempotencyKey),
      expected: 'a text that is not empty',
    });
  }
  if (typeof backoffMs !== 'number' || !(backoffMs >= 0 && backoffMs <= MAX_BACKOFF_MS)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'backoffMs',
      actual: describe(backoffMs),
      expected: `a number from 0 to ${MAX_BACKOFF_MS}`,
    });
  }
  return {
    ...options,
    attempts: integerWithin('attempts', attempts, 1, 100),
    priority: integerWithin('priority', priority, -MAX_PRIORITY, MAX_PRIORITY),
    backoffMs,
  };
}

/** Pause after so many failed attempts, in whole ms: doubled each time, at random between half and all of it. */
export function pauseAfter(attemptsMade: number, backoffMs: number): number {
  const full = Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** (attemptsMade - 1));
  return Math.ceil(full * (0.5 + Math.random() / 2));
}

/** What another attempt cannot mend. A task says so itself by an error whose name is `UnrecoverableError`. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABORTED',
  'CLOSED',
  'INVALID_ARGUMENT',
  'PAYLOAD_LOST',
  'PAYLOAD_TOO_LARGE',
  'TASK_REFUSED',
  'TASK_TIMED_OUT',
]);

export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof OptimizerError) return !FINAL.has(error.code);
  return !(error instanceof Error && error.name === 'UnrecoverableError');
}
