/** Options of a pool of size classes, and their checks. */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { requireBoolean, requireInteger } from './arguments.js';
import { alignmentInBytes, type Alignment } from './regions.js';

/** Leaves six bits of a handle for the generation. */
export const MAX_SLOTS_PER_CLASS = 2 ** 18;
const DEFAULT_MAX_SLOTS = 4096;
export const MAX_SIZE_BYTES = 2 ** 30;

export interface SizeClassPoolOptions {
  /** Largest size that can be acquired: 1 to 2^30 bytes. */
  readonly maxBytes: number;
  /**
   * Slot sizes, in any order; one for `maxBytes` is added. Rounded up to multiples of the alignment, above 1024 of those by
   * less than 0.8 %. At most 64 in all. Default: four per doubling from 64 B on, fewer above 8 MiB.
   */
  readonly sizeClasses?: readonly number[];
  /** Slots of a class when it is first used. Default: as many as fill 64 KiB, 2 to 64. */
  readonly slotsPerClass?: number;
  /** Slots that a class grows to, by doubling: up to 2^18. Default 4096, or `slotsPerClass` if that is more. */
  readonly maxSlotsPerClass?: number;
  /** Every slot starts at a multiple of it. Default 64. */
  readonly alignment?: Alignment;
  /** As `SlabPool`'s: finds writes to released slots. Default false. */
  readonly poison?: boolean;
  /** As `SlabPool`'s: keeps stacks for `leaks()`. Default false. */
  readonly captureStacks?: boolean;
  /** Identifies the pool in errors and, registered with an optimizer, in stored choices. */
  readonly name?: string;
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof SizeClassPoolOptions, true>> = {
  maxBytes: true,
  sizeClasses: true,
  slotsPerClass: true,
  maxSlotsPerClass: true,
  alignment: true,
  poison: true,
  captureStacks: true,
  name: true,
};

/** @internal All options, checked, with their defaults where those are numbers. The pool names itself. */
export function completeSizeClassOptions(options: SizeClassPoolOptions) {
  requireOptions('SizeClassPool options', options, OPTION_KEYS);
  const maxBytes = requireInteger('maxBytes', options.maxBytes, 1, MAX_SIZE_BYTES);
  const alignmentBytes = alignmentInBytes('alignment', options.alignment ?? 64);
  const slotsPerClass =
    options.slotsPerClass === undefined
      ? undefined
      : requireInteger('slotsPerClass', options.slotsPerClass, 1, MAX_SLOTS_PER_CLASS);
  const most = options.maxSlotsPerClass ?? Math.max(DEFAULT_MAX_SLOTS, slotsPerClass ?? 0);
  return {
    maxBytes,
    alignmentBytes,
    slotsPerClass,
    maxSlotsPerClass: requireInteger('maxSlotsPerClass', most, slotsPerClass ?? 1, MAX_SLOTS_PER_CLASS),
    poison: requireBoolean('poison', options.poison ?? false),
    captureStacks: requireBoolean('captureStacks', options.captureStacks ?? false),
    sizeClasses: options.sizeClasses === undefined ? undefined : requireSizes(options.sizeClasses, maxBytes),
  };
}

function requireSizes(sizes: unknown, maxBytes: number): readonly number[] {
  if (!Array.isArray(sizes)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'sizeClasses',
      actual: describe(sizes),
      expected: 'a list of sizes in bytes',
    });
  }
  return sizes.map((size: unknown) => requireInteger('sizeClasses[]', size, 1, maxBytes));
}
