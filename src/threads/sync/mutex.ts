/**
 * A lock that one thread at a time holds, and that survives its holder.
 *
 * Method: the three states of U. Drepper's "Futexes are tricky" (2011, mutex 2): free, held, held with sleepers. Locking
 * and unlocking without contention are one compare-exchange and one exchange; only an unlock that may have sleepers
 * makes a call to wake one. As in Linux's robust futexes the word also carries the holder, so taking the lock and
 * becoming known as its holder are one step: a thread that is terminated anywhere leaves a lock that is either free
 * or known to be its own. Rejected: a queue of waiters in shared memory (fair, but a terminated waiter breaks it).
 */
import { threadId } from 'node:worker_threads';
import { describe, fail } from '../../errors.js';
import { integerWithin } from '../check.js';
import {
  BLOCKING_KEYS,
  NO_OPTIONS,
  WAIT_KEYS,
  SharedPrimitive,
  checkAttachment,
  checkCreation,
  checkWait,
  type BlockingOptions,
  type PrimitiveOptions,
  type WaitOptions,
} from './primitive.js';
import {
  Counter,
  createBlock,
  FIRST_WORD,
  openBlock,
  type PrimitiveDescriptor,
  type SharedBlock,
} from './shared-block.js';
import type { Turn } from './waiting.js';

/** What the one who got the lock has to know. */
export interface LockResult {
  /** The holder before died with the lock: what it guards may be half changed. Said once, to the next holder. */
  readonly abandoned: boolean;
}

const LOCKED: LockResult = Object.freeze({ abandoned: false });
const LOCKED_ABANDONED: LockResult = Object.freeze({ abandoned: true });

// The word: 0 is free; otherwise `holder << 2 | abandoned << 1 | sleepers`, holder 0 only where abandoned.
const FREE = 0;
const SLEEPERS = 1;
const ABANDONED = 2;
const HOLDER_SHIFT = 2;
/** No value that the word can have: not to sleep at all. */
const NEVER = -1;

/** The algorithm alone, which the model check steps through. */
export class LockWord implements Turn<undefined, LockResult> {
  readonly words: Int32Array;
  readonly index: number;
  private readonly holder: number;

  /** @param holder above 0, of this thread alone. */
  constructor(words: Int32Array, index: number, holder: number) {
    this.words = words;
    this.index = index;
    this.holder = holder;
  }

  attempt(_: undefined, hasWaited: boolean): LockResult | undefined {
    for (;;) {
      const word = Atomics.load(this.words, this.index);
      if (word >> HOLDER_SHIFT !== 0) return undefined;
      // Who slept cannot know whether others still do, and must claim so.
      const flags = hasWaited ? SLEEPERS : word & SLEEPERS;
      const mine = (this.holder << HOLDER_SHIFT) | flags;
      if (Atomics.compareExchange(this.words, this.index, word, mine) !== word) continue;
      return (word & ABANDONED) === 0 ? LOCKED : LOCKED_ABANDONED;
    }
  }

  enterWait(): void {
    // The mark that somebody sleeps is set with the ticket: it must be there for each holder anew.
  }

  leaveWait(): void {
    // A mark too many costs the holder one vain wake-up call.
  }

  ticket(): number {
    for (;;) {
      const word = Atomics.load(this.words, this.index);
      // Free: it may be taken and given back unmarked in between, so sleeping on this value could be for ever.
      if (word >> HOLDER_SHIFT === 0) return NEVER;
      if ((word & SLEEPERS) !== 0) return word;
      const marked = word | SLEEPERS;
      if (Atomics.compareExchange(this.words, this.index, word, marked) === word) return marked;
    }
  }

  /** False where this thread does not hold the lock. */
  release(): boolean {
    if (Atomics.load(this.words, this.index) >> HOLDER_SHIFT !== this.holder) return false;
    const word = Atomics.exchange(this.words, this.index, FREE);
    if ((word & SLEEPERS) !== 0) Atomics.notify(this.words, this.index, 1);
    return true;
  }

  /** True where the dead thread held the lock. */
  abandon(holder: number): boolean {
    let held = false;
    for (;;) {
      const word = Atomics.load(this.words, this.index);
      if (word >> HOLDER_SHIFT !== holder) break;
      const left = ABANDONED | (word & SLEEPERS);
      held = Atomics.compareExchange(this.words, this.index, word, left) === word;
      if (held) break;
    }
    // In any case: it may have died woken, or on the way to waking somebody.
    Atomics.notify(this.words, this.index);
    return held;
  }

  /** Holder of the lock, 0 for none. */
  heldBy(): number {
    return Atomics.load(this.words, this.index) >> HOLDER_SHIFT;
  }
}

/** Holders are thread ids plus one, since the main thread's is 0. */
const holderOf = (id: number): number => id + 1;
const MAX_THREAD_ID = 2 ** 29 - 2;

/**
 * Mutual exclusion between threads. Not recursive, not fair: a running thread may take the lock before one that is
 * just being woken.
 *
 * The holder is the thread, so two asynchronous callers of one thread exclude each other, but `unlock` cannot tell them
 * apart; prefer `withLock` and `withLockAsync`.
 *
 * Cost: about 130 ns for lock and unlock without contention (busy VM); being woken costs 10 µs and more.
 *
 * @example
 * const mutex = Mutex.create({ name: 'ledger' });
 * new Worker(file, { workerData: mutex.descriptor });
 * await mutex.withLockAsync(({ abandoned }) => (abandoned ? repair() : append()));
 * // In the worker: Mutex.from(workerData).withLock(() => append());
 */
export class Mutex extends SharedPrimitive<'mutex'> {
  readonly #word: LockWord;

  private constructor(block: SharedBlock, options: PrimitiveOptions) {
    super('mutex', block, options);
    this.#word = new LockWord(block.words, FIRST_WORD, holderOf(threadId));
  }

  /** @throws INVALID_ARGUMENT */
  static create(options: PrimitiveOptions = {}): Mutex {
    checkCreation(options);
    return new Mutex(createBlock('mutex', 1, [0, 0]), options);
  }

  /** Attaches to a mutex of another thread. @throws INVALID_ARGUMENT for a descriptor of something else. */
  static from(descriptor: PrimitiveDescriptor<'mutex'>, options: Omit<PrimitiveOptions, 'name'> = {}): Mutex {
    checkAttachment(options);
    const block = openBlock('mutex', descriptor);
    return new Mutex(block, { ...options, name: block.name });
  }

  /** Whether this thread holds the lock. */
  get isMine(): boolean {
    return this.#word.heldBy() === holderOf(threadId);
  }

  /** Takes the lock if it is free, in any thread; undefined where it is not. Never waits. */
  tryLock(): LockResult | undefined {
    const result = this.#word.attempt(undefined, false);
    if (result !== undefined) this.tally.add(Counter.ACQUIRED, 1);
    return result;
  }

  /**
   * Blocks until the lock is this thread's.
   *
   * @throws WAIT_ON_MAIN_THREAD there, unless allowed. @throws LOCK_RECURSIVE where this thread holds it already: it would
   * wait for itself. @throws WAIT_TIMED_OUT
   */
  lock(options: BlockingOptions = NO_OPTIONS): LockResult {
    this.requireBlocking('lock');
    checkWait(options, BLOCKING_KEYS);
    const result = this.tryLock();
    if (result !== undefined) return result;
    if (this.isMine) throw fail('LOCK_RECURSIVE', { name: this.name, threadId });
    return this.#counted(this.blockForTurn(this.#word, undefined, options));
  }

  /** Waits without blocking; keeps the event loop alive meanwhile. @throws WAIT_TIMED_OUT, ABORTED */
  async lockAsync(options: WaitOptions = NO_OPTIONS): Promise<LockResult> {
    checkWait(options, WAIT_KEYS);
    if (options.signal?.aborted !== true) {
      const result = this.tryLock();
      if (result !== undefined) return result;
    }
    return this.#counted(await this.awaitTurn(this.#word, undefined, options));
  }

  /** @throws LOCK_NOT_HELD where another thread holds the lock, or none. */
  unlock(): void {
    if (this.#word.release()) return;
    const holder = this.#word.heldBy();
    const state = holder === 0 ? 'nobody holds it' : `thread ${holder - 1} holds it`;
    throw fail('LOCK_NOT_HELD', { name: this.name, threadId, state });
  }

  /** Runs a function with the lock held; gives it back whatever happens. Throws what `lock` throws and what it throws. */
  withLock<R>(action: (result: LockResult) => R, options: BlockingOptions = NO_OPTIONS): R {
    requireAction(action);
    const result = this.lock(options);
    try {
      return action(result);
    } finally {
      this.unlock();
    }
  }

  /** The same without blocking; the function may be asynchronous. */
  async withLockAsync<R>(
    action: (result: LockResult) => R | Promise<R>,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<R> {
    requireAction(action);
    const result = await this.lockAsync(options);
    try {
      return await action(result);
    } finally {
      this.unlock();
    }
  }

  /**
   * To be called once a thread is gone for certain, by any other: if it held the lock, the next holder learns that it was
   * abandoned. `recoverOnExit` does this for a worker by itself.
   *
   * @returns whether the thread held the lock.
   */
  recover(deadThreadId: number): boolean {
    integerWithin('deadThreadId', deadThreadId, 0, MAX_THREAD_ID);
    const held = this.#word.abandon(holderOf(deadThreadId));
    if (held) this.tally.add(Counter.ABANDONED, 1);
    return held;
  }

  #counted(result: LockResult): LockResult {
    this.tally.add(Counter.ACQUIRED, 1);
    return result;
  }
}

/** Looked at before the lock is taken. */
function requireAction(action: unknown): void {
  if (typeof action === 'function') return;
  throw fail('INVALID_ARGUMENT', { name: 'action', actual: describe(action), expected: 'a function' });
}
