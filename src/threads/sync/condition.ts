/**
 * Waiting, with a mutex given up meanwhile, until another thread says that something changed.
 *
 * Method: a sequence word that every notification moves on, read while the mutex is still held (the scheme of
 * bionic and musl's private conditions): a notification between unlocking and sleeping changes the word, and
 * `Atomics.wait` refuses to sleep. Like theirs, a wait may end without a cause, so the condition is to be checked in
 * a loop; `waitFor` does. Rejected: moving sleepers to the mutex's word (FUTEX_REQUEUE has no counterpart in Atomics).
 */
import { integerWithin } from '../check.js';
import type { LockResult, Mutex } from './mutex.js';
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
import { describe, fail, WaitTimeoutError } from '../../errors.js';
import { threadId } from 'node:worker_threads';

/** The algorithm alone. The argument of a turn is the sequence that was read under the mutex. */
export class ConditionWord implements Turn<number, true> {
  readonly words: Int32Array;
  readonly index: number;

  constructor(words: Int32Array, index: number) {
    this.words = words;
    this.index = index;
  }

  attempt(before: number): true | undefined {
    return Atomics.load(this.words, this.index) === before ? undefined : true;
  }

  enterWait(): void {
    // Sleepers are not counted: a notification is rare beside what it tells of.
  }

  leaveWait(): void {
    // As above.
  }

  ticket(): number {
    return Atomics.load(this.words, this.index);
  }

  announce(count: number): void {
    Atomics.add(this.words, this.index, 1);
    Atomics.notify(this.words, this.index, count);
  }
}

const NOT_ABANDONED: LockResult = Object.freeze({ abandoned: false });

export interface ConditionResult {
  /** False where the time was over. The mutex is held again either way. */
  readonly notified: boolean;
  /** As `LockResult.abandoned`, of the mutex that was taken again. */
  readonly abandoned: boolean;
}

/**
 * A condition variable for use with a `Mutex`.
 *
 * @example
 * const condition = Condition.create();
 * // One thread
 * mutex.lock();
 * condition.waitFor(mutex, () => queue.length > 0);
 * mutex.unlock();
 * // Another
 * mutex.withLock(() => { queue.push(item); condition.notifyOne(); });
 */
export class Condition extends SharedPrimitive<'condition'> {
  readonly #word: ConditionWord;

  private constructor(block: SharedBlock, options: PrimitiveOptions) {
    super('condition', block, options);
    this.#word = new ConditionWord(block.words, FIRST_WORD);
  }

  /** @throws INVALID_ARGUMENT */
  static create(options: PrimitiveOptions = {}): Condition {
    checkCreation(options);
    return new Condition(createBlock('condition', 1, [0, 0]), options);
  }

  /** @throws INVALID_ARGUMENT for a descriptor of something else. */
  static from(
    descriptor: PrimitiveDescriptor<'condition'>,
    options: Omit<PrimitiveOptions, 'name'> = {},
  ): Condition {
    checkAttachment(options);
    const block = openBlock('condition', descriptor);
    return new Condition(block, { ...options, name: block.name });
  }

  /**
   * Gives the mutex up, sleeps until notified (or for no cause), takes the mutex again. The time limits the sleep, not
   * taking the mutex.
   *
   * @throws LOCK_NOT_HELD, WAIT_ON_MAIN_THREAD
   */
  wait(mutex: Mutex, options: BlockingOptions = NO_OPTIONS): ConditionResult {
    this.requireBlocking('wait');
    checkWait(options, BLOCKING_KEYS);
    const before = this.#begin(mutex);
    let notified = true;
    let result;
    try {
      this.blockForTurn(this.#word, before, options);
    } catch (error) {
      if (!(error instanceof WaitTimeoutError)) throw error;
      notified = false;
    } finally {
      result = mutex.lock();
    }
    return this.#end(notified, result.abandoned);
  }

  /** The same without blocking. @throws LOCK_NOT_HELD, ABORTED (with the mutex held again) */
  async waitAsync(mutex: Mutex, options: WaitOptions = NO_OPTIONS): Promise<ConditionResult> {
    checkWait(options, WAIT_KEYS);
    const before = this.#begin(mutex);
    let notified = true;
    let result;
    try {
      await this.awaitTurn(this.#word, before, options);
    } catch (error) {
      if (!(error instanceof WaitTimeoutError)) throw error;
      notified = false;
    } finally {
      result = await mutex.lockAsync();
    }
    return this.#end(notified, result.abandoned);
  }

  /**
   * Waits until the predicate, called with the mutex held, returns true. The time is for all of it.
   *
   * @param predicate is told whether the mutex was abandoned by who held it meanwhile: what it guards may be half changed.
   * @returns false where the time was over first. @throws what `wait` and the predicate throw.
   */
  waitFor(
    mutex: Mutex,
    predicate: (lock: LockResult) => boolean,
    options: BlockingOptions = NO_OPTIONS,
  ): boolean {
    this.requireBlocking('waitFor');
    checkWait(options, BLOCKING_KEYS);
    this.#check(mutex, predicate);
    const deadlineMs = performance.now() + (options.timeoutMs ?? Infinity);
    let lock: LockResult = NOT_ABANDONED;
    while (!predicate(lock)) {
      const timeoutMs = deadlineMs - performance.now();
      if (timeoutMs <= 0) return false;
      lock = this.wait(mutex, timeoutMs === Infinity ? {} : { timeoutMs });
    }
    return true;
  }

  /** The same without blocking. @throws what `waitAsync` and the predicate throw, with the mutex held. */
  async waitForAsync(
    mutex: Mutex,
    predicate: (lock: LockResult) => boolean,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<boolean> {
    checkWait(options, WAIT_KEYS);
    this.#check(mutex, predicate);
    const deadlineMs = performance.now() + (options.timeoutMs ?? Infinity);
    const { signal } = options;
    let lock: LockResult = NOT_ABANDONED;
    while (!predicate(lock)) {
      const timeoutMs = deadlineMs - performance.now();
      if (timeoutMs <= 0) return false;
      lock = await this.waitAsync(mutex, {
        ...(timeoutMs !== Infinity && { timeoutMs }),
        ...(signal !== undefined && { signal }),
      });
    }
    return true;
  }

  /** Wakes one waiting thread. The mutex need not be held, but what changed must have changed under it. */
  notifyOne(): void {
    this.#word.announce(1);
  }

  notifyAll(): void {
    this.#word.announce(Infinity);
  }

  /** Once a thread is gone: it may have taken a wake-up with it, so everybody looks again. */
  recover(deadThreadId: number): void {
    integerWithin('deadThreadId', deadThreadId, 0, Number.MAX_SAFE_INTEGER);
    this.#word.announce(Infinity);
  }

  #begin(mutex: Mutex): number {
    const before = this.#word.ticket();
    requireHeld(mutex);
    mutex.unlock();
    return before;
  }

  /** Also where nobody has to wait: a mistake has to show at once. @throws INVALID_ARGUMENT, LOCK_NOT_HELD */
  #check(mutex: Mutex, predicate: unknown): void {
    if (typeof predicate !== 'function') {
      const actual = describe(predicate);
      throw fail('INVALID_ARGUMENT', {
        name: 'predicate',
        actual,
        expected: 'a function that returns a boolean',
      });
    }
    requireHeld(mutex);
  }

  #end(notified: boolean, abandoned: boolean): ConditionResult {
    if (notified) this.tally.add(Counter.ACQUIRED, 1);
    return { notified, abandoned };
  }
}

/** @throws INVALID_ARGUMENT, LOCK_NOT_HELD */
function requireHeld(mutex: Mutex): void {
  if (typeof (mutex as Partial<Mutex> | undefined)?.isMine !== 'boolean') {
    throw fail('INVALID_ARGUMENT', { name: 'mutex', actual: describe(mutex), expected: 'a Mutex' });
  }
  if (mutex.isMine) return;
  throw fail('LOCK_NOT_HELD', { name: mutex.name, threadId, state: 'waiting needs it held' });
}
