/**
 * The memory behind a slab pool: segments of equal slots, one region each, and the views that were made of them.
 *
 * Segments are added and never moved, so a view lives as long as the pool. Views are made at the first use of a
 * slot and kept: making one costs more than `Buffer.allocUnsafe`.
 */
import type { PoolChoice } from '../model/choice.js';
import { roundUp } from './arguments.js';
import { Region } from './regions.js';

interface Segment {
  readonly region: Region;
  readonly firstSlot: number;
  readonly slots: number;
  readonly strideBytes: number;
}

export class SlabSegments {
  /** Per slot, undefined until asked for. The pool reads them without a call. */
  readonly views: (Uint8Array | undefined)[] = [];
  readonly buffers: (Buffer | undefined)[] = [];
  /** Bytes reserved, rounding up to the alignment included. */
  sizeBytes = 0;
  private readonly segments: Segment[] = [];
  private readonly slotBytes: number;
  private readonly poolName: string;

  constructor(slotBytes: number, poolName: string) {
    this.slotBytes = slotBytes;
    this.poolName = poolName;
  }

  /** @throws OUT_OF_MEMORY or NOT_SUPPORTED as `Region` does; nothing has changed then. */
  add(slots: number, { alignmentBytes, hugePages, prefault }: PoolChoice): void {
    const strideBytes = roundUp(this.slotBytes, alignmentBytes);
    const region = new Region({
      sizeBytes: slots * strideBytes,
      alignment: alignmentBytes,
      hugePages,
      prefault,
      name: `pool "${this.poolName}"`,
    });
    this.segments.push({ region, firstSlot: this.views.length, slots, strideBytes });
    this.sizeBytes += slots * strideBytes;
    for (let k = 0; k < slots; k += 1) {
      this.views.push(undefined);
      this.buffers.push(undefined);
    }
  }

  /** The slot must exist. */
  makeView(slot: number): Uint8Array {
    const { buffer, offsetBytes } = this.locate(slot);
    return (this.views[slot] = new Uint8Array(buffer, offsetBytes, this.slotBytes));
  }

  /** The slot must exist. */
  makeBuffer(slot: number): Buffer {
    const { buffer, offsetBytes } = this.locate(slot);
    return (this.buffers[slot] = Buffer.from(buffer, offsetBytes, this.slotBytes));
  }

  /** Gives back the whole pages among the slots for which `isFree` holds 1. Returns their bytes. */
  trim(isFree: Uint8Array): number {
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

  close(): void {
    for (const { region } of this.segments) region.close();
  }

  private locate(slot: number): { buffer: ArrayBuffer; offsetBytes: number } {
    // The last segments hold the most slots, as a pool grows by doubling.
    let k = this.segments.length - 1;
    while (k > 0 && slot < (this.segments[k] as Segment).firstSlot) k -= 1;
    const { region, firstSlot, strideBytes } = this.segments[k] as Segment;
    return {
      buffer: region.buffer as ArrayBuffer,
      offsetBytes: region.offsetBytes + (slot - firstSlot) * strideBytes,
    };
  }
}
