/**
 * How a pool's thread learns that tasks came back, without ever blocking. Where results are due at once it looks
 * for them in each turn of its event loop for a moment: a turn costs 1 to 2 µs, being woken through a message 7 and
 * more, and the worker saves sending it. Otherwise it asks the lanes to be told, and sleeps.
 *
 * Rejected: `Atomics.waitAsync` instead of the message. It measured the same here (8.5 against 7.8 µs), and needs
 * something else to keep the event loop alive.
 */
import type { PoolWorker } from './pool-worker.js';

/** Looking goes on for this long after something last came back, in ms. */
const PATIENCE_MS = 0.04;
/** Looks in vain until looking stops, and the waits after which it is tried again: twice as many each time. */
const MAX_FAILURES = 3;
const RETRY_AFTER = 32;
const MAX_RETRY_AFTER = 4_096;

export interface WatchHost {
  /** Workers with tasks in their lanes. */
  readonly busy: ReadonlySet<PoolWorker>;
  /** Takes in what came back; returns how many tasks that were. */
  collect(): number;
  /** Whether some task is forecast to be back within a moment. */
  expectsSoon(): boolean;
}

export class CompletionWatch {
  readonly #host: WatchHost;
  #isLooking = false;
  #lastSuccess = 0;
  #finds = 0;
  #failures = 0;
  #waits = 0;
  #retryAfter = RETRY_AFTER;

  constructor(host: WatchHost) {
    this.#host = host;
  }

  /** To be called when a task was placed. */
  placed(worker: PoolWorker): void {
    if (this.#isLooking || worker.lane.memory.isListening) return;
    if (this.#mayLook()) this.#look();
    else this.#listen(worker);
  }

  /** To be called when a worker said that something came back. */
  told(): void {
    this.#host.collect();
    if (!this.#isLooking) this.#goOn();
  }

  #mayLook(): boolean {
    if (!this.#host.expectsSoon()) return false;
    if (this.#failures < MAX_FAILURES) return true;
    this.#waits += 1;
    if (this.#waits < this.#retryAfter) return false;
    this.#waits = 0;
    this.#retryAfter = Math.min(MAX_RETRY_AFTER, this.#retryAfter * 2);
    return true;
  }

  #look(): void {
    this.#isLooking = true;
    this.#finds = 0;
    this.#lastSuccess = performance.now();
    for (const { lane } of this.#host.busy) lane.memory.stopListening();
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const { busy } = this.#host;
    const now = performance.now();
    // Found late is no success: on a busy machine the worker waits for the CPU that looking takes.
    const isLate = now - this.#lastSuccess > PATIENCE_MS;
    if (this.#host.collect() > 0 && !isLate) {
      this.#finds += 1;
      this.#lastSuccess = performance.now();
    } else if (isLate || busy.size === 0) {
      this.#isLooking = false;
      if (this.#finds > 0) this.#retryAfter = RETRY_AFTER;
      this.#failures = this.#finds > 1 ? 0 : this.#failures + (this.#finds === 0 ? 1 : 0);
      for (const worker of busy) this.#listen(worker);
      return;
    }
    // What came back may be followed by another call, which the caller's continuation makes in this turn.
    setImmediate(this.#turn);
  };

  #goOn(): void {
    if (this.#host.busy.size === 0) return;
    if (this.#mayLook()) this.#look();
    else for (const worker of this.#host.busy) this.#listen(worker);
  }

  #listen({ lane }: PoolWorker): void {
    const { memory } = lane;
    if (!memory.isListening) memory.listen();
    // Came back in between: the worker may not have seen that somebody listens.
    if (memory.hasReturned && !this.#isLooking) {
      this.#isLooking = true;
      this.#lastSuccess = -Infinity;
      setImmediate(this.#turn);
    }
  }
}
