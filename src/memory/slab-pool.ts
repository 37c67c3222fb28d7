/**
 * A pool of equal slots in aligned memory, for buffers that are taken and given back all the time.
 *
 * Method: the free list is a stack of handles in an Int32Array, so acquire and release are a few plain array
 * accesses; nothing crosses into native code and nothing is allocated. A handle is an integer that carries the slot
 * and a generation: releasing advances the generation, so a handle that was released is recognised when it comes
 * again.
 *
 * What keeps the two short: slots that were never taken are not on the stack, so their number is the high-water mark
 * and no acquire has to note one; and whatever needs attention at a release (callers that wait, debugging) takes the
 * cells out of sight, so that the one comparison of the handle fails and the slow path looks after it.
 *
 * Rejected: a free list behind Node-API (two native calls an acquire), fresh views per acquire, a linked list through
 * the cells (a longer chain of dependent loads: a sixth slower in bursts), a class with a branch on `checks` in each
 * method (a quarter slower).
 */
import { describe, fail } from '../errors.js';
import type { Choice, PoolChoice } from '../model/choice.js';
import type { Subject } from '../model/subject.js';
import type { AllocatorStats } from './allocator-stats.js';
import { nameOr, requireInteger, requireWaitOptions } from './arguments.js';
import { requireOptions } from '../options.js';
import { GrowthRecord } from './growth-record.js';
import { alignmentInBytes } from './regions.js';
import { MAX_SLOTS, completeSlabOptions, type SlabPoolOptions } from './slab-options.js';
import { SlabSegments } from './slab-segments.js';
import { SlotTrace, type LeakSite } from './slab-trace.js';
import { WaitQueue } from './wait-queue.js';

const HANDLE_MASK = 0x7fff_ffff;
/** An empty stack and no slot: what keeps acquire and release off their fast paths. */
const NO_CELLS = Int32Array.of(-1);

export type { SlabPoolOptions } from './slab-options.js';

/** @internal For a pool of pools: all share the slot's bits, and above them handles say which pool they are from. */
export interface HandleTag {
  readonly slotBits: number;
  readonly tagBits: number;
  readonly tag: number;
}

/** Unlike for each pool, so that a handle of one pool is rarely taken for one of another. */
let generationsMade = 0;

/**
 * @throws INVALID_ARGUMENT for options out of range; OUT_OF_MEMORY where the system refuses. After `close()` every
 *   method but `stats`, `has`, `leaks` and `close` throws CLOSED.
 *
 * @example
 * using pool = new SlabPool({ slotBytes: 4096, slots: 256, maxSlots: 4096 });
 * const handle = pool.acquire();
 * const bytes = pool.buffer(handle);   // the same Buffer whenever this slot is acquired
 * pool.release(handle);
 */
export class SlabPool implements Subject, Disposable {
  readonly kind = 'pool';
  readonly name: string;
  readonly slotBytes: number;
  readonly maxSlots: number;
  readonly checks: 'generation' | 'none';

  // --- Read by acquire, release and view. All stay small integers, or V8 would convert doubles at every call. ---

  /** Low bits of a handle that hold the slot. At least one bit, so that ~handle never has the handle's slot. */
  protected readonly slotMask: number;
  protected readonly generationStep: number;
  /** `book`, or NO_CELLS where the slow paths have to see every call. */
  protected cells = NO_CELLS;
  /** Index of the last handle on the stack, or of the negative number at its bottom. */
  protected top = 0;
  protected views: (Uint8Array | undefined)[] = [];
  protected buffers: (Buffer | undefined)[] = [];

  // --- The rest -----------------------------------------------------------------------------------------------

  /**
   * The cells. [0, slotCount) hold, per slot, the handle in use; where the slot is free, a number with another slot's
   * bits, which no handle equals. At slotCount lies the stack's bottom, above it the released handles, to be handed
   * out next. All share one array so that a call loads one base. The slot of a forged handle may lead into the
   * stack, where no entry has that slot either.
   */
  protected book = NO_CELLS;
  protected slotCount = 0;
  /** Slots below it were taken at least once: the most ever in use at once. */
  protected fresh = 0;
  private memory: SlabSegments;
  private readonly tag: number;
  private firstGeneration = 0;
  private earlierHighWater = 0;
  private readonly growth = new GrowthRecord();
  private whenEmpty: (() => void) | undefined;
  private exhausted = 0;
  private isClosed = false;
  /** Whether `cells` and `top` are turned away; `hiddenTop` is the index then. */
  private isHidden = false;
  private hiddenTop = 0;
  private readonly waiters = new WaitQueue();
  private readonly trace: SlotTrace | undefined;
  private inForce: PoolChoice;

  /** @param tagged internal */
  constructor(options: SlabPoolOptions, tagged?: HandleTag) {
    const { slots, growSlots, alignmentBytes, hugePages, prefault, poison, captureStacks, ...own } =
      completeSlabOptions(options);
    this.slotBytes = own.slotBytes;
    this.maxSlots = own.maxSlots;
    this.checks = own.checks;
    this.name = nameOr(`pool-${generationsMade + 1}`, options.name);
    this.inForce = {
      kind: 'pool',
      slots,
      ...(growSlots !== undefined && { growSlots }),
      alignmentBytes,
      hugePages,
      prefault,
    };
    const slotBits = tagged?.slotBits ?? Math.max(1, Math.ceil(Math.log2(this.maxSlots)));
    // Shifts, not powers: V8 keeps the result of ** as a double, which every acquire would have to convert.
    this.slotMask = (1 << slotBits) - 1;
    this.generationStep = this.checks === 'none' ? 0 : 1 << (slotBits + (tagged?.tagBits ?? 0));
    this.tag = (tagged?.tag ?? 0) << slotBits;
    this.memory = new SlabSegments(this.slotBytes, this.name);
    // Another class rather than a branch in every call. It runs this constructor too, and goes on.
    if (this.checks === 'none' && new.target === SlabPool) return new UncheckedSlabPool(options);
    this.trace = poison || captureStacks ? new SlotTrace(this.name, poison, captureStacks) : undefined;
    this.firstGeneration = this.newGeneration();
    this.addSlots(slots);
  }

  /**
   * Takes a slot. Its bytes are whatever the last user left there (zero at first).
   * @throws POOL_EXHAUSTED where all `maxSlots` are in use.
   */
  acquire(): number {
    const { cells, top } = this;
    const handle = cells[top] as number;
    if (handle < 0) return this.acquireSlowly();
    this.top = top - 1;
    cells[handle & this.slotMask] = handle;
    return handle;
  }

  /** As `acquire`, but undefined instead of POOL_EXHAUSTED. */
  tryAcquire(): number | undefined {
    if (this.hasRoom()) return this.acquire();
    this.requireOpen();
    this.exhausted += 1;
    return undefined;
  }

  /**
   * As `acquire`, but waits for a release instead of throwing: first come, first served. Keeps the process
   * alive while it waits.
   * @throws ABORTED when the signal fires first; CLOSED when the pool is closed first; INVALID_ARGUMENT for other options.
   */
  async acquireAsync(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.requireOpen();
    const signal = requireWaitOptions('acquireAsync options', options);
    if (signal?.aborted === true) throw this.abortedBy(signal);
    if (this.hasRoom()) return this.acquire();
    const turn = this.waiters.wait(signal, (by) => {
      this.openGate();
      return this.abortedBy(by);
    });
    this.openGate();
    const at = this.trace?.here();
    const handle = await turn;
    // Handed over by a release, whose stack says nothing about the one who waited.
    if (at !== undefined) this.trace?.noteSite(handle & this.slotMask, at);
    return handle;
  }

  /**
   * Gives a slot back.
   * @throws STALE_HANDLE for a handle that was released already, FOREIGN_HANDLE for what is none of this pool's.
   */
  release(handle: number): void {
    const { cells } = this;
    const slot = handle & this.slotMask;
    if (cells[slot] !== handle) return this.releaseSlowly(handle);
    cells[slot] = ~handle;
    const top = this.top + 1;
    cells[top] = (handle + this.generationStep) & HANDLE_MASK;
    this.top = top;
  }

  /** The slot's bytes. The same object each time the slot is acquired; `undefined` reads after `close()`. */
  view(handle: number): Uint8Array {
    const slot = handle & this.slotMask;
    if (this.cells[slot] !== handle) this.requireInUse(handle);
    return this.views[slot] ?? this.memory.makeView(slot);
  }

  /** The slot's bytes as a Node `Buffer`, for `fs.read`, sockets and streams. Kept per slot as `view` is. */
  buffer(handle: number): Buffer {
    const slot = handle & this.slotMask;
    if (this.cells[slot] !== handle) this.requireInUse(handle);
    return this.buffers[slot] ?? this.memory.makeBuffer(slot);
  }

  /** Where the slot begins within its ArrayBuffer, `pool.view(handle).buffer`. */
  offset(handle: number): number {
    return this.view(handle).byteOffset;
  }

  /**
   * Whether this is a handle in use. False for anything else, also after `close()`.
   * @throws NOT_SUPPORTED with `checks: 'none'`, where the pool cannot know.
   */
  has(handle: number): boolean {
    return typeof handle === 'number' && this.book[handle & this.slotMask] === handle;
  }

  /**
   * The slots in use by the place in the code that took them, most slots first. What should be empty when the
   * service is idle is a list of leaks.
   * @throws NOT_SUPPORTED without `captureStacks`.
   */
  leaks(): LeakSite[] {
    return (this.trace ?? new SlotTrace(this.name, false, false)).leaks(this.slotBytes);
  }

  stats(): AllocatorStats {
    const inUse = this.fresh - this.recycled;
    const highWater = Math.max(this.earlierHighWater, this.fresh);
    const { sizeBytes } = this.memory;
    const strideBytes = this.slotCount === 0 ? this.slotBytes : sizeBytes / this.slotCount;
    return {
      kind: 'slab-pool',
      name: this.name,
      capacity: this.slotCount,
      inUse,
      highWater,
      growths: this.growth.growths,
      exhausted: this.exhausted,
      waiting: this.waiters.size,
      bytes: {
        available: true,
        capacity: sizeBytes,
        inUse: Math.round(inUse * strideBytes),
        highWater: Math.round(highWater * strideBytes),
        internalFragmentation: 1 - this.slotBytes / strideBytes,
        externalFragmentation: 0,
      },
      closed: this.isClosed,
    };
  }

  /** Gives the pages that hold only free slots back to the system. Returns the bytes given back. */
  trim(): number {
    this.requireOpen();
    const isFree = new Uint8Array(this.slotCount).fill(1, this.fresh);
    for (const handle of this.stack()) isFree[handle & this.slotMask] = 1;
    this.trace?.forgetPoison();
    return this.memory.trim(isFree);
  }

  /** Slots that the largest burst of demand took beyond what was there; 0 where the pool never grew. */
  get growthBurst(): number {
    return this.growth.largestBurst(Math.max(this.earlierHighWater, this.fresh));
  }

  /** @internal Calls back once, as soon as no slot is in use and nobody waits: at once, or at the last release. */
  retire(whenEmpty: () => void): void {
    if (this.recycled === this.fresh && this.waiters.size === 0) return whenEmpty();
    this.whenEmpty = whenEmpty;
    this.openGate();
  }

  /** What is in force: as constructed, or as last applied. */
  get choice(): PoolChoice {
    return this.inForce;
  }

  /**
   * Puts a measured configuration in force. With no slot in use the pool is laid out anew at once; otherwise
   * slots in use stay where they are, and the memory added from now on follows the choice.
   * @throws INVALID_ARGUMENT for a choice of another kind.
   */
  applyChoice(choice: Choice): void {
    this.requireOpen();
    requireOptions('choice', choice);
    if (choice.kind !== 'pool') {
      throw fail('INVALID_ARGUMENT', {
        name: `choice for pool "${this.name}"`,
        actual: `of kind "${choice.kind}"`,
        expected: 'a choice of kind "pool"',
      });
    }
    const slots = Math.min(requireInteger('choice.slots', choice.slots, 1, MAX_SLOTS), this.maxSlots);
    const alignmentBytes = alignmentInBytes('choice.alignmentBytes', choice.alignmentBytes);
    if (choice.growSlots !== undefined) requireInteger('choice.growSlots', choice.growSlots, 1, MAX_SLOTS);
    const before = this.inForce;
    this.inForce = { ...choice, slots, alignmentBytes };
    try {
      if (this.recycled === this.fresh) this.layOutAnew(slots);
      else if (slots > this.slotCount) this.addSlots(slots - this.slotCount);
    } catch (error) {
      this.inForce = before;
      throw error;
    }
    while (this.waiters.size > 0 && this.fresh < this.slotCount) this.waiters.serve(this.acquireSlowly());
    this.openGate();
  }

  /** Frees the memory. Views that were kept read `undefined`; waiting callers are rejected. Harmless twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.earlierHighWater = Math.max(this.earlierHighWater, this.fresh);
    const { memory } = this;
    const { book } = this;
    this.use(new SlabSegments(this.slotBytes, this.name), 0, book.subarray(0, 0), book.subarray(0, 0));
    this.noteFresh(0);
    memory.close();
    this.waiters.rejectAll(() => this.closedError());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // --- Slow paths ------------------------------------------------------------------------------------------

  /** Whether a slot is free, or could be added. Adds it. */
  protected hasRoom(): boolean {
    return this.recycled > 0 || this.fresh < this.slotCount || this.grow();
  }

  protected acquireSlowly(): number {
    this.requireOpen();
    if (!this.hasRoom()) {
      this.exhausted += 1;
      throw fail('POOL_EXHAUSTED', { slots: this.slotCount, pool: this.name });
    }
    const { recycled, fresh } = this;
    const isRecycled = recycled > 0;
    const handle = isRecycled
      ? (this.book[this.slotCount + recycled] as number)
      : this.firstGeneration | fresh;
    const slot = handle & this.slotMask;
    this.trace?.noteAcquire(slot, this.views[slot] ?? this.memory.makeView(slot));
    this.book[slot] = handle;
    if (isRecycled) this.recycled = recycled - 1;
    else this.noteFresh(fresh + 1);
    return handle;
  }

  protected releaseSlowly(handle: number): void {
    this.requireInUse(handle);
    const slot = handle & this.slotMask;
    this.trace?.noteRelease(slot, this.views[slot] ?? this.memory.makeView(slot));
    this.book[slot] = ~handle;
    this.recycled += 1;
    this.book[this.slotCount + this.recycled] = (handle + this.generationStep) & HANDLE_MASK;
    if (this.waiters.size > 0) {
      this.waiters.serve(this.acquireSlowly());
      this.openGate();
    } else if (this.whenEmpty !== undefined && this.recycled === this.fresh) {
      this.whenEmpty();
    }
  }

  /** @throws STALE_HANDLE, FOREIGN_HANDLE or CLOSED for anything but a handle in use. */
  protected requireInUse(handle: number): void {
    if (this.book[handle & this.slotMask] !== handle) this.refuse(handle);
  }

  protected refuse(handle: unknown): never {
    this.requireOpen();
    const plausible =
      typeof handle === 'number' &&
      Number.isInteger(handle) &&
      handle >= 0 &&
      handle <= HANDLE_MASK &&
      (handle & this.slotMask) < this.slotCount;
    throw fail(
      plausible ? 'STALE_HANDLE' : 'FOREIGN_HANDLE',
      { handle: describe(handle), pool: this.name },
      { cause: plausible ? this.trace?.lastRelease(handle & this.slotMask) : undefined },
    );
  }

  /** Lets acquire and release take their fast paths, unless somebody has to see them. */
  protected openGate(): void {
    const { recycled } = this;
    this.isHidden = this.trace !== undefined || this.waiters.size > 0 || this.whenEmpty !== undefined;
    this.cells = this.isHidden ? NO_CELLS : this.book;
    this.top = 0;
    this.recycled = recycled;
  }

  /** Handles on the stack. */
  protected get recycled(): number {
    return (this.isHidden ? this.hiddenTop : this.top) - this.slotCount;
  }

  protected set recycled(count: number) {
    if (this.isHidden) this.hiddenTop = this.slotCount + count;
    else this.top = this.slotCount + count;
  }

  private stack(): Int32Array {
    return this.book.subarray(this.slotCount + 1, this.slotCount + 1 + this.recycled);
  }

  protected noteFresh(fresh: number): void {
    this.fresh = fresh;
  }

  /** The generation bits of slots that were never taken. A user's own class with checks 'none' has none. */
  protected newGeneration(): number {
    generationsMade += 1;
    return (Math.imul(generationsMade, 0x9e3779b1 * this.generationStep) & HANDLE_MASK) | this.tag;
  }

  /** Adds `growSlots`, or doubles the pool, up to `maxSlots`. False where it may not grow. */
  private grow(): boolean {
    if (this.isClosed || this.slotCount >= this.maxSlots) return false;
    const before = this.slotCount;
    this.addSlots(Math.min(this.inForce.growSlots ?? before, this.maxSlots - before));
    this.growth.note(before);
    return true;
  }

  private addSlots(slots: number): void {
    this.memory.add(slots, this.inForce);
    const inUse = this.book.subarray(0, this.slotCount);
    this.use(this.memory, this.slotCount + slots, inUse, this.stack());
  }

  /** Only with no slot in use: no handle is valid, so every slot may move. */
  private layOutAnew(slots: number): void {
    const memory = new SlabSegments(this.slotBytes, this.name);
    memory.add(slots, this.inForce);
    const before = this.memory;
    this.earlierHighWater = Math.max(this.earlierHighWater, this.fresh);
    // Generations go on where they stood, so that handles from before stay stale. Slots that go lose theirs; those
    // that come in their place begin with another one.
    const kept = this.stack().filter((handle) => (handle & this.slotMask) < slots);
    if (this.fresh > slots) this.firstGeneration = this.newGeneration();
    this.trace?.forgetPoison();
    this.use(memory, slots, NO_CELLS, kept);
    this.noteFresh(kept.length);
    before.close();
  }

  /** Takes over memory for `slotCount` slots, of which the first are as in `slots`, and a stack. */
  private use(memory: SlabSegments, slotCount: number, slots: Int32Array, stack: Int32Array): void {
    const book = new Int32Array(2 * slotCount + 1);
    // Zero has slot 0, and so marks every other slot as free; slot 0 needs a number of its own.
    book[0] = -1;
    book.set(slots);
    book[slotCount] = ~slotCount;
    book.set(stack, slotCount + 1);
    this.memory = memory;
    this.views = memory.views;
    this.buffers = memory.buffers;
    this.book = book;
    this.slotCount = slotCount;
    this.recycled = stack.length;
    this.openGate();
  }

  protected requireOpen(): void {
    if (this.isClosed) throw this.closedError();
  }

  private closedError(): Error {
    return fail('CLOSED', { what: `Pool "${this.name}"` });
  }

  private abortedBy(signal: AbortSignal): Error {
    return fail('ABORTED', { what: `Waiting for a slot of pool "${this.name}"` }, { cause: signal.reason });
  }
}

/**
 * With `checks: 'none'`: handles are slots, and nobody knows which are in use. It stays within its memory all the same.
 */
class UncheckedSlabPool extends SlabPool {
  /**
   * No more handles than were ever handed out fit on the stack. 0 where the slow path has to see every release.
   * Declared only: an initialiser would run after the constructor of the base, which sets it.
   */
  declare private limit: number;

  override acquire(): number {
    const { top } = this;
    const handle = this.cells[top] as number;
    if (handle < 0) return this.acquireSlowly();
    this.top = top - 1;
    return handle;
  }

  override release(handle: number): void {
    const { top } = this;
    if (top >= this.limit || handle >= this.fresh || (handle & this.slotMask) !== handle) {
      return this.releaseSlowly(handle);
    }
    this.cells[top + 1] = handle;
    this.top = top + 1;
  }

  override view(handle: number): Uint8Array {
    return this.views[handle] ?? super.view(handle);
  }

  override buffer(handle: number): Buffer {
    return this.buffers[handle] ?? super.buffer(handle);
  }

  override has(): boolean {
    throw fail('NOT_SUPPORTED', {
      what: 'has()',
      where: "with checks: 'none'",
      remedy: "Create the pool with checks: 'generation'.",
    });
  }

  protected override requireInUse(handle: number): void {
    if ((handle & this.slotMask) !== handle || handle >= this.fresh) this.refuse(handle);
  }

  protected override releaseSlowly(handle: number): void {
    if (this.recycled >= this.fresh) this.refuse(handle);
    super.releaseSlowly(handle);
  }

  protected override openGate(): void {
    super.openGate();
    this.limit = this.cells === this.book ? this.slotCount + this.fresh : 0;
  }

  protected override noteFresh(fresh: number): void {
    super.noteFresh(fresh);
    this.openGate();
  }
}
