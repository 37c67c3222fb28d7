/**
 * A pool of equal slots in aligned memory, for buffers that are taken and given back all the time.
 *
 * Method: the free list is a stack of integers in an Int32Array, so acquire and release are a few plain array
 * accesses; nothing crosses into native code and nothing is allocated. A handle is an integer that carries the
 * slot and a generation: releasing advances the generation, so a handle that was released is recognised when it
 * comes again (one load and one store more than without). Views are made once per slot and kept, because making one costs more than `Buffer.allocUnsafe`.
 *
 * Rejected: a free list behind Node-API (two native calls an acquire), and fresh views per acquire.
 */
import { describe, fail } from '../errors.js';
import type { Choice, PoolChoice } from '../model/choice.js';
import type { Subject } from '../model/subject.js';
import type { AllocatorStats } from './allocator-stats.js';
import { requireBoolean, requireInteger, requireOneOf, requireOptions, roundUp } from './arguments.js';
import { WaitQueue } from './wait-queue.js';
import { Region, alignmentInBytes, type Alignment, type HugePages } from './regions.js';

export interface SlabPoolOptions {
  /** Usable bytes of a slot: 1 to 2^30. */
  readonly slotBytes: number;
  /** Slots to begin with: 1 to 2^24. */
  readonly slots: number;
  /** Slots to grow to, by doubling. Default `slots`: no growth. At most 2^24. */
  readonly maxSlots?: number;
  /** Every slot starts at a multiple of it. Default: 64, or the power of two that holds a smaller slot. */
  readonly alignment?: Alignment;
  /** Default `never`. `auto` advises huge pages for segments of 2 MiB and more. */
  readonly hugePages?: HugePages;
  /** Touches the memory when it is reserved, so that no later access faults. Default false. */
  readonly prefault?: boolean;
  /**
   * `generation` (default) refuses double releases and stale handles; a stale one slips through once in
   * 2^31 / maxSlots reuses of its slot. `none` is about a third faster and trusts the caller.
   */
  readonly checks?: 'generation' | 'none';
  /** Identifies the pool in errors and, registered with an optimizer, in stored choices. */
  readonly name?: string;
}

interface Segment {
  readonly region: Region;
  readonly firstSlot: number;
  readonly slots: number;
  readonly strideBytes: number;
}

const MAX_SLOTS = 2 ** 24;
const MAX_SLOT_BYTES = 2 ** 30;
const HANDLE_MASK = 0x7fff_ffff;

/** Unlike for each pool, so that a handle of one pool is rarely taken for one of another. */
let poolsMade = 0;

/**
 * @throws INVALID_ARGUMENT for options out of range; OUT_OF_MEMORY where the system refuses. After `close()` every
 *   method but `stats`, `has` and `close` throws CLOSED.
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

  private readonly checked: boolean;
  /** Low bits of a handle that hold the slot. */
  private readonly slotMask: number;
  private readonly generationStep: number;
  private readonly firstGeneration: number;
  /** The handles that the next acquires return; `free` of them, the last on top. */
  private stack = new Int32Array(0);
  private free = 0;
  /**
   * Per slot the one handle that is valid: the one in use, or the one that the next acquire hands out, which nobody
   * has yet. So acquiring stores nothing here, and a released handle never equals it.
   */
  private current = new Int32Array(0);
  private views: (Uint8Array | undefined)[] = [];
  private buffers: (Buffer | undefined)[] = [];
  private segments: Segment[] = [];
  private slotCount = 0;
  /** Fewest free slots since the last growth. */
  private fewestFree = 0;
  private earlierHighWater = 0;
  private growths = 0;
  private exhausted = 0;
  private isClosed = false;
  private readonly waiters = new WaitQueue();
  private inForce: PoolChoice;

  constructor(options: SlabPoolOptions) {
    requireOptions('SlabPool options', options);
    this.slotBytes = requireInteger('slotBytes', options.slotBytes, 1, MAX_SLOT_BYTES);
    const slots = requireInteger('slots', options.slots, 1, MAX_SLOTS);
    this.maxSlots = requireInteger('maxSlots', options.maxSlots ?? slots, slots, MAX_SLOTS);
    this.checks = requireOneOf('checks', options.checks ?? 'generation', ['generation', 'none']);
    poolsMade += 1;
    this.name = options.name ?? `pool-${poolsMade}`;
    this.inForce = {
      kind: 'pool',
      slots,
      alignmentBytes: alignmentInBytes('alignment', options.alignment ?? defaultAlignment(this.slotBytes)),
      hugePages: requireOneOf('hugePages', options.hugePages ?? 'never', ['auto', 'never', 'require']),
      prefault: requireBoolean('prefault', options.prefault ?? false),
    };
    const slotBits = Math.ceil(Math.log2(this.maxSlots));
    this.checked = this.checks === 'generation';
    // Shifts, not powers: V8 keeps the result of ** as a double, which every acquire would have to convert.
    this.slotMask = (1 << slotBits) - 1;
    this.generationStep = 1 << slotBits;
    this.firstGeneration = this.checked ? (Math.imul(poolsMade, 0x9e3779b1) << slotBits) & HANDLE_MASK : 0;
    this.addSegment(slots);
    this.fewestFree = this.free;
  }

  /**
   * Takes a slot. Its bytes are whatever the last user left there (zero at first).
   * @throws POOL_EXHAUSTED where all `maxSlots` are in use.
   */
  acquire(): number {
    const top = this.free - 1;
    if (top < 0) return this.acquireFromGrowth();
    this.free = top;
    if (top < this.fewestFree) this.fewestFree = top;
    return this.stack[top] as number;
  }

  /** As `acquire`, but undefined instead of POOL_EXHAUSTED. */
  tryAcquire(): number | undefined {
    return this.free > 0 || this.grow() ? this.acquire() : this.refuseQuietly();
  }

  /**
   * As `acquire`, but waits for a release instead of throwing: first come, first served. The wait alone does not
   * keep the process alive.
   * @throws ABORTED when the signal fires first; CLOSED when the pool is closed first.
   */
  async acquireAsync(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.requireOpen();
    requireOptions('acquireAsync options', options);
    const { signal } = options;
    if (signal?.aborted === true) throw this.abortedBy(signal);
    if (this.free > 0 || this.grow()) return this.acquire();
    return this.waiters.wait(signal, (by) => this.abortedBy(by));
  }

  /**
   * Gives a slot back.
   * @throws STALE_HANDLE for a handle that was released already, FOREIGN_HANDLE for what is none of this pool's.
   */
  release(handle: number): void {
    const slot = handle & this.slotMask;
    let next = handle;
    if (this.checked) {
      if (this.current[slot] !== handle || this.free >= this.slotCount) this.refuse(handle);
      next = (handle + this.generationStep) & HANDLE_MASK;
      this.current[slot] = next;
    } else if (slot !== handle || slot >= this.slotCount || this.free >= this.slotCount) {
      this.refuse(handle);
    }
    this.stack[this.free] = next;
    this.free += 1;
    if (this.waiters.size > 0) this.waiters.serve(this.acquire());
  }

  /** The slot's bytes. The same object each time the slot is acquired; `undefined` reads after `close()`. */
  view(handle: number): Uint8Array {
    const slot = handle & this.slotMask;
    if (this.checked ? this.current[slot] !== handle : slot !== handle) this.refuse(handle);
    return this.views[slot] ?? this.makeView(slot, handle);
  }

  /** The slot's bytes as a Node `Buffer`, for `fs.read`, sockets and streams. Kept per slot as `view` is. */
  buffer(handle: number): Buffer {
    const slot = handle & this.slotMask;
    if (this.checked ? this.current[slot] !== handle : slot !== handle) this.refuse(handle);
    return this.buffers[slot] ?? this.makeBuffer(slot, handle);
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
    if (!this.checked) {
      throw fail('NOT_SUPPORTED', {
        what: 'has()',
        where: "with checks: 'none'",
        remedy: "Create the pool with checks: 'generation'.",
      });
    }
    return typeof handle === 'number' && this.current[handle & this.slotMask] === handle;
  }

  stats(): AllocatorStats {
    const inUse = this.slotCount - this.free;
    const highWater = Math.max(this.earlierHighWater, this.slotCount - this.fewestFree);
    const sizeBytes = this.segments.reduce((sum, segment) => sum + segment.slots * segment.strideBytes, 0);
    const strideBytes = this.slotCount === 0 ? this.slotBytes : sizeBytes / this.slotCount;
    return {
      kind: 'slab-pool',
      name: this.name,
      capacity: this.slotCount,
      inUse,
      highWater,
      growths: this.growths,
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
    const isFree = new Uint8Array(this.slotCount);
    for (let k = 0; k < this.free; k += 1) isFree[(this.stack[k] as number) & this.slotMask] = 1;
    let returned = 0;
    for (const { region, firstSlot, slots, strideBytes } of this.segments) {
      for (let start = 0; start < slots; start += 1) {
        if (isFree[firstSlot + start] === 0) continue;
        let end = start + 1;
        while (end < slots && isFree[firstSlot + end] === 1) end += 1;
        returned += region.trim(start * strideBytes, (end - start) * strideBytes);
        start = end;
      }
    }
    return returned;
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
    if (choice.kind !== 'pool') {
      throw fail('INVALID_ARGUMENT', {
        name: `choice for pool "${this.name}"`,
        actual: `of kind "${choice.kind}"`,
        expected: 'a choice of kind "pool"',
      });
    }
    const slots = Math.min(requireInteger('choice.slots', choice.slots, 1, MAX_SLOTS), this.maxSlots);
    const alignmentBytes = alignmentInBytes('choice.alignmentBytes', choice.alignmentBytes);
    const before = this.inForce;
    this.inForce = { ...choice, slots, alignmentBytes };
    try {
      if (this.free === this.slotCount) this.layOutAnew(slots);
      else if (slots > this.slotCount) this.addSegment(slots - this.slotCount);
    } catch (error) {
      this.inForce = before;
      throw error;
    }
  }

  /** Frees the memory. Views that were kept read `undefined`; waiting callers are rejected. Harmless twice. */
  close(): void {
    if (this.isClosed) return;
    this.earlierHighWater = Math.max(this.earlierHighWater, this.slotCount - this.fewestFree);
    this.isClosed = true;
    const { segments } = this;
    this.forget();
    for (const { region } of segments) region.close();
    this.waiters.rejectAll(() => this.closedError());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // --- Slow paths ------------------------------------------------------------------------------------------

  private acquireFromGrowth(): number {
    this.requireOpen();
    if (this.grow()) return this.acquire();
    this.exhausted += 1;
    throw fail('POOL_EXHAUSTED', { slots: this.slotCount, pool: this.name });
  }

  private refuseQuietly(): undefined {
    this.requireOpen();
    this.exhausted += 1;
    return undefined;
  }

  /** Doubles the pool, up to `maxSlots`. False where it may not grow. */
  private grow(): boolean {
    if (this.isClosed || this.slotCount >= this.maxSlots) return false;
    this.addSegment(Math.min(this.slotCount, this.maxSlots - this.slotCount));
    this.growths += 1;
    return true;
  }

  private addSegment(slots: number): void {
    const highWater = this.slotCount - this.fewestFree;
    this.earlierHighWater = Math.max(this.earlierHighWater, highWater);
    const { alignmentBytes, hugePages, prefault } = this.inForce;
    const strideBytes = roundUp(this.slotBytes, alignmentBytes);
    const region = new Region({
      sizeBytes: slots * strideBytes,
      alignment: alignmentBytes,
      hugePages,
      prefault,
      name: `pool "${this.name}"`,
    });
    const firstSlot = this.slotCount;
    const slotCount = firstSlot + slots;
    const stack = new Int32Array(slotCount);
    // New handles go below the old ones, in descending order: warm slots are reused first, then low ones.
    for (let k = 0; k < slots; k += 1) stack[k] = this.firstGeneration | (slotCount - 1 - k);
    stack.set(this.stack.subarray(0, this.free), slots);
    const current = new Int32Array(slotCount);
    current.set(this.current);
    for (let slot = firstSlot; slot < slotCount; slot += 1) current[slot] = this.firstGeneration | slot;
    for (let k = 0; k < slots; k += 1) {
      this.views.push(undefined);
      this.buffers.push(undefined);
    }
    this.stack = stack;
    this.current = current;
    this.segments.push({ region, firstSlot, slots, strideBytes });
    this.slotCount = slotCount;
    this.free += slots;
    this.fewestFree = this.free;
  }

  /** Only with no slot in use: no handle is valid, so every slot may move. */
  private layOutAnew(slots: number): void {
    const before = this.snapshot();
    this.forget();
    try {
      this.addSegment(slots);
    } catch (error) {
      Object.assign(this, before);
      throw error;
    }
    // Generations go on where they stood, so that handles from before stay stale.
    for (let k = 0; k < this.free; k += 1) {
      const slot = (this.stack[k] as number) & this.slotMask;
      const handle = before.current[slot];
      if (handle === undefined || !this.checked) continue;
      this.stack[k] = handle;
      this.current[slot] = handle;
    }
    for (const { region } of before.segments) region.close();
  }

  private snapshot() {
    const { stack, free, current, views, buffers, segments, slotCount, fewestFree } = this;
    return { stack, free, current, views, buffers, segments, slotCount, fewestFree };
  }

  private forget(): void {
    this.stack = new Int32Array(0);
    this.current = new Int32Array(0);
    this.views = [];
    this.buffers = [];
    this.segments = [];
    this.free = 0;
    this.fewestFree = 0;
    this.slotCount = 0;
  }

  private makeView(slot: number, handle: number): Uint8Array {
    const { buffer, offsetBytes } = this.locate(slot, handle);
    return (this.views[slot] = new Uint8Array(buffer, offsetBytes, this.slotBytes));
  }

  private makeBuffer(slot: number, handle: number): Buffer {
    const { buffer, offsetBytes } = this.locate(slot, handle);
    return (this.buffers[slot] = Buffer.from(buffer, offsetBytes, this.slotBytes));
  }

  private locate(slot: number, handle: number): { buffer: ArrayBuffer; offsetBytes: number } {
    for (const { region, firstSlot, slots, strideBytes } of this.segments) {
      if (slot < firstSlot + slots) {
        const offsetBytes = region.offsetBytes + (slot - firstSlot) * strideBytes;
        return { buffer: region.buffer as ArrayBuffer, offsetBytes };
      }
    }
    return this.refuse(handle);
  }

  private refuse(handle: unknown): never {
    this.requireOpen();
    const plausible =
      typeof handle === 'number' &&
      Number.isInteger(handle) &&
      handle >= 0 &&
      handle <= HANDLE_MASK &&
      (handle & this.slotMask) < this.slotCount;
    throw fail(plausible ? 'STALE_HANDLE' : 'FOREIGN_HANDLE', { handle: describe(handle), pool: this.name });
  }

  private requireOpen(): void {
    if (this.isClosed) throw this.closedError();
  }

  private closedError(): Error {
    return fail('CLOSED', { what: `Pool "${this.name}"` });
  }

  private abortedBy(signal: AbortSignal): Error {
    return fail('ABORTED', { what: `Waiting for a slot of pool "${this.name}"` }, { cause: signal.reason });
  }
}

/** A cache line, or for smaller slots the power of two that holds one: no slot then crosses a line. */
function defaultAlignment(slotBytes: number): number {
  return Math.min(64, Math.max(8, 2 ** Math.ceil(Math.log2(slotBytes))));
}
