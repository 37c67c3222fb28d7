/**
 * A number of permits that threads take and give.
 *
 * Method: one word with the free permits, taken by compare-exchange; an event count for those who find too few.
 *
 * Permits have no holder: whoever has nothing taken may give one too, as when a producer counts items. So a thread that
 * dies takes its permits with it, and only the program knows how many: `recover(deadThreadId, permits)` gives
 * them back. Rejected: a word of its own for each permit that names its holder; robust, but a scan for each acquisition
 * and no counting. For one permit with a holder there is the mutex.
 */
import { fail } from '../../errors.js';
import { integerWithin } from '../check.js';
import { EventCount } from './event-count.js';
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
  LINE_WORDS,
  openBlock,
  type PrimitiveDescriptor,
  type SharedBlock,
} from './shared-block.js';
import type { Turn } from './waiting.js';

const FREE = FIRST_WORD;
const EVENT = FIRST_WORD + LINE_WORDS;
const WAITERS = EVENT + LINE_WORDS;
const LINES = 3;
const MAX_PERMITS = 2 ** 30;

/** The algorithm alone. The argument of a turn is how many permits it needs. */
export class PermitWord implements Turn<number, true> {
  readonly words: Int32Array;
  readonly index: number;
  readonly returned: EventCount;
  private readonly max: number;

  constructor(words: Int32Array, max: number) {
    this.words = words;
    this.index = EVENT;
    this.returned = new EventCount(words, EVENT, WAITERS);
    this.max = max;
  }

  attempt(permits: number): true | undefined {
    for (;;) {
      const free = Atomics.load(this.words, FREE);
      if (free < permits) return undefined;
      if (Atomics.compareExchange(this.words, FREE, free, free - permits) === free) return true;
    }
  }

  enterWait(): void {
    this.returned.enterWait();
  }

  leaveWait(): void {
    this.returned.leaveWait();
  }

  ticket(): number {
    return this.returned.ticket();
  }

  /** False where there would be more than there are. */
  give(permits: number): boolean {
    for (;;) {
      const free = Atomics.load(this.words, FREE);
      if (free + permits > this.max) return false;
      if (Atomics.compareExchange(this.words, FREE, free, free + permits) === free) break;
    }
    // Those who wait may need several each, so that waking as many as permits could wake the wrong ones.
    this.returned.signal(Infinity);
    return true;
  }

  free(): number {
    return Atomics.load(this.words, FREE);
  }
}

const ACQUIRE_KEYS = [...BLOCKING_KEYS, 'permits'];
const ACQUIRE_ASYNC_KEYS = [...WAIT_KEYS, 'permits'];

export interface SemaphoreOptions extends PrimitiveOptions {
  /** Permits that are free at the beginning: 0 to 2^30. */
  readonly permits: number;
  /** Most permits there can be. Default: `permits`, or 2^30 where that is 0. */
  readonly maxPermits?: number;
}

/**
 * Limits how many threads do something at once, or counts what one thread has ready for another.
 *
 * Not fair: who needs many permits may wait long beside those who need few.
 *
 * @example
 * const semaphore = Semaphore.create({ permits: 4 });
 * await semaphore.acquireAsync({ timeoutMs: 1_000 });
 * try { await query(); } finally { semaphore.release(); }
 */
export class Semaphore extends SharedPrimitive<'semaphore'> {
  /** Most permits there can be. */
  readonly maxPermits: number;
  readonly #word: PermitWord;

  private constructor(block: SharedBlock, options: PrimitiveOptions) {
    super('semaphore', block, options);
    this.maxPermits = block.parameters[0];
    this.#word = new PermitWord(block.words, this.maxPermits);
  }

  /** @throws INVALID_ARGUMENT */
  static create(options: SemaphoreOptions): Semaphore {
    checkCreation(options, ['permits', 'maxPermits']);
    const permits = integerWithin('permits', options.permits, 0, MAX_PERMITS);
    const most = options.maxPermits ?? (permits === 0 ? MAX_PERMITS : permits);
    const maxPermits = integerWithin('maxPermits', most, Math.max(1, permits), MAX_PERMITS);
    const block = createBlock('semaphore', LINES, [maxPermits, 0]);
    Atomics.store(block.words, FREE, permits);
    return new Semaphore(block, options);
  }

  /** @throws INVALID_ARGUMENT for a descriptor of something else. */
  static from(
    descriptor: PrimitiveDescriptor<'semaphore'>,
    options: Omit<PrimitiveOptions, 'name'> = {},
  ): Semaphore {
    checkAttachment(options);
    const block = openBlock('semaphore', descriptor);
    return new Semaphore(block, { ...options, name: block.name });
  }

  /** Free at this moment. */
  get available(): number {
    return this.#word.free();
  }

  /** Takes permits if there are enough. Never waits. */
  tryAcquire(permits = 1): boolean {
    this.#require(permits);
    if (this.#word.attempt(permits) === undefined) return false;
    this.tally.add(Counter.ACQUIRED, 1);
    return true;
  }

  /** Blocks until there are enough. @throws WAIT_ON_MAIN_THREAD, WAIT_TIMED_OUT */
  acquire(options: BlockingOptions & { readonly permits?: number } = NO_OPTIONS): void {
    this.requireBlocking('acquire');
    checkWait(options, ACQUIRE_KEYS);
    const { permits = 1, ...rest } = options;
    if (this.tryAcquire(permits)) return;
    this.blockForTurn(this.#word, permits, rest);
    this.tally.add(Counter.ACQUIRED, 1);
  }

  /** Waits without blocking; keeps the event loop alive meanwhile. @throws WAIT_TIMED_OUT, ABORTED */
  async acquireAsync(options: WaitOptions & { readonly permits?: number } = NO_OPTIONS): Promise<void> {
    checkWait(options, ACQUIRE_ASYNC_KEYS);
    const { permits = 1, ...rest } = options;
    if (options.signal?.aborted !== true && this.tryAcquire(permits)) return;
    await this.awaitTurn(this.#word, permits, rest);
    this.tally.add(Counter.ACQUIRED, 1);
  }

  /** Gives permits back, or adds some. @throws SEMAPHORE_OVERFLOW beyond `maxPermits`. */
  release(permits = 1): void {
    this.#require(permits);
    if (this.#word.give(permits)) return;
    throw fail('SEMAPHORE_OVERFLOW', { name: this.name, permits, maxPermits: this.maxPermits });
  }

  /**
   * Once a thread is gone: gives back the permits that it held (default 0: nobody but the program knows), and wakes those
   * whose wake-up it may have taken along.
   *
   * @throws SEMAPHORE_OVERFLOW, INVALID_ARGUMENT
   */
  recover(deadThreadId: number, permits = 0): void {
    integerWithin('deadThreadId', deadThreadId, 0, Number.MAX_SAFE_INTEGER);
    if (integerWithin('permits', permits, 0, this.maxPermits) > 0) this.release(permits);
    this.#word.returned.wakeAll();
  }

  #require(permits: number): void {
    integerWithin('permits', permits, 1, this.maxPermits);
  }
}
