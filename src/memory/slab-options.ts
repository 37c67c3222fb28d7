/** Options of a slab pool, and their checks. */
import { fail } from '../errors.js';
import { requireBoolean, requireInteger, requireOneOf } from './arguments.js';
import { requireOptions } from '../options.js';
import { alignmentInBytes, type Alignment, type HugePages } from './regions.js';

/** What the bits of a handle leave room for. */
export const MAX_SLOTS = 2 ** 24;
const MAX_SLOT_BYTES = 2 ** 30;

export interface SlabPoolOptions {
  /** Usable bytes of a slot: 1 to 2^30. */
  readonly slotBytes: number;
  /** Slots to begin with: 1 to 2^24. */
  readonly slots: number;
  /** Slots to grow to. Default `slots`: no growth. At most 2^24. */
  readonly maxSlots?: number;
  /** Slots to add whenever the pool grows: 1 to 2^24. Default: as many as there are, which doubles it. */
  readonly growSlots?: number;
  /** Every slot starts at a multiple of it. Default: 64, or the power of two that holds a smaller slot. */
  readonly alignment?: Alignment;
  /** Default `never`. `auto` advises huge pages for segments of 2 MiB and more. */
  readonly hugePages?: HugePages;
  /** Touches the memory when it is reserved, so that no later access faults. Default false. */
  readonly prefault?: boolean;
  /**
   * `generation` (default) refuses double releases and stale handles; a stale one slips through once in
   * 2^31 / maxSlots reuses of its slot. `none` is about a tenth faster and trusts the caller.
   */
  readonly checks?: 'generation' | 'none';
  /**
   * For debugging: fills released slots with a pattern (0xdb) and looks for it at the next acquire, which throws
   * USE_AFTER_RELEASE where somebody wrote in between. Costs two passes over the slot. Default false.
   */
  readonly poison?: boolean;
  /**
   * For debugging: keeps the stack of every acquire and release, for `leaks()` and for the errors. Costs some
   * microseconds a call. Default false.
   */
  readonly captureStacks?: boolean;
  /** Identifies the pool in errors and, registered with an optimizer, in stored choices. */
  readonly name?: string;
}

/** What the options may hold; the compiler compares it with them. */
const OPTION_KEYS: Readonly<Record<keyof SlabPoolOptions, true>> = {
  slotBytes: true,
  slots: true,
  maxSlots: true,
  growSlots: true,
  alignment: true,
  hugePages: true,
  prefault: true,
  checks: true,
  poison: true,
  captureStacks: true,
  name: true,
};

/** @internal All options, checked, with their defaults. The pool names itself. */
export function completeSlabOptions(options: SlabPoolOptions) {
  requireOptions('SlabPool options', options, OPTION_KEYS);
  const slotBytes = requireInteger('slotBytes', options.slotBytes, 1, MAX_SLOT_BYTES);
  const slots = requireInteger('slots', options.slots, 1, MAX_SLOTS);
  const complete = {
    slotBytes,
    slots,
    maxSlots: requireInteger('maxSlots', options.maxSlots ?? slots, slots, MAX_SLOTS),
    growSlots:
      options.growSlots === undefined
        ? undefined
        : requireInteger('growSlots', options.growSlots, 1, MAX_SLOTS),
    checks: requireOneOf('checks', options.checks ?? 'generation', ['generation', 'none']),
    alignmentBytes: alignmentInBytes('alignment', options.alignment ?? defaultAlignment(slotBytes)),
    hugePages: requireOneOf('hugePages', options.hugePages ?? 'never', ['auto', 'never', 'require']),
    prefault: requireBoolean('prefault', options.prefault ?? false),
    poison: requireBoolean('poison', options.poison ?? false),
    captureStacks: requireBoolean('captureStacks', options.captureStacks ?? false),
  };
  if (complete.checks === 'none' && (complete.poison || complete.captureStacks)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'checks',
      actual: '"none"',
      expected: "'generation' with poison or captureStacks, which need to know the slots in use",
    });
  }
  return complete;
}

/** A cache line, or for smaller slots the power of two that holds one: no slot then crosses a line. */
function defaultAlignment(slotBytes: number): number {
  return Math.min(64, Math.max(8, 2 ** Math.ceil(Math.log2(slotBytes))));
}
