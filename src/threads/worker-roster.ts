/** The threads of a pool: how many there are, which are idle, and when idle ones may go. */
import type { ResourceLimits } from 'node:worker_threads';
import type { WorkerSetup } from './messages.js';
import { outsideCalls } from './outside-calls.js';
import { allowedThreads } from './pool-options.js';
import { PoolWorker, type WorkerListener } from './pool-worker.js';
import { spinTokens } from './transport/spin.js';
import { MAX_TIMER_MS } from '../timers.js';

export interface RosterOptions {
  readonly name: string;
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly idleTimeoutMs: number;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly nice: number | undefined;
  readonly concurrency: number;
  readonly stores: WorkerSetup['stores'];
  /** CPUs for the nth thread; empty for no pinning. */
  readonly cpusOf: (index: number) => readonly number[];
}

export interface RosterListener extends WorkerListener {
  /** No thread could be made. */
  refused(error: Error): void;
  /** Threads may be started again. */
  mayStart(): void;
}

/** How long no further thread is tried where threads did not come up, while there are others. */
const START_PAUSE_MS = 1_000;

export class WorkerRoster {
  readonly #options: RosterOptions;
  readonly #listener: RosterListener;
  readonly #onSweep: (idleSince: number) => boolean;
  /** By place: a worker that replaces another gets its name and CPUs. */
  readonly #places = new Map<PoolWorker, number>();
  /** Last in, first out: recently used threads have warm caches, and the others can retire. */
  readonly #idle: PoolWorker[] = [];
  readonly #spin: SharedArrayBuffer;
  #starting = 0;
  /** While it runs, no thread is started beside those that are there. */
  #pause: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #endedMs = 0;
  started = 0;

  /**
   * @param onSweep called now and then while threads are idle, and after `sweepLater`, with the time before which idle means
   *   unused; whether something is left that may become so.
   */
  constructor(options: RosterOptions, listener: RosterListener, onSweep: (idleSince: number) => boolean) {
    this.#options = options;
    this.#spin = spinTokens(options.maxThreads, allowedThreads());
    this.#listener = listener;
    this.#onSweep = onSweep;
  }

  all(): Iterable<PoolWorker> {
    return this.#places.keys();
  }

  has(worker: PoolWorker): boolean {
    return this.#places.has(worker);
  }

  get size(): number {
    return this.#places.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get starting(): number {
    return this.#starting;
  }

  /** Starts threads until `count` are starting, as far as the limit allows. */
  ensureStarting(count: number): void {
    while (this.#starting < count && this.#mayStart) {
      const taken = new Set(this.#places.values());
      let place = 0;
      while (taken.has(place)) place += 1;
      let worker: PoolWorker;
      try {
        worker = outsideCalls(() => this.#make(place));
      } catch (error) {
        this.pauseStarts();
        this.#listener.refused(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      this.#places.set(worker, place);
      this.#starting += 1;
      this.started += 1;
    }
  }

  /** @throws what Node does where the system gives it no thread. */
  #make(place: number): PoolWorker {
    const { name, cpusOf, nice, resourceLimits, concurrency, stores } = this.#options;
    return new PoolWorker(
      {
        name: `${name}-${place + 1}`,
        place,
        cpus: cpusOf(place),
        nice,
        concurrency,
        stores,
        spin: this.#spin,
        ...(resourceLimits && { resourceLimits }),
      },
      this.#listener,
    );
  }

  /** Threads do not come up: while others are there to do the work, none is tried for a while. */
  pauseStarts(): void {
    this.#pause ??= this.#timer(() => {
      this.#pause = undefined;
      this.#listener.mayStart();
    }, START_PAUSE_MS);
  }

  #timer(fire: () => void, ms: number): NodeJS.Timeout {
    return outsideCalls(() => setTimeout(fire, ms).unref());
  }

  get #mayStart(): boolean {
    const { size } = this.#places;
    return size < this.#options.maxThreads && (this.#pause === undefined || size === 0);
  }

  /** Threads that are up. */
  get ready(): number {
    return this.#places.size - this.#starting;
  }

  /** Starts what is missing to the least number of threads. */
  ensureMinimum(): void {
    this.ensureStarting(this.#starting + Math.max(0, this.#options.minThreads - this.#places.size));
  }

  becameReady(worker: PoolWorker): void {
    worker.isReady = true;
    this.#starting -= 1;
  }

  /** Whether there may be another thread than the ones that are up. */
  get canGrow(): boolean {
    return this.#starting > 0 || this.#mayStart;
  }

  /** An idle worker, no longer counted as one: this one where it is idle, or any. */
  takeIdle(wanted?: PoolWorker): PoolWorker | undefined {
    if (wanted !== undefined) {
      const index = this.#idle.indexOf(wanted);
      if (index < 0) return undefined;
      this.#idle.splice(index, 1);
      wanted.idleSince = undefined;
      return wanted;
    }
    const worker = this.#idle.pop();
    if (worker !== undefined) worker.idleSince = undefined;
    return worker;
  }

  putIdle(worker: PoolWorker): void {
    if (!this.#places.has(worker) || worker.idleSince !== undefined || worker.isCondemned) return;
    worker.idleSince = performance.now();
    this.#idle.push(worker);
    this.#scheduleSweep();
  }

  /** Time that threads have lived, in ms, all together. */
  get livedMs(): number {
    const now = performance.now();
    let livedMs = this.#endedMs;
    for (const { startedAt } of this.#places.keys()) livedMs += now - startedAt;
    return livedMs;
  }

  remove(worker: PoolWorker): void {
    if (!this.#places.delete(worker)) return;
    this.#endedMs += performance.now() - worker.startedAt;
    if (!worker.isReady) this.#starting -= 1;
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Something besides threads is kept for as long as it is used. */
  sweepLater(): void {
    this.#scheduleSweep();
  }

  /** For a pool that ends: no timer of it fires any more. */
  stopTimers(): void {
    clearTimeout(this.#sweep);
    clearTimeout(this.#pause);
    this.#sweep = undefined;
  }

  #scheduleSweep(): void {
    const { idleTimeoutMs } = this.#options;
    if (this.#sweep !== undefined || idleTimeoutMs === Infinity) return;
    this.#sweep = this.#timer(() => this.#retireIdle(), Math.min(idleTimeoutMs, MAX_TIMER_MS));
  }

  #retireIdle(): void {
    this.#sweep = undefined;
    const { idleTimeoutMs, minThreads } = this.#options;
    const idleSince = performance.now() - idleTimeoutMs;
    const isLeft = this.#onSweep(idleSince);
    // The longest idle stand first. While others still start, there is work for all.
    while (
      this.#starting === 0 &&
      this.#idle.length > 0 &&
      this.#places.size > minThreads &&
      this.#idle[0]!.idleSince! <= idleSince
    ) {
      const worker = this.#idle[0]!;
      // Gone from the books at once: a thread that is leaving is no thread to give work to.
      this.remove(worker);
      void worker.retire();
    }
    if (isLeft || this.#idle.length > 0) this.#scheduleSweep();
  }
}
