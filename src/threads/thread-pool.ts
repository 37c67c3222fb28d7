/**
 * A pool of worker threads for tasks and for loops over shared memory.
 *
 * The pool's own thread never blocks. One timer that never fires keeps the event loop alive while there is work, and
 * nothing else does: workers and their ports are unreferenced, so an idle pool lets the process exit.
 */
import { EventEmitter } from 'node:events';
import { channel } from 'node:diagnostics_channel';
import { fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { trueOrFalse } from './check.js';
import type { ParallelForOptions, ParallelReduceOptions } from './loop-options.js';
import { LoopRunner } from './loop-runner.js';
import { FromWorker, type MessageFromWorker } from './messages.js';
import type { SharedNumbers } from './array-kernels.js';
import {
  parallelMap,
  parallelScan,
  parallelSort,
  type ParallelMapOptions,
  type ParallelScanOptions,
  type ParallelSortOptions,
} from './parallel-arrays.js';
import { outsideCalls } from './outside-calls.js';
import { ParallelLoops } from './parallel-loops.js';
import type { PreparedLoop } from './prepared-loop.js';
import { cpusForThread } from './placement.js';
import {
  allowedThreads,
  resolvePoolOptions,
  type RunOptions,
  type ThreadPoolOptions,
  type ThreadPoolStats,
} from './pool-options.js';
import type { PoolWorker } from './pool-worker.js';
import { loadNative } from '../native/load.js';
import { TaskDispatcher } from './task-dispatcher.js';
import type { AnyFunction, Task } from './task.js';
import { tell } from './tell.js';
import { threadStats, type ThreadStats } from './thread-stats.js';
import { WorkerRoster } from './worker-roster.js';
import { MAX_TIMER_MS } from '../timers.js';

export type { RunOptions, ThreadPoolOptions, ThreadPoolStats } from './pool-options.js';
export type { ParallelForOptions, ParallelReduceOptions } from './loop-options.js';

const DONE = Promise.resolve();
/** Threads that end before they are ready, one after the other, until the pool gives up on what waits. */
const MAX_FAILED_STARTS = 3;

/** Events of a pool, with their arguments. They are told after the fact and change nothing. */
export interface ThreadPoolEvents {
  threadStarted: [thread: { readonly name: string }];
  /** `expected` where it retired, was closed, or had to end because its task was aborted. */
  threadEnded: [thread: { readonly name: string; readonly how: string; readonly expected: boolean }];
  /** A task was refused, or waits for room. */
  queueFull: [state: { readonly queued: number; readonly running: number }];
  /** Nothing waits or runs any more. */
  drain: [];
}

/** What a call or a loop on the caller throws is always an error of this library. */
function rejected(error: unknown): Promise<never> {
  return Promise.reject(error instanceof Error ? error : new Error(String(error)));
}

const threadEvents = channel('system-optimizer:thread');

/**
 * @example
 * const pool = new ThreadPool({ maxThreads: 4 });
 * const digest = await pool.run(hashTask, 'text', { deadlineMs: 1_000 });
 * await pool.parallelFor({ task: scaleTask, range: [0, values.length], shared: { values, factor: 2 } });
 * await pool.close();
 */
export class ThreadPool extends EventEmitter<ThreadPoolEvents> {
  readonly name: string;
  readonly maxThreads: number;
  readonly #roster: WorkerRoster;
  readonly #tasks: TaskDispatcher;
  readonly #runner: LoopRunner;
  readonly #loops: ParallelLoops;
  readonly #keepAlive: NodeJS.Timeout;
  /** Who waits for nothing to be pending, and for all threads to be up. */
  readonly #idle: (() => void)[] = [];
  readonly #started: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #isAlive = false;
  #closing: Promise<void> | undefined;
  #isForced = false;
  #failedStarts = 0;
  /** Why threads last did not come up. */
  #refusal: { readonly how: string; readonly cause: Error | undefined } = { how: '', cause: undefined };
  #usefulThreads: number | undefined;
  #died = 0;
  /** Loops, and starts that somebody waits for. */
  #held = 0;

  /** @throws INVALID_ARGUMENT */
  constructor(options: ThreadPoolOptions = {}) {
    super();
    const resolved = resolvePoolOptions(options);
    const { name, maxThreads, affinity } = resolved;
    this.name = name;
    this.maxThreads = maxThreads;
    this.#keepAlive = outsideCalls(() => setInterval(() => {}, MAX_TIMER_MS).unref());
    this.#roster = new WorkerRoster(
      {
        ...resolved,
        stores: resolved.stores.map((store) => ({ module: store.module, export: store.export })),
        cpusOf: (index) => cpusForThread(affinity, index, maxThreads),
      },
      {
        message: (worker, message) => this.#receive(worker, message),
        returned: (worker) => this.#tasks.returned(worker),
        ended: (worker, how, error) => this.#workerEnded(worker, how, error),
        refused: (error) => this.#threadRefused(error),
        mayStart: () => this.#tryAgain(),
      },
      (unusedSince) => this.#loops.forgetUnusedSince(unusedSince),
    );
    this.#tasks = new TaskDispatcher({
      options: resolved,
      roster: this.#roster,
      release: (worker) => this.#workerIsFree(worker),
      changed: () => this.#updateAlive(),
      queueFull: () => tell(this, 'queueFull', { queued: this.#tasks.queued, running: this.#tasks.running }),
    });
    this.#runner = new LoopRunner({
      maxThreads,
      workers: () => this.#roster.all(),
      recruit: (count) => this.#recruit(count),
      release: (worker) => this.#workerIsFree(worker),
      terminate: (worker) => void worker.terminate(),
    });
    this.#loops = new ParallelLoops(this.#runner, {
      maxThreads,
      usefulThreads: () => (this.#usefulThreads ??= Math.min(maxThreads, allowedThreads())),
      hasReadyWorkers: () => this.#roster.size > this.#roster.starting,
      wakeMs: () => this.#wakeMs ?? 0,
      startThreads: (count) => this.#roster.ensureStarting(count),
      used: () => this.#roster.sweepLater(),
    });
    this.#roster.ensureMinimum();
  }

  /**
   * Runs a task in a thread. `args` and the result travel by structured clone; `args` are read when the task goes to a thread,
   * which may be later than the call, so leave them as they are until it has settled.
   *
   * Rejects with the error that the task threw (class, message, cause, properties, and the stacks of both sides);
   * with TASK_THREW where it threw anything else, which is then the `cause`; with TASK_UNLOADABLE, WORKER_DIED,
   * WORKER_NOT_STARTED, TASK_TIMED_OUT, ABORTED, QUEUE_FULL, CLOSED or INVALID_ARGUMENT for what these names say.
   */
  run<A, R>(task: Task<(args: A) => R>, args: A, options?: RunOptions): Promise<Awaited<R>>;
  run<R>(task: Task<() => R>, args?: undefined, options?: RunOptions): Promise<Awaited<R>>;
  // Not async: a promise and a continuation more would be a third of what a small task costs this thread.
  run(task: Task<AnyFunction>, args?: unknown, options?: RunOptions): Promise<unknown> {
    try {
      this.#assertOpen();
      return this.#tasks.submit(task, args, options);
    } catch (error) {
      return rejected(error);
    }
  }

  /**
   * Runs a kernel `(start, end, shared) => void` over a range, in chunks, on several threads at once. Resolves when
   * every iteration has run exactly once. With `schedule: 'auto'`, work that costs less than handing it out runs on
   * the caller, which also takes part in loops of up to 6 ms; that holds its event loop up for up to about 4 ms (or one
   * iteration, where one takes longer), then threads go on. In loops of up to 100 ms on two threads or more it takes part in
   * slices of 1 ms, between which its event loop turns. Longer work, and any other schedule, runs in the pool's threads
   * alone. Where other processes have taken the CPUs, so that splitting lost time of late, loops of up to 16 ms
   * stay on the caller.
   *
   * Rejects with TASK_THREW (the `cause` is the kernel's error, the message names the range) after the other threads
   * have stopped, with WORKER_DIED, WORKER_NOT_STARTED, TASK_UNLOADABLE, ABORTED, CLOSED or INVALID_ARGUMENT.
   */
  parallelFor<Shared>(options: ParallelForOptions<Shared>): Promise<void> {
    try {
      if (this.#closing === undefined && this.#loops.runAtOnce(options)) return DONE;
    } catch (error) {
      return rejected(error);
    }
    return this.#parallelFor(options);
  }

  async #parallelFor<Shared>(options: ParallelForOptions<Shared>): Promise<void> {
    this.#assertOpen();
    await this.#whileAlive(this.#loops.for(options));
  }

  /**
   * The same loop again and again, without what `parallelFor` spends on checking options: for loops of a few
   * microseconds. The function that it gives runs the loop like `parallelFor`, and returns undefined where it has run
   * it on the spot, else a promise. Options must not be changed afterwards; what `shared` holds may be, in place.
   *
   * @throws INVALID_ARGUMENT
   *
   * @example
   * const step = pool.prepare({ task: stepTask, range: [0, bodies], shared });
   * for (let i = 0; i < 1_000; i += 1) {
   *   const pending = step();
   *   if (pending !== undefined) await pending;
   * }
   */
  prepare<Shared>(options: ParallelForOptions<Shared>): () => Promise<void> | undefined {
    this.#loops.check(options);
    // A task of its own: what is remembered of it is then of this loop alone.
    const own = Object.freeze({ ...options, task: Object.freeze({ ...options.task }) });
    const { signal, shared } = own;
    let prepared: PreparedLoop | undefined;
    return () => {
      try {
        if (prepared !== undefined && this.#closing === undefined && prepared.runAtOnce(shared))
          return undefined;
      } catch (error) {
        return rejected(error);
      }
      return this.#parallelFor(own).then(() => {
        // With a signal it has to be looked at each time.
        prepared = signal === undefined ? this.#loops.prepared(own.task) : undefined;
      });
    };
  }

  /**
   * Like `parallelFor`, with a kernel that returns a partial result for its part of the range. Partial results
   * are combined in the order of the range, and chunks depend on the range and `grain` alone: so the result, floats
   * included, is the same under every schedule and thread count. Without `initial`, an empty range gives undefined.
   */
  async parallelReduce<Shared, Partial>(
    options: ParallelReduceOptions<Shared, Partial>,
  ): Promise<Partial | undefined> {
    this.#assertOpen();
    return this.#whileAlive(this.#loops.reduce(options));
  }

  /**
   * Fills a shared array from another: `parallelFor` over its elements, with `output` made where none is given.
   *
   * @throws as `parallelFor`, by rejection.
   */
  parallelMap<I extends SharedNumbers, O extends SharedNumbers = I, Shared = undefined>(
    options: ParallelMapOptions<I, O, Shared>,
  ): Promise<O> {
    return parallelMap((loop) => this.parallelFor(loop), options);
  }

  /**
   * Prefix sums, products, minima or maxima of a shared array, in two passes over it: pays where there are more than
   * two threads, or the array is in their caches. The result is the same whatever the threads.
   *
   * @throws as `parallelFor`, by rejection.
   *
   * @example
   * const ends = await pool.parallelScan({ input: lengths });   // ends[i] = lengths[0] + … + lengths[i]
   */
  parallelScan<N extends SharedNumbers>(options: ParallelScanOptions<N>): Promise<N> {
    return parallelScan((loop) => this.parallelFor(loop), options);
  }

  /**
   * Sorts a shared array in place, in the order of `TypedArray.prototype.sort`: runs in the threads, then merges that
   * are cut into equal parts. Takes as much memory again. After a failure or an abort the order of the values is not
   * defined, and some may be there twice.
   *
   * @throws as `parallelFor`, by rejection.
   */
  parallelSort<N extends SharedNumbers>(options: ParallelSortOptions<N>): Promise<N> {
    return parallelSort((loop) => this.parallelFor(loop), options);
  }

  /**
   * Starts all threads now (20 to 40 ms each), so that the first work does not wait for them.
   *
   * Rejects with WORKER_NOT_STARTED where not all of them come up, with CLOSED.
   */
  async start(): Promise<void> {
    this.#assertOpen();
    this.#roster.ensureStarting(this.maxThreads);
    if (this.#roster.size < this.maxThreads) throw this.#notStarted(this.#refusal.how, this.#refusal.cause);
    if (this.#roster.starting === 0) return;
    await this.#whileAlive(new Promise<void>((resolve, reject) => this.#started.push({ resolve, reject })));
  }

  stats(): ThreadPoolStats {
    const { running, queued, completed, failed, queueTimes, runTimes } = this.#tasks;
    const queueTime = queueTimes.summary();
    const runTime = runTimes.summary();
    const { livedMs } = this.#roster;
    const wakeMs = this.#wakeMs;
    const { dispatchNs } = this.#loops;
    return {
      threads: this.#roster.size,
      idleThreads: this.#roster.idle,
      startingThreads: this.#roster.starting,
      running,
      queued,
      runningLoops: this.#runner.running,
      completed,
      failed,
      completedLoops: this.#runner.completed,
      startedThreads: this.#roster.started,
      diedThreads: this.#died,
      ...(queueTime && { queueTime }),
      ...(runTime && { runTime }),
      ...(livedMs > 0 && { utilization: runTimes.sumMs / livedMs }),
      ...(wakeMs !== undefined && { wakeUs: 1e3 * wakeMs }),
      ...(dispatchNs !== undefined && { dispatchUs: dispatchNs / 1e3 }),
    };
  }

  /**
   * What each living thread of the pool did with its life: on a CPU, ready for one, or waiting. Costs some 10 µs for each
   * thread of the process.
   *
   * @example
   * const late = pool.threadStats().filter(({ runnableMs = 0, onCpuMs = 0 }) => runnableMs > onCpuMs / 20);
   */
  threadStats(): ThreadStats[] {
    return threadStats(this.#roster.all(), loadNative);
  }

  /** Mean over the threads; undefined without any. */
  get #wakeMs(): number | undefined {
    let sum = 0;
    for (const { mailbox } of this.#roster.all()) sum += mailbox.wakeMs;
    return this.#roster.size === 0 ? undefined : sum / this.#roster.size;
  }

  /** Resolves when nothing waits or runs. New work may be given meanwhile; it is waited for too. */
  drain(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    // In the next turn: the callers' own continuations come first.
    return new Promise((resolve) => this.#idle.push(() => setImmediate(resolve)));
  }

  /**
   * Takes no more work, finishes what was given, ends the threads. With `force`, also on a second call, work that is
   * not finished rejects with CLOSED and its threads are ended at once.
   */
  close(options: { readonly force?: boolean } = {}): Promise<void> {
    let force: boolean;
    try {
      requireOptions('options', options, ['force']);
      force = trueOrFalse('force', options.force ?? false);
    } catch (error) {
      return rejected(error);
    }
    if (force && !this.#isForced) {
      this.#isForced = true;
      this.#closing ??= this.#shutDown();
      this.#failAll(() => this.#closedError());
    }
    return (this.#closing ??= this.#shutDown());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    this.#holdAlive(true);
    // After this turn, so that a forced close has settled everything.
    await Promise.resolve();
    await this.drain();
    this.#holdAlive(true);
    this.#roster.stopTimers();
    const workers = [...this.#roster.all()];
    await Promise.all(workers.map((worker) => (this.#isForced ? worker.terminate() : worker.retire())));
    clearInterval(this.#keepAlive);
  }

  // --- Threads

  #receive(worker: PoolWorker, message: MessageFromWorker): void {
    if (message[0] !== FromWorker.READY) {
      this.#runner.handle(worker, message);
      return;
    }
    if (message[1] !== undefined) process.emitWarning(message[1], 'SystemOptimizerWarning');
    this.#failedStarts = 0;
    worker.tid = message[2] || undefined;
    this.#roster.becameReady(worker);
    tell(this, 'threadStarted', { name: worker.name });
    if (threadEvents.hasSubscribers)
      threadEvents.publish({ pool: this.name, thread: worker.name, event: 'started' });
    this.#workerIsFree(worker);
    if (this.#roster.starting === 0) for (const { resolve } of this.#started.splice(0)) resolve();
  }

  #recruit(count: number): PoolWorker[] {
    const workers: PoolWorker[] = [];
    while (workers.length < count) {
      const worker = this.#roster.takeIdle();
      if (worker === undefined) break;
      workers.push(worker);
    }
    this.#roster.ensureStarting(count - workers.length);
    return workers;
  }

  #workerIsFree(worker: PoolWorker): void {
    // A loop that is under way ends the sooner the more take part; tasks that wait have waited already.
    if (!this.#runner.offer(worker)) this.#roster.putIdle(worker);
    this.#tasks.dispatch();
  }

  #workerEnded(worker: PoolWorker, how: string, error: Error | undefined): void {
    const isExpected = this.#closing !== undefined;
    const wasRetired = !this.#roster.has(worker) || worker.isCondemned;
    this.#roster.remove(worker);
    const hadTask = this.#tasks.workerEnded(worker, how, error);
    if (!isExpected && (hadTask || error !== undefined)) this.#died += 1;
    this.#runner.workerEnded(worker, how, error);
    const expected = isExpected || (wasRetired && error === undefined && !hadTask);
    tell(this, 'threadEnded', { name: worker.name, how, expected });
    if (threadEvents.hasSubscribers) {
      threadEvents.publish({ pool: this.name, thread: worker.name, event: 'ended', how, expected });
    }
    if (!worker.isReady && !this.#isForced && ++this.#failedStarts >= MAX_FAILED_STARTS)
      this.#giveUp(how, error);
    else if (!isExpected) this.#roster.ensureMinimum();
    if (!worker.isReady && !this.#isForced) this.#startInstead();
    this.#tasks.dispatch();
  }

  /** In place of a thread that did not come up: for who waits for all of them, and for loops. Tasks see to it themselves. */
  #startInstead(): void {
    const wanted = this.#started.length > 0 ? this.maxThreads : this.#runner.missing;
    if (wanted > 0) this.#roster.ensureStarting(wanted);
  }

  #tryAgain(): void {
    if (this.#closing === undefined) this.#roster.ensureMinimum();
    this.#startInstead();
    this.#tasks.dispatch();
  }

  /**
   * Threads do not even start, e.g. because of their resource limits: whoever waits for one has to know. Where others are
   * up, which do the work, no more are tried for a while.
   */
  #giveUp(how: string, cause: Error | undefined): void {
    this.#failedStarts = 0;
    this.#refusal = { how, cause };
    if (this.#roster.ready > 0) {
      this.#roster.pauseStarts();
      this.#failStarts(() => this.#notStarted(how, cause));
    } else {
      this.#failAll(() => this.#notStarted(how, cause));
    }
  }

  /** The system makes no more threads: there are too many, or no memory for another. */
  #threadRefused(error: Error): void {
    this.#refusal = { how: error.message, cause: error };
    // Those that start will do the work, or say that they did not start.
    if (this.#roster.size === 0) this.#giveUp(error.message, error);
  }

  #notStarted(how: string, cause: Error | undefined): Error {
    return fail('WORKER_NOT_STARTED', { pool: this.name, how }, { cause });
  }

  #failStarts(error: () => Error): void {
    for (const { reject } of this.#started.splice(0)) reject(error());
  }

  #failAll(error: () => Error): void {
    this.#tasks.failAll(error);
    this.#runner.failAll(error, 0);
    this.#failStarts(error);
    this.#updateAlive();
  }

  // --- Life

  get #pending(): number {
    return this.#tasks.pending + this.#held;
  }

  async #whileAlive<T>(work: Promise<T>): Promise<T> {
    this.#held += 1;
    this.#updateAlive();
    try {
      return await work;
    } finally {
      this.#held -= 1;
      this.#updateAlive();
    }
  }

  #updateAlive(): void {
    const isPending = this.#pending > 0;
    if (isPending !== this.#isAlive) {
      if (this.#closing === undefined) this.#holdAlive(isPending);
      else this.#isAlive = isPending;
      if (!isPending) tell(this, 'drain');
    }
    if (!isPending && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #holdAlive(alive: boolean): void {
    this.#isAlive = alive;
    if (alive) this.#keepAlive.ref();
    else this.#keepAlive.unref();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw this.#closedError();
  }

  #closedError(): Error {
    return fail('CLOSED', { what: `Thread pool "${this.name}"` });
  }
}
