/**
 * A bounded queue for one producer and one consumer.
 *
 * Method: Lamport's ring with what E. Rigtorp's SPSCQueue adds: each side keeps a copy of the other's position and reads
 * the shared one only when the copy says full or empty, so a cache line moves once for many items. An item
 * counts from the store of the position on: a thread that dies in between leaves the ring whole.
 *
 * A second thread on one side would corrupt it silently, so each side belongs to the thread that first uses it, and others
 * are refused until that thread leaves the side or is declared dead.
 */
import { threadId } from 'node:worker_threads';
import { fail } from '../../errors.js';
import { EventCount } from './event-count.js';
import { checkAttachment, checkCreation, requireBlock, type PrimitiveOptions } from './primitive.js';
import { itemShape, itemStore, storeBytes, type ItemStore, type QueueItem } from './queue-items.js';
import { SharedQueue, type QueueOptions, type QueueWords } from './queue.js';
import {
  createBlock,
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
/** Threads of the two sides, plus one; 0: nobody yet. Written once, so they may share a line. */
const PRODUCER = PUSH_WAITERS + LINE_WORDS;
const CONSUMER = PRODUCER + 1;
const LINES = 7;

/** The algorithm alone. Positions wrap at 2^32 and are compared by their difference. */
export class SpscWords implements QueueWords<QueueItem> {
  readonly words: Int32Array;
  readonly pushed: EventCount;
  readonly popped: EventCount;
  private readonly numbers: Float64Array;
  private readonly bytes: Uint8Array;
  private readonly lengths: Int32Array;
  private readonly itemBytes: number;
  private readonly capacity: number;
  private readonly me: number;
  /** The consumer's position as the producer last saw it, and the other way round. */
  private seenHead: number;
  private seenTail: number;

  /** @param me above 0, of this thread alone. */
  constructor(words: Int32Array, capacity: number, store: ItemStore, me: number) {
    this.words = words;
    this.capacity = capacity;
    this.pushed = new EventCount(words, PUSHED, POP_WAITERS);
    this.popped = new EventCount(words, POPPED, PUSH_WAITERS);
    this.numbers = store.numbers;
    this.bytes = store.bytes;
    this.lengths = store.lengths;
    this.itemBytes = store.itemBytes;
    this.me = me;
    this.seenHead = Atomics.load(words, HEAD);
    this.seenTail = Atomics.load(words, TAIL);
  }

  push(item: QueueItem): boolean {
    this.take(PRODUCER);
    const at = Atomics.load(this.words, TAIL);
    if (((at - this.seenHead) | 0) >= this.capacity) {
      this.seenHead = Atomics.load(this.words, HEAD);
      if (((at - this.seenHead) | 0) >= this.capacity) return false;
    }
    const slot = at & (this.capacity - 1);
    if (typeof item === 'number') this.numbers[slot] = item;
    else {
      this.bytes.set(item, slot * this.itemBytes);
      this.lengths[slot] = item.length;
    }
    Atomics.store(this.words, TAIL, (at + 1) | 0);
    this.pushed.signal(1);
    return true;
  }

  pop(): QueueItem | undefined {
    this.take(CONSUMER);
    const at = Atomics.load(this.words, HEAD);
    if (((this.seenTail - at) | 0) <= 0) {
      this.seenTail = Atomics.load(this.words, TAIL);
      if (((this.seenTail - at) | 0) <= 0) return undefined;
    }
    const slot = at & (this.capacity - 1);
    let item: QueueItem | undefined;
    if (this.itemBytes === 0) item = this.numbers[slot];
    else {
      const from = slot * this.itemBytes;
      item = new Uint8Array(this.bytes.subarray(from, from + (this.lengths[slot] as number)));
    }
    Atomics.store(this.words, HEAD, (at + 1) | 0);
    this.popped.signal(1);
    return item;
  }

  pushes(): number {
    return Atomics.load(this.words, TAIL);
  }

  pops(): number {
    return Atomics.load(this.words, HEAD);
  }

  /** @throws RING_SIDE_TAKEN */
  take(side: number): void {
    const holder = Atomics.load(this.words, side);
    if (holder === this.me) return;
    const seen = holder === 0 ? Atomics.compareExchange(this.words, side, 0, this.me) : holder;
    if (seen !== 0) {
      const role = side === PRODUCER ? 'producer' : 'consumer';
      throw fail('RING_SIDE_TAKEN', { role, holder: seen - 1, threadId: this.me - 1 });
    }
    // The thread before may have moved on since this one last looked; a copy is never ahead, but may be 2^31 behind.
    this.seenHead = Atomics.load(this.words, HEAD);
    this.seenTail = Atomics.load(this.words, TAIL);
  }

  leave(holder: number): void {
    Atomics.compareExchange(this.words, PRODUCER, holder, 0);
    Atomics.compareExchange(this.words, CONSUMER, holder, 0);
  }
}

/**
 * The fastest queue between two threads.
 *
 * @example
 * const ring = SpscRing.create({ capacity: 4_096, maxItemBytes: 256 });
 * worker.postMessage(ring.descriptor);
 * await ring.pushAsync(Buffer.from('hello'));
 */
export class SpscRing<T extends QueueItem = number> extends SharedQueue<'spsc-ring', T> {
  readonly #ring: SpscWords;

  private constructor(block: SharedBlock, options: PrimitiveOptions) {
    requireBlock('spsc-ring', block);
    const ring = new SpscWords(block.words, block.parameters[0], itemStore(block, LINES, 0), threadId + 1);
    super('spsc-ring', block, ring as unknown as QueueWords<T>, options);
    this.#ring = ring;
  }

  /** @throws INVALID_ARGUMENT */
  static create(options: QueueOptions & { readonly maxItemBytes: number }): SpscRing<Uint8Array>;
  static create(options: QueueOptions & { readonly maxItemBytes?: undefined }): SpscRing;
  static create(options: QueueOptions): SpscRing<QueueItem> {
    checkCreation(options, ['capacity', 'maxItemBytes']);
    const [capacity, itemBytes] = itemShape(options);
    const block = createBlock('spsc-ring', LINES, [capacity, itemBytes], storeBytes(capacity, itemBytes));
    return new SpscRing<QueueItem>(block, options);
  }

  /** @throws INVALID_ARGUMENT for a descriptor of something else. */
  static from<T extends QueueItem = number>(
    descriptor: PrimitiveDescriptor<'spsc-ring'>,
    options: Omit<PrimitiveOptions, 'name'> = {},
  ): SpscRing<T> {
    checkAttachment(options);
    const block = openBlock('spsc-ring', descriptor);
    return new SpscRing<T>(block, { ...options, name: block.name });
  }

  /** Gives this thread's side, or both, to whichever thread uses it next. */
  leave(): void {
    this.#ring.leave(threadId + 1);
  }

  /** Once a thread is gone: its side is free for another, and everybody looks again. */
  override recover(deadThreadId: number): void {
    super.recover(deadThreadId);
    this.#ring.leave(deadThreadId + 1);
  }
}
