/**
 * Whether splitting loops over threads pays on this machine just now: a budget of regret.
 *
 * Every loop that was split books what it won or lost against its forecast on one thread; loops that ran on the caller
 * earn a fiftieth of their time. Loops are split while the balance is above zero. So whatever the machine does, splitting
 * costs at most what it won before plus two in a hundred of the loops' time, and it is tried again the sooner the less
 * the last try cost: a thread that has lost its CPU to another process holds the end of a loop up for milliseconds.
 *
 * Rejected: giving threads up for so many runs or so many seconds. A loop of 0.2 ms then pays for a stall of 3 ms as often
 * as one of 10 ms.
 */

/** In ms. At first some tries are free; what is earned is worth one stall; what was won, a few. */
const FIRST_MS = 5;
const MOST_EARNED_MS = 2;
const MOST_WON_MS = 10;
const EARNED_SHARE = 0.02;

export class SplitLedger {
  #balanceMs = FIRST_MS;

  /** Whether a loop may be split. */
  get allows(): boolean {
    return this.#balanceMs > 0;
  }

  /** A loop ran on the caller. */
  ranOnCaller(tookMs: number): void {
    if (this.#balanceMs >= MOST_EARNED_MS) return;
    this.#balanceMs = Math.min(MOST_EARNED_MS, this.#balanceMs + EARNED_SHARE * tookMs);
  }

  /** A loop was split, which was forecast to take so long on the caller. */
  ranSplit(tookMs: number, forecastMs: number): void {
    this.#balanceMs = Math.min(MOST_WON_MS, this.#balanceMs + forecastMs - tookMs);
  }
}
