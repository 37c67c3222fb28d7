/**
 * Who has which slot of a `SharedSlabPool`: one thread's end of the algorithm. No views, no errors, no waiting.
 *
 * Truth: the slot's state word (control-block.ts). Taking a slot is one compare-exchange from free to "mine", giving
 * it back is one from "whose it is" to free in the next generation. A slot therefore cannot be handed out twice
 * and a handle cannot be released twice, however threads interleave and wherever one is terminated.
 *
 * Speed comes from knowing where to look, and what a thread knows may be wrong at any time without harm:
 * - its magazine, private: handles that were free when it last looked. Its own releases go there.
 * - hints, shared: a bit for each block of 32 slots in the list of the thread whose slots they were. A release by
 *   another thread sets it (the remote list), and the owner drains the block: clears the bit, then reads the words.
 *   List 0 is the depot: fresh blocks, and those of threads that detached or died.
 * - A dry thread looks in its own list, the depot, the other threads' lists (stealing a block), and then at every word.
 *
 * Hints are read plainly (V8 calls a builtin for every `Atomics` operation, 12 ns): one that is missed, or that dies with a
 * thread, costs a look at every word, and `reclaim` sets it again.
 *
 * Finding nothing is exact: a thread raises HUNGER, then marks every word that it finds in use as wanted, by
 * compare-exchange. So whoever frees a slot that it has passed sees the mark in the very word it changes, looks at HUNGER and
 * moves its sequence; if that is still the same at the end, no release was completed meanwhile. A release that
 * nobody waits for reads no shared word but the slot's.
 *
 * Rejected: per-slot links in lock-free lists (Treiber stack, drained by exchange). They are as fast, but a thread that
 * is terminated between freeing a slot and linking it, or with a drained chain in hand, loses slots, and a slot
 * that is reclaimed while it is linked breaks the chain.
 *
 * Shared words are reached as `this.states`, `this.hints` and `this.control` only, in methods without closures: the
 * model check (test/unit/memory/shared-pool) steps this very code from one such access to the next.
 */
import {
  BLOCK_SHIFT,
  BLOCK_SLOTS,
  CLOSED,
  EXHAUSTED,
  HIGH_WATER,
  GENERATION_SHIFT,
  HOLDER_MASK,
  HUNGER,
  NO_SLOT,
  ORPHAN,
  THREADS,
  WANTED,
  type ControlBlock,
} from './control-block.js';

/** Not a handle: nothing was free. */
export const NONE = -1;
const HUNGRY = 1;
const WAITING = 2;
const SEQUENCE_STEP = 4;
/** Never equal to a hungry word, whose bit for WAITING is masked out. */
const NOT_HUNGRY = 2;
const DEPOT = 0;
const MAX_MAGAZINE = 1024;

export class SharedSlots {
  /** Number of this thread within the pool, from 1; 0 before `attach`. */
  place = 0;

  private readonly threadId: number;
  private readonly control: Int32Array;
  private readonly hints: Int32Array;
  /** As long as this thread is attached; then an array that knows no handle. */
  private states: Int32Array;
  private readonly everyState: Int32Array;
  private readonly slots: number;
  private readonly blocks: number;
  private readonly maxThreads: number;
  private readonly hintWords: number;
  private readonly hintStride: number;
  private readonly slotBits: number;
  private slotMask: number;
  private readonly handleMask: number;
  private readonly generationStep: number;
  /** Handles that may be free, the next on top; `cached` of them. */
  private readonly magazine: Int32Array;
  private cached = 0;
  /** Block that was drained last. The search goes on behind it, so blocks rest between two visits. */
  private lastBlock = 0;
  /** The HUNGER word at which this thread last found nothing. */
  private hungryAt = NOT_HUNGRY;

  constructor(block: ControlBlock, threadId: number) {
    this.threadId = threadId;
    this.control = block.control;
    this.hints = block.hints;
    this.states = block.states;
    this.everyState = block.states;
    this.slots = block.slots;
    this.blocks = Math.ceil(block.slots / BLOCK_SLOTS);
    this.maxThreads = block.maxThreads;
    this.hintWords = Math.ceil(this.blocks / 32);
    this.hintStride = block.hintStride;
    this.slotBits = block.slotBits;
    // Shifts and |0, not powers: V8 keeps the result of ** as a double.
    this.slotMask = (1 << block.slotBits) - 1;
    this.generationStep = 1 << block.slotBits;
    this.handleMask = (2 ** (block.slotBits + block.generationBits) - 1) | 0;
    this.magazine = new Int32Array(Math.min(MAX_MAGAZINE, this.blocks * BLOCK_SLOTS));
  }

  /** Claims a place for this thread. False where all are taken. */
  attach(): boolean {
    for (let place = 1; place <= this.maxThreads; place += 1) {
      if (Atomics.compareExchange(this.control, THREADS + place, 0, this.threadId + 1) === 0) {
        this.place = place;
        return true;
      }
    }
    return false;
  }

  /** Whether this thread has a place, also one that another instance claimed. */
  isAttached(): boolean {
    for (let place = 1; place <= this.maxThreads; place += 1) {
      if (Atomics.load(this.control, THREADS + place) === this.threadId + 1) return true;
    }
    return false;
  }

  /** A slot's handle, or NONE: all are in use, the pool is closed, or this thread has no place (any more). */
  take(): number {
    const handle = this.takeCached();
    return handle === NONE ? this.takeElsewhere() : handle;
  }

  /** Frees a slot that any thread took. False for a handle that is not in use. */
  give(handle: number): boolean {
    const slot = handle & this.slotMask;
    const next = (handle + this.generationStep) & this.handleMask;
    const free = this.freeWord(next);
    let word = this.states[slot] as number;
    for (;;) {
      if (!this.isUseOf(word, handle, slot)) {
        // A plain read may be late: what it refuses is read again.
        const exact = Atomics.load(this.states, slot);
        if (exact === word) return false;
        word = exact;
        continue;
      }
      const seen = Atomics.compareExchange(this.states, slot, word, free);
      if (seen === word) break;
      word = seen;
    }
    const holder = word & HOLDER_MASK;
    if (holder === this.place && this.cached < this.magazine.length) {
      this.magazine[this.cached] = next;
      this.cached += 1;
    } else {
      this.hint(holder === ORPHAN ? DEPOT : holder, slot);
    }
    if ((word & WANTED) !== 0) this.announce();
    return true;
  }

  /** Makes this thread the one that answers for a slot in use. False for a handle that is not in use. */
  adopt(handle: number): boolean {
    const slot = handle & this.slotMask;
    for (;;) {
      const word = Atomics.load(this.states, slot);
      if (!this.isUseOf(word, handle, slot)) return false;
      const mine = (word & ~HOLDER_MASK) | this.place;
      if (Atomics.compareExchange(this.states, slot, word, mine) === word) return true;
    }
  }

  /** Whether the handle is in use, by whichever thread. */
  holds(handle: number): boolean {
    const slot = handle & this.slotMask;
    return (
      this.isUseOf(this.states[slot] as number, handle, slot) ||
      this.isUseOf(Atomics.load(this.states, slot), handle, slot)
    );
  }

  /**
   * Frees what a dead thread held and its place. Returns the slots freed; 0 where that thread has no place, or
   * another thread is doing it. A reclaim that is itself cut short is finished by the reclaim of its thread.
   */
  reclaim(threadId: number): number {
    if (Atomics.load(this.control, CLOSED) === 1) {
      this.invalidate();
      return 0;
    }
    let freed = 0;
    for (let place = 1; place <= this.maxThreads; place += 1) {
      const at = THREADS + place;
      if (Atomics.compareExchange(this.control, at, threadId + 1, -this.place) === threadId + 1) {
        freed += this.empty(place);
      }
    }
    // Whoever died between freeing a slot and saying so, also between saying so and waking.
    this.announce();
    Atomics.notify(this.control, HUNGER);
    return freed;
  }

  /** Leaves: what the magazine and the list hint at goes to the depot, slots in use stay so without a thread. */
  detach(): void {
    const { place } = this;
    // Not if it was reclaimed meanwhile: place and list may be another thread's then.
    if (Atomics.load(this.control, THREADS + place) === this.threadId + 1) {
      while (this.cached > 0) {
        this.cached -= 1;
        this.hint(DEPOT, (this.magazine[this.cached] as number) & this.slotMask);
      }
      for (let k = 0; k < this.hintWords; k += 1) {
        const bits = Atomics.exchange(this.hints, place * this.hintStride + k, 0);
        if (bits !== 0) Atomics.or(this.hints, k, bits);
      }
      for (let slot = 0; slot < this.slots; slot += 1) {
        let word = Atomics.load(this.states, slot);
        while ((word & HOLDER_MASK) === place) {
          const orphan = (word & ~HOLDER_MASK) | ORPHAN;
          if (Atomics.compareExchange(this.states, slot, word, orphan) === word) break;
          word = Atomics.load(this.states, slot);
        }
      }
      Atomics.compareExchange(this.control, THREADS + place, this.threadId + 1, 0);
    }
    // From here on every handle is unknown, at no cost to those who are attached.
    this.cached = 0;
    this.slotMask = 0;
    this.states = new Int32Array(1).fill(-1);
  }

  /** Makes every handle invalid in every thread and wakes who waits. False where it was closed before. */
  close(): boolean {
    const first = Atomics.compareExchange(this.control, CLOSED, 0, 1) === 0;
    if (first) this.invalidate();
    return first;
  }

  isClosed(): boolean {
    return Atomics.load(this.control, CLOSED) === 1;
  }

  /** Whether this thread still has its place. */
  isHere(): boolean {
    return Atomics.load(this.control, THREADS + this.place) === this.threadId + 1;
  }

  /** Counts a refusal. */
  countExhausted(): void {
    Atomics.add(this.control, EXHAUSTED, 1);
    if (Atomics.load(this.control, HIGH_WATER) < this.slots) {
      Atomics.store(this.control, HIGH_WATER, this.slots);
    }
  }

  /** Lets the next `take` look again, although nobody has announced anything. */
  forgetHunger(): void {
    this.hungryAt = NOT_HUNGRY;
  }

  /**
   * After `take` gave NONE: the value of the HUNGER word to sleep on, which changes at the next release.
   * Undefined where it has changed already.
   */
  wordToWaitOn(): number | undefined {
    const word = this.hungryAt | WAITING;
    const seen = Atomics.compareExchange(this.control, HUNGER, this.hungryAt, word);
    return seen === this.hungryAt || seen === word ? word : undefined;
  }

  // --- Where to look ---------------------------------------------------------------------------------------

  private takeCached(): number {
    while (this.cached > 0) {
      this.cached -= 1;
      const handle = this.magazine[this.cached] as number;
      const free = this.freeWord(handle);
      // Not so where another thread took the slot meanwhile: then the handle is old, and forgotten.
      if (Atomics.compareExchange(this.states, handle & this.slotMask, free, free | this.place) === free) {
        return handle;
      }
    }
    return NONE;
  }

  private takeElsewhere(): number {
    if ((Atomics.load(this.control, HUNGER) & ~WAITING) === this.hungryAt) return NONE;
    if (!this.isHere()) return NONE;
    let handle = this.takeHinted(this.place);
    if (handle === NONE) handle = this.takeHinted(DEPOT);
    for (let k = 1; k < this.maxThreads && handle === NONE; k += 1) {
      handle = this.takeHinted(((this.place - 1 + k) % this.maxThreads) + 1);
    }
    return handle === NONE ? this.takeByLookingAtAll() : handle;
  }

  /** Drains hinted blocks of a list until one yields a slot. */
  private takeHinted(list: number): number {
    const lastWord = this.lastBlock >>> 5;
    for (let k = 0; k < this.hintWords; k += 1) {
      const index = (lastWord + k) % this.hintWords;
      const at = list * this.hintStride + index;
      let bits = this.hints[at] as number;
      while (bits !== 0) {
        const ahead = index === lastWord ? bits & (-2 << (this.lastBlock & 31)) : bits;
        const bit = ahead === 0 ? bits & -bits : ahead & -ahead;
        bits = Atomics.and(this.hints, at, ~bit);
        // Where another thread cleared it first, it drains the block.
        if ((bits & bit) !== 0) {
          const handle = this.takeFromBlock(index * 32 + 31 - Math.clz32(bit));
          if (handle !== NONE) return handle;
        }
        bits &= ~bit;
      }
    }
    return NONE;
  }

  /** The last resort: slots that no hint names, such as those in another thread's magazine. */
  private takeByLookingAtAll(): number {
    const start = this.lastBlock;
    for (let k = 1; k <= this.blocks; k += 1) {
      const handle = this.takeFromBlock((start + k) % this.blocks);
      if (handle !== NONE) return handle;
    }
    return this.takeOrProveNone();
  }

  private takeOrProveNone(): number {
    while (Atomics.load(this.control, CLOSED) === 0) {
      const hungry = (Atomics.or(this.control, HUNGER, HUNGRY) | HUNGRY) & ~WAITING;
      for (let slot = 0; slot < this.slots; slot += 1) {
        const handle = this.takeOrWant(slot);
        if (handle !== NONE) return handle;
      }
      if ((Atomics.load(this.control, HUNGER) & ~WAITING) === hungry) {
        this.hungryAt = hungry;
        return NONE;
      }
    }
    return NONE;
  }

  /** Takes the slot if it is free; otherwise whoever frees it will see that it is wanted. */
  private takeOrWant(slot: number): number {
    let word = Atomics.load(this.states, slot);
    for (;;) {
      const isFree = (word & HOLDER_MASK) === 0;
      if (!isFree && (word & WANTED) !== 0) return NONE;
      const next = word | (isFree ? this.place : WANTED);
      const seen = Atomics.compareExchange(this.states, slot, word, next);
      if (seen === word) return isFree ? this.handleOf(word, slot) : NONE;
      word = seen;
    }
  }

  /** Puts the free slots of a block in the (empty) magazine and takes one of them. */
  private takeFromBlock(block: number): number {
    this.lastBlock = block;
    const first = block << BLOCK_SHIFT;
    for (let slot = Math.min(first + BLOCK_SLOTS, this.slots) - 1; slot >= first; slot -= 1) {
      const word = this.states[slot] as number;
      if ((word & HOLDER_MASK) === 0) {
        this.magazine[this.cached] = this.handleOf(word, slot);
        this.cached += 1;
      }
    }
    return this.takeCached();
  }

  private hint(list: number, slot: number): void {
    const block = slot >>> BLOCK_SHIFT;
    const at = list * this.hintStride + (block >>> 5);
    const bit = 1 << (block & 31);
    // Mostly it is set, and then the line stays shared.
    if (((this.hints[at] as number) & bit) === 0) Atomics.or(this.hints, at, bit);
  }

  /** Tells the hungry that something was freed: moves the sequence and clears the flags, in one step. */
  private announce(): void {
    for (;;) {
      const word = Atomics.load(this.control, HUNGER);
      if ((word & HUNGRY) === 0) return;
      const next = ((word & ~(HUNGRY | WAITING)) + SEQUENCE_STEP) | 0;
      if (Atomics.compareExchange(this.control, HUNGER, word, next) === word) {
        if ((word & WAITING) !== 0) Atomics.notify(this.control, HUNGER);
        return;
      }
    }
  }

  // --- The ends --------------------------------------------------------------------------------------------

  /** Frees the slots of a place that this thread has marked as being reclaimed, then the place. */
  private empty(place: number): number {
    let freed = 0;
    for (let other = 1; other <= this.maxThreads; other += 1) {
      // A place that the dead thread was itself reclaiming.
      if (Atomics.compareExchange(this.control, THREADS + other, -place, -this.place) === -place) {
        freed += this.empty(other);
      }
    }
    for (let slot = 0; slot < this.slots; slot += 1) {
      let word = Atomics.load(this.states, slot);
      while ((word & HOLDER_MASK) === place) {
        const next = (this.handleOf(word, slot) + this.generationStep) & this.handleMask;
        if (Atomics.compareExchange(this.states, slot, word, this.freeWord(next)) === word) {
          freed += 1;
          word = 0;
        } else {
          word = Atomics.load(this.states, slot);
        }
      }
      // Also for slots that were free: they may have been in the magazine that is gone.
      if ((word & HOLDER_MASK) === 0) this.hint(DEPOT, slot);
    }
    Atomics.compareExchange(this.control, THREADS + place, -this.place, 0);
    return freed;
  }

  private invalidate(): void {
    for (let slot = 0; slot < this.slots; slot += 1) Atomics.store(this.everyState, slot, -1);
    Atomics.add(this.control, HUNGER, SEQUENCE_STEP);
    Atomics.notify(this.control, HUNGER);
  }

  /** Whether the word says that the slot is in use under this handle. */
  private isUseOf(word: number, handle: number, slot: number): boolean {
    const holder = word & HOLDER_MASK;
    return holder !== 0 && holder !== NO_SLOT && this.handleOf(word, slot) === handle;
  }

  private handleOf(word: number, slot: number): number {
    return ((word >>> GENERATION_SHIFT) << this.slotBits) | slot;
  }

  private freeWord(handle: number): number {
    return (handle >>> this.slotBits) << GENERATION_SHIFT;
  }
}
