/**
 * Which worker a task goes to. A pure policy over forecasts: tasks that take less than waking another thread follow
 * their predecessor, longer ones go to an idle thread, and where none is left, lanes are filled ahead just as far as their
 * threads need to go on while the pool's thread is busy elsewhere. What turns out wrong is taken back: see
 * `Taking back` in task-dispatcher.ts.
 */
import type { PoolWorker } from './pool-worker.js';
import type { TaskCall } from './task-call.js';
import type { WorkerRoster } from './worker-roster.js';

/** Work that is not worth waking another thread for: this many wake-ups as measured, within limits in ms. */
const COALESCE_WAKES = 2;
const LEAST_COALESCE_MS = 0.05;
const MOST_COALESCE_MS = 0.5;
/** One thread runs tasks as short as this as fast as the caller hands them over; two would only share its lane's cost. */
const KEPT_UP_WITH_MS = 0.0005;
/** The same where the caller and the threads at work have every CPU: one more would take the caller's. */
const KEPT_UP_WITH_NO_CPU_MS = 0.001;
/** Work that a lane holds ahead, in ms: what the pool's thread may be busy for without a worker running dry. */
const AHEAD_MS = 1;
/**
 * The same where threads have taken every CPU: the pool's thread then also waits for one, for a time slice or two, and
 * each time it is told of results costs a thread its CPU. The more a lane holds, the more results it is told of at once.
 */
const AHEAD_OF_SLICES_MS = 16;
/** A task leaves the thread of its affinity key where that is this much behind. */
const AFFINITY_MS = 5;
/** Affinity keys that are remembered. */
const MAX_KEYS = 10_000;

export class TaskPlacement {
  readonly #roster: WorkerRoster;
  readonly #busy: ReadonlySet<PoolWorker>;
  readonly #concurrency: number;
  readonly #cpus: number;
  readonly #homes = new Map<string | number, PoolWorker>();
  /** Most tasks in a lane; small for a while after tasks were taken back. */
  #depth = Infinity;

  /** @param cpus that this process may use. */
  constructor(roster: WorkerRoster, busy: ReadonlySet<PoolWorker>, concurrency: number, cpus: number) {
    this.#roster = roster;
    this.#busy = busy;
    this.#concurrency = concurrency;
    this.#cpus = cpus;
  }

  /** The worker for a task, no longer among the idle; undefined where it has to wait. */
  choose(call: TaskCall): PoolWorker | undefined {
    const worker = this.#home(call) ?? this.#choose(call);
    if (worker !== undefined && call.extras.affinityKey !== undefined)
      this.#remember(call.extras.affinityKey, worker);
    return worker;
  }

  #choose({ extras: { transfer }, profile: { runMs } }: TaskCall): PoolWorker | undefined {
    // What is moved to a thread cannot be taken back, so it never waits there.
    if (transfer !== undefined) return this.#roster.takeIdle() ?? this.#withRoom(this.#concurrency);
    if (runMs !== undefined) {
      const follower = this.#least();
      const hasCpu = this.#busy.size + 1 < this.#cpus;
      const keptUpWithMs = hasCpu ? KEPT_UP_WITH_MS : KEPT_UP_WITH_NO_CPU_MS;
      // A full lane that short is through before another thread is up: waiting for it is the quickest.
      if (
        follower !== undefined &&
        (runMs <= keptUpWithMs || follower.backlogMs + runMs <= coalesceMs(follower))
      ) {
        return follower.lane.hasRoom && follower.lane.load < this.#depth ? follower : undefined;
      }
    }
    const idle = this.#roster.takeIdle() ?? this.#withRoom(this.#concurrency);
    if (idle !== undefined || runMs === undefined) return idle;
    // A long task waits in a lane only where no thread can be there for it sooner.
    const aheadMs = this.#busy.size < this.#cpus ? AHEAD_MS : AHEAD_OF_SLICES_MS;
    return (
      this.#shortest(aheadMs) ?? (this.#roster.canGrow ? undefined : this.#withRoom(this.#concurrency + 1))
    );
  }

  #home({ extras: { affinityKey, transfer }, profile: { runMs } }: TaskCall): PoolWorker | undefined {
    const home = affinityKey === undefined ? undefined : this.#homes.get(affinityKey);
    if (home === undefined) return undefined;
    if (this.#roster.takeIdle(home) !== undefined) return home;
    if (!this.#busy.has(home) || runMs === undefined || transfer !== undefined) return undefined;
    return this.#accepts(home, AFFINITY_MS) ? home : undefined;
  }

  #remember(key: string | number, worker: PoolWorker): void {
    this.#homes.delete(key);
    this.#homes.set(key, worker);
    if (this.#homes.size > MAX_KEYS) this.#homes.delete(this.#homes.keys().next().value!);
  }

  /** Threads that have ended are no homes. */
  forget(worker: PoolWorker): void {
    for (const [key, home] of this.#homes) if (home === worker) this.#homes.delete(key);
  }

  #least(): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    for (const worker of this.#busy) {
      if (!worker.isStuck && (best === undefined || worker.backlogMs < best.backlogMs)) best = worker;
    }
    return best;
  }

  #shortest(limitMs: number): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    for (const worker of this.#busy) {
      if (!this.#accepts(worker, limitMs)) continue;
      if (best === undefined || worker.backlogMs < best.backlogMs) best = worker;
    }
    return best;
  }

  #withRoom(limit: number): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    for (const worker of this.#busy) {
      if (worker.isStuck || worker.lane.load >= limit || !worker.lane.hasRoom) continue;
      if (best === undefined || worker.lane.load < best.lane.load) best = worker;
    }
    return best;
  }

  #accepts({ backlogMs, isStuck, lane }: PoolWorker, limitMs: number): boolean {
    return !isStuck && backlogMs <= limitMs && lane.load < this.#depth && lane.hasRoom;
  }

  /** Tasks had to be taken back because of a more urgent one: fill lanes less for now. */
  tighten(): void {
    this.#depth = this.#concurrency;
  }

  /** Tasks came back. */
  relax(): void {
    if (this.#depth !== Infinity) this.#depth = this.#depth > 64 ? Infinity : this.#depth * 2;
  }
}

function coalesceMs({ mailbox }: PoolWorker): number {
  return Math.min(MOST_COALESCE_MS, Math.max(LEAST_COALESCE_MS, COALESCE_WAKES * mailbox.wakeMs));
}
