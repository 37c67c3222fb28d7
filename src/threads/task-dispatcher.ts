/**
 * Tasks on the threads of a pool: admit, queue, hand out, settle. Each worker has at most one task, so that a worker's
 * death rejects exactly that task, and every call settles exactly once.
 */
import type { Transferable } from 'node:worker_threads';
import { describe, fail } from '../errors.js';
import { captureStack, framesOf, type StackHolder } from './caller-stack.js';
import { unpackError } from './error-transfer.js';
import { FromWorker, ToWorker, type MessageFromWorker } from './messages.js';
import { checkRunOptions, type ResolvedPoolOptions, type RunOptions } from './pool-options.js';
import type { PoolWorker } from './pool-worker.js';
import { checkTask, taskLabel, type Task } from './task.js';
import { TaskQueue } from './task-queue.js';
import type { WorkerRoster } from './worker-roster.js';

/** Longest time that a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Call {
  readonly id: number;
  readonly task: Task;
  readonly args: unknown;
  readonly transfer: readonly Transferable[] | undefined;
  readonly priority: number;
  readonly calledAt: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly caller: StackHolder;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  deadline: NodeJS.Timeout | undefined;
  worker: PoolWorker | undefined;
  startedAt: number;
  /** `waiting`: for room in the queue. */
  state: 'waiting' | 'queued' | 'running' | 'settled';
  readonly settled: boolean;
}

/** What tasks need of their pool. */
export interface TaskHost {
  readonly options: ResolvedPoolOptions;
  readonly roster: WorkerRoster;
  /** A worker has nothing to do. */
  release(worker: PoolWorker): void;
  /** The number of pending calls may have changed. */
  changed(): void;
}

export class TaskDispatcher {
  readonly #host: TaskHost;
  readonly #queue = new TaskQueue<Call>();
  /** Calls that wait for room in the queue (`queueFull: 'wait'`). */
  readonly #entrance = new TaskQueue<Call>();
  readonly #running = new Map<PoolWorker, Call>();
  readonly #taskIds = new Map<string, number>();
  #lastId = 0;
  completed = 0;
  failed = 0;
  /** Sums over the tasks that ran. */
  queueMs = 0;
  runMs = 0;
  ran = 0;

  constructor(host: TaskHost) {
    this.#host = host;
  }

  get running(): number {
    return this.#running.size;
  }

  get queued(): number {
    return this.#queue.length + this.#entrance.length;
  }

  run(task: Task, args: unknown, options: RunOptions): Promise<never> {
    const caller = captureStack();
    return new Promise((resolve, reject) => {
      checkTask(task);
      checkRunOptions(options);
      const { signal, deadlineMs, priority = 0, transfer } = options;
      const aborted = () => fail('ABORTED', { what: taskLabel(task) }, { cause: signal?.reason as unknown });
      if (signal?.aborted === true) throw aborted();
      const call = this.#newCall({ task, args, transfer, priority, resolve, reject, caller });
      this.#admit(call);
      if (signal !== undefined) {
        call.signal = signal;
        call.onAbort = () => this.#interrupt(call, aborted());
        signal.addEventListener('abort', call.onAbort, { once: true });
      }
      if (deadlineMs !== undefined && deadlineMs <= MAX_TIMER_MS) {
        call.deadline = setTimeout(
          () => this.#interrupt(call, fail('TASK_TIMED_OUT', { task: taskLabel(task), deadlineMs })),
          deadlineMs,
        );
      }
      this.dispatch();
    });
  }

  #newCall(
    given: Pick<Call, 'task' | 'args' | 'transfer' | 'priority' | 'resolve' | 'reject' | 'caller'>,
  ): Call {
    this.#lastId += 1;
    return {
      ...given,
      id: this.#lastId,
      calledAt: performance.now(),
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

  #admit(call: Call): void {
    const { name, queueLimit, queueFull } = this.#host.options;
    if (!this.#hasRoom && queueFull === 'reject') throw fail('QUEUE_FULL', { pool: name, queueLimit });
    call.state = this.#hasRoom ? 'queued' : 'waiting';
    (this.#hasRoom ? this.#queue : this.#entrance).push(call);
  }

  /** The limit is for tasks that no thread is there for: threads that are idle, or may still start, come on top. */
  get #hasRoom(): boolean {
    const { options, roster } = this.#host;
    const free = roster.idle + roster.starting + (options.maxThreads - roster.size);
    return this.#queue.length < options.queueLimit + free;
  }

  /** Hands out what threads are there for, and starts threads for the rest. */
  dispatch(): void {
    const { roster } = this.#host;
    for (;;) {
      while (this.#entrance.length > 0 && this.#hasRoom) {
        const call = this.#entrance.shift()!;
        call.state = 'queued';
        this.#queue.push(call);
      }
      if (this.#queue.length === 0) break;
      const worker = roster.takeIdle();
      if (worker === undefined) {
        roster.ensureStarting(this.#queue.length);
        break;
      }
      this.#assign(worker, this.#queue.shift()!);
    }
    this.#host.changed();
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
      this.#host.roster.putIdle(worker);
      return;
    }
    this.#running.set(worker, call);
  }

  /** False for messages that are not about tasks. */
  handle(worker: PoolWorker, message: MessageFromWorker): boolean {
    const [kind] = message;
    if (kind !== FromWorker.RESULT && kind !== FromWorker.FAILURE) return false;
    const call = this.#running.get(worker);
    // What comes from a call that was interrupted meanwhile counts no more.
    if (call?.id !== message[1]) return true;
    if (kind === FromWorker.RESULT) {
      this.#settleRunning(worker, 'resolve', message[2]);
      return true;
    }
    const thrown = unpackError(message[2], worker.name, framesOf(call.caller));
    this.#settleRunning(worker, 'reject', thrown instanceof Error ? thrown : notAnError(call.task, thrown));
    return true;
  }

  /** A result that this thread cannot read. */
  unreadable(worker: PoolWorker, error: Error): void {
    this.#settleRunning(worker, 'reject', error);
  }

  #settleRunning(worker: PoolWorker, outcome: 'resolve' | 'reject', value: unknown): void {
    const call = this.#running.get(worker);
    if (call === undefined) return;
    this.#running.delete(worker);
    this.queueMs += call.startedAt - call.calledAt;
    this.runMs += performance.now() - call.startedAt;
    this.ran += 1;
    this.#settle(call, outcome, value);
    this.#host.release(worker);
  }

  #settle(call: Call, outcome: 'resolve' | 'reject', value: unknown): void {
    call.state = 'settled';
    clearTimeout(call.deadline);
    if (call.onAbort !== undefined) call.signal!.removeEventListener('abort', call.onAbort);
    if (outcome === 'resolve') this.completed += 1;
    else this.failed += 1;
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
    this.dispatch();
  }

  /** Whether the worker had a task. */
  workerEnded(worker: PoolWorker, how: string, cause: Error | undefined): boolean {
    const call = this.#running.get(worker);
    if (call === undefined) return false;
    this.#running.delete(worker);
    this.#settle(call, 'reject', fail('WORKER_DIED', { task: taskLabel(call.task), how }, { cause }));
    return true;
  }

  /** Ends every call. */
  failAll(error: () => Error): void {
    for (const queue of [this.#queue, this.#entrance]) {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
        this.#settle(call, 'reject', error());
      }
    }
    for (const call of [...this.#running.values()]) this.#interrupt(call, error());
  }
}

function notAnError(task: Task, thrown: unknown): Error {
  return fail(
    'TASK_THREW',
    { task: taskLabel(task), where: '', reason: describe(thrown) },
    { cause: thrown },
  );
}
