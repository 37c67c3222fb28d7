/**
 * Short active waiting before a worker sleeps: a task that comes within a wake-up's time is then met in under a
 * microsecond, where waking a thread takes 10 to 30. By time, never by iterations, and for twice of what waking was
 * measured to take here: spinning for less than a wake-up costs the most of all.
 *
 * While the pool's thread hands out many tasks at once it announces its ring, and whoever is awake waits for that: each
 * system call to wake a thread costs the pool's thread 20 to 200 µs in a virtual machine.
 *
 * Bounded three times. At most as many threads spin as leave a CPU to the pool's caller (tokens in shared memory, so
 * that one thread's token is known when it dies). A thread that spun for nothing, more than it was of use before, stops
 * for a while, by the clock, twice as long each time. And a thread that lost its CPU while it spun stops too: somebody
 * else needs it.
 *
 * Rejected: giving up for so many sleeps instead of so long. After a busy moment a pool then stayed slow for thousands of
 * calls.
 */
import type { Mailbox } from '../mailbox.js';

const LEAST_MS = 0.02;
const MOST_MS = 0.06;
/** How long a ring that was announced is waited for, in ms. */
const ANNOUNCED_MS = 0.5;
/** How long spinning is given up for, in ms. */
const LEAST_PAUSE_MS = 1;
const MOST_PAUSE_MS = 64;
/** Spinning in vain uses up what so many successes have earned, of which a few are kept. */
const SUCCESSES_PER_FAILURE = 4;
const MOST_SUCCESSES = 16;
/** A turn of the loop takes well under a microsecond; one that takes this long had no CPU, in ms. */
const PREEMPTED_MS = 0.02;

/** Each word holds the place of a thread that spins, plus one; 0 for none. */
export function spinTokens(threads: number, cpus: number): SharedArrayBuffer {
  const tokens = Math.max(0, Math.min(threads, cpus - 1));
  return new SharedArrayBuffer(tokens * 4);
}

/** How long a worker spins at most, where waking a thread takes so long; both in ms. */
export function spinLimitMs(wakeMs: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, 2 * wakeMs));
}

/** Frees the token of a thread that has ended. */
export function forfeitToken(tokens: SharedArrayBuffer, place: number): void {
  const words = new Int32Array(tokens);
  for (let index = 0; index < words.length; index += 1) {
    Atomics.compareExchange(words, index, place + 1, 0);
  }
}

/** A worker's way to wait for a moment. */
export class Spinner {
  readonly #mailbox: Mailbox;
  readonly #tokens: Int32Array;
  readonly #mark: number;
  /** Whether there is work that was not rung for yet. */
  readonly #hasWork: () => boolean;
  #successes = 0;
  #pauseMs = 0;
  #pausedUntil = 0;

  constructor(mailbox: Mailbox, tokens: SharedArrayBuffer, place: number, hasWork: () => boolean) {
    this.#mailbox = mailbox;
    this.#tokens = new Int32Array(tokens);
    this.#mark = place + 1;
    this.#hasWork = hasWork;
  }

  /** Waits for the next ring, or for work, where that promises to pay; whether it came. */
  spin(rings: number): boolean {
    const mailbox = this.#mailbox;
    if (mailbox.rings !== rings || this.#hasWork()) return true;
    const began = performance.now();
    if (began < this.#pausedUntil && !mailbox.isRingComing) return false;
    const token = this.#takeToken();
    if (token < 0) return false;
    const until = began + this.#limitMs;
    let now = began;
    let came = false;
    let isPreempted = false;
    do {
      came = mailbox.rings !== rings || this.#hasWork();
      const before = now;
      now = performance.now();
      isPreempted = now - before > PREEMPTED_MS;
    } while (!came && !isPreempted && (now < until || (mailbox.isRingComing && now < began + ANNOUNCED_MS)));
    Atomics.store(this.#tokens, token, 0);
    // Met late is no success: on a busy machine the caller waits for the CPU that spinning takes.
    if (came && !isPreempted) {
      this.#pauseMs >>= 1;
      this.#successes = Math.min(MOST_SUCCESSES, this.#successes + 1);
    } else if (isPreempted || (this.#successes -= SUCCESSES_PER_FAILURE) < 0) {
      this.#giveUp(now);
    }
    return came;
  }

  get #limitMs(): number {
    return spinLimitMs(this.#mailbox.wakeMs);
  }

  #giveUp(now: number): void {
    this.#successes = 0;
    this.#pauseMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, this.#pauseMs * 2));
    this.#pausedUntil = now + this.#pauseMs;
  }

  #takeToken(): number {
    for (let index = 0; index < this.#tokens.length; index += 1) {
      if (Atomics.compareExchange(this.#tokens, index, 0, this.#mark) === 0) return index;
    }
    return -1;
  }
}
