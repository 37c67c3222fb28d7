/**
 * One pool of equal slots for many worker threads: a slot acquired by one may be used and released by any other.
 *
 * Handles are integers, so they travel through messages and shared arrays; the bytes never move. How slots change
 * hands is in shared-slots.ts, what lies in shared memory in control-block.ts.
 *
 * Rejected: a free list behind a lock. Two threads that pass slots on spend their time waiting for it (bench/shared-pool.js).
 */
import { threadId, type Worker } from 'node:worker_threads';
import { describe, fail } from '../../errors.js';
import type { AllocatorStats } from '../allocator-stats.js';
import {
  nameOr,
  requireBoolean,
  requireInteger,
  requireOneOf,
  requireWaitOptions,
  roundUp,
} from '../arguments.js';
import { requireOptions } from '../../options.js';
import { Region, alignmentInBytes, type Alignment, type HugePages } from '../regions.js';
import {
  EXHAUSTED,
  HIGH_WATER,
  HOLDER_MASK,
  MAX_PLACES,
  ORPHAN,
  THREADS,
  controlBytes,
  createControlBlock,
  openControlBlock,
  type ControlBlock,
  type SharedSlabPoolDescriptor,
} from './control-block.js';
import { NONE, SharedSlots } from './shared-slots.js';
import { SlotWaiters } from './slot-waiters.js';

export interface SharedSlabPoolOptions {
  /** Usable bytes of a slot: 1 to 2^30. */
  readonly slotBytes: number;
  /** Slots: 1 to 2^24, and at most 4 GiB of memory in all. A shared pool does not grow. */
  readonly slots: number;
  /** Threads attached at once, the creating one included: 1 to 253. Default 32. */
  readonly maxThreads?: number;
  /** Every slot starts at a multiple of it. Default 64, a cache line: two threads' slots never share one. */
  readonly alignment?: Alignment;
  /** Default `never`. `auto` advises huge pages from 2 MiB up. */
  readonly hugePages?: HugePages;
  /** Touches the memory when it is reserved, so that no later access faults. Default false. */
  readonly prefault?: boolean;
  /** Identifies the pool in errors and stats. */
  readonly name?: string;
}

export interface SharedSlabPoolStats extends AllocatorStats {
  readonly kind: 'shared-slab-pool';
  /** Threads attached, and the slots each answers for. */
  readonly threads: readonly { readonly ownerId: number; readonly inUse: number }[];
  /** Slots in use whose thread has detached. */
  readonly orphaned: number;
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof SharedSlabPoolOptions, true>> = {
  slotBytes: true,
  slots: true,
  maxThreads: true,
  alignment: true,
  hugePages: true,
  prefault: true,
  name: true,
};
const MAX_SLOTS = 2 ** 24;
const MAX_SLOT_BYTES = 2 ** 30;
const MAX_BYTES = 2 ** 32;

let poolsMade = 0;

/**
 * Acquire and release cost two compare-exchanges together and no call into native code; threads that work on slots of
 * their own do not slow each other down. After `close()` in any thread, and after `detach()` in this one, every method but
 * `stats`, `has`, `detach` and `close` throws CLOSED. Views that were kept stay readable: shared memory is freed only
 * when nobody holds it.
 *
 * @example
 * // main.js
 * const pool = SharedSlabPool.create({ slotBytes: 4096, slots: 1024 });
 * const worker = new Worker('./worker.js', { workerData: pool.descriptor });
 * pool.reclaimOnExit(worker);          // whatever it holds when it ends, however it ends
 * worker.on('message', (handle) => {
 *   consume(pool.buffer(handle));
 *   pool.release(handle);
 * });
 * // worker.js
 * const pool = SharedSlabPool.attach(workerData);
 * const handle = await pool.acquireAsync();
 * pool.buffer(handle).write('hello');
 * parentPort.postMessage(handle);
 */
export class SharedSlabPool implements Disposable {
  readonly kind = 'shared-slab-pool';
  readonly name: string;
  readonly slotBytes: number;
  readonly slots: number;
  readonly maxThreads: number;
  /** For `attach` in other threads of this process: small, clones through `postMessage` and `workerData`. */
  readonly descriptor: SharedSlabPoolDescriptor;
  /** This thread to `reclaim`: its `threadId`, as `worker.threadId` shows it to its parent. */
  readonly ownerId = threadId;

  private readonly block: ControlBlock;
  private readonly owned: SharedSlots;
  private readonly waiters: SlotWaiters;
  /** The creating thread's; closing it gives the pages back. */
  private readonly region: Region | undefined;
  private readonly views: (Uint8Array | undefined)[] = [];
  private readonly buffers: (Buffer | undefined)[] = [];
  private isDetached = false;

  /** Makes a pool and attaches this thread. @throws INVALID_ARGUMENT, OUT_OF_MEMORY, NOT_SUPPORTED (`hugePages`). */
  static create(options: SharedSlabPoolOptions): SharedSlabPool {
    requireOptions('SharedSlabPool options', options, OPTION_KEYS);
    const slotBytes = requireInteger('slotBytes', options.slotBytes, 1, MAX_SLOT_BYTES);
    const alignment = alignmentInBytes('alignment', options.alignment ?? 64);
    const strideBytes = roundUp(slotBytes, alignment);
    const most = Math.min(MAX_SLOTS, Math.floor(MAX_BYTES / strideBytes));
    const slots = requireInteger('slots', options.slots, 1, most);
    const maxThreads = requireInteger('maxThreads', options.maxThreads ?? 32, 1, MAX_PLACES);
    const hugePages = requireOneOf('hugePages', options.hugePages ?? 'never', ['auto', 'never', 'require']);
    const prefault = requireBoolean('prefault', options.prefault ?? false);
    poolsMade += 1;
    const name = nameOr(`shared-pool-${poolsMade}`, options.name);
    const region = new Region({
      sizeBytes: slots * strideBytes,
      alignment,
      hugePages,
      prefault,
      shared: true,
      name: `pool "${name}"`,
    });
    const words = new Region({
      sizeBytes: controlBytes(slots, maxThreads),
      alignment: 128,
      shared: true,
      name: `words of pool "${name}"`,
    });
    const shape = { slots, slotBytes, strideBytes, maxThreads, dataOffsetBytes: region.offsetBytes };
    const block = createControlBlock(words, shape);
    const descriptor: SharedSlabPoolDescriptor = {
      kind: 'shared-slab-pool',
      name,
      control: words.buffer as SharedArrayBuffer,
      controlOffsetBytes: words.offsetBytes,
      memory: region.buffer as SharedArrayBuffer,
    };
    return new SharedSlabPool(descriptor, block, region);
  }

  /**
   * Joins a pool that another thread of this process created.
   * @throws INVALID_ARGUMENT for what is no descriptor, CLOSED after `close()`, ALREADY_ATTACHED the second time in
   *   one thread, POOL_CROWDED where `maxThreads` are attached.
   */
  static attach(descriptor: SharedSlabPoolDescriptor): SharedSlabPool {
    return new SharedSlabPool(descriptor, openControlBlock(descriptor), undefined);
  }

  /** Private to the compiler; JavaScript can call it all the same. */
  private constructor(
    descriptor: SharedSlabPoolDescriptor,
    block: ControlBlock | undefined,
    region: Region | undefined,
  ) {
    if (block === undefined) {
      throw fail('INVALID_ARGUMENT', {
        name: 'SharedSlabPool',
        actual: 'constructed with new',
        expected: 'options to SharedSlabPool.create(), or a descriptor to SharedSlabPool.attach()',
      });
    }
    this.descriptor = descriptor;
    this.name = descriptor.name;
    this.block = block;
    this.region = region;
    this.slots = block.slots;
    this.slotBytes = block.slotBytes;
    this.maxThreads = block.maxThreads;
    this.owned = new SharedSlots(block, threadId);
    this.waiters = new SlotWaiters(this.owned, block.control, () => this.gone());
    if (this.owned.isClosed()) throw this.closedError();
    if (this.owned.isAttached()) throw fail('ALREADY_ATTACHED', { pool: this.name });
    if (!this.owned.attach()) throw fail('POOL_CROWDED', { pool: this.name, maxThreads: this.maxThreads });
  }

  /**
   * Takes a slot. Its bytes are whatever the last user left there (zero at first).
   * @throws POOL_EXHAUSTED where all slots are in use.
   */
  acquire(): number {
    const handle = this.owned.take();
    return handle === NONE ? this.refuseAcquire() : handle;
  }

  /** As `acquire`, but undefined instead of POOL_EXHAUSTED. */
  tryAcquire(): number | undefined {
    const handle = this.owned.take();
    if (handle !== NONE) return handle;
    this.requireOpen();
    this.owned.countExhausted();
    return undefined;
  }

  /**
   * As `acquire`, but waits for a release in any thread instead of throwing. First come, first served within a
   * thread; between threads whoever comes first to a freed slot has it. Keeps the process alive while it waits.
   * @throws ABORTED when the signal fires first; CLOSED when the pool is closed first; INVALID_ARGUMENT for other options.
   */
  async acquireAsync(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.requireOpen();
    const signal = requireWaitOptions('acquireAsync options', options);
    if (signal?.aborted === true) throw this.abortedBy(signal);
    const handle = this.waiters.size > 0 ? NONE : this.owned.take();
    if (handle !== NONE) return handle;
    return this.waiters.wait(signal, (by) => this.abortedBy(by));
  }

  /**
   * Gives a slot back, whichever thread acquired it. Of two threads that release one handle, one succeeds.
   * @throws STALE_HANDLE for a handle that was released or reclaimed already, FOREIGN_HANDLE for what is none of this pool's.
   */
  release(handle: number): void {
    if (typeof handle !== 'number' || !this.owned.give(handle)) this.refuse(handle);
  }

  /**
   * Makes this thread the one that answers for a slot: `reclaim` of the thread that acquired it leaves it alone. For slots
   * that are handed on and may outlive their first thread.
   * @throws STALE_HANDLE, FOREIGN_HANDLE.
   */
  adopt(handle: number): void {
    if (typeof handle !== 'number' || !this.owned.adopt(handle)) this.refuse(handle);
  }

  /** The slot's bytes, in shared memory. The same object in this thread each time the slot is acquired. */
  view(handle: number): Uint8Array {
    if (typeof handle !== 'number' || !this.owned.holds(handle)) this.refuse(handle);
    const slot = this.slotOf(handle);
    return this.views[slot] ?? (this.views[slot] = new Uint8Array(...this.placeOf(slot)));
  }

  /** The slot's bytes as a Node `Buffer`, for `fs.read`, sockets and streams. Kept per slot as `view` is. */
  buffer(handle: number): Buffer {
    if (typeof handle !== 'number' || !this.owned.holds(handle)) this.refuse(handle);
    const slot = this.slotOf(handle);
    return this.buffers[slot] ?? (this.buffers[slot] = Buffer.from(...this.placeOf(slot)));
  }

  /** Where the slot begins within `descriptor.memory`: the same in every thread. */
  offset(handle: number): number {
    if (typeof handle !== 'number' || !this.owned.holds(handle)) this.refuse(handle);
    return this.placeOf(this.slotOf(handle))[1];
  }

  /** Whether this is a handle in use, by whichever thread. False for anything else, also after `close()`. */
  has(handle: number): boolean {
    return typeof handle === 'number' && this.owned.holds(handle);
  }

  /**
   * Frees what a thread held when it died: slots in use, slots it kept in readiness, and its place. Handles to those slots
   * become stale. Safe wherever the thread was terminated, and while others work. Reads every slot's word.
   *
   * @param ownerId the thread's `ownerId`, which is its `threadId`. It must have ended ('exit' was emitted): a living
   *   thread loses its slots and its place, and gets CLOSED or STALE_HANDLE.
   * @returns slots in use that were freed; 0 for a thread that is not attached.
   * @throws INVALID_ARGUMENT for this thread's own id.
   */
  reclaim(ownerId: number): number {
    requireInteger('ownerId', ownerId, 0, 2 ** 31 - 2);
    if (ownerId === this.ownerId) {
      throw fail('INVALID_ARGUMENT', {
        name: 'ownerId',
        actual: 'this thread',
        expected: 'the id of a thread that has ended; to leave the pool call detach()',
      });
    }
    // As with release: a worker that ends after the pool was closed is no error of the one who watches it.
    if (!this.owned.isClosed()) this.requireOpen();
    return this.owned.reclaim(ownerId);
  }

  /** Calls `reclaim` when the worker ends, however it ends. @throws INVALID_ARGUMENT for what is no Worker. */
  reclaimOnExit(worker: Worker): void {
    this.requireOpen();
    if (typeof (worker as Partial<Worker> | undefined)?.once !== 'function') {
      throw fail('INVALID_ARGUMENT', {
        name: 'worker',
        actual: describe(worker),
        expected: 'a Worker of node:worker_threads',
      });
    }
    const ownerId = worker.threadId;
    worker.once('exit', () => {
      // Where this thread has left the pool itself, those that stayed must do it.
      if (ownerId >= 0 && this.gone() === undefined) this.reclaim(ownerId);
    });
  }

  /**
   * Reads every slot's word, so it costs about a nanosecond a slot. `highWater` is the most that any `stats()` call or
   * refused acquire has seen; `waiting` counts this thread's callers.
   */
  stats(): SharedSlabPoolStats {
    const { control, states, slots, strideBytes, slotBytes } = this.block;
    const closed = this.owned.isClosed();
    const held = new Int32Array(256);
    if (!closed) {
      for (let slot = 0; slot < slots; slot += 1) {
        const holder = Atomics.load(states, slot) & HOLDER_MASK;
        held[holder] = (held[holder] as number) + 1;
      }
    }
    const inUse = closed ? 0 : slots - (held[0] as number);
    if (inUse > Atomics.load(control, HIGH_WATER)) Atomics.store(control, HIGH_WATER, inUse);
    const highWater = Atomics.load(control, HIGH_WATER);
    const threads: { ownerId: number; inUse: number }[] = [];
    for (let place = 1; place <= this.maxThreads; place += 1) {
      const owner = Atomics.load(control, THREADS + place);
      if (owner > 0) threads.push({ ownerId: owner - 1, inUse: held[place] as number });
    }
    return {
      kind: 'shared-slab-pool',
      name: this.name,
      capacity: closed ? 0 : slots,
      inUse,
      highWater,
      growths: 0,
      exhausted: Atomics.load(control, EXHAUSTED),
      waiting: this.waiters.size,
      bytes: {
        available: true,
        capacity: closed ? 0 : slots * strideBytes,
        inUse: inUse * strideBytes,
        highWater: highWater * strideBytes,
        internalFragmentation: 1 - slotBytes / strideBytes,
        externalFragmentation: 0,
      },
      closed,
      threads,
      orphaned: held[ORPHAN] as number,
    };
  }

  /**
   * Leaves the pool, which lives on: free slots that this thread kept in readiness go to the others, slots in use
   * stay valid for whoever has their handles. Harmless twice.
   */
  detach(): void {
    if (this.isDetached) return;
    this.isDetached = true;
    this.owned.detach();
    this.waiters.serve();
  }

  /**
   * Ends the pool for all threads: every handle is invalid from now on, waiting callers are rejected. The memory goes
   * with the last view on it. Harmless twice.
   */
  close(): void {
    this.owned.close();
    this.waiters.serve();
    this.region?.close();
  }

  /** `close()` in the thread that created the pool, `detach()` in the others. */
  [Symbol.dispose](): void {
    if (this.region === undefined) this.detach();
    else this.close();
  }

  private slotOf(handle: number): number {
    return handle & ((1 << this.block.slotBits) - 1);
  }

  private placeOf(slot: number): [buffer: SharedArrayBuffer, offsetBytes: number, lengthBytes: number] {
    const { dataOffsetBytes, strideBytes } = this.block;
    return [this.descriptor.memory, dataOffsetBytes + slot * strideBytes, this.slotBytes];
  }

  private refuseAcquire(): never {
    this.requireOpen();
    this.owned.countExhausted();
    throw fail('POOL_EXHAUSTED', { slots: this.slots, pool: this.name });
  }

  private refuse(handle: unknown): never {
    this.requireOpen();
    const plausible =
      typeof handle === 'number' &&
      Number.isInteger(handle) &&
      handle >= 0 &&
      handle < 2 ** (this.block.slotBits + this.block.generationBits) &&
      this.slotOf(handle) < this.slots;
    throw fail(plausible ? 'STALE_HANDLE' : 'FOREIGN_HANDLE', { handle: describe(handle), pool: this.name });
  }

  private requireOpen(): void {
    const gone = this.gone();
    if (gone !== undefined) throw gone;
  }

  private gone(): Error | undefined {
    if (this.owned.isClosed()) return this.closedError();
    if (!this.isDetached && this.owned.isHere()) return undefined;
    return fail('CLOSED', { what: `This thread's place in pool "${this.name}" (detached, or reclaimed)` });
  }

  private closedError(): Error {
    return fail('CLOSED', { what: `Pool "${this.name}"` });
  }

  private abortedBy(signal: AbortSignal): Error {
    return fail('ABORTED', { what: `Waiting for a slot of pool "${this.name}"` }, { cause: signal.reason });
  }
}
