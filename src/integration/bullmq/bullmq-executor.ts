/** Runs tasks in other processes, on this or other machines, through a BullMQ queue. */
import { EventEmitter } from 'node:events';
import type { Job, Queue, QueueEvents } from 'bullmq';
import { fail } from '../../errors.js';
import { captureStack, framesOf, type StackHolder } from '../../threads/caller-stack.js';
import { integerWithin, trueOrFalse } from '../../threads/check.js';
import { requireOptions } from '../../options.js';
import {
  checkExecuteOptions,
  DEAD_LETTER_REMEDY,
  MAX_PRIORITY,
  type CheckedExecuteOptions,
  type DeadLetter,
  type ExecuteOptions,
  type Executor,
} from '../../threads/executor.js';
import { checkTask, type AnyFunction, type Task } from '../../threads/task.js';
import {
  checkQueueOptions,
  codecOf,
  payloadStoreOf,
  QUEUE_KEYS,
  type CheckedQueueOptions,
  type QueueOptions,
} from './bullmq-options.js';
import { abandon, closeAll, openBackend, whenReady, type Backend } from './connection.js';
import {
  BACKOFF,
  CANCELLED,
  errorOf,
  isOurs,
  jobDataOf,
  jobIdOf,
  taskText,
  type JobData,
} from './job-format.js';
import type { Payload, PayloadCodec } from './payload.js';
import { abortedError, endedBy } from './caller-limits.js';
import { deadLetterOf } from './dead-letter.js';
import { ResultWaiter, type Outcome } from './result-waiter.js';
import { addressOfTask, type TaskAddress } from './task-address.js';
import { tell } from '../../threads/tell.js';
import { WorkInFlight } from '../../threads/work-in-flight.js';

export type BullMQExecutorOptions = QueueOptions;

/** Each is read whole, with its arguments. */
const MAX_DEAD_LETTERS = 10_000;

export interface BullMQExecutorEvents {
  /** The connection failed or came back with an error; calls that are under way go on when it is back. */
  connectionError: [error: Error];
}

interface Connected {
  readonly backend: Backend;
  readonly queue: Queue;
  readonly events: QueueEvents;
  readonly waiter: ResultWaiter;
  readonly codec: PayloadCodec;
}

/**
 * An executor whose consumers are other processes: `sysopt worker --queue NAME`, or `BullMQConsumer`.
 *
 * Every job runs at least once; more than once only where a consumer died or lost its lock in the middle (its process was
 * stopped for longer than `lockMs`), or where the task failed and has attempts left. A call costs one round trip
 * to hand over and no polling while events arrive. An open executor keeps the process alive; close it.
 *
 * Besides the errors of `Executor.run`: PACKAGE_REQUIRED, BACKEND_UNREACHABLE, PAYLOAD_TOO_LARGE, PAYLOAD_LOST, JOB_LOST,
 * JOB_GIVEN_UP, TASK_REFUSED. A deadline is held against the clocks of both machines.
 *
 * @throws INVALID_ARGUMENT
 *
 * @example
 * const executor = new BullMQExecutor({ queue: 'thumbnails', connection: 'redis://cache:6379' });
 * const thumbnail = await executor.run(resizeTask, { path, width: 200 }, { attempts: 3, idempotencyKey: path });
 */
export class BullMQExecutor extends EventEmitter<BullMQExecutorEvents> implements Executor {
  readonly #options: CheckedQueueOptions;
  readonly #running = new WorkInFlight();
  #connected: Promise<Connected> | undefined;
  #isClosed = false;

  constructor(options: BullMQExecutorOptions) {
    super();
    requireOptions('options', options, QUEUE_KEYS);
    this.#options = checkQueueOptions(options);
  }

  /** Connects now instead of with the first call. @throws PACKAGE_REQUIRED, BACKEND_UNREACHABLE */
  async start(): Promise<void> {
    this.#assertOpen();
    await this.#connect();
  }

  run<A, R>(task: Task<(args: A) => R>, args: A, options?: ExecuteOptions): Promise<Awaited<R>>;
  run<R>(task: Task<() => R>, args?: undefined, options?: ExecuteOptions): Promise<Awaited<R>>;
  async run(task: Task<AnyFunction>, args?: unknown, given?: ExecuteOptions): Promise<unknown> {
    this.#assertOpen();
    checkTask(task);
    const options = checkExecuteOptions(given);
    const address = addressOfTask(task, this.#options.root);
    if (options.signal?.aborted === true) throw abortedError(task, options.signal);
    return this.#running.track(this.#run(task, address, args, options, captureStack()));
  }

  async deadLetters(options: { readonly limit?: number } = {}): Promise<DeadLetter[]> {
    requireOptions('options', options, ['limit']);
    const { limit = 100 } = options;
    // BullMQ takes an end of -1 for the last of all.
    integerWithin('limit', limit, 1, MAX_DEAD_LETTERS);
    this.#assertOpen();
    const { queue, codec } = await this.#connect();
    const jobs = await queue.getJobs(['failed'], 0, limit - 1, false);
    return Promise.all(jobs.filter((job) => job !== undefined).map((job) => deadLetterOf(job, codec)));
  }

  async retryDeadLetter(id: string): Promise<unknown> {
    this.#assertOpen();
    const { waiter, codec } = await this.#connect();
    const job = await this.#deadLetter(id);
    const data = jobDataOf(job.data);
    const againAt = Date.now();
    const wait = waiter.wait({
      id,
      handOver: async () => {
        // Its time was over long ago.
        if (data.deadlineMs !== undefined) await job.updateData({ ...data, againAt });
        await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
      },
      isReused: true,
      keepMs: this.#options.keepResultsMs,
      lost: () => this.#lostError(id, data.task),
    });
    const { task, deadlineMs } = data;
    return this.#running.track(
      endedBy(wait.outcome, task, undefined, deadlineMs, againAt, () => undefined)
        .then((outcome) => this.#resultOf(outcome, task, codec))
        .finally(() => wait.stop()),
    );
  }

  async removeDeadLetter(id: string): Promise<void> {
    this.#assertOpen();
    const { codec } = await this.#connect();
    const job = await this.#deadLetter(id);
    await job.remove();
    if (isOurs(job.data)) await codec.drop(job.data.args);
  }

  /** With `force`, calls under way reject with CLOSED; their jobs stay in the queue and are run. */
  async close(options: { readonly force?: boolean } = {}): Promise<void> {
    requireOptions('options', options, ['force']);
    const force = trueOrFalse('force', options.force ?? false);
    this.#isClosed = true;
    const connected = await this.#connected?.catch(() => undefined);
    if (connected === undefined) return;
    if (!force) await this.#running.settled();
    const { backend, queue, events, waiter } = connected;
    waiter.close(() => this.#closedError());
    await closeAll(backend, [events, queue]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(
    task: Task,
    address: TaskAddress,
    args: unknown,
    options: CheckedExecuteOptions,
    caller: StackHolder,
  ): Promise<unknown> {
    const { idempotencyKey, deadlineMs, signal } = options;
    const calledAt = Date.now();
    const id = jobIdOf(address, idempotencyKey);
    const prepared = this.#prepare(id, address, args);
    const dropPrepared = () =>
      void this.#running.track(prepared.then(({ codec, payload }) => codec.drop(payload)).catch(() => {}));
    const { waiter, codec, queue, backend, payload } = await endedBy(
      prepared,
      task,
      signal,
      deadlineMs,
      calledAt,
      dropPrepared,
    );
    const job = this.#jobOf(id, address, payload, options, calledAt);
    let handedOver: Promise<unknown> | undefined;
    const wait = waiter.wait({
      id,
      handOver: () => (handedOver = queue.add(address.export, job.data, job.opts)),
      isReused: idempotencyKey !== undefined,
      keepMs: this.#options.keepResultsMs,
      lost: () => this.#lostError(id, address),
    });
    const giveUp = () => {
      if (idempotencyKey !== undefined) return;
      const cancel = () => this.#cancel(backend, queue, id, codec, payload);
      void this.#running.track(handedOver?.then(cancel, () => {}) ?? Promise.resolve());
    };
    try {
      const outcome = await endedBy(wait.outcome, task, signal, deadlineMs, calledAt, giveUp);
      return await this.#resultOf(outcome, address, codec, caller);
    } finally {
      wait.stop();
    }
  }

  /** Connects, and puts the arguments where the job can refer to them: a backend that does not answer may take for ever. */
  async #prepare(
    id: string,
    address: TaskAddress,
    args: unknown,
  ): Promise<Connected & { readonly payload: Payload }> {
    const connected = await this.#connect();
    const payload = await connected.codec.encode(args, {
      what: 'Arguments',
      task: taskText(address),
      key: `${id}.arguments`,
      keepMs: this.#options.keepDeadLettersMs,
    });
    return { ...connected, payload };
  }

  #jobOf(id: string, task: TaskAddress, args: Payload, options: CheckedExecuteOptions, timestamp: number) {
    const { attempts, backoffMs, deadlineMs, idempotencyKey: key, priority } = options;
    const { keepResultsMs, keepDeadLettersMs } = this.#options;
    const data: JobData = {
      v: 1,
      task,
      args,
      backoffMs,
      // Infinity would be no number any more in the job.
      ...(deadlineMs !== undefined && deadlineMs !== Infinity && { deadlineMs }),
      ...(key !== undefined && { key }),
    };
    return {
      data,
      opts: {
        jobId: id,
        timestamp,
        attempts,
        backoff: { type: BACKOFF },
        removeOnComplete: { age: Math.ceil(keepResultsMs / 1_000) },
        removeOnFail: { age: Math.ceil(keepDeadLettersMs / 1_000) },
        stackTraceLimit: 1,
        // BullMQ: lower numbers go first, up to 2,097,151. Its 0 would go before all others.
        priority: MAX_PRIORITY + 1 - priority,
      },
    };
  }

  async #resultOf(
    outcome: Outcome,
    address: TaskAddress,
    codec: PayloadCodec,
    caller?: StackHolder,
  ): Promise<unknown> {
    if ('failedReason' in outcome) {
      throw errorOf(outcome.failedReason, address, caller === undefined ? '' : framesOf(caller));
    }
    return codec.decode(outcome.returned as Payload, { what: 'Results', task: taskText(address) });
  }

  /** Nobody waits for it any more: takes it out, or has its consumer stop it. */
  async #cancel(
    backend: Backend,
    queue: Queue,
    id: string,
    codec: PayloadCodec,
    args: Payload,
  ): Promise<void> {
    try {
      const job = await backend.bullmq.Job.fromId(queue, id);
      if (job === undefined) return;
      try {
        await job.remove();
        await codec.drop(args);
      } catch {
        // A consumer holds its lock.
        await job.updateProgress(CANCELLED);
      }
    } catch (error) {
      tell(this, 'connectionError', error as Error);
    }
  }

  async #deadLetter(id: string): Promise<Job> {
    const { backend, queue } = await this.#connect();
    const job = await backend.bullmq.Job.fromId(queue, id);
    if (job !== undefined && (await job.isFailed())) return job;
    throw fail('UNKNOWN_ID', {
      what: 'dead letter',
      id,
      where: `queue "${this.#options.queue}"`,
      remedy: DEAD_LETTER_REMEDY,
    });
  }

  #connect(): Promise<Connected> {
    this.#connected ??= this.#open().catch((error: unknown) => {
      // The next call tries anew.
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #open(): Promise<Connected> {
    const options = this.#options;
    const { queue: name, connectTimeoutMs } = options;
    const backend = await openBackend(options);
    const { Queue, QueueEvents, Job } = backend.bullmq;
    const onError = (error: Error) => tell(this, 'connectionError', error);
    const queue = new Queue(name, backend.base, backend.factory);
    queue.on('error', onError);
    let events: QueueEvents | undefined;
    try {
      await whenReady([queue], { queue: name, label: backend.label, timeoutMs: connectTimeoutMs });
      // A point in the stream before the first job: "$" would mean whenever the first read arrives.
      const lastEventId = await queue.backend.publishEvent({ event: 'producer-ready' }, 10_000);
      events = new QueueEvents(name, { ...backend.base, lastEventId }, backend.factory);
      events.on('error', onError);
      await whenReady([events], { queue: name, label: backend.label, timeoutMs: connectTimeoutMs });
    } catch (error) {
      await abandon(events === undefined ? [queue] : [queue, events]);
      throw error;
    }
    const codec = codecOf(
      options,
      payloadStoreOf(options, backend, () => queue.backend.client),
    );
    return { backend, queue, events, codec, waiter: new ResultWaiter(queue, events, Job, onError) };
  }

  #lostError(id: string, address: TaskAddress): Error {
    return fail('JOB_LOST', { id, task: taskText(address), queue: this.#options.queue });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): Error {
    return fail('CLOSED', { what: `Executor of queue "${this.#options.queue}"` });
  }
}
