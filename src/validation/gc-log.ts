/** Garbage collections of this process with their times, as the runtime reports them afterwards. */
import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

export interface GcPause {
  /** On the clock of `performance.now()`. */
  readonly startMs: number;
  readonly durationMs: number;
}

export class GcLog {
  readonly #pauses: GcPause[] = [];
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#add(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  #add(entries: readonly PerformanceEntry[]): void {
    for (const { startTime, duration } of entries) {
      this.#pauses.push({ startMs: startTime, durationMs: duration });
    }
  }

  /** All pauses so far, in order of time. Gives the runtime a turn to report the latest. */
  async pauses(): Promise<readonly GcPause[]> {
    await setImmediate();
    await setImmediate();
    this.#add(this.#observer.takeRecords());
    return this.#pauses.sort((a, b) => a.startMs - b.startMs);
  }

  close(): void {
    this.#observer.disconnect();
  }
}
