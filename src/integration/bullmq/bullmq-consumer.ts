/**
 * Takes jobs from a BullMQ queue and runs them in the threads of a local pool.
 *
 * BullMQ renews a job's lock from the event loop of the process that runs it. A task that computes inside BullMQ's own
 * processor keeps that loop from turning, so its lock lapses and the job is handed to a second consumer while the
 * first still runs it. In a pool the loop is free: the lock is renewed however long the task computes, can be short, and
 * the jobs of a consumer that really died are found soon.
 */
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { Job, Worker } from 'bullmq';
import { fail } from '../../errors.js';
import { isWorthRetrying, pauseAfter } from '../../threads/executor.js';
import type { ThreadPoolOptions } from '../../threads/pool-options.js';
import { tell } from '../../threads/tell.js';
import { ThreadPool } from '../../threads/thread-pool.js';
import { requireOptions } from '../../options.js';
import { codecOf, payloadStoreOf, type CheckedQueueOptions } from './bullmq-options.js';
import {
  checkConsumerOptions,
  checkDrainTimeout,
  type BullMQConsumerEvents,
  type BullMQConsumerOptions,
  type BullMQConsumerStats,
  type JobReport,
} from './consumer-options.js';
import { abandon, CLOSE_MS, closeAll, openBackend, whenReady, type Backend } from './connection.js';
import { BACKOFF, CANCELLED, errorText, jobDataOf, taskText } from './job-format.js';
import type { Payload, PayloadCodec } from './payload.js';
import type { PayloadStore } from './payload-store.js';
import { taskAt } from './task-address.js';

interface Running {
  readonly job: Job;
  readonly controller: AbortController;
}

const CANCEL_CHECK_MS = 500;
const SWEEP_MS = 600_000;
const LOST_LOCK = 'the lock of the job was lost';
const LEAVING = 'the consumer closes';

/**
 * @example
 * const consumer = await BullMQConsumer.start({ queue: 'thumbnails', threads: { maxThreads: 4 } });
 * process.once('SIGTERM', () => void consumer.close({ drainTimeoutMs: 25_000 }));
 */
export class BullMQConsumer extends EventEmitter<BullMQConsumerEvents> {
  readonly #options: CheckedQueueOptions;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #backend: Backend;
  readonly #pool: ThreadPool;
  readonly #concurrency: number;
  readonly #worker: Worker;
  readonly #codec: PayloadCodec;
  readonly #running = new Map<string, Running>();
  /** Jobs that are about to fail because nobody wants them. */
  readonly #cancelled = new Set<string>();
  readonly #cancelCheck: NodeJS.Timeout;
  readonly #sweep: NodeJS.Timeout;
  readonly #name = `consumer ${hostname()}:${process.pid}`;
  #completed = 0;
  #failed = 0;
  #returned = 0;
  #isChecking = false;
  #closing: Promise<void> | undefined;

  /**
   * Connects and begins to take jobs.
   *
   * @throws INVALID_ARGUMENT, PACKAGE_REQUIRED, BACKEND_UNREACHABLE
   */
  static async start(options: BullMQConsumerOptions): Promise<BullMQConsumer> {
    const { checked, lockMs, maxStalls, only } = checkConsumerOptions(options);
    const pool = new ThreadPool({ name: 'consumer', ...options.threads });
    try {
      const backend = await openBackend(checked);
      const consumer = new BullMQConsumer(
        checked,
        { lockMs, maxStalls },
        only,
        backend,
        pool,
        options.threads,
      );
      await consumer.#begin();
      return consumer;
    } catch (error) {
      await pool.close({ force: true });
      throw error;
    }
  }

  private constructor(
    options: CheckedQueueOptions,
    { lockMs, maxStalls }: { readonly lockMs: number; readonly maxStalls: number },
    only: ReadonlySet<string> | undefined,
    backend: Backend,
    pool: ThreadPool,
    threads: ThreadPoolOptions | undefined,
  ) {
    super();
    this.#options = options;
    this.#only = only;
    this.#backend = backend;
    this.#pool = pool;
    this.#concurrency = pool.maxThreads * (threads?.concurrentTasksPerThread ?? 1);
    this.#worker = new backend.bullmq.Worker(
      options.queue,
      (job, token) => this.#process(job, token),
      {
        ...backend.base,
        autorun: false,
        name: `${hostname()}.${process.pid}`,
        concurrency: this.#concurrency,
        lockDuration: lockMs,
        // A job's end that could not be told is told again before its lock lapses.
        runRetryDelay: Math.min(1_000, lockMs / 4),
        stalledInterval: lockMs,
        maxStalledCount: maxStalls,
        settings: {
          backoffStrategy: (attemptsMade, type, _error, job) =>
            type === BACKOFF
              ? pauseAfter(attemptsMade, (job?.data as { backoffMs?: number }).backoffMs ?? 0)
              : 0,
        },
      },
      backend.factory,
    );
    this.#worker.on('error', (error) => tell(this, 'connectionError', error));
    // Only once the queue knows the job's end: until then it may be run again, with its arguments.
    this.#worker.on('completed', (job) => void this.#afterwards(job, false));
    this.#worker.on('failed', (job) => void (job && this.#afterwards(job, true)));
    this.#worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) this.#running.get(id)?.controller.abort(LOST_LOCK);
    });
    const store: PayloadStore = payloadStoreOf(options, backend, () => this.#worker.backend.client);
    this.#codec = codecOf(options, store);
    this.#cancelCheck = setInterval(() => void this.#stopCancelled(), CANCEL_CHECK_MS).unref();
    const sweep = () => void store.sweep().catch((error: Error) => tell(this, 'connectionError', error));
    sweep();
    this.#sweep = setInterval(sweep, SWEEP_MS).unref();
  }

  get stats(): BullMQConsumerStats {
    return {
      queue: this.#options.queue,
      backend: this.#backend.label,
      concurrency: this.#concurrency,
      running: this.#running.size,
      completed: this.#completed,
      failed: this.#failed,
      returned: this.#returned,
    };
  }

  /**
   * Takes no more jobs and finishes those that run. What is not finished after `drainTimeoutMs` (30,000 by default, 0 for
   * at once, at most a day) is stopped and handed back to the queue, where another consumer takes it without delay.
   *
   * @throws INVALID_ARGUMENT
   */
  async close(options: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    requireOptions('options', options, ['drainTimeoutMs']);
    const { drainTimeoutMs = 30_000 } = options;
    checkDrainTimeout(drainTimeoutMs);
    return (this.#closing ??= this.#shutDown(drainTimeoutMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(): Promise<void> {
    const { queue, connectTimeoutMs } = this.#options;
    try {
      await whenReady([this.#worker], { queue, label: this.#backend.label, timeoutMs: connectTimeoutMs });
    } catch (error) {
      this.#stopTimers();
      await abandon([this.#worker]);
      throw error;
    }
    this.#worker.run().catch((error: Error) => tell(this, 'connectionError', error));
  }

  async #shutDown(drainTimeoutMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const { controller } of this.#running.values()) controller.abort(LEAVING);
    }, drainTimeoutMs);
    await closeAll(this.#backend, [this.#worker], drainTimeoutMs + CLOSE_MS);
    clearTimeout(timer);
    this.#stopTimers();
    await this.#pool.close({ force: true });
  }

  #stopTimers(): void {
    clearInterval(this.#cancelCheck);
    clearInterval(this.#sweep);
  }

  async #process(job: Job, token: string | undefined): Promise<Payload> {
    const id = job.id!;
    const controller = new AbortController();
    this.#running.set(id, { job, controller });
    const beganMs = performance.now();
    const report = (): JobReport => ({
      id,
      task: taskName(job),
      durationMs: performance.now() - beganMs,
    });
    try {
      const result = await this.#execute(job, controller.signal);
      this.#completed += 1;
      tell(this, 'completed', report());
      return result;
    } catch (error) {
      const { reason } = controller.signal as { reason: unknown };
      // Whoever has the lock now decides about the job; this run never was.
      if (reason === LOST_LOCK) throw new this.#backend.bullmq.WaitingError();
      if (reason === LEAVING) {
        await job.moveToWait(token);
        this.#returned += 1;
        tell(this, 'returned', report());
        throw new this.#backend.bullmq.WaitingError();
      }
      const isWorth = isWorthRetrying(error);
      const isFinal = !isWorth || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      this.#failed += 1;
      tell(this, 'failed', { ...report(), error, isFinal });
      throw this.#failure(error, isWorth);
    } finally {
      this.#running.delete(id);
    }
  }

  async #execute(job: Job, signal: AbortSignal): Promise<Payload> {
    if (job.progress === CANCELLED) {
      this.#cancelled.add(job.id!);
      throw fail('ABORTED', { what: taskName(job) });
    }
    const data = jobDataOf(job.data);
    const task = taskAt(data.task, this.#options.root, this.#only);
    const name = taskText(data.task);
    const args = await this.#codec.decode(data.args, { what: 'Arguments', task: name });
    const { deadlineMs, againAt = job.timestamp } = data;
    const restMs = deadlineMs === undefined ? undefined : againAt + deadlineMs - Date.now();
    if (restMs !== undefined && restMs <= 0)
      throw fail('TASK_TIMED_OUT', { task: name, deadlineMs: deadlineMs! });
    const value = await this.#pool.run(task, args, {
      signal,
      ...(restMs !== undefined && { deadlineMs: restMs }),
    });
    return this.#codec.encode(value, {
      what: 'Results',
      task: name,
      key: `${job.id!}.results`,
      keepMs: this.#options.keepResultsMs,
    });
  }

  /** Throws away what an ended job needs no more, and cancelled jobs whole: they are nobody's dead letters. */
  async #afterwards(job: Job, hasFailed: boolean): Promise<void> {
    const isCancelled = this.#cancelled.delete(job.id!);
    try {
      if (!hasFailed) return await this.#codec.drop(jobDataOf(job.data).args);
      if (!isCancelled) return;
      await job.remove();
      await this.#codec.drop(jobDataOf(job.data).args);
    } catch (error) {
      tell(this, 'connectionError', error as Error);
    }
  }

  /** What BullMQ stores of an error: one text, and the stack for its dashboards. */
  #failure(error: unknown, isWorthRetryingAgain: boolean): Error {
    const { UnrecoverableError } = this.#backend.bullmq;
    const text = errorText(error, this.#name);
    const failure = isWorthRetryingAgain ? new Error(text) : new UnrecoverableError(text);
    failure.stack = error instanceof Error ? (error.stack ?? '') : '';
    return failure;
  }

  /** Asks for the jobs that run whether anybody still wants them; a message could be lost, a field cannot. */
  async #stopCancelled(): Promise<void> {
    // A check may take longer than the time between two: the backend may be away.
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { Job: jobClass } = this.#backend.bullmq;
    for (const [id, { controller }] of [...this.#running]) {
      try {
        const job = await jobClass.fromId(this.#worker, id);
        if (job?.progress !== CANCELLED || controller.signal.aborted) continue;
        this.#cancelled.add(id);
        controller.abort(CANCELLED);
      } catch (error) {
        tell(this, 'connectionError', error as Error);
      }
    }
    this.#isChecking = false;
  }
}

function taskName(job: Job): string {
  try {
    return taskText(jobDataOf(job.data).task);
  } catch {
    return `job "${job.name}"`;
  }
}
