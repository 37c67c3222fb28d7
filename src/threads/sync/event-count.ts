/**
 * Lets threads sleep until something happened to a data structure that itself knows nothing of sleeping.
 *
 * Method: D. Vyukov's event count: a word that moves on with each event that somebody waits for, and the number of those
 * who wait, so that an event costs one load while nobody does. Each stands on a cache line of its own. A thread that is
 * terminated while it waits stays counted: that costs later events a wake-up call, never correctness.
 */
export class EventCount {
  readonly words: Int32Array;
  /** The word that moves on. */
  readonly index: number;
  private readonly waiters: number;

  constructor(words: Int32Array, index: number, waiters: number) {
    this.words = words;
    this.index = index;
    this.waiters = waiters;
  }

  enterWait(): void {
    Atomics.add(this.words, this.waiters, 1);
  }

  leaveWait(): void {
    Atomics.sub(this.words, this.waiters, 1);
  }

  ticket(): number {
    return Atomics.load(this.words, this.index);
  }

  isAwaited(): boolean {
    return Atomics.load(this.words, this.waiters) !== 0;
  }

  /** To be called after the event: wakes up to `count` of those who wait. */
  signal(count: number): void {
    if (Atomics.load(this.words, this.waiters) === 0) return;
    Atomics.add(this.words, this.index, 1);
    Atomics.notify(this.words, this.index, count);
  }

  /** Makes everybody look again. */
  wakeAll(): void {
    Atomics.add(this.words, this.index, 1);
    Atomics.notify(this.words, this.index);
  }
}
