/**
 * How a pool's thread learns that tasks came back, without ever blocking. Where a result is due at once and a CPU is
 * left over for it, it looks for results in each turn of its event loop for a moment: a turn costs 1 to 2 µs, being woken
 * through a message 7 and more, and the worker saves sending it. Otherwise it asks the lanes to be told, and sleeps.
 *
 * What is asked for depends on how much lies in a lane: of many short tasks the pool is told by the batch, as a network
 * card tells of packets, since being told of each would cost more than the tasks. Looking that finds nothing in time, more
 * often than now and then, is given up for a while, by the clock: a thousandth of a second at first, twice as long each
 * time, and soon forgotten when looking pays again.
 *
 * Looking needs a worker that is awake on another CPU, and waking it there (transport/wake-elsewhere.ts) is the dearest part;
 * a pool whose threads sleep mostly has both on one CPU, which then costs little. So it is one or the other: a worker spins
 * only while the pool looks (or has announced a ring), and the pool waits for the first result of a worker that slept as
 * long as that takes.
 *
 * Rejected: `Atomics.waitAsync` instead of the message. It measured the same here (8.5 against 7.8 µs), and needs
 * something else to keep the event loop alive. Also rejected: giving up for so many waits instead of so long; a busy
 * moment then cost a pool its speed for thousands of calls.
 */
import type { PoolWorker } from './pool-worker.js';

/**
 * Results that are forecast to come within this, in ms, are looked for: a few times what being told costs, 7 µs at best, and
 * 50 to 100 where this thread has to be woken on another CPU.
 */
export const LOOK_MS = 0.2;
/** Looking goes on for this long after something came back or was forecast to come back, in ms. */
const PATIENCE_MS = 0.04;
/** How long looking is given up for, in ms. */
const LEAST_PAUSE_MS = 1;
const MOST_PAUSE_MS = 64;
/**
 * Waking a thread on another CPU that sleeps too takes so long in a virtual machine, in ms: looking waits for it, where the
 * tasks are few. Who has given more of them away waits without taking a CPU: the thread may have to wake on this very one.
 */
const WAKE_MS = 0.2;
const FEW_TASKS = 16;
/** Looking in vain uses up what so many finds have earned, of which a few are kept. */
const FINDS_PER_FAILURE = 8;
const MOST_FINDS = 32;
/** Results may lie for about this long where others follow, in ms. */
const BATCH_MS = 0.25;
/**
 * Where a lane holds more work, for a quarter of what is left of it, up to so many ms: being told takes the pool's thread 50
 * to 100 µs of a CPU that a worker is busy on, and whoever waits behind much work waits a little longer.
 */
const MOST_BATCH_MS = 4;
const BACKLOG_PER_BATCH = 4;
/** Fewer tasks in a lane than this are told of one by one. */
const LEAST_BATCHED = 4;

export interface WatchHost {
  /** Workers with tasks in their lanes. */
  readonly busy: ReadonlySet<PoolWorker>;
  /** CPUs that this process may use. */
  readonly cpus: number;
  /** Asynchronous tasks that a thread may have under way. */
  readonly concurrency: number;
  /** Takes in what came back; returns how many tasks that were. */
  collect(): number;
}

export class CompletionWatch {
  readonly #host: WatchHost;
  #isLooking = false;
  /** Until when something has to come back for looking to go on; undefined where it is for one turn only. */
  #until: number | undefined;
  /** Calls were made, or results taken in among them, since the last turn: if it is late, that is the caller's own work. */
  #wasAtWork = false;
  #finds = 0;
  #pauseMs = 0;
  #pausedUntil = 0;

  constructor(host: WatchHost) {
    this.#host = host;
  }

  /** To be called when a task was placed. */
  placed(worker: PoolWorker): void {
    this.#wasAtWork = true;
    if (this.#isLooking || worker.isListening) return;
    if (this.#mayLook()) this.#look();
    else this.#listen(worker);
  }

  /** To be called when a worker said that something came back. */
  told(worker: PoolWorker): void {
    worker.isListening = false;
    this.#host.collect();
    if (this.#isLooking || this.#host.busy.size === 0) return;
    if (this.#mayLook()) this.#look();
    else this.#listenToAll();
  }

  /** To be called when results were taken in without being looked for here. */
  cameAmongCalls(): void {
    this.#wasAtWork = true;
  }

  #mayLook(): boolean {
    const { busy, cpus } = this.#host;
    // Threads that work need the CPUs more.
    return busy.size < cpus && this.#nextInMs() <= LOOK_MS && performance.now() >= this.#pausedUntil;
  }

  /** In how many ms the next result is due, by forecast; Infinity where nothing is known. */
  #nextInMs(): number {
    let least = Infinity;
    for (const { backlogMs, lane } of this.#host.busy) {
      const perTask = backlogMs / lane.load;
      if (perTask > 0 && perTask < least) least = perTask;
    }
    return least;
  }

  #look(): void {
    this.#isLooking = true;
    this.#until = this.#patience();
    for (const worker of this.#host.busy) {
      if (!worker.isListening) continue;
      worker.isListening = false;
      worker.lane.memory.stopListening();
    }
    setImmediate(this.#turn);
  }

  #patience(): number {
    let patienceMs = PATIENCE_MS + Math.min(LOOK_MS, this.#nextInMs());
    for (const { mailbox, lane } of this.#host.busy) {
      if (lane.load <= FEW_TASKS && mailbox.isAsleep) patienceMs = PATIENCE_MS + WAKE_MS;
    }
    return performance.now() + patienceMs;
  }

  readonly #turn = (): void => {
    // Found late is no success: on a busy machine the worker waits for the CPU that looking takes.
    const wasAtWork = this.#wasAtWork;
    this.#wasAtWork = false;
    const isLate = this.#until !== undefined && !wasAtWork && performance.now() > this.#until;
    const found = this.#host.collect();
    if (isLate) this.#wasLate();
    else if (found > 0) {
      this.#pauseMs >>= 1;
      this.#finds = Math.min(MOST_FINDS, this.#finds + 1);
    }
    if (this.#goesOn(found, isLate)) {
      if (found > 0 || wasAtWork || this.#until === undefined) this.#until = this.#patience();
      setImmediate(this.#turn);
      return;
    }
    this.#isLooking = false;
    this.#listenToAll();
  };

  #goesOn(found: number, isLate: boolean): boolean {
    const { busy, cpus } = this.#host;
    if (isLate) return false;
    // What came back may be followed by another call, which the caller's continuation makes in this turn.
    if (busy.size === 0) return found > 0;
    return found === 0 && this.#until !== undefined ? busy.size < cpus : this.#mayLook();
  }

  #wasLate(): void {
    this.#finds -= FINDS_PER_FAILURE;
    if (this.#finds >= 0) return;
    this.#finds = 0;
    this.#pauseMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, this.#pauseMs * 2));
    this.#pausedUntil = performance.now() + this.#pauseMs;
  }

  #listenToAll(): void {
    for (const worker of this.#host.busy) this.#listen(worker);
  }

  #listen(worker: PoolWorker): void {
    const { lane } = worker;
    const count = this.#batch(worker);
    worker.isListening = true;
    lane.memory.listen(count);
    // Came back in between: the worker may not have seen that somebody listens. While more is to come, it will.
    // A lane may hold nothing but tasks that were taken back, and then nothing that came back either.
    if (!this.#isLooking && lane.memory.returned >= Math.max(1, Math.min(count, lane.load))) {
      this.#isLooking = true;
      this.#until = undefined;
      setImmediate(this.#turn);
    }
  }

  /** Of how many results a worker is to tell at once. */
  #batch({ backlogMs, lane: { load } }: PoolWorker): number {
    if (load < LEAST_BATCHED || this.#host.concurrency > 1) return 1;
    const perTask = backlogMs / load;
    const lieMs = Math.max(BATCH_MS, Math.min(MOST_BATCH_MS, backlogMs / BACKLOG_PER_BATCH));
    return perTask > 0 ? Math.max(1, Math.min(load >> 1, Math.floor(lieMs / perTask))) : 1;
  }
}
