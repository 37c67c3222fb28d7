/** Shares of each thread over time, in steps of equal length and bounded memory: neighbours are joined when there are too many. */
import type { ThreadLane } from '../../model/signals.js';

const MAX_STEPS = 240;

interface Row {
  readonly onCpuMs: number[];
  readonly runnableMs: number[];
  last: ThreadTotals;
}

export interface ThreadTotals {
  readonly onCpuMs: number;
  readonly runnableMs: number;
}

/** @example lanes.step(totalsByThread, 500); lanes.of(tid)?.onCpu */
export class ThreadLanes {
  readonly #rows = new Map<number, Row>();
  #stepMs: number[] = [];

  /** Where counting begins. */
  begin(totals: ReadonlyMap<number, ThreadTotals>): void {
    for (const [tid, last] of totals) this.#rows.set(tid, { onCpuMs: [], runnableMs: [], last });
  }

  /** @param elapsedMs since the step before. */
  step(totals: ReadonlyMap<number, ThreadTotals>, elapsedMs: number): void {
    const steps = this.#stepMs.length;
    for (const [tid, now] of totals) {
      let row = this.#rows.get(tid);
      if (row === undefined) {
        // It began within the step, at zero.
        row = {
          onCpuMs: new Array<number>(steps).fill(0),
          runnableMs: new Array<number>(steps).fill(0),
          last: { onCpuMs: 0, runnableMs: 0 },
        };
        this.#rows.set(tid, row);
      }
      row.onCpuMs.push(Math.max(0, now.onCpuMs - row.last.onCpuMs));
      row.runnableMs.push(Math.max(0, now.runnableMs - row.last.runnableMs));
      row.last = now;
    }
    this.#stepMs.push(elapsedMs);
    for (const row of this.#rows.values()) {
      // It ended.
      while (row.onCpuMs.length < this.#stepMs.length) row.onCpuMs.push(0);
      while (row.runnableMs.length < this.#stepMs.length) row.runnableMs.push(0);
    }
    if (this.#stepMs.length >= MAX_STEPS) this.#join();
  }

  of(tid: number): ThreadLane | undefined {
    const row = this.#rows.get(tid);
    if (row === undefined || this.#stepMs.length === 0) return undefined;
    const share = (ms: number, index: number) =>
      Number(Math.min(1, ms / Math.max(1, this.#stepMs[index]!)).toFixed(3));
    return {
      stepMs: this.#stepMs.reduce((sum, ms) => sum + ms, 0) / this.#stepMs.length,
      onCpu: row.onCpuMs.map(share),
      runnable: row.runnableMs.map(share),
    };
  }

  #join(): void {
    const pairs = (values: readonly number[]) =>
      Array.from(
        { length: Math.ceil(values.length / 2) },
        (_, index) => values[2 * index]! + (values[2 * index + 1] ?? 0),
      );
    this.#stepMs = pairs(this.#stepMs);
    for (const [tid, row] of this.#rows) {
      this.#rows.set(tid, { last: row.last, onCpuMs: pairs(row.onCpuMs), runnableMs: pairs(row.runnableMs) });
    }
  }
}
