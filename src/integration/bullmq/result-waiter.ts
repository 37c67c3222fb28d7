/**
 * Waits for jobs to end, for all calls of an executor at once.
 *
 * BullMQ's `waitUntilFinished` with `removeOnComplete: true` races: a job that ends before the wait has begun is gone.
 * Here jobs are kept for a time after their end; the waiter knows a job's id before the job is handed over, follows the
 * queue's stream of events from a point before it, and besides asks for each job itself every second or so. So nothing
 * depends on an event being seen: not across a lost connection, a restart of the backend, or a trimmed stream.
 * (Rejected: one `waitUntilFinished` a call, with three listeners each and no second look.)
 */
import type { Job, Queue, QueueEvents } from 'bullmq';

export type Outcome = { readonly returned: unknown } | { readonly failedReason: string };

export interface WaitRequest {
  readonly id: string;
  /** Hands the job to the queue, which ignores an id that it has: called at once, and again where the job is missing. */
  readonly handOver: () => Promise<unknown>;
  /**
   * Whether an earlier job had the same id: this one may have ended before it was handed over, and events may still come
   * of the one before, so the queue is asked instead.
   */
  readonly isReused: boolean;
  /** A job that was last seen longer ago than this may have ended and been removed. */
  readonly keepMs: number;
  /** The error for such a job. */
  readonly lost: () => Error;
}

export interface Wait {
  readonly outcome: Promise<Outcome>;
  /** Ends this caller's wait; others may go on. */
  stop(): void;
}

interface Entry extends WaitRequest {
  readonly outcome: Promise<Outcome>;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
  waiters: number;
  /** When the queue was last known to have it, by `performance.now()`; undefined before it was handed over. */
  seenMs: number | undefined;
}

const CHECK_MS = 1_000;
/** A service with many thousands in flight must not ask for all of them each second. */
const CHECKS_AT_ONCE = 200;

export class ResultWaiter {
  readonly #queue: Queue;
  readonly #jobClass: typeof Job;
  /** Those seen longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;
  readonly #onError: (error: Error) => void;
  #isChecking = false;
  #closedError: (() => Error) | undefined;

  constructor(queue: Queue, events: QueueEvents, jobClass: typeof Job, onError: (error: Error) => void) {
    this.#queue = queue;
    this.#jobClass = jobClass;
    this.#onError = onError;
    events.on('completed', ({ jobId, returnvalue }) => this.#ended(jobId, { returned: returnvalue }));
    events.on('failed', ({ jobId, failedReason }) => this.#ended(jobId, { failedReason }));
    this.#timer = setInterval(() => void this.#check(), CHECK_MS).unref();
  }

  wait(request: WaitRequest): Wait {
    const entry = this.#entries.get(request.id) ?? this.#begin(request);
    entry.waiters += 1;
    let stopped = false;
    return {
      outcome: entry.outcome,
      stop: () => {
        if (stopped) return;
        stopped = true;
        entry.waiters -= 1;
        if (entry.waiters === 0) this.#forget(entry);
      },
    };
  }

  /** Rejects what still waits, and what comes later: a call may have been on its way here. */
  close(error: () => Error): void {
    this.#closedError = error;
    clearInterval(this.#timer);
    for (const entry of [...this.#entries.values()]) this.#fail(entry, error());
  }

  #begin(request: WaitRequest): Entry {
    let resolve!: Entry['resolve'];
    let reject!: Entry['reject'];
    const outcome = new Promise<Outcome>((resolveWith, rejectWith) => {
      resolve = resolveWith;
      reject = rejectWith;
    });
    // Whoever stopped waiting has its own error.
    outcome.catch(() => {});
    const entry: Entry = { ...request, outcome, resolve, reject, waiters: 0, seenMs: undefined };
    if (this.#closedError !== undefined) {
      entry.reject(this.#closedError());
      return entry;
    }
    this.#entries.set(entry.id, entry);
    entry.handOver().then(
      () => {
        this.#seen(entry);
        if (entry.isReused) this.#ask(entry).catch(this.#onError);
      },
      (error: unknown) => this.#fail(entry, error),
    );
    return entry;
  }

  #ended(id: string, outcome: Outcome): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (!entry.isReused) this.#settle(entry, outcome);
    else if (entry.seenMs !== undefined) this.#ask(entry).catch(this.#onError);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    this.#forget(entry);
    entry.resolve(outcome);
  }

  #fail(entry: Entry, error: unknown): void {
    this.#forget(entry);
    entry.reject(error);
  }

  #forget(entry: Entry): void {
    if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id);
  }

  /** Moves it to the end of the line. */
  #seen(entry: Entry): void {
    if (this.#entries.get(entry.id) !== entry) return;
    entry.seenMs = performance.now();
    this.#entries.delete(entry.id);
    this.#entries.set(entry.id, entry);
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const before = performance.now() - CHECK_MS;
    const due: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (due.length === CHECKS_AT_ONCE) break;
      if (entry.seenMs !== undefined && entry.seenMs < before) due.push(entry);
    }
    try {
      await Promise.all(due.map((entry) => this.#ask(entry)));
    } catch (error) {
      // The next check asks again.
      this.#onError(error as Error);
    } finally {
      this.#isChecking = false;
    }
  }

  async #ask(entry: Entry): Promise<void> {
    const { id, keepMs } = entry;
    const job = await this.#jobClass.fromId(this.#queue, id);
    if (this.#entries.get(id) !== entry) return;
    if (job === undefined) {
      // A backend that was restarted may lack the last second before; a job that ended is kept for longer than that.
      if (performance.now() - (entry.seenMs ?? 0) > keepMs) this.#fail(entry, entry.lost());
      else await entry.handOver();
      return;
    }
    this.#seen(entry);
    if (!job.finishedOn) return;
    const failed = await job.isFailed();
    if (this.#entries.get(id) !== entry) return;
    this.#settle(
      entry,
      failed ? { failedReason: job.failedReason } : { returned: job.returnvalue as unknown },
    );
  }
}
