/** Runs the tasks of a lane in a worker: one after the other, asynchronous ones up to `concurrency` at a time. */
import type { AsyncLocalStorage } from 'node:async_hooks';
import { describe, fail } from '../errors.js';
import { loadExport, loadTask } from './load-task.js';
import type { WorkerSetup } from './messages.js';
import { isThenable, taskLabel, type AnyFunction, type Task } from './task.js';
import type { Taken, WorkerLane } from './transport/worker-lane.js';

/** Short tasks run for at most about this long before the thread's event loop gets a turn. */
export const TURN_MS = 1;
/**
 * The same for tasks of a millisecond and more, of which only one runs at a time: a turn after each of them would take 10 to
 * 40 µs, as all that it needs has left the caches. What tasks left on the event loop waits for so long.
 */
const LONG_TURN_MS = 4;

export class TaskRunner {
  readonly #lane: WorkerLane;
  readonly #concurrency: number;
  readonly #stores: WorkerSetup['stores'];
  readonly #readMail: () => void;
  readonly #tasks = new Map<number, Task>();
  readonly #functions = new Map<number, AnyFunction>();
  #storages: readonly AsyncLocalStorage<unknown>[] | undefined;
  #onSettled: (() => void) | undefined;
  /** Asynchronous tasks under way. */
  active = 0;

  constructor(
    lane: WorkerLane,
    { concurrency, stores }: Pick<WorkerSetup, 'concurrency' | 'stores'>,
    readMail: () => void,
  ) {
    this.#lane = lane;
    this.#readMail = readMail;
    this.#concurrency = concurrency;
    this.#stores = stores;
  }

  get hasRoom(): boolean {
    return this.active < this.#concurrency;
  }

  learn(taskId: number, task: Task): void {
    this.#tasks.set(taskId, task);
  }

  /** How messages name a task that was learnt. */
  labelOf(taskId: number): string {
    return taskLabel(this.#tasks.get(taskId)!);
  }

  /** Runs what is there, within a turn's time and the limit of asynchronous tasks; whether there was any. */
  run(): boolean {
    if (!this.hasRoom || !this.#lane.memory.hasSubmitted) return false;
    const began = performance.now();
    let now = began;
    let until = began + TURN_MS;
    let ran = false;
    while (this.active < this.#concurrency && now < until) {
      const taken = this.#lane.take();
      if (taken === undefined) break;
      ran = true;
      const before = now;
      now = this.#runOne(taken, before);
      if (now - before >= TURN_MS && this.#concurrency === 1) until = began + LONG_TURN_MS;
    }
    return ran;
  }

  /** Resolves when an asynchronous task ends. */
  nextSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve;
    });
  }

  /** The time when the task, or its synchronous part, was over. */
  #runOne({ slot, taskId, args, stores }: Taken, began: number): number {
    const known = this.#functions.get(taskId);
    if (known === undefined || (stores !== undefined && this.#storages === undefined)) {
      this.#await(slot, began, this.#loadAndCall(taskId, args, stores));
      return performance.now();
    }
    let value: unknown;
    let isAsync: boolean;
    try {
      value = stores === undefined ? known(args) : this.#callWithin(known, args, stores);
      // Looks for a `then`, which may be a getter and throw.
      isAsync = isThenable(value);
    } catch (error) {
      const now = performance.now();
      this.#lane.reject(slot, error, now - began);
      return now;
    }
    const now = performance.now();
    if (isAsync) this.#await(slot, began, value as PromiseLike<unknown>);
    else this.#lane.resolve(slot, value, now - began);
    return now;
  }

  #await(slot: number, began: number, promise: PromiseLike<unknown>): void {
    this.active += 1;
    void this.#settle(slot, began, promise);
  }

  async #settle(slot: number, began: number, promise: PromiseLike<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await promise;
    } catch (error) {
      this.#lane.reject(slot, error, performance.now() - began);
      this.#settled();
      return;
    }
    this.#lane.resolve(slot, value, performance.now() - began);
    this.#settled();
  }

  #settled(): void {
    this.active -= 1;
    this.#onSettled?.();
  }

  async #loadAndCall(
    taskId: number,
    args: unknown,
    stores: readonly unknown[] | undefined,
  ): Promise<unknown> {
    let known = this.#functions.get(taskId);
    if (known === undefined) {
      // Posted before the slot was handed over, but maybe after the mail was last read.
      if (!this.#tasks.has(taskId)) this.#readMail();
      known = await loadTask(this.#tasks.get(taskId)!);
      this.#functions.set(taskId, known);
    }
    if (stores === undefined) return known(args);
    this.#storages ??= await Promise.all(this.#stores.map(loadStorage));
    return this.#callWithin(known, args, stores);
  }

  #callWithin(task: AnyFunction, args: unknown, stores: readonly unknown[]): unknown {
    let call = () => task(args);
    this.#storages!.forEach((storage, index) => {
      const inner = call;
      if (stores[index] !== undefined) call = () => storage.run(stores[index], inner);
    });
    return call();
  }
}

async function loadStorage(store: { module: string; export: string }): Promise<AsyncLocalStorage<unknown>> {
  const found = await loadExport(store as Task);
  if (typeof (found as Partial<AsyncLocalStorage<unknown>> | undefined)?.run === 'function') {
    return found as AsyncLocalStorage<unknown>;
  }
  throw fail('TASK_UNLOADABLE', {
    task: taskLabel(store as Task),
    reason: `the export "${store.export}" is ${describe(found)}.`,
    remedy: 'Export the AsyncLocalStorage that carriedStore names.',
  });
}
