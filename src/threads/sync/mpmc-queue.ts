/**
 * A bounded queue for any number of producers and consumers.
 *
 * Method: D. Vyukov's bounded MPMC queue (1024cores.net): each slot carries the position at which it is next to be
 * written or read, so a thread claims a position by one compare-exchange and nobody waits for anybody who claimed
 * another. Sleeping is left to two event counts, which cost one load while nobody sleeps.
 *
 * Between claim and publication of a slot stands straight-line code: V8 terminates a thread only where a function begins
 * or a loop goes round, so `worker.terminate()` and `process.exit()` do not find it there. Hence the items are written
 * in line, without a call of our own. Rejected: a lock (a holder that dies).
 */
import { EventCount } from './event-count.js';
import { checkAttachment, checkCreation, requireBlock, type PrimitiveOptions } from './primitive.js';
import { itemShape, itemStore, storeBytes, type ItemStore, type QueueItem } from './queue-items.js';
import { SharedQueue, type QueueOptions, type QueueWords } from './queue.js';
import {
  createBlock,
  dataOffsetBytes,
  FIRST_WORD,
  LINE_WORDS,
  openBlock,
  type PrimitiveDescriptor,
  type SharedBlock,
} from './shared-block.js';

const TAIL = FIRST_WORD;
const HEAD = TAIL + LINE_WORDS;
const PUSHED = HEAD + LINE_WORDS;
const POP_WAITERS = PUSHED + LINE_WORDS;
const POPPED = POP_WAITERS + LINE_WORDS;
const PUSH_WAITERS = POPPED + LINE_WORDS;
const LINES = 6;

/** The algorithm alone. Positions wrap at 2^32 and are compared by their difference. */
export class MpmcWords implements QueueWords<QueueItem> {
  readonly words: Int32Array;
  readonly pushed: EventCount;
  readonly popped: EventCount;
  /** A slot's word: `position` to be written at, `position + 1` to be read. */
  private readonly turns: Int32Array;
  private readonly numbers: Float64Array;
  private readonly bytes: Uint8Array;
  private readonly lengths: Int32Array;
  private readonly itemBytes: number;
  private readonly mask: number;

  constructor(words: Int32Array, turns: Int32Array, store: ItemStore) {
    this.words = words;
    this.turns = turns;
    this.pushed = new EventCount(words, PUSHED, POP_WAITERS);
    this.popped = new EventCount(words, POPPED, PUSH_WAITERS);
    this.numbers = store.numbers;
    this.bytes = store.bytes;
    this.lengths = store.lengths;
    this.itemBytes = store.itemBytes;
    this.mask = turns.length - 1;
  }

  push(item: QueueItem): boolean {
    let at = Atomics.load(this.words, TAIL);
    for (;;) {
      const ahead = (Atomics.load(this.turns, at & this.mask) - at) | 0;
      if (ahead < 0) return false;
      if (ahead > 0) {
        at = Atomics.load(this.words, TAIL);
        continue;
      }
      const seen = Atomics.compareExchange(this.words, TAIL, at, (at + 1) | 0);
      if (seen === at) break;
      at = seen;
    }
    const slot = at & this.mask;
    if (typeof item === 'number') this.numbers[slot] = item;
    else {
      this.bytes.set(item, slot * this.itemBytes);
      this.lengths[slot] = item.length;
    }
    Atomics.store(this.turns, slot, (at + 1) | 0);
    if (this.pushed.isAwaited()) this.pushed.signal(this.filled());
    return true;
  }

  pop(): QueueItem | undefined {
    let at = Atomics.load(this.words, HEAD);
    for (;;) {
      const ahead = (Atomics.load(this.turns, at & this.mask) - at - 1) | 0;
      if (ahead < 0) return undefined;
      if (ahead > 0) {
        at = Atomics.load(this.words, HEAD);
        continue;
      }
      const seen = Atomics.compareExchange(this.words, HEAD, at, (at + 1) | 0);
      if (seen === at) break;
      at = seen;
    }
    const slot = at & this.mask;
    let item: QueueItem | undefined;
    if (this.itemBytes === 0) item = this.numbers[slot];
    else {
      const from = slot * this.itemBytes;
      // Of a plain buffer: `slice` of shared memory copies to an ordinary one.
      item = new Uint8Array(this.bytes.subarray(from, from + (this.lengths[slot] as number)));
    }
    Atomics.store(this.turns, slot, (at + this.mask + 1) | 0);
    if (this.popped.isAwaited()) this.popped.signal(this.mask + 2 - this.filled());
    return item;
  }

  /**
   * Positions claimed and not taken, at least 1: as many sleepers must be woken, not one. One alone may find the slot before
   * its own not yet published and go back to sleep, and the wake-up of that slot's publisher serves only one of both.
   */
  private filled(): number {
    const tail = Atomics.load(this.words, TAIL);
    return Math.min(this.mask + 1, Math.max(1, (tail - Atomics.load(this.words, HEAD)) | 0));
  }

  pushes(): number {
    return Atomics.load(this.words, TAIL);
  }

  pops(): number {
    return Atomics.load(this.words, HEAD);
  }
}

function queueOver(block: SharedBlock): MpmcWords {
  const [capacity] = block.parameters;
  const turns = new Int32Array(block.memory, dataOffsetBytes(LINES), capacity);
  return new MpmcWords(block.words, turns, itemStore(block, LINES, capacity * 4));
}

/**
 * A bounded queue between threads: first in, first out, any number on either side.
 *
 * Cost without contention: about 260 ns for push and pop of a number (busy VM).
 *
 * @example
 * const jobs = MpmcQueue.create({ capacity: 1_024 });
 * await jobs.pushAsync(7);
 * // In a worker: const job = MpmcQueue.from(descriptor).pop();
 */
export class MpmcQueue<T extends QueueItem = number> extends SharedQueue<'mpmc-queue', T> {
  private constructor(block: SharedBlock, options: PrimitiveOptions) {
    super(
      'mpmc-queue',
      block,
      queueOver(requireBlock('mpmc-queue', block)) as unknown as QueueWords<T>,
      options,
    );
  }

  /** @throws INVALID_ARGUMENT */
  static create(options: QueueOptions & { readonly maxItemBytes: number }): MpmcQueue<Uint8Array>;
  static create(options: QueueOptions & { readonly maxItemBytes?: undefined }): MpmcQueue;
  static create(options: QueueOptions): MpmcQueue<QueueItem> {
    checkCreation(options, ['capacity', 'maxItemBytes']);
    const [capacity, itemBytes] = itemShape(options);
    const dataBytes = capacity * 4 + storeBytes(capacity, itemBytes);
    const block = createBlock('mpmc-queue', LINES, [capacity, itemBytes], dataBytes);
    const turns = new Int32Array(block.memory, dataOffsetBytes(LINES), capacity);
    for (let slot = 0; slot < capacity; slot += 1) turns[slot] = slot;
    return new MpmcQueue<QueueItem>(block, options);
  }

  /** @throws INVALID_ARGUMENT for a descriptor of something else. */
  static from<T extends QueueItem = number>(
    descriptor: PrimitiveDescriptor<'mpmc-queue'>,
    options: Omit<PrimitiveOptions, 'name'> = {},
  ): MpmcQueue<T> {
    checkAttachment(options);
    const block = openBlock('mpmc-queue', descriptor);
    return new MpmcQueue<T>(block, { ...options, name: block.name });
  }
}
