/**
 * The words through which a pool talks to one of its workers without a message: waking, inviting to a loop, and
 * knowing which loop a worker is in. Tasks have their lane (transport/), everything else is a message (messages.ts).
 *
 * Waking is Dekker's handshake: the worker says that it sleeps, then `Atomics.wait` compares the bell; the pool rings
 * the bell, then looks whether the worker sleeps. So a ring is never missed, and costs a system call only where the
 * worker does sleep.
 */
import { LINE_WORDS } from './partition/partitioner.js';

const BELL = 0; // counts up; the worker sleeps on it
const INVITED_TO = 1; // loop that the pool wants it in; 0 none
const RETIRED = 2; // 1: leave when idle
const POSTED = 3; // messages posted to the worker, ever
const COMING = 6; // 1: there is work, and a ring will follow within the caller's turn
const HELD = 7; // 1: the worker is to run nothing yet, as its mask is not its own
const RUNG_AT = 2; // float64: when a sleeping worker was last woken, in ms since the epoch
const INSIDE = LINE_WORDS; // loop that the worker is in; 0 none. Written by the worker.
const ASLEEP = LINE_WORDS + 1; // not 0: only a notification wakes it. Written by the worker.
const WAKE_MS = LINE_WORDS / 2 + 1; // float64: what waking takes, smoothed. Written by the worker.
const LAST_WAKE_MS = LINE_WORDS / 2 + 2; // float64: what waking took last. Written by the worker.

/** How it sleeps: nothing else runs in its thread, or its event loop does. */
const BLOCKED = 1;
const ON_LOOP = 2;

/** A worker that was woken before it has its mask back looks for that for so long, and then sleeps for so long between looks. */
const LOOK_MS = 0.02;
const HELD_SLEEP_MS = 1;

/** Assumed before it was measured. */
const ASSUMED_WAKE_MS = 0.03;
/** What makes `performance.now()` of different threads comparable. */
const { timeOrigin } = performance;

/** In every supported Node, but in TypeScript's library only from ES2024 on. */
interface WaitAsync {
  waitAsync(words: Int32Array, index: number, value: number): { value: string | Promise<string> };
}

export class Mailbox {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  #nextRing: Promise<void> | undefined;
  /** Whether the worker was held when it was last woken. */
  #wasHeld = false;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(LINE_WORDS * 2 * 4);
    this.#words = new Int32Array(this.buffer);
    this.#times = new Float64Array(this.buffer);
    if (buffer === undefined) this.#times[WAKE_MS] = ASSUMED_WAKE_MS;
  }

  // --- The pool's side

  ring(): void {
    const words = this.#words;
    if (words[COMING] === 1) Atomics.store(words, COMING, 0);
    if (Atomics.load(words, ASLEEP) !== 0) {
      this.#times[RUNG_AT] = timeOrigin + performance.now();
      this.#wasHeld = words[HELD] === 1;
    }
    Atomics.add(words, BELL, 1);
    if (Atomics.load(words, ASLEEP) !== 0) Atomics.notify(words, BELL);
  }

  /** Says that a ring will follow at once: a worker that is awake need not sleep before. */
  announce(): void {
    if (this.#words[COMING] === 0) Atomics.store(this.#words, COMING, 1);
  }

  /** Whether only a notification wakes the worker. */
  get isAsleep(): boolean {
    return Atomics.load(this.#words, ASLEEP) !== 0;
  }

  /** Whether it sleeps, and nothing else runs in its thread meanwhile. */
  get isBlocked(): boolean {
    return Atomics.load(this.#words, ASLEEP) === BLOCKED;
  }

  /** A worker that is woken runs nothing until `letGo`. Only for one that is blocked. */
  hold(): void {
    Atomics.store(this.#words, HELD, 1);
  }

  letGo(): void {
    Atomics.store(this.#words, HELD, 0);
  }

  /** What waking took last, in ms, where the worker was held; 0 where it was not, or this was asked before. */
  takeHeldWakeMs(): number {
    const tookMs = this.#wasHeld ? this.#times[LAST_WAKE_MS]! : 0;
    this.#wasHeld = false;
    return tookMs;
  }

  /** To be called after each message that was posted. */
  countPosted(): void {
    Atomics.add(this.#words, POSTED, 1);
  }

  invite(loop: number): void {
    Atomics.store(this.#words, INVITED_TO, loop);
    this.ring();
  }

  retire(): void {
    Atomics.store(this.#words, RETIRED, 1);
    this.ring();
  }

  get inside(): number {
    return Atomics.load(this.#words, INSIDE);
  }

  /** From the ring to the worker at work, where it slept; smoothed, in ms. */
  get wakeMs(): number {
    return this.#times[WAKE_MS]!;
  }

  // --- The worker's side

  /** To be read before looking for work, and passed to `sleep`: a ring in between is then not missed. */
  get rings(): number {
    return Atomics.load(this.#words, BELL);
  }

  get isRingComing(): boolean {
    return Atomics.load(this.#words, COMING) === 1;
  }

  get posted(): number {
    return Atomics.load(this.#words, POSTED);
  }

  takeInvitation(): number {
    if (Atomics.load(this.#words, INVITED_TO) === 0) return 0;
    return Atomics.exchange(this.#words, INVITED_TO, 0);
  }

  get isRetired(): boolean {
    return Atomics.load(this.#words, RETIRED) === 1;
  }

  enter(loop: number): void {
    Atomics.store(this.#words, INSIDE, loop);
  }

  leave(): void {
    Atomics.store(this.#words, INSIDE, 0);
  }

  /** Blocks the thread until the next ring. */
  sleep(rings: number): void {
    const words = this.#words;
    Atomics.store(words, ASLEEP, BLOCKED);
    const how = Atomics.wait(words, BELL, rings);
    Atomics.store(words, ASLEEP, this.#nextRing === undefined ? 0 : ON_LOOP);
    if (how === 'ok') this.#noteWake(timeOrigin + performance.now() - this.#times[RUNG_AT]!);
    if (Atomics.load(words, HELD) === 1) this.#waitToBeLetGo();
  }

  #noteWake(tookMs: number): void {
    this.#times[LAST_WAKE_MS] = tookMs;
    // Clocks that were set, and threads that were not scheduled for long, say nothing of waking.
    if (tookMs > 0 && tookMs < 1) this.#times[WAKE_MS]! += (tookMs - this.#times[WAKE_MS]!) / 8;
  }

  /** Takes a microsecond, except where the pool's thread loses its CPU in the middle of a ring. */
  #waitToBeLetGo(): void {
    const words = this.#words;
    const until = performance.now() + LOOK_MS;
    while (Atomics.load(words, HELD) === 1) {
      if (performance.now() > until) Atomics.wait(words, HELD, 1, HELD_SLEEP_MS);
    }
  }

  /**
   * Waits for the next ring while the thread's event loop runs on. One wait at a time, which stands until it is rung:
   * the word that says so would otherwise be taken back by one wait while another still relies on it.
   */
  nextRing(rings: number): Promise<void> {
    return (this.#nextRing ??= this.#waitForRing(rings));
  }

  async #waitForRing(rings: number): Promise<void> {
    Atomics.store(this.#words, ASLEEP, ON_LOOP);
    await (Atomics as unknown as WaitAsync).waitAsync(this.#words, BELL, rings).value;
    Atomics.store(this.#words, ASLEEP, 0);
    this.#nextRing = undefined;
  }
}
