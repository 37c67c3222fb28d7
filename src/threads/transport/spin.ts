/**
 * Short active waiting before a worker sleeps: a task that comes within a wake-up's time is then met in under a
 * microsecond, where waking a thread takes 10 to 30. By time, never by iterations, and for twice of what waking was
 * measured to take here: spinning for less than a wake-up costs the most of all.
 *
 * Bounded twice. At most as many threads spin as leave a CPU to the pool's caller (tokens in shared memory, so that one
 * thread's token is known when it dies). And a thread that spun for nothing several times in a row stops for a while.
 */
import { availableParallelism } from 'node:os';
import type { Mailbox } from '../mailbox.js';

const LEAST_MS = 0.02;
const MOST_MS = 0.2;
/** Failures in a row until a thread sleeps at once, and the sleeps after which it tries again: twice as many each time. */
const MAX_FAILURES = 3;
const RETRY_AFTER = 32;
const MAX_RETRY_AFTER = 4_096;

/** Each word holds the place of a thread that spins, plus one; 0 for none. */
export function spinTokens(threads: number): SharedArrayBuffer {
  const tokens = Math.max(0, Math.min(threads, availableParallelism() - 1));
  return new SharedArrayBuffer(tokens * 4);
}

/** Frees the token of a thread that has ended. */
export function forfeitToken(tokens: SharedArrayBuffer, place: number): void {
  const words = new Int32Array(tokens);
  for (let index = 0; index < words.length; index += 1) {
    Atomics.compareExchange(words, index, place + 1, 0);
  }
}

/** A worker's way to wait. */
export class Spinner {
  readonly #mailbox: Mailbox;
  readonly #tokens: Int32Array;
  readonly #mark: number;
  #failures = 0;
  #sleeps = 0;
  #retryAfter = RETRY_AFTER;

  constructor(mailbox: Mailbox, tokens: SharedArrayBuffer, place: number) {
    this.#mailbox = mailbox;
    this.#tokens = new Int32Array(tokens);
    this.#mark = place + 1;
  }

  /** Waits for the next ring: spins where that promises to pay, then sleeps. */
  wait(rings: number): void {
    if (this.#maySpin() && this.#spin(rings)) return;
    this.#mailbox.sleep(rings);
  }

  #maySpin(): boolean {
    if (this.#failures < MAX_FAILURES) return true;
    this.#sleeps += 1;
    if (this.#sleeps < this.#retryAfter) return false;
    this.#sleeps = 0;
    this.#retryAfter = Math.min(MAX_RETRY_AFTER, this.#retryAfter * 2);
    return true;
  }

  #spin(rings: number): boolean {
    const token = this.#takeToken();
    if (token < 0) return false;
    const mailbox = this.#mailbox;
    const began = performance.now();
    const limitMs = Math.min(MOST_MS, Math.max(LEAST_MS, 2 * mailbox.wakeMs));
    let rang = mailbox.rings !== rings;
    let took = 0;
    while (!rang && took < limitMs) {
      rang = mailbox.rings !== rings;
      took = performance.now() - began;
    }
    Atomics.store(this.#tokens, token, 0);
    // Met late is no success: on a busy machine the caller waits for the CPU that spinning takes.
    if (rang && took < limitMs) {
      this.#failures = 0;
      this.#retryAfter = RETRY_AFTER;
    } else {
      this.#failures += 1;
    }
    return rang;
  }

  #takeToken(): number {
    for (let index = 0; index < this.#tokens.length; index += 1) {
      if (Atomics.compareExchange(this.#tokens, index, 0, this.#mark) === 0) return index;
    }
    return -1;
  }
}
