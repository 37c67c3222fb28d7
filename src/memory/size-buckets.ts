/**
 * Sizes in buckets: the grain in which a size-class pool looks up classes and counts what is asked for.
 *
 * Method: up to 1024 multiples of the alignment, a bucket is one multiple: memory is reserved in no finer steps anyway.
 * Above, each doubling has 128 buckets (log-linear, as in HdrHistogram), so that no size is rounded up by more than 0.8 %
 * and the tables stay small: 1152 entries for 128 KiB at an alignment of 64, 2816 for 1 GiB.
 *
 * Rejected: a bucket per byte (a table of megabytes for large sizes), and a logarithm or a search per call.
 */
import { fail } from '../errors.js';

const SMALL_BUCKETS = 1024;
const PER_DOUBLING_BITS = 7;
/** As many as fit beside slot and generation in a handle, with room for those that a change leaves behind. */
export const MAX_CLASSES = 64;
/** Classes begin here, unless they are named: less saves nothing, as slots are aligned to cache lines. */
const SMALLEST_CLASS = 64;

export class SizeBuckets {
  readonly maxBytes: number;
  /** Buckets of sizes up to `maxBytes`. */
  readonly count: number;
  /** Sizes up to it fall into bucket (size - 1) >> smallShift. */
  readonly smallLimit: number;
  readonly smallShift: number;

  /** @param alignmentBytes a power of two; @param maxBytes at most 2^30 */
  constructor(alignmentBytes: number, maxBytes: number) {
    this.smallShift = Math.log2(alignmentBytes);
    this.smallLimit = Math.min(SMALL_BUCKETS * alignmentBytes, 2 ** 30);
    this.maxBytes = maxBytes;
    this.count = this.indexOf(maxBytes) + 1;
  }

  /** Bucket of a whole number of bytes from 1 to 2^30. */
  indexOf(sizeBytes: number): number {
    if (sizeBytes <= this.smallLimit) return (sizeBytes - 1) >> this.smallShift;
    const octave = 31 - Math.clz32(sizeBytes - 1);
    const within = ((sizeBytes - 1) >> (octave - PER_DOUBLING_BITS)) - (1 << PER_DOUBLING_BITS);
    const octavesBefore = octave - Math.log2(this.smallLimit);
    return (this.smallLimit >> this.smallShift) + (octavesBefore << PER_DOUBLING_BITS) + within;
  }

  /** Largest size of a bucket: what a slot for its sizes must hold. */
  upperBytes(index: number): number {
    const smallCount = this.smallLimit >> this.smallShift;
    if (index < smallCount) return (index + 1) << this.smallShift;
    const above = index - smallCount;
    const octave = Math.log2(this.smallLimit) + (above >> PER_DOUBLING_BITS);
    const within = (above & ((1 << PER_DOUBLING_BITS) - 1)) + (1 << PER_DOUBLING_BITS);
    return (within + 1) * 2 ** (octave - PER_DOUBLING_BITS);
  }

  /** Rounds up to what a bucket ends at, so that no bucket lies in two classes. */
  roundUp(sizeBytes: number): number {
    return this.upperBytes(this.indexOf(sizeBytes));
  }

  /**
   * Slot sizes in ascending order, without doubles, the last one for `maxBytes`.
   * @throws INVALID_ARGUMENT where there are more than 64.
   */
  classesOf(sizes: readonly number[]): number[] {
    const rounded = new Set([...sizes, this.maxBytes].map((size) => this.roundUp(size)));
    if (rounded.size > MAX_CLASSES) {
      throw fail('INVALID_ARGUMENT', {
        name: 'sizeClasses',
        actual: `${rounded.size} sizes`,
        expected: `at most ${MAX_CLASSES}, the one for maxBytes included`,
      });
    }
    return [...rounded].sort((a, b) => a - b);
  }

  /**
   * Four classes per doubling, which wastes a tenth of the bytes on average and a fifth at worst (the spacing of jemalloc
   * and mimalloc); fewer where that would be more than 64.
   */
  defaultClasses(): number[] {
    for (let perDoubling = 4; perDoubling >= 1; perDoubling /= 2) {
      const sizes: number[] = [];
      for (let from = SMALLEST_CLASS; from < this.maxBytes; from *= 2) {
        for (let step = 0; step < perDoubling; step += 1) {
          const size = from + (from * step) / perDoubling;
          if (size < this.maxBytes) sizes.push(size);
        }
      }
      const rounded = new Set([...sizes, this.maxBytes].map((size) => this.roundUp(size)));
      if (rounded.size <= MAX_CLASSES) return this.classesOf(sizes);
    }
    return this.classesOf([]);
  }

  /** For each bucket the position of its class. */
  tableOf(classes: readonly number[]): Uint8Array {
    const table = new Uint8Array(this.count);
    let at = 0;
    for (let index = 0; index < this.count; index += 1) {
      while ((classes[at] as number) < this.upperBytes(index)) at += 1;
      table[index] = at;
    }
    return table;
  }
}
