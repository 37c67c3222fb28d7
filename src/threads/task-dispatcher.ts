/**
 * Tasks on the threads of a pool: admit, queue, place, settle. Every call settles exactly once; a worker's death rejects
 * exactly the tasks that it had started (one, unless asynchronous ones run concurrently), and what only waited
 * in its lane goes elsewhere.
 */
import { channel } from 'node:diagnostics_channel';
import { describe, fail } from '../errors.js';
import { listenForAbort } from './abort-listeners.js';
import { captureStack, framesOf, rejectWithAwaitingFrames } from './caller-stack.js';
import { CompletionWatch, LOOK_MS } from './completion-watch.js';
import { unpackError, type WireError } from './error-transfer.js';
import {
  allowedThreads,
  checkRunOptions,
  type ResolvedPoolOptions,
  type RunOptions,
} from './pool-options.js';
import { threadKeeper } from './placement.js';
import type { PoolWorker } from './pool-worker.js';
import { DurationHistogram } from './run-histogram.js';
import { forecastAfter, TaskCall, type TaskProfile } from './task-call.js';
import { TaskPlacement } from './task-placement.js';
import { checkTask, fixedTask, taskLabel, type Task } from './task.js';
import { lastFirst, TaskQueue } from './task-queue.js';
import { unsendable } from './unclonable.js';
import type { Outcome } from './transport/lane.js';
import { WakeElsewhere } from './transport/wake-elsewhere.js';
import type { WorkerRoster } from './worker-roster.js';
import { MAX_TIMER_MS } from '../timers.js';

/**
 * Calls in shorter succession than this do not capture their stack, which takes 3 to 15 µs, and up to 90 where the caller
 * has done something else before.
 */
const RUSH_MS = 1;
/** Nor do calls of a task that takes less than this and has never failed: it would be the greater part of the call. */
const WORTH_STACK_MS = 0.1;
/** Backlogs up to this are not worth sharing. */
const SHORT_BACKLOG_MS = 0.02;
/** In a rush results are taken in after so many calls, while threads work on the others. */
const CALLS_PER_COLLECTION = 64;
/** In a rush tasks are handed over so many at a time, the last ones when the caller is through. */
const TASKS_PER_PUBLICATION = 16;
/** A look at the clock is a tenth of what a call costs. */
const CALLS_PER_CLOCK = 4;
/** Results are taken in without a turn of the event loop for so long, in ms: others wait for that turn. */
const MOST_WITHOUT_TURN_MS = 1;
/** Up to so many calls under way, each is worth a thread's waking. */
const FEW_CALLS = 16;
/** Tasks placed within this are announced together, and further ones when they are as much work. */
const RING_TOGETHER_MS = 0.03;
/** How long tasks wait behind one that takes longer than forecast, while another thread is idle. */
const STUCK_MS = 2;
const STUCK_FORECASTS = 3;

/** Published for every task that settles, where somebody subscribes. */
export interface TaskDiagnostics {
  readonly pool: string;
  readonly task: Task;
  readonly outcome: 'completed' | 'failed';
  readonly error: unknown;
  readonly queueMs: number;
  readonly runMs: number;
}

const settled = Promise.resolve();
const settledTasks = channel('system-optimizer:task');

/** What tasks need of their pool. */
export interface TaskHost {
  readonly options: ResolvedPoolOptions;
  readonly roster: WorkerRoster;
  /** A worker has nothing to do. */
  release(worker: PoolWorker): void;
  /** The number of pending calls may have changed. */
  changed(): void;
  /** A call was refused, or has to wait, because the queue is full. */
  queueFull(): void;
}

export class TaskDispatcher {
  readonly #host: TaskHost;
  readonly #queue = new TaskQueue<TaskCall>();
  /** Calls that wait for room in the queue (`queueFull: 'wait'`). */
  readonly #entrance = new TaskQueue<TaskCall>();
  /** Workers with tasks in their lanes. */
  readonly #busy = new Set<PoolWorker>();
  readonly #placement: TaskPlacement;
  readonly #watch: CompletionWatch;
  readonly #elsewhere = new WakeElsewhere(threadKeeper());
  /** CPUs that this process may use. */
  readonly #cpus = allowedThreads();
  readonly #profiles = new Map<string, TaskProfile>();
  readonly #profileOf = new WeakMap<Task, TaskProfile>();
  readonly #toRing = new Set<PoolWorker>();
  readonly #toRingInTurn = new Set<PoolWorker>();
  /** When the last call was made, or results were taken in. */
  #now = 0;
  /** When the event loop last had a turn, as far as is known. */
  #turnAt = 0;
  #lastCallAt = -Infinity;
  #lastCallInRush = false;
  #lastTask: Task | undefined;
  #lastProfile: TaskProfile | undefined;
  #callsSinceCollection = 0;
  #callsSinceClock = 0;
  /** Lowest priority in the lanes. */
  #lowestPlaced = Infinity;
  #stuckTimer: NodeJS.Timeout | undefined;
  /** How often every call was ended at once, and what with. Code of the caller's that runs within a call may do it. */
  #failures = 0;
  #lastFailure: (() => Error) | undefined;
  /** Calls that are not settled. */
  pending = 0;
  completed = 0;
  failed = 0;
  readonly queueTimes = new DurationHistogram();
  readonly runTimes = new DurationHistogram();

  constructor(host: TaskHost) {
    this.#host = host;
    const cpus = this.#cpus;
    this.#placement = new TaskPlacement(host.roster, this.#busy, host.options.concurrency, cpus);
    this.#watch = new CompletionWatch({
      busy: this.#busy,
      cpus,
      concurrency: host.options.concurrency,
      collect: () => {
        this.#turnAt = this.#now = performance.now();
        return this.#collectAll();
      },
    });
  }

  /** Tasks that threads work on. */
  get running(): number {
    let running = 0;
    for (const { lane } of this.#busy) running += Math.min(lane.load, this.#host.options.concurrency);
    return running;
  }

  /** Tasks that wait, in the queue, for room in it, or in a lane behind another. */
  get queued(): number {
    return Math.max(0, this.pending - this.running);
  }

  /** @throws ABORTED, QUEUE_FULL, INVALID_ARGUMENT; what else goes wrong rejects the promise. */
  submit(task: Task, args: unknown, options: RunOptions | undefined): Promise<unknown> {
    const failures = this.#failures;
    const profile = this.#profile(task);
    if (options !== undefined) checkRunOptions(options);
    if (options?.signal?.aborted === true) throw abortedCall(task, options.signal);
    const stores = this.#host.options.stores.length === 0 ? undefined : this.#storeValues();
    const isStackWorth = this.#isStackWorth(profile);
    this.#callsSinceCollection += 1;
    if (this.#callsSinceCollection >= CALLS_PER_COLLECTION) this.#collectAmongCalls();
    const fixed = task === this.#lastTask ? task : fixedTask(task);
    const call = new TaskCall(profile, fixed, args, options, stores, this.#now);
    // By a getter of the options.
    if (this.#failures !== failures) throw this.#lastFailure!();
    // Its arguments' getters may make calls too, before it is placed.
    const wasIdle = this.pending === 0;
    this.#admit(call);
    if (options !== undefined && !this.#limit(call)) return call.promise;
    if (!this.#placeAtOnce(call)) {
      const isBehind = this.#isBehindOthers(call);
      (call.state === 'queued' ? this.#queue : this.#entrance).push(call);
      if (!isBehind) this.dispatch();
    } else if (wasIdle) {
      this.#host.changed();
    }
    // Last, while the thread that was woken gets up.
    if (isStackWorth) call.caller = captureStack();
    return call.promise;
  }

  /** Where others wait before it, and no thread can be started for it, nothing can be done for it now. */
  #isBehindOthers(call: TaskCall): boolean {
    if (call.state !== 'queued' || this.#host.roster.canGrow) return false;
    const { first } = this.#queue;
    return first !== undefined && call.priority <= first.priority;
  }

  /** Where nobody waits, a call need not be queued either. */
  #placeAtOnce(call: TaskCall): boolean {
    if (call.state !== 'queued' || this.#queue.length > 0 || this.#entrance.length > 0) return false;
    if (this.#busy.size > 0 && call.priority > this.#lowestPlaced) return false;
    const worker = this.#placement.choose(call);
    if (worker === undefined) return false;
    this.#queue.stamp(call);
    this.#place(worker, call);
    // Calls that its arguments' getters made, while the worker was neither idle nor busy.
    if (this.#queue.length > 0) this.dispatch();
    return true;
  }

  #profile(task: Task): TaskProfile {
    // The second, for no task at all is what the last one was before the first call.
    if (task === this.#lastTask && this.#lastProfile !== undefined) return this.#lastProfile;
    const profile = this.#profileOf.get(task);
    if (profile === undefined) return this.#newProfile(task);
    this.#lastTask = task;
    this.#lastProfile = profile;
    return profile;
  }

  /** Has its signal and its deadline end a call. False where it has failed: other options' getters may have aborted it. */
  #limit(call: TaskCall): boolean {
    const { task, extras } = call;
    const { signal, deadlineMs } = extras;
    if (signal !== undefined) {
      try {
        if (signal.aborted) throw abortedCall(task, signal);
        extras.stopListening = listenForAbort(signal, () => this.#interrupt(call, abortedCall(task, signal)));
      } catch (error) {
        // Or, read once more, it is none.
        this.#settle(call, 'failed', error);
        this.#host.changed();
        return false;
      }
    }
    if (deadlineMs !== undefined && deadlineMs <= MAX_TIMER_MS) {
      extras.deadline = setTimeout(
        () => this.#interrupt(call, fail('TASK_TIMED_OUT', { task: taskLabel(task), deadlineMs })),
        deadlineMs,
      );
    }
    return true;
  }

  #newProfile(task: Task): TaskProfile {
    checkTask(task);
    const key = `${task.module}#${task.export}`;
    let profile = this.#profiles.get(key);
    if (profile === undefined) {
      profile = { id: this.#profiles.size + 1, runMs: undefined, hasFailed: false };
      this.#profiles.set(key, profile);
    }
    // Those that `defineTask` made. What stands in another may change from call to call.
    if (Object.isFrozen(task)) this.#profileOf.set(task, profile);
    return profile;
  }

  #storeValues(): readonly unknown[] | undefined {
    const { stores } = this.#host.options;
    const values = stores.map(({ storage }) => storage.getStore());
    return values.some((value) => value !== undefined) ? values : undefined;
  }

  /**
   * Each result that is taken in may be followed by a call, in a continuation that runs before the event loop does: such a
   * chain of calls would keep timers and connections waiting for ever.
   */
  #collectAmongCalls(): void {
    if (this.#now - this.#turnAt >= MOST_WITHOUT_TURN_MS) this.#callsSinceCollection = 0;
    else if (this.#collectAll() > 0) this.#watch.cameAmongCalls();
  }

  /**
   * Whether the stack of a call is captured; V8 knows without it who awaits the promise (caller-stack.ts).
   *
   * The second of two quick calls may be chance; from the third on it is a rush, in which a few calls share a look at the
   * clock while they follow each other without a pause: until those that were announced are rung for.
   */
  #isStackWorth({ runMs, hasFailed }: TaskProfile): boolean {
    if (this.#callsSinceClock < CALLS_PER_CLOCK && this.#lastCallInRush && this.#toRing.size > 0) {
      this.#callsSinceClock += 1;
      return false;
    }
    this.#callsSinceClock = 1;
    const now = (this.#now = performance.now());
    const isQuick = now - this.#lastCallAt < RUSH_MS;
    if (!isQuick) this.#turnAt = now;
    const isRush = isQuick && this.#lastCallInRush;
    this.#lastCallAt = now;
    this.#lastCallInRush = isQuick;
    const isLight = runMs !== undefined && runMs < WORTH_STACK_MS && !hasFailed;
    return !isRush && !isLight;
  }

  #admit(call: TaskCall): void {
    const { name, queueLimit, queueFull } = this.#host.options;
    const hasRoom = queueLimit === Infinity || this.#hasRoom;
    if (!hasRoom) {
      this.#host.queueFull();
      if (queueFull === 'reject') throw fail('QUEUE_FULL', { pool: name, queueLimit });
      call.state = 'waiting';
    }
    this.pending += 1;
  }

  /** The limit is for tasks that no thread is there for: threads that are idle, or may still start, come on top. */
  get #hasRoom(): boolean {
    const { options, roster } = this.#host;
    let waiting = this.#queue.length;
    let free = roster.idle + roster.starting + (options.maxThreads - roster.size);
    free *= options.concurrency;
    for (const { lane } of this.#busy) {
      waiting += Math.max(0, lane.load - options.concurrency);
      free += Math.max(0, options.concurrency - lane.load);
    }
    return waiting < options.queueLimit + free;
  }

  /** Places what threads are there for, and starts threads for the rest. */
  dispatch(): void {
    this.#letIn();
    const queue = this.#queue;
    if (queue.length > 0 && this.#busy.size > 0) this.#makeWay();
    for (let { first } = queue; first !== undefined; first = queue.first) {
      const worker = this.#placement.choose(first);
      if (worker === undefined) {
        this.#host.roster.ensureStarting(queue.length);
        break;
      }
      queue.shift();
      this.#place(worker, first);
      this.#letIn();
    }
    this.#host.changed();
  }

  #letIn(): void {
    while (this.#entrance.length > 0 && this.#hasRoom) {
      const call = this.#entrance.shift()!;
      call.state = 'queued';
      call.order = 0;
      this.#queue.push(call);
    }
  }

  #place(worker: PoolWorker, call: TaskCall): void {
    const failures = this.#failures;
    call.state = 'sending';
    try {
      worker.lane.submit(call);
    } catch (error) {
      // The arguments cannot be cloned: the task was never sent.
      if (!call.settled) this.#settle(call, 'failed', this.#unsendable(call, error));
      this.#idleWithoutTasks(worker);
      return;
    }
    if (this.#failures !== failures && !call.settled) this.#settle(call, 'failed', this.#lastFailure!());
    if (call.settled) {
      // By a getter of its arguments, which aborted it, or ended all calls. The worker was not told of it yet.
      worker.lane.withdraw(call);
      if (worker.lane.hasRoom) this.#idleWithoutTasks(worker);
      else this.#askForPlaces(worker);
      return;
    }
    call.state = 'placed';
    call.worker = worker;
    call.forecastMs = call.profile.runMs ?? 0;
    worker.backlogMs += call.forecastMs;
    if (worker.lane.load === 1) {
      this.#busy.add(worker);
      worker.progressAt = performance.now();
    } else if (this.#stuckTimer === undefined && worker.lane.load > this.#host.options.concurrency) {
      this.#watchForStuck();
    }
    if (call.priority < this.#lowestPlaced) this.#lowestPlaced = call.priority;
    this.#ring(worker, call);
    this.#watch.placed(worker);
  }

  #unsendable({ task, args, stores = [], transfer }: TaskCall, error: unknown): unknown {
    const carried = stores.map(
      (value, at) => [`store "${this.#host.options.stores[at]!.export}"`, value] as const,
    );
    return unsendable(error, taskLabel(task), [['args', args], ...carried], transfer);
  }

  /** A lane is full of calls that were ended while they were sent: their places come back through the worker. */
  #askForPlaces(worker: PoolWorker): void {
    if (!worker.isCondemned) this.#busy.add(worker);
    this.#ringNow(worker);
    this.#watch.placed(worker);
  }

  /**
   * A worker is woken at once for a task that is not known yet, and as soon as what it was given is worth it; for short
   * tasks when the caller is through, as each system call to wake a thread costs more than many a small task, and no result
   * could be used before. Where many are under way and the worker sleeps all the same, the caller is the slower of the
   * two, and hands over a turn's calls at once.
   */
  #ring(worker: PoolWorker, { forecastMs }: TaskCall): void {
    worker.unrungMs += forecastMs;
    if (forecastMs === 0 || worker.unrungMs >= RING_TOGETHER_MS) {
      this.#toRing.delete(worker);
      this.#ringNow(worker);
      return;
    }
    if (this.#toRing.has(worker)) {
      // Who is awake can begin.
      const { memory } = worker.lane;
      if (memory.unpublished >= TASKS_PER_PUBLICATION) memory.publish();
      return;
    }
    if (this.#toRing.size === 0) void settled.then(this.#ringAll);
    this.#toRing.add(worker);
    worker.mailbox.announce();
    worker.lane.memory.publish();
  }

  #ringNow(worker: PoolWorker): void {
    worker.unrungMs = 0;
    worker.lane.memory.publish();
    // While results are looked for, this thread needs a CPU too; behind longer tasks it sleeps.
    const { backlogMs, lane, mailbox, tid } = worker;
    const isLookedFor = backlogMs > 0 && backlogMs <= LOOK_MS * lane.load;
    if (this.#busy.size + Number(isLookedFor) <= this.#cpus) this.#elsewhere.ring(mailbox, tid, !isLookedFor);
    else mailbox.ring();
  }

  readonly #ringAll = (): void => {
    for (const worker of this.#toRing) {
      if (this.pending > FEW_CALLS && worker.mailbox.isAsleep) this.#ringInTurn(worker);
      else this.#ringNow(worker);
    }
    this.#toRing.clear();
  };

  #ringInTurn(worker: PoolWorker): void {
    worker.lane.memory.publish();
    if (this.#toRingInTurn.size === 0) setImmediate(this.#ringSleepers);
    this.#toRingInTurn.add(worker);
  }

  readonly #ringSleepers = (): void => {
    for (const worker of this.#toRingInTurn) this.#ringNow(worker);
    this.#toRingInTurn.clear();
  };

  // --- Coming back

  /** A worker says that something came back. */
  returned(worker: PoolWorker): void {
    this.#watch.told(worker);
  }

  #collectAll(): number {
    this.#callsSinceCollection = 0;
    let count = 0;
    for (const worker of [...this.#busy]) if (worker.lane.memory.hasReturned) count += this.#collect(worker);
    return count;
  }

  #collect(worker: PoolWorker): number {
    this.#now = performance.now();
    const count = worker.lane.collect(this.#takeIn);
    if (count === 0) return 0;
    worker.progressAt = this.#now;
    worker.isStuck = false;
    this.#placement.relax();
    if (worker.lane.load === 0 && this.#busy.has(worker)) this.#becameFree(worker);
    else this.dispatch();
    return count;
  }

  readonly #takeIn = (call: TaskCall, outcome: Outcome, value: unknown, runMs: number): void => {
    const { profile } = call;
    const worker = call.worker!;
    worker.backlogMs -= call.forecastMs;
    profile.runMs = forecastAfter(profile.runMs, runMs);
    // What comes from a call that was interrupted meanwhile counts no more.
    if (call.settled) return;
    const queueMs = Math.max(0, this.#now - call.calledAt - runMs);
    this.queueTimes.record(queueMs);
    this.runTimes.record(runMs);
    if (outcome === 'result') {
      this.#settle(call, 'completed', value, queueMs, runMs);
      return;
    }
    profile.hasFailed = true;
    if (outcome === 'unreadable') this.#settle(call, 'failed', value, queueMs, runMs);
    else this.#settle(call, 'failed', this.#errorOf(worker, call, value as WireError), queueMs, runMs);
  };

  #errorOf(worker: PoolWorker, call: TaskCall, wire: WireError): Error {
    const thrown = unpackError(wire, worker.name, call.caller === undefined ? '' : framesOf(call.caller));
    return thrown instanceof Error ? thrown : notAnError(call.task, thrown);
  }

  /** Whether a worker without tasks may be idle: while its slots are full of tasks taken back, it may not. */
  #retireFromBusy(worker: PoolWorker): boolean {
    worker.backlogMs = 0;
    worker.isStuck = false;
    if (worker.isCondemned || !worker.lane.hasRoom) return false;
    this.#busy.delete(worker);
    if (this.#busy.size === 0) this.#lowestPlaced = Infinity;
    return true;
  }

  #becameFree(worker: PoolWorker): void {
    if (!this.#retireFromBusy(worker)) return;
    if (this.#queue.length === 0) this.#takeBackHalf();
    this.#host.release(worker);
  }

  #settle(call: TaskCall, outcome: 'completed' | 'failed', value: unknown, queueMs = 0, runMs = 0): void {
    call.state = 'settled';
    this.pending -= 1;
    const { deadline, stopListening } = call.extras;
    if (deadline !== undefined) clearTimeout(deadline);
    if (stopListening !== undefined) stopListening();
    if (outcome === 'completed') this.completed += 1;
    else this.failed += 1;
    if (settledTasks.hasSubscribers) {
      const { name: pool } = this.#host.options;
      const error = outcome === 'failed' ? value : undefined;
      settledTasks.publish({
        pool,
        task: call.task,
        outcome,
        error,
        queueMs,
        runMs,
      } satisfies TaskDiagnostics);
    }
    if (outcome === 'completed') call.resolve(value);
    // In a rush of calls the stack was not captured; V8 still knows who awaits.
    else if (call.caller === undefined && call.worker !== undefined)
      rejectWithAwaitingFrames(call.resolve, value, call.worker.name);
    else call.reject(value);
  }

  // --- Taking back

  /** Where something more urgent waits than lies in the lanes, what lies there goes behind it. */
  #makeWay(): void {
    const { first } = this.#queue;
    if (first === undefined || first.priority <= this.#lowestPlaced) return;
    let found = 0;
    for (const worker of [...this.#busy]) {
      found += this.#takeBack(worker, (call) => call.priority < first.priority);
    }
    this.#lowestPlaced = first.priority;
    if (found > 0) this.#placement.tighten();
  }

  /** A thread is free and nothing is queued: half of what waits in the longest lane is for it. */
  #takeBackHalf(): void {
    const { concurrency } = this.#host.options;
    let longest: PoolWorker | undefined;
    for (const worker of this.#busy) {
      if (worker.lane.load > concurrency && worker.backlogMs > (longest?.backlogMs ?? SHORT_BACKLOG_MS))
        longest = worker;
    }
    if (longest === undefined) return;
    const orders = [...longest.lane.parcels()].map(({ order }) => order).sort((a, b) => a - b);
    const border = orders[orders.length >> 1]!;
    this.#takeBack(longest, (call) => call.order >= border);
  }

  /** Tasks that wait behind one that takes far longer than forecast go to threads that are idle or may start. */
  #watchForStuck(): void {
    this.#stuckTimer ??= setTimeout(() => {
      this.#stuckTimer = undefined;
      const { roster, options } = this.#host;
      // What was to be told of with others, and lies behind a task that takes longer than forecast.
      this.#collectAll();
      const now = performance.now();
      let isLoaded = false;
      for (const worker of [...this.#busy]) {
        if (worker.lane.load <= options.concurrency) continue;
        isLoaded = true;
        const patienceMs = Math.max(STUCK_MS, (STUCK_FORECASTS * worker.backlogMs) / worker.lane.load);
        if (now - worker.progressAt < patienceMs) continue;
        worker.isStuck = true;
        if (roster.idle > 0 || roster.canGrow || this.#busy.size > 1) this.#takeBack(worker, () => true);
      }
      if (this.#queue.length > 0) this.dispatch();
      if (isLoaded) this.#watchForStuck();
    }, STUCK_MS).unref();
  }

  #takeBack(worker: PoolWorker, matches: (call: TaskCall) => boolean): number {
    let count = 0;
    // The last first: the worker, which goes on meanwhile, would otherwise begin with what comes after.
    for (const call of [...worker.lane.parcels()].sort(lastFirst)) {
      // What was moved to the thread cannot come back.
      if (call.transfer !== undefined || call.settled || !matches(call)) continue;
      if (!worker.lane.withdraw(call)) continue;
      this.#requeue(worker, call);
      count += 1;
    }
    if (count > 0) this.#idleWithoutTasks(worker);
    return count;
  }

  /** Where nothing is left for a worker, without a look for more: whoever calls has that to do. */
  #idleWithoutTasks(worker: PoolWorker): void {
    if (worker.lane.load === 0 && this.#retireFromBusy(worker)) this.#host.roster.putIdle(worker);
  }

  #requeue(worker: PoolWorker, call: TaskCall): void {
    worker.backlogMs -= call.forecastMs;
    call.worker = undefined;
    call.state = 'queued';
    this.#queue.push(call);
  }

  // --- Ends

  /** Ends a call before its time. A task that runs can only be stopped by ending its thread. */
  #interrupt(call: TaskCall, error: Error): void {
    const { worker } = call;
    // Its result may lie there already.
    if (worker !== undefined && !call.settled) this.#collect(worker);
    if (call.settled) return;
    if (call.state === 'queued') this.#queue.discard();
    if (call.state === 'waiting') this.#entrance.discard();
    const isPlaced = call.state === 'placed';
    this.#settle(call, 'failed', error);
    if (isPlaced) this.#remove(worker!, call);
    this.dispatch();
  }

  #remove(worker: PoolWorker, call: TaskCall): void {
    if (worker.lane.withdraw(call)) {
      worker.backlogMs -= call.forecastMs;
      if (worker.lane.load === 0) this.#becameFree(worker);
      return;
    }
    // It is being ended already.
    if (worker.isCondemned) return;
    worker.isCondemned = true;
    this.#busy.delete(worker);
    this.#takeBack(worker, () => true);
    if (worker.lane.isRunning(call)) {
      void worker.terminate();
      return;
    }
    // It ended meanwhile, and its thread may have begun with another one, which must not die for it.
    worker.isCondemned = false;
    this.#busy.add(worker);
    this.#watch.placed(worker);
    this.#collect(worker);
  }

  /** Whether the worker had a task. */
  workerEnded(worker: PoolWorker, how: string, cause: Error | undefined): boolean {
    this.#placement.forget(worker);
    worker.isCondemned = true;
    this.#now = performance.now();
    worker.lane.collect(this.#takeIn);
    this.#busy.delete(worker);
    let hadTask = false;
    for (const call of worker.lane.parcels()) {
      if (call.settled) continue;
      if (!worker.lane.hasStarted(call) && call.transfer === undefined) {
        this.#requeue(worker, call);
        continue;
      }
      hadTask = true;
      this.#settle(call, 'failed', fail('WORKER_DIED', { task: taskLabel(call.task), how }, { cause }));
    }
    return hadTask;
  }

  /** Ends every call. */
  failAll(error: () => Error): void {
    this.#failures += 1;
    this.#lastFailure = error;
    for (const queue of [this.#queue, this.#entrance]) {
      for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
        this.#settle(call, 'failed', error());
      }
    }
    for (const worker of [...this.#busy]) {
      for (const call of [...worker.lane.parcels()]) if (!call.settled) this.#interrupt(call, error());
    }
  }
}

function abortedCall(task: Task, signal: AbortSignal): Error {
  return fail('ABORTED', { what: taskLabel(task) }, { cause: signal.reason as unknown });
}

function notAnError(task: Task, thrown: unknown): Error {
  return fail(
    'TASK_THREW',
    { task: taskLabel(task), where: '', reason: describe(thrown) },
    { cause: thrown },
  );
}
