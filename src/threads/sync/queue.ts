/** What both queues offer: push and pop that try, block or wait, closing, and figures. */
import { fail } from '../../errors.js';
import { integerWithin } from '../check.js';
import type { EventCount } from './event-count.js';
import {
  BLOCKING_KEYS,
  NO_OPTIONS,
  WAIT_KEYS,
  SharedPrimitive,
  checkWait,
  type BlockingOptions,
  type ContentionStats,
  type PrimitiveOptions,
  type WaitOptions,
} from './primitive.js';
import { CLOSED, type SharedBlock } from './shared-block.js';
import { requireItem, type ItemOptions, type QueueItem } from './queue-items.js';
import type { Turn } from './waiting.js';

/** What sleepers wait on: for a queue's words see its own file. */
export interface QueueWords<T extends QueueItem> {
  readonly words: Int32Array;
  readonly pushed: EventCount;
  readonly popped: EventCount;
  /** False where the queue is full. */
  push(item: T): boolean;
  /** Undefined where the queue is empty. */
  pop(): T | undefined;
  pushes(): number;
  pops(): number;
}

export interface QueueOptions extends PrimitiveOptions, ItemOptions {}

export interface QueueStats extends ContentionStats {
  /** Modulo 2^32. */
  readonly pushes: number;
  /** Modulo 2^32. */
  readonly pops: number;
  readonly size: number;
  readonly capacity: number;
}

/** The turn of one who pushes, or of one who pops. */
class QueueTurn<A, R> implements Turn<A, R> {
  readonly words: Int32Array;
  readonly index: number;
  readonly attempt: (argument: A) => R | undefined;
  readonly #event: EventCount;

  constructor(event: EventCount, attempt: (argument: A) => R | undefined) {
    this.words = event.words;
    this.index = event.index;
    this.attempt = attempt;
    this.#event = event;
  }

  enterWait(): void {
    this.#event.enterWait();
  }

  leaveWait(): void {
    this.#event.leaveWait();
  }

  ticket(): number {
    return this.#event.ticket();
  }
}

export abstract class SharedQueue<
  K extends 'mpmc-queue' | 'spsc-ring',
  T extends QueueItem,
> extends SharedPrimitive<K> {
  /** Items that fit. */
  readonly capacity: number;
  readonly #queue: QueueWords<T>;
  readonly #itemBytes: number;
  readonly #what: string;
  readonly #pushing: Turn<T, true>;
  readonly #popping: Turn<undefined, T>;

  protected constructor(kind: K, block: SharedBlock, queue: QueueWords<T>, options: PrimitiveOptions) {
    super(kind, block, options);
    [this.capacity, this.#itemBytes] = block.parameters;
    this.#queue = queue;
    this.#what = `${kind} "${this.name}"`;
    // Bytes may have been detached, or have grown, while they waited.
    this.#pushing = new QueueTurn(queue.popped, (item: T) => this.tryPush(item) || undefined);
    this.#popping = new QueueTurn(queue.pushed, () => this.#pop());
  }

  /** Items that stand in it at this moment, with those being written and read. */
  get size(): number {
    return Math.max(0, (this.#queue.pushes() - this.#queue.pops()) | 0);
  }

  get isClosed(): boolean {
    return Atomics.load(this.#queue.words, CLOSED) !== 0;
  }

  /** False where the queue is full. Never waits. @throws INVALID_ARGUMENT, CLOSED */
  tryPush(item: T): boolean {
    requireItem(item, this.#itemBytes);
    return this.#push(item);
  }

  /** Undefined where the queue is empty. Never waits. @throws CLOSED once closed and empty. */
  tryPop(): T | undefined {
    return this.#pop();
  }

  /** Blocks while the queue is full. @throws WAIT_ON_MAIN_THREAD, WAIT_TIMED_OUT, CLOSED, INVALID_ARGUMENT */
  push(item: T, options: BlockingOptions = NO_OPTIONS): void {
    this.requireBlocking('push');
    checkWait(options, BLOCKING_KEYS);
    if (!this.tryPush(item)) this.blockForTurn(this.#pushing, item, options);
  }

  /** Blocks while the queue is empty. @throws WAIT_ON_MAIN_THREAD, WAIT_TIMED_OUT, CLOSED */
  pop(options: BlockingOptions = NO_OPTIONS): T {
    this.requireBlocking('pop');
    checkWait(options, BLOCKING_KEYS);
    return this.#pop() ?? this.blockForTurn(this.#popping, undefined, options);
  }

  /** Waits without blocking while the queue is full. @throws WAIT_TIMED_OUT, ABORTED, CLOSED, INVALID_ARGUMENT */
  async pushAsync(item: T, options: WaitOptions = NO_OPTIONS): Promise<void> {
    checkWait(options, WAIT_KEYS);
    if (options.signal?.aborted !== true && this.tryPush(item)) return;
    requireItem(item, this.#itemBytes);
    await this.awaitTurn(this.#pushing, item, options);
  }

  /** Waits without blocking while the queue is empty. @throws WAIT_TIMED_OUT, ABORTED, CLOSED */
  async popAsync(options: WaitOptions = NO_OPTIONS): Promise<T> {
    checkWait(options, WAIT_KEYS);
    const item = options.signal?.aborted === true ? undefined : this.#pop();
    return item ?? this.awaitTurn(this.#popping, undefined, options);
  }

  /**
   * From now on pushing throws, and so does popping once the queue is empty. To be called when all who push are done: an
   * item that is pushed at the same moment may stay in it. Twice is no error.
   */
  close(): void {
    Atomics.store(this.#queue.words, CLOSED, 1);
    this.#queue.pushed.wakeAll();
    this.#queue.popped.wakeAll();
  }

  /** Once a thread is gone: makes everybody look again, for it may have taken a wake-up with it. */
  recover(deadThreadId: number): void {
    integerWithin('deadThreadId', deadThreadId, 0, Number.MAX_SAFE_INTEGER);
    this.#queue.pushed.wakeAll();
    this.#queue.popped.wakeAll();
  }

  override stats(): QueueStats {
    const pushes = this.#queue.pushes() >>> 0;
    const pops = this.#queue.pops() >>> 0;
    return {
      ...super.stats(),
      acquisitions: pushes + pops,
      pushes,
      pops,
      size: this.size,
      capacity: this.capacity,
    };
  }

  #push(item: T): boolean {
    if (this.isClosed) throw fail('CLOSED', { what: this.#what });
    return this.#queue.push(item);
  }

  #pop(): T | undefined {
    const item = this.#queue.pop();
    if (item === undefined && this.isClosed && this.size === 0) throw fail('CLOSED', { what: this.#what });
    return item;
  }
}
