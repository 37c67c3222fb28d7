/**
 * The words through which a pool talks to one of its workers without a message. Everything is an ordinary message
 * (see messages.ts) except what must be quick: waking, inviting to a loop, and knowing which loop a worker is in.
 */
import { LINE_WORDS } from './partition/partitioner.js';

const BELL = 0; // counts up; the worker sleeps on it
const INVITED_TO = 1; // loop that the pool wants it in; 0 none
const RETIRED = 2; // 1: leave when idle
const INSIDE = LINE_WORDS; // loop that the worker is in; 0 none. Written by the worker.

/** In every supported Node, but in TypeScript's library only from ES2024 on. */
interface WaitAsync {
  waitAsync(words: Int32Array, index: number, value: number): { value: string | Promise<string> };
}

export class Mailbox {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(LINE_WORDS * 2 * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  // --- The pool's side

  ring(): void {
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
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

  // --- The worker's side

  /** To be read before looking for work, and passed to `sleep`: a ring in between is then not missed. */
  get rings(): number {
    return Atomics.load(this.#words, BELL);
  }

  takeInvitation(): number {
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
    Atomics.wait(this.#words, BELL, rings);
  }

  /** Waits for the next ring while the thread's event loop runs on. */
  async nextRing(rings: number): Promise<void> {
    await (Atomics as unknown as WaitAsync).waitAsync(this.#words, BELL, rings).value;
  }
}
