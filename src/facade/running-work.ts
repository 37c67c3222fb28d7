/**
 * The work of one optimizer that `close()` ends: aborted first, then waited for. Once it has begun to end, nothing
 * begins any more.
 */
import { fail } from '../errors.js';

export class RunningWork {
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  /** Aborted when the optimizer begins to close. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** @throws CLOSED */
  assertOpen(): void {
    if (this.isClosing) throw fail('CLOSED', { what: 'The optimizer' });
  }

  /** A signal of the closing, and of the caller where the call has one. */
  closingOr(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([this.closing, signal]) : this.closing;
  }

  /** Runs work that `end` waits for; it should end with `closing`. @throws CLOSED; what the work throws. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    const promise = work();
    this.#running.add(promise);
    try {
      return await promise;
    } finally {
      this.#running.delete(promise);
    }
  }

  /** Aborts what runs and waits until it has ended, whatever its outcome. */
  async end(): Promise<void> {
    this.#closing.abort(fail('ABORTED', { what: 'The running work' }));
    await Promise.allSettled(this.#running);
  }
}
