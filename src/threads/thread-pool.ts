/**
 * A pool of worker threads for tasks and for loops over shared memory.
 *
 * The pool's own thread never blocks. Each worker has at most one task, so that a worker's death rejects exactly that
 * task. One timer that never fires keeps the event loop alive while there is work, and nothing else does: workers
 * and their ports are unreferenced, so an idle pool lets the process exit.
 */
import type { ResourceLimits, Transferable } from 'node:worker_threads';
import { describe, fail } from '../errors.js';
import type { ThreadChoice } from '../model/choice.js';
import { cpuLimits } from '../host/limits.js';
import { abortSignal, integerWithin, knownKeys, oneOf, positiveNumber } from './check.js';
import { captureStack, framesOf, type StackHolder } from './caller-stack.js';
import { unpackError } from './error-transfer.js';
import { LoopRunner } from './loop-runner.js';
import { FromWorker, ToWorker, type MessageFromWorker } from './messages.js';
import type { ParallelForOptions, ParallelReduceOptions } from './loop-options.js';
import { ParallelLoops } from './parallel-loops.js';
import { AFFINITIES, cpusForThread } from './placement.js';
import type { PoolWorker } from './pool-worker.js';
import { checkTask, taskLabel, type AnyFunction, type Task } from './task.js';
import { TaskQueue } from './task-queue.js';
import { WorkerRoster } from './worker-roster.js';

export interface ThreadPoolOptions {
  /** Threads that are started at once and never retire. 0 by default: threads start with the first work. */
  readonly minThreads?: number;
  /** 1 to 1,024. By default the CPUs that this process may use, its container's quota included. */
  readonly maxThreads?: number;
  /** Threads above `minThreads` retire after this long without work. 30,000 ms by default; Infinity for never. */
  readonly idleTimeoutMs?: number;
  /** Tasks that may wait for a thread. Unlimited by default. */
  readonly queueLimit?: number;
  /** What `run` does beyond that: reject with QUEUE_FULL (default), or wait for room. */
  readonly queueFull?: 'reject' | 'wait';
  /** Per thread, as of `worker_threads`. A task that exceeds its heap ends its thread, not the process. */
  readonly resourceLimits?: ResourceLimits;
  /** First part of the threads' names, as `top -H` shows them (15 bytes in all). `sysopt` by default. */
  readonly name?: string;
  /** Pins threads to CPUs. `none` by default. */
  readonly affinity?: ThreadChoice['affinity'];
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
  /** From `run` to the task's thread, and from there to the result; undefined before the first task. */
  readonly meanQueueMs?: number;
  readonly meanRunMs?: number;
  /** What a loop without work costs here; undefined until `auto` first needed it. */
  readonly dispatchUs?: number;
}

const OPTION_KEYS = [
  'minThreads',
  'maxThreads',
  'idleTimeoutMs',
  'queueLimit',
  'queueFull',
  'resourceLimits',
  'name',
  'affinity',
];
const RUN_KEYS = ['signal', 'deadlineMs', 'priority', 'transfer'];
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Threads that end before they are ready, one after the other, until the pool gives up on what waits. */
const MAX_FAILED_STARTS = 3;

interface Call {
  readonly id: number;
  readonly task: Task;
  readonly args: unknown;
  readonly transfer: readonly Transferable[] | undefined;
  readonly priority: number;
  readonly calledAt: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly stackHolder: StackHolder;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  deadline: NodeJS.Timeout | undefined;
  worker: PoolWorker | undefined;
  startedAt: number;
  state: 'waiting' | 'queued' | 'running' | 'settled';
  readonly settled: boolean;
}

/**
 * @example
 * const pool = new ThreadPool({ maxThreads: 4 });
 * const digest = await pool.run(hashTask, 'text', { deadlineMs: 1_000 });
 * await pool.parallelFor({ task: scaleTask, range: [0, values.length], shared: { values, factor: 2 } });
 * await pool.close();
 */
export class ThreadPool {
  readonly name: string;
  readonly maxThreads: number;
  readonly #queueLimit: number;
  readonly #waitsForRoom: boolean;
  readonly #roster: WorkerRoster;
  readonly #runner: LoopRunner;
  readonly #loops: ParallelLoops;
  readonly #queue = new TaskQueue<Call>();
  /** Calls that wait for room in the queue (`queueFull: 'wait'`). */
  readonly #entrance = new TaskQueue<Call>();
  readonly #running = new Map<PoolWorker, Call>();
  readonly #taskIds = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  readonly #started: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  readonly #keepAlive: NodeJS.Timeout;
  #isAlive = false;
  #closing: Promise<void> | undefined;
  #isForced = false;
  #lastId = 0;
  #failedStarts = 0;
  #usefulThreads: number | undefined;
  #completed = 0;
  #failed = 0;
  #died = 0;
  #queueMs = 0;
  #runMs = 0;
  #measured = 0;

  /** @throws INVALID_ARGUMENT */
  constructor(options: ThreadPoolOptions = {}) {
    knownKeys('options', options, OPTION_KEYS);
    const { minThreads = 0, idleTimeoutMs = 30_000, queueLimit = Infinity, name = 'sysopt' } = options;
    this.maxThreads = integerWithin('maxThreads', options.maxThreads ?? allowedThreads(), 1, 1_024);
    integerWithin('minThreads', minThreads, 0, this.maxThreads);
    positiveNumber('idleTimeoutMs', idleTimeoutMs);
    if (queueLimit !== Infinity) integerWithin('queueLimit', queueLimit, 0, Number.MAX_SAFE_INTEGER);
    if (typeof name !== 'string' || name === '') {
      throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(name), expected: 'a text' });
    }
    const affinity = oneOf('affinity', options.affinity ?? 'none', AFFINITIES);
    this.name = name;
    this.#queueLimit = queueLimit;
    this.#waitsForRoom = oneOf('queueFull', options.queueFull ?? 'reject', ['reject', 'wait']) === 'wait';
    this.#keepAlive = setInterval(() => {}, MAX_TIMER_MS).unref();
    this.#roster = new WorkerRoster(
      {
        name,
        minThreads,
        maxThreads: this.maxThreads,
        idleTimeoutMs,
        resourceLimits: options.resourceLimits,
        cpusOf: (index) => cpusForThread(affinity, index, this.maxThreads),
      },
      {
        message: (worker, message) => this.#receive(worker, message),
        unreadable: (worker, error) => this.#settleRunning(worker, 'reject', error),
        ended: (worker, how, error) => this.#workerEnded(worker, how, error),
      },
      (unusedSince) => this.#runner.programs.forgetUnusedSince(unusedSince),
    );
    this.#runner = new LoopRunner({
      maxThreads: this.maxThreads,
      workers: () => this.#roster.all(),
      recruit: (count) => this.#recruit(count),
      release: (worker) => this.#workerIsFree(worker),
      terminate: (worker) => void worker.terminate(),
    });
    this.#loops = new ParallelLoops(this.#runner, {
      maxThreads: this.maxThreads,
      usefulThreads: () => (this.#usefulThreads ??= Math.min(this.maxThreads, allowedThreads())),
      hasReadyWorkers: () => this.#roster.size > this.#roster.starting,
      startThreads: (count) => this.#roster.ensureStarting(count),
    });
    this.#roster.ensureMinimum();
  }

  /**
   * Runs a task in a thread. `args` and the result travel by structured clone.
   *
   * Rejects with the error that the task threw (class, message, cause, properties, and the stacks of both sides);
   * with TASK_THREW where it threw anything else, which is then the `cause`; with TASK_UNLOADABLE, WORKER_DIED,
   * WORKER_NOT_STARTED, TASK_TIMED_OUT, ABORTED, QUEUE_FULL, CLOSED or INVALID_ARGUMENT for what these names say.
   */
  run<A, R>(task: Task<(args: A) => R>, args: A, options?: RunOptions): Promise<Awaited<R>>;
  run<R>(task: Task<() => R>, args?: undefined, options?: RunOptions): Promise<Awaited<R>>;
  run(task: Task<AnyFunction>, args?: unknown, options: RunOptions = {}): Promise<unknown> {
    const stackHolder = captureStack();
    return new Promise<never>((resolve, reject) => {
      this.#assertOpen();
      checkTask(task);
      knownKeys('options', options, RUN_KEYS);
      const { deadlineMs, priority = 0, transfer } = options;
      const signal = abortSignal(options.signal);
      if (!Number.isFinite(priority)) {
        throw fail('INVALID_ARGUMENT', {
          name: 'priority',
          actual: describe(priority),
          expected: 'a finite number',
        });
      }
      if (deadlineMs !== undefined) positiveNumber('deadlineMs', deadlineMs);
      if (signal?.aborted === true)
        throw fail('ABORTED', { what: taskLabel(task) }, { cause: signal.reason });
      const call = newCall(++this.#lastId, task, args, transfer, priority, resolve, reject, stackHolder);
      this.#admit(call);
      if (signal !== undefined) {
        call.signal = signal;
        call.onAbort = () =>
          this.#interrupt(call, fail('ABORTED', { what: taskLabel(task) }, { cause: signal.reason }));
        signal.addEventListener('abort', call.onAbort, { once: true });
      }
      if (deadlineMs !== undefined && deadlineMs <= MAX_TIMER_MS) {
        call.deadline = setTimeout(
          () => this.#interrupt(call, fail('TASK_TIMED_OUT', { task: taskLabel(task), deadlineMs })),
          deadlineMs,
        );
      }
      this.#dispatch();
    });
  }

  /**
   * Runs a kernel `(start, end, shared) => void` over a range, in chunks, on several threads at once. Resolves when
   * every iteration has run exactly once. With `schedule: 'auto'`, work that costs less than handing it out runs on
   * the caller, whose loop it holds up for up to about 4 ms (or one iteration, where one takes longer); with any
   * other schedule, and always for longer work, it runs in the pool's threads.
   *
   * Rejects with TASK_THREW (the `cause` is the kernel's error, the message names the range) after the other threads
   * have stopped, with WORKER_DIED, TASK_UNLOADABLE, ABORTED, CLOSED or INVALID_ARGUMENT.
   */
  async parallelFor<Shared>(options: ParallelForOptions<Shared>): Promise<void> {
    this.#assertOpen();
    await this.#whileAlive(this.#loops.for(options));
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

  /** Starts all threads now (20 to 40 ms each), so that the first work does not wait for them. */
  async start(): Promise<void> {
    this.#assertOpen();
    this.#roster.ensureStarting(this.maxThreads);
    if (this.#roster.starting === 0) return;
    await this.#whileAlive(new Promise<void>((resolve, reject) => this.#started.push({ resolve, reject })));
  }

  stats(): ThreadPoolStats {
    const { dispatchNs } = this.#loops;
    return {
      threads: this.#roster.size,
      idleThreads: this.#roster.idle,
      startingThreads: this.#roster.starting,
      running: this.#running.size,
      queued: this.#queue.length + this.#entrance.length,
      runningLoops: this.#runner.running,
      completed: this.#completed,
      failed: this.#failed,
      completedLoops: this.#runner.completed,
      startedThreads: this.#roster.started,
      diedThreads: this.#died,
      ...(this.#measured > 0 && {
        meanQueueMs: this.#queueMs / this.#measured,
        meanRunMs: this.#runMs / this.#measured,
      }),
      ...(dispatchNs !== undefined && { dispatchUs: dispatchNs / 1e3 }),
    };
  }

  /** Resolves when nothing waits or runs. New work may be given meanwhile; it is waited for too. */
  drain(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /**
   * Takes no more work, finishes what was given, ends the threads. With `force`, also on a second call, work that is
   * not finished rejects with CLOSED and its threads are ended at once.
   */
  close({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    if (force && !this.#isForced) {
      this.#isForced = true;
      this.#closing ??= this.#shutDown();
      this.#failAll((what) => fail('CLOSED', { what }));
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
    this.#roster.stopSweeping();
    const workers = [...this.#roster.all()];
    await Promise.all(workers.map((worker) => (this.#isForced ? worker.terminate() : worker.retire())));
    clearInterval(this.#keepAlive);
    for (const { reject } of this.#started.splice(0)) reject(fail('CLOSED', { what: this.#label }));
  }

  // --- Calls

  #admit(call: Call): void {
    const hasRoom = this.#queue.length < this.#queueLimit + this.#freeThreads;
    if (!hasRoom && !this.#waitsForRoom) {
      throw fail('QUEUE_FULL', { pool: this.name, queueLimit: this.#queueLimit });
    }
    call.state = hasRoom ? 'queued' : 'waiting';
    (hasRoom ? this.#queue : this.#entrance).push(call);
  }

  /** Threads that could take a task from the queue: the limit is for tasks that no thread is there for. */
  get #freeThreads(): number {
    const { idle, size, starting } = this.#roster;
    return idle + starting + (this.maxThreads - size);
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#roster.takeIdle();
      if (worker === undefined) {
        this.#roster.ensureStarting(this.#queue.length);
        break;
      }
      this.#assign(worker, this.#queue.shift()!);
    }
    while (this.#entrance.length > 0 && this.#queue.length < this.#queueLimit + this.#freeThreads) {
      const call = this.#entrance.shift()!;
      call.state = 'queued';
      this.#queue.push(call);
      if (this.#roster.idle > 0) return this.#dispatch();
    }
    this.#updateAlive();
  }

  #assign(worker: PoolWorker, call: Call): void {
    const { task } = call;
    const key = `${task.module}#${task.export}`;
    let taskId = this.#taskIds.get(key);
    if (taskId === undefined) this.#taskIds.set(key, (taskId = this.#taskIds.size + 1));
    call.state = 'running';
    call.worker = worker;
    call.startedAt = performance.now();
    try {
      if (worker.knownTasks.has(taskId)) {
        worker.send([ToWorker.RUN, call.id, taskId, call.args], call.transfer);
      } else {
        const named = { module: task.module, export: task.export };
        worker.send([ToWorker.RUN, call.id, taskId, call.args, named], call.transfer);
        worker.knownTasks.add(taskId);
      }
    } catch (error) {
      // The arguments cannot be cloned: the task was never sent.
      this.#settle(call, 'reject', error);
      this.#roster.putIdle(worker);
      return;
    }
    this.#running.set(worker, call);
  }

  #receive(worker: PoolWorker, message: MessageFromWorker): void {
    const [kind] = message;
    if (kind === FromWorker.RESULT) {
      if (this.#running.get(worker)?.id === message[1]) this.#settleRunning(worker, 'resolve', message[2]);
    } else if (kind === FromWorker.FAILURE) {
      const call = this.#running.get(worker);
      if (call?.id !== message[1]) return;
      const thrown = unpackError(message[2], worker.name, framesOf(call.stackHolder));
      this.#settleRunning(worker, 'reject', thrown instanceof Error ? thrown : notAnError(call.task, thrown));
    } else if (kind === FromWorker.READY) {
      if (message[1] !== undefined) process.emitWarning(message[1], 'SystemOptimizerWarning');
      this.#failedStarts = 0;
      this.#roster.becameReady(worker);
      this.#workerIsFree(worker);
      if (this.#roster.starting === 0) for (const { resolve } of this.#started.splice(0)) resolve();
    } else {
      this.#runner.handle(worker, message);
    }
  }

  #settleRunning(worker: PoolWorker, outcome: 'resolve' | 'reject', value: unknown): void {
    const call = this.#running.get(worker);
    if (call === undefined) return;
    this.#running.delete(worker);
    const now = performance.now();
    this.#queueMs += call.startedAt - call.calledAt;
    this.#runMs += now - call.startedAt;
    this.#measured += 1;
    this.#settle(call, outcome, value);
    this.#workerIsFree(worker);
  }

  #settle(call: Call, outcome: 'resolve' | 'reject', value: unknown): void {
    call.state = 'settled';
    clearTimeout(call.deadline);
    if (call.onAbort !== undefined) call.signal!.removeEventListener('abort', call.onAbort);
    if (outcome === 'resolve') this.#completed += 1;
    else this.#failed += 1;
    call[outcome](value as never);
  }

  /** Ends a call before its time. A task that runs can only be stopped by ending its thread. */
  #interrupt(call: Call, error: Error): void {
    if (call.state === 'settled') return;
    if (call.state === 'queued') this.#queue.discard();
    if (call.state === 'waiting') this.#entrance.discard();
    const { worker } = call;
    this.#settle(call, 'reject', error);
    if (worker !== undefined) {
      this.#running.delete(worker);
      void worker.terminate();
    }
    this.#dispatch();
  }

  #failAll(error: (what: string) => Error): void {
    for (const queue of [this.#queue, this.#entrance]) {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
        this.#settle(call, 'reject', error(this.#label));
      }
    }
    for (const call of [...this.#running.values()]) this.#interrupt(call, error(this.#label));
    this.#runner.failAll(() => error(this.#label), 0);
    this.#updateAlive();
  }

  // --- Threads

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
    this.#dispatch();
  }

  #workerEnded(worker: PoolWorker, how: string, error: Error | undefined): void {
    const wasReady = worker.isReady;
    const call = this.#running.get(worker);
    const expected = this.#closing !== undefined;
    this.#roster.remove(worker);
    if (!expected && (call !== undefined || error !== undefined)) this.#died += 1;
    if (call !== undefined) {
      this.#running.delete(worker);
      this.#settle(
        call,
        'reject',
        fail('WORKER_DIED', { task: taskLabel(call.task), how }, { cause: error }),
      );
    }
    this.#runner.workerEnded(worker, how, error);
    if (!wasReady && !this.#isForced && ++this.#failedStarts >= MAX_FAILED_STARTS) this.#giveUp(how, error);
    else if (!expected) this.#roster.ensureMinimum();
    this.#dispatch();
  }

  /** Threads do not even start, e.g. because of their resource limits: whoever waits for one has to know. */
  #giveUp(how: string, cause: Error | undefined): void {
    this.#failedStarts = 0;
    const error = () => fail('WORKER_NOT_STARTED', { pool: this.name, how }, { cause });
    this.#failAll(error);
    for (const { reject } of this.#started.splice(0)) reject(error());
  }

  // --- Life

  get #label(): string {
    return `Thread pool "${this.name}"`;
  }

  get #pending(): number {
    return this.#queue.length + this.#entrance.length + this.#running.size + this.#held;
  }

  /** Loops, and starts that somebody waits for. */
  #held = 0;

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
    if (isPending !== this.#isAlive && this.#closing === undefined) this.#holdAlive(isPending);
    if (!isPending) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #holdAlive(alive: boolean): void {
    this.#isAlive = alive;
    if (alive) this.#keepAlive.ref();
    else this.#keepAlive.unref();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw fail('CLOSED', { what: this.#label });
  }
}

function newCall(
  id: number,
  task: Task,
  args: unknown,
  transfer: readonly Transferable[] | undefined,
  priority: number,
  resolve: Call['resolve'],
  reject: Call['reject'],
  stackHolder: Call['stackHolder'],
): Call {
  return {
    id,
    task,
    args,
    transfer,
    priority,
    calledAt: performance.now(),
    resolve,
    reject,
    stackHolder,
    signal: undefined,
    onAbort: undefined,
    deadline: undefined,
    worker: undefined,
    startedAt: 0,
    state: 'queued',
    get settled() {
      return this.state === 'settled';
    },
  };
}

function notAnError(task: Task, thrown: unknown): Error {
  return fail(
    'TASK_THREW',
    { task: taskLabel(task), where: '', reason: describe(thrown) },
    { cause: thrown },
  );
}

/** CPUs that this process may use, in whole threads: below one CPU it is one. */
function allowedThreads(): number {
  return Math.min(1_024, Math.max(1, Math.floor(cpuLimits().effectiveCpus)));
}
