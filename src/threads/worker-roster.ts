/** The threads of a pool: how many there are, which are idle, and when idle ones may go. */
import type { ResourceLimits } from 'node:worker_threads';
import type { WorkerSetup } from './messages.js';
import { allowedThreads } from './pool-options.js';
import { PoolWorker, type WorkerListener } from './pool-worker.js';
import { spinTokens } from './transport/spin.js';

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

export class WorkerRoster {
  readonly #options: RosterOptions;
  readonly #listener: WorkerListener;
  readonly #onSweep: (idleSince: number) => void;
  /** By place: a worker that replaces another gets its name and CPUs. */
  readonly #places = new Map<PoolWorker, number>();
  /** Last in, first out: recently used threads have warm caches, and the others can retire. */
  readonly #idle: PoolWorker[] = [];
  readonly #spin: SharedArrayBuffer;
  #starting = 0;
  #sweep: NodeJS.Timeout | undefined;
  #endedMs = 0;
  started = 0;

  /** @param onSweep called now and then while threads are idle, with the time before which idle means unused. */
  constructor(options: RosterOptions, listener: WorkerListener, onSweep: (idleSince: number) => void) {
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
    const { name, maxThreads, cpusOf, nice, resourceLimits, concurrency, stores } = this.#options;
    while (this.#starting < count && this.#places.size < maxThreads) {
      const taken = new Set(this.#places.values());
      let place = 0;
      while (taken.has(place)) place += 1;
      const worker = new PoolWorker(
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
      this.#places.set(worker, place);
      this.#starting += 1;
      this.started += 1;
    }
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
    return this.#starting > 0 || this.#places.size < this.#options.maxThreads;
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

  stopSweeping(): void {
    clearTimeout(this.#sweep);
    this.#sweep = undefined;
  }

  #scheduleSweep(): void {
    const { idleTimeoutMs } = this.#options;
    if (this.#sweep !== undefined || idleTimeoutMs === Infinity) return;
    this.#sweep = setTimeout(() => this.#retireIdle(), Math.min(idleTimeoutMs, 2 ** 31 - 1)).unref();
  }

  #retireIdle(): void {
    this.#sweep = undefined;
    const { idleTimeoutMs, minThreads } = this.#options;
    const idleSince = performance.now() - idleTimeoutMs;
    this.#onSweep(idleSince);
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
    if (this.#idle.length > 0) this.#scheduleSweep();
  }
}
