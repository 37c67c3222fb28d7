/** Runs tasks in threads of this process, with the retries, keys and dead letters of a queue. */
import { fail } from '../errors.js';
import { listenForAbort } from './abort-listeners.js';
import { integerWithin, positiveNumber, trueOrFalse } from './check.js';
import { requireOptions } from '../options.js';
import {
  checkExecuteOptions,
  DEAD_LETTER_REMEDY,
  isWorthRetrying,
  pauseAfter,
  type CheckedExecuteOptions,
  type DeadLetter,
  type ExecuteOptions,
  type Executor,
} from './executor.js';
import type { RunOptions, ThreadPoolOptions } from './pool-options.js';
import { checkTask, taskLabel, type AnyFunction, type Task } from './task.js';
import { ThreadPool } from './thread-pool.js';
import { WorkInFlight } from './work-in-flight.js';
import { MAX_TIMER_MS } from '../timers.js';

export interface LocalExecutorOptions {
  /** A pool to share, which its owner closes; by default the executor has one of its own. */
  readonly pool?: ThreadPool;
  /** Options of the executor's own pool. */
  readonly threads?: ThreadPoolOptions;
  /** How long results stay known under their idempotency key, in ms; 300,000 by default. */
  readonly keepResultsMs?: number;
  /** Dead letters that are kept, the newest; 0 to 1,000,000, 100 by default. Their arguments stay in memory. */
  readonly deadLetterLimit?: number;
}

interface Job {
  readonly task: Task<AnyFunction>;
  readonly args: unknown;
  readonly options: CheckedExecuteOptions;
}

interface KeyedJob {
  readonly result: Promise<unknown>;
  readonly forget?: NodeJS.Timeout;
}

const MAX_DEAD_LETTERS = 1_000_000;
const OPTION_KEYS = ['pool', 'threads', 'keepResultsMs', 'deadLetterLimit'];

/**
 * The default executor. Costs what `ThreadPool.run` costs; a key adds an entry in a map.
 *
 * @throws INVALID_ARGUMENT
 *
 * @example
 * const executor: Executor = new LocalExecutor({ threads: { maxThreads: 4 } });
 * const thumbnail = await executor.run(resizeTask, { path, width: 200 }, { attempts: 3, deadlineMs: 10_000 });
 */
export class LocalExecutor implements Executor {
  readonly #pool: ThreadPool;
  readonly #ownsPool: boolean;
  readonly #keepResultsMs: number;
  readonly #deadLetterLimit: number;
  readonly #keyed = new Map<string, KeyedJob>();
  readonly #dead = new Map<string, { readonly letter: DeadLetter; readonly job: Job }>();
  readonly #running = new WorkInFlight();
  readonly #closing = new AbortController();
  #isClosed = false;
  #lastId = 0;

  constructor(options: LocalExecutorOptions = {}) {
    requireOptions('options', options, OPTION_KEYS);
    const { pool, threads, keepResultsMs = 300_000, deadLetterLimit = 100 } = options;
    if (pool !== undefined && threads !== undefined) {
      throw fail('INVALID_ARGUMENT', {
        name: 'threads',
        actual: 'given beside pool',
        expected: 'one of both',
      });
    }
    if (threads !== undefined) requireOptions('threads', threads);
    this.#keepResultsMs = positiveNumber('keepResultsMs', keepResultsMs);
    this.#deadLetterLimit = integerWithin('deadLetterLimit', deadLetterLimit, 0, MAX_DEAD_LETTERS);
    this.#ownsPool = pool === undefined;
    this.#pool = pool ?? new ThreadPool(threads);
  }

  run<A, R>(task: Task<(args: A) => R>, args: A, options?: ExecuteOptions): Promise<Awaited<R>>;
  run<R>(task: Task<() => R>, args?: undefined, options?: ExecuteOptions): Promise<Awaited<R>>;
  async run(task: Task<AnyFunction>, args?: unknown, given?: ExecuteOptions): Promise<unknown> {
    this.#assertOpen();
    checkTask(task);
    const options = checkExecuteOptions(given);
    if (options.idempotencyKey === undefined)
      return this.#running.track(this.#attempt({ task, args, options }));
    return this.#runKeyed({ task, args, options }, keyOf(task, options.idempotencyKey));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws has to be a rejection
  async deadLetters(options: { readonly limit?: number } = {}): Promise<DeadLetter[]> {
    requireOptions('options', options, ['limit']);
    const limit = integerWithin(
      'limit',
      options.limit === undefined ? 100 : options.limit,
      1,
      MAX_DEAD_LETTERS,
    );
    const letters = [...this.#dead.values()].map(({ letter }) => letter).reverse();
    return letters.slice(0, limit);
  }

  async retryDeadLetter(id: string): Promise<unknown> {
    this.#assertOpen();
    const { job } = this.#takeDeadLetter(id);
    return this.run(job.task as Task<(args: unknown) => unknown>, job.args, job.options);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws has to be a rejection
  async removeDeadLetter(id: string): Promise<void> {
    this.#takeDeadLetter(id);
  }

  async close(options: { readonly force?: boolean } = {}): Promise<void> {
    requireOptions('options', options, ['force']);
    const force = trueOrFalse('force', options.force ?? false);
    this.#isClosed = true;
    if (force) this.#closing.abort(this.#closedError());
    if (this.#ownsPool && force) await this.#pool.close({ force });
    await this.#running.settled();
    for (const { forget } of this.#keyed.values()) clearTimeout(forget);
    this.#keyed.clear();
    if (this.#ownsPool) await this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Joins the run under that key, or begins it. The caller's own signal and deadline end its wait alone. */
  async #runKeyed(job: Job, key: string): Promise<unknown> {
    const { signal, deadlineMs, ...shared } = job.options;
    if (signal?.aborted === true) throw this.#abortedError(job.task, signal);
    let known = this.#keyed.get(key);
    if (known === undefined) {
      const result = this.#running.track(this.#attempt({ ...job, options: shared }));
      known = { result };
      this.#keyed.set(key, known);
      result.then(
        () => {
          const forget = setTimeout(
            () => this.#keyed.delete(key),
            Math.min(MAX_TIMER_MS, this.#keepResultsMs),
          );
          this.#keyed.set(key, { result, forget: forget.unref() });
        },
        () => {
          // A dead letter keeps its key; where it was not kept, the key is free again.
          if (![...this.#dead.values()].some(({ job: dead }) => this.#keyOf(dead) === key))
            this.#keyed.delete(key);
        },
      );
    }
    return this.#within(known.result, job.task, signal, deadlineMs);
  }

  #keyOf({ task, options: { idempotencyKey } }: Job): string | undefined {
    return idempotencyKey === undefined ? undefined : keyOf(task, idempotencyKey);
  }

  async #attempt(job: Job): Promise<unknown> {
    const { task, args, options } = job;
    const { signal, deadlineMs, priority, attempts, backoffMs } = options;
    const until = deadlineMs === undefined ? Infinity : performance.now() + deadlineMs;
    for (let made = 1; ; made += 1) {
      try {
        const remainingMs = until - performance.now();
        if (remainingMs <= 0) throw this.#timedOut(task, deadlineMs!);
        return await this.#runOnce(task, args, {
          priority,
          ...(signal && { signal }),
          ...(deadlineMs !== undefined && { deadlineMs: remainingMs }),
        });
      } catch (thrown) {
        // The pool names what was left of the deadline; the caller knows the whole.
        const isLate = deadlineMs !== undefined && isTimeout(thrown) && performance.now() > until - 5;
        const error = isLate ? this.#timedOut(task, deadlineMs) : thrown;
        if (made < attempts && isWorthRetrying(error)) {
          const pauseMs = pauseAfter(made, backoffMs);
          if (performance.now() + pauseMs < until) {
            await this.#pause(pauseMs, task, signal);
            continue;
          }
        }
        this.#bury(job, made, error);
        throw error;
      }
    }
  }

  /** A pool of its own is closed with the executor; in a shared one its calls have to be ended one by one. */
  async #runOnce(task: Task<AnyFunction>, args: unknown, options: RunOptions): Promise<unknown> {
    if (this.#ownsPool) return this.#pool.run(task, args, options);
    const { signal } = options;
    const closing = this.#closing.signal;
    const both = new AbortController();
    const onAbort = () => both.abort(signal?.reason);
    const onClose = () => both.abort(closing.reason);
    if (signal?.aborted === true) onAbort();
    if (closing.aborted) throw this.#closedError();
    const stopListening = [
      signal?.aborted === false ? listenForAbort(signal, onAbort) : undefined,
      listenForAbort(closing, onClose),
    ];
    try {
      return await this.#pool.run(task, args, { ...options, signal: both.signal });
    } catch (error) {
      throw closing.aborted && signal?.aborted !== true ? this.#closedError() : error;
    } finally {
      for (const stop of stopListening) stop?.();
    }
  }

  #bury(job: Job, attempts: number, error: unknown): void {
    const code = (error as { code?: unknown } | null | undefined)?.code;
    if (code === 'ABORTED' || code === 'CLOSED' || code === 'INVALID_ARGUMENT' || this.#deadLetterLimit === 0)
      return;
    const { module, export: name } = job.task;
    const { idempotencyKey } = job.options;
    const id = `local-${(this.#lastId += 1)}`;
    const letter: DeadLetter = {
      id,
      task: { module, export: name },
      args: job.args,
      attempts,
      error,
      failedAt: new Date().toISOString(),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    // The signal was the caller's: it has fired since, or will, and says nothing of another run.
    this.#dead.set(id, { letter, job: { ...job, options: withoutSignal(job.options) } });
    if (this.#dead.size <= this.#deadLetterLimit) return;
    const [oldest] = this.#dead.keys();
    this.#takeDeadLetter(oldest!);
  }

  #takeDeadLetter(id: string): { readonly letter: DeadLetter; readonly job: Job } {
    const dead = this.#dead.get(id);
    if (dead === undefined)
      throw fail('UNKNOWN_ID', {
        what: 'dead letter',
        id,
        where: 'this executor',
        remedy: DEAD_LETTER_REMEDY,
      });
    this.#dead.delete(id);
    const key = this.#keyOf(dead.job);
    if (key !== undefined) this.#keyed.delete(key);
    return dead;
  }

  /** Waits for a result that goes on without this caller. */
  #within(
    result: Promise<unknown>,
    task: Task,
    signal: AbortSignal | undefined,
    deadlineMs: number | undefined,
  ): Promise<unknown> {
    if (signal === undefined && deadlineMs === undefined) return result;
    // By a getter of the arguments.
    if (signal?.aborted === true) return Promise.reject(this.#abortedError(task, signal));
    return new Promise((resolve, reject: (error: Error) => void) => {
      const onAbort = () => end(() => reject(this.#abortedError(task, signal!)));
      const timer =
        deadlineMs === undefined || deadlineMs > MAX_TIMER_MS
          ? undefined
          : setTimeout(() => end(() => reject(this.#timedOut(task, deadlineMs))), deadlineMs);
      const end = (settle: () => void) => {
        clearTimeout(timer);
        stopListening?.();
        settle();
      };
      const stopListening = signal && listenForAbort(signal, onAbort);
      result.then(
        (value) => end(() => resolve(value)),
        (error: Error) => end(() => reject(error)),
      );
    });
  }

  #pause(ms: number, task: Task, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject: (error: Error) => void) => {
      const closing = this.#closing.signal;
      const stopListening: (() => void)[] = [];
      const end = () => {
        clearTimeout(timer);
        for (const stop of stopListening) stop();
      };
      const onAbort = () => {
        end();
        reject(this.#abortedError(task, signal!));
      };
      const onClose = () => {
        end();
        reject(this.#closedError());
      };
      const timer = setTimeout(() => {
        end();
        resolve();
      }, ms);
      if (signal?.aborted === true) return onAbort();
      if (closing.aborted) return onClose();
      if (signal !== undefined) stopListening.push(listenForAbort(signal, onAbort));
      stopListening.push(listenForAbort(closing, onClose));
    });
  }

  #timedOut(task: Task, deadlineMs: number): Error {
    return fail('TASK_TIMED_OUT', { task: taskLabel(task), deadlineMs });
  }

  #abortedError(task: Task, signal: AbortSignal): Error {
    return fail('ABORTED', { what: taskLabel(task) }, { cause: signal.reason });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): Error {
    return fail('CLOSED', { what: 'Local executor' });
  }
}

function withoutSignal(given: CheckedExecuteOptions): CheckedExecuteOptions {
  const options: { -readonly [K in keyof CheckedExecuteOptions]: CheckedExecuteOptions[K] } = { ...given };
  delete options.signal;
  return options;
}

/** Names, and keys, may hold any character. */
function keyOf({ module, export: name }: Task, idempotencyKey: string): string {
  return JSON.stringify([module, name, idempotencyKey]);
}

function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'TASK_TIMED_OUT';
}
