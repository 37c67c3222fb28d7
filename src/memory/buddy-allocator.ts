/**
 * Blocks of mixed sizes out of one region, without fragmentation that grows: sizes are powers of two, a freed
 * block merges with its buddy at once. (Knuth, TAOCP 1, section 2.5.)
 *
 * All bookkeeping lies in Int32Arrays indexed by the block's first unit of `minBlockBytes`: doubly linked free
 * lists per order, and per unit what begins there. Allocating and freeing allocate nothing in JavaScript.
 */
import { constants } from 'node:buffer';
import { describe, fail } from '../errors.js';
import type { AllocatorStats } from './allocator-stats.js';
import { isPowerOfTwo, nameOr, requireInteger } from './arguments.js';
import { requireOptions } from '../options.js';
import { Region, type HugePages } from './regions.js';

export interface BuddyAllocatorOptions {
  /** Rounded up to `minBlockBytes` times a power of two, at most what one view may span (4 GiB on Node 20). */
  readonly bytes: number;
  /** Smallest block: a power of two from 16 to 2^30. Default 64. `bytes` holds at most 2^24 of them. */
  readonly minBlockBytes?: number;
  readonly hugePages?: HugePages;
  readonly prefault?: boolean;
  readonly name?: string;
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof BuddyAllocatorOptions, true>> = {
  bytes: true,
  minBlockBytes: true,
  hugePages: true,
  prefault: true,
  name: true,
};
const NONE = -1;
const MAX_UNITS = 2 ** 24;
/** `bytes` is one view of everything. A power of two, so that rounding up does not pass it. */
const MAX_BYTES = 2 ** Math.min(40, Math.floor(Math.log2(constants.MAX_LENGTH)));

/**
 * @throws INVALID_ARGUMENT for sizes out of range; OUT_OF_MEMORY where the system refuses; CLOSED after `close()`.
 *
 * @example
 * using blocks = new BuddyAllocator({ bytes: 1 << 20, minBlockBytes: 64 });
 * const at = blocks.allocate(1500);              // a block of 2048 bytes, at a multiple of 2048
 * blocks.view(at).fill(0);
 * blocks.free(at);
 */
export class BuddyAllocator implements Disposable {
  readonly name: string;
  readonly sizeBytes: number;
  readonly minBlockBytes: number;

  /** The whole memory; offsets from `allocate` index it. */
  readonly bytes: Uint8Array;

  private readonly region: Region;
  private readonly topOrder: number;
  /** Per order, the first unit of its free list. */
  private readonly heads: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** Per unit: order + 1 of a free block that begins there, -(order + 1) of one in use, 0 where none begins. */
  private readonly starts: Int8Array;
  /** Bytes asked for, per first unit of a block in use. */
  private readonly requested: Float64Array;
  private inUse = 0;
  private mostInUse = 0;
  private usedBytes = 0;
  private mostUsedBytes = 0;
  private requestedBytes = 0;
  private exhausted = 0;

  constructor(options: BuddyAllocatorOptions) {
    requireOptions('BuddyAllocator options', options, OPTION_KEYS);
    const bytes = requireInteger('bytes', options.bytes, 1, MAX_BYTES);
    this.minBlockBytes = requireInteger('minBlockBytes', options.minBlockBytes ?? 64, 16, 2 ** 30);
    if (!isPowerOfTwo(this.minBlockBytes)) {
      throw fail('INVALID_ARGUMENT', {
        name: 'minBlockBytes',
        actual: describe(this.minBlockBytes),
        expected: 'a power of two',
      });
    }
    this.topOrder = Math.max(0, Math.ceil(Math.log2(bytes / this.minBlockBytes)));
    const units = 2 ** this.topOrder;
    requireInteger('bytes / minBlockBytes', units, 1, MAX_UNITS);
    this.sizeBytes = units * this.minBlockBytes;
    this.name = nameOr('buddy', options.name);
    this.region = new Region({
      sizeBytes: this.sizeBytes,
      alignment: 'page',
      hugePages: options.hugePages ?? 'never',
      prefault: options.prefault ?? false,
      name: `buddy allocator "${this.name}"`,
    });
    this.bytes = this.region.view();
    this.heads = new Int32Array(this.topOrder + 1).fill(NONE);
    this.next = new Int32Array(units);
    this.previous = new Int32Array(units);
    this.starts = new Int8Array(units);
    this.requested = new Float64Array(units);
    this.pushFree(0, this.topOrder);
  }

  /**
   * Takes a block of at least `sizeBytes` (1 up to `sizeBytes` of the allocator) and returns its offset, a multiple
   * of the block's size. Blocks up to a page are aligned to their own size in memory, larger ones to a page.
   * @throws OUT_OF_SPACE where no free block is large enough.
   */
  allocate(sizeBytes: number): number {
    this.requireOpen();
    requireInteger('sizeBytes', sizeBytes, 1, Number.MAX_SAFE_INTEGER);
    const order = this.orderFor(sizeBytes);
    let from = order;
    while (from <= this.topOrder && this.heads[from] === NONE) from += 1;
    if (from > this.topOrder) return this.refuse(sizeBytes);
    const unit = this.heads[from] as number;
    this.removeFree(unit, from);
    while (from > order) {
      from -= 1;
      this.pushFree(unit + 2 ** from, from);
    }
    this.starts[unit] = -(order + 1);
    this.requested[unit] = sizeBytes;
    this.inUse += 1;
    this.usedBytes += this.minBlockBytes * 2 ** order;
    this.requestedBytes += sizeBytes;
    if (this.inUse > this.mostInUse) this.mostInUse = this.inUse;
    if (this.usedBytes > this.mostUsedBytes) this.mostUsedBytes = this.usedBytes;
    return unit * this.minBlockBytes;
  }

  /**
   * Gives a block back and merges it with its free buddies.
   * @throws STALE_HANDLE where no block in use begins at the offset; FOREIGN_HANDLE where none can.
   */
  free(offsetBytes: number): void {
    let unit = this.unitOf(offsetBytes);
    let order = -(this.starts[unit] as number) - 1;
    this.starts[unit] = 0;
    this.inUse -= 1;
    this.usedBytes -= this.minBlockBytes * 2 ** order;
    this.requestedBytes -= this.requested[unit] as number;
    while (order < this.topOrder) {
      const buddy = unit ^ (2 ** order);
      if (this.starts[buddy] !== order + 1) break;
      this.removeFree(buddy, order);
      unit = Math.min(unit, buddy);
      order += 1;
    }
    this.pushFree(unit, order);
  }

  /** A fresh view of the bytes that were asked for. */
  view(offsetBytes: number): Uint8Array {
    const unit = this.unitOf(offsetBytes);
    return this.region.view(offsetBytes, this.requested[unit]);
  }

  /** Whether a block in use begins at the offset. False for anything else, also after `close()`. */
  has(offsetBytes: number): boolean {
    if (this.region.closed || typeof offsetBytes !== 'number') return false;
    const unit = offsetBytes / this.minBlockBytes;
    return Number.isInteger(unit) && unit >= 0 && (this.starts[unit] ?? 0) < 0;
  }

  /** Gives the pages of free blocks back to the system. Returns the bytes given back. */
  trim(): number {
    this.requireOpen();
    let returned = 0;
    for (let order = 0; order <= this.topOrder; order += 1) {
      for (let unit = this.heads[order] as number; unit !== NONE; unit = this.next[unit] as number) {
        returned += this.region.trim(unit * this.minBlockBytes, this.minBlockBytes * 2 ** order);
      }
    }
    return returned;
  }

  stats(): AllocatorStats {
    const closed = this.region.closed;
    const freeBytes = this.sizeBytes - this.usedBytes;
    let largest = this.topOrder;
    while (largest >= 0 && this.heads[largest] === NONE) largest -= 1;
    const largestBytes = largest < 0 ? 0 : this.minBlockBytes * 2 ** largest;
    return {
      kind: 'buddy',
      name: this.name,
      capacity: null,
      inUse: closed ? 0 : this.inUse,
      highWater: this.mostInUse,
      growths: 0,
      exhausted: this.exhausted,
      waiting: 0,
      bytes: {
        available: true,
        capacity: closed ? 0 : this.sizeBytes,
        inUse: closed ? 0 : this.usedBytes,
        highWater: this.mostUsedBytes,
        internalFragmentation: this.usedBytes === 0 ? 0 : 1 - this.requestedBytes / this.usedBytes,
        externalFragmentation: freeBytes === 0 ? 0 : 1 - largestBytes / freeBytes,
      },
      closed,
    };
  }

  get closed(): boolean {
    return this.region.closed;
  }

  close(): void {
    this.region.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private orderFor(sizeBytes: number): number {
    const units = Math.ceil(sizeBytes / this.minBlockBytes);
    return units > MAX_UNITS ? Infinity : 32 - Math.clz32(units - 1);
  }

  private pushFree(unit: number, order: number): void {
    const head = this.heads[order] as number;
    this.starts[unit] = order + 1;
    this.next[unit] = head;
    this.previous[unit] = NONE;
    if (head !== NONE) this.previous[head] = unit;
    this.heads[order] = unit;
  }

  private removeFree(unit: number, order: number): void {
    const next = this.next[unit] as number;
    const previous = this.previous[unit] as number;
    if (previous === NONE) this.heads[order] = next;
    else this.next[previous] = next;
    if (next !== NONE) this.previous[next] = previous;
    this.starts[unit] = 0;
  }

  private unitOf(offsetBytes: number): number {
    if (this.has(offsetBytes)) return offsetBytes / this.minBlockBytes;
    this.requireOpen();
    const possible =
      typeof offsetBytes === 'number' &&
      Number.isInteger(offsetBytes / this.minBlockBytes) &&
      offsetBytes >= 0 &&
      offsetBytes < this.sizeBytes;
    throw fail(possible ? 'STALE_HANDLE' : 'FOREIGN_HANDLE', {
      handle: describe(offsetBytes),
      pool: this.name,
    });
  }

  private requireOpen(): void {
    if (this.region.closed) throw fail('CLOSED', { what: `Buddy allocator "${this.name}"` });
  }

  private refuse(sizeBytes: number): never {
    this.exhausted += 1;
    throw fail('OUT_OF_SPACE', {
      what: `Buddy allocator "${this.name}"`,
      requestedBytes: sizeBytes,
      freeBytes: this.sizeBytes - this.usedBytes,
      sizeBytes: this.sizeBytes,
    });
  }
}
