/**
 * Callers waiting for something scarce, first come, first served; one that aborts leaves at any place.
 *
 * While somebody waits a timer that never fires keeps the process alive: what would end the wait may be the timer of an
 * `AbortSignal.timeout` or a worker's message, which keep nothing alive, and a process that ends in the middle of an
 * `await` leaves its work undone, with exit code 13 at best.
 */

import { MAX_TIMER_MS } from '../timers.js';

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  /** Stops listening to the signal. */
  readonly stop: () => void;
}

export class WaitQueue<T = number> {
  /** Sets keep the order of insertion and remove anywhere in O(1). */
  private readonly waiting = new Set<Waiter<T>>();
  /** How many wait. A plain number, because each release looks at it and a Set's `size` is a call. */
  size = 0;
  private keepAlive: NodeJS.Timeout | undefined;

  /** Resolves with what `serve` hands over, or rejects with `abortError` when the signal fires first. */
  wait(signal: AbortSignal | undefined, abortError: (signal: AbortSignal) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.leave(waiter);
        // An aborted wait ends with the error that names it; the signal's reason is that error's cause.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        if (signal !== undefined) reject(abortError(signal));
      };
      const waiter: Waiter<T> = {
        resolve,
        reject,
        stop: () => signal?.removeEventListener('abort', onAbort),
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.waiting.add(waiter);
      this.size = this.waiting.size;
      this.keepAlive ??= setInterval(() => undefined, MAX_TIMER_MS);
    });
  }

  /** Hands a value to the caller that waited longest. There must be one. */
  serve(value: T): void {
    for (const waiter of this.waiting) {
      this.leave(waiter);
      waiter.resolve(value);
      return;
    }
  }

  rejectAll(error: () => unknown): void {
    for (const waiter of [...this.waiting]) {
      this.leave(waiter);
      waiter.reject(error());
    }
  }

  private leave(waiter: Waiter<T>): void {
    this.waiting.delete(waiter);
    this.size = this.waiting.size;
    waiter.stop();
    if (this.size > 0) return;
    clearInterval(this.keepAlive);
    this.keepAlive = undefined;
  }
}
