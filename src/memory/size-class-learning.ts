/**
 * What a size-class pool learns from its traffic: classes, slots to begin with, and slots to grow by.
 *
 * The sizes are counted exactly (size-class-fit.ts); how many are in use at once is known by present class. A learnt class
 * takes over the high water of the present ones by the share of their requests that it will serve: exact where it takes all
 * of a class, an estimate where it takes a part, and never too low for sizes that live equally long.
 */
import type { SizeClassChoice, SizeClassSetting } from '../model/choice.js';
import { growthOf, slotsFor } from './learnt-capacity.js';
import { fitSizeClasses } from './size-class-fit.js';
import type { SizeClassPool } from './size-class-pool.js';

/** More save little and would be slabs that are hardly used. The class for `maxBytes` comes on top. */
const MAX_LEARNT = 32;
/** Slots of a class that saw no traffic: it is reserved when it is first used. */
const UNUSED_SLOTS = 2;

/** What a set of classes costs for the recorded traffic. */
export interface SizeClassCost {
  readonly slotSizes: readonly number[];
  /** Share (0 to 1) of the bytes of all slots handed out that nobody asked for. */
  readonly internalFragmentation: number;
  /** Bytes of the slots in use at the high-water marks. */
  readonly highWaterBytes: number;
}

export interface LearntSizeClasses {
  readonly choice: SizeClassChoice;
  readonly present: SizeClassCost;
  readonly learnt: SizeClassCost;
  readonly requests: number;
}

/** Null before the first request. */
export function learnSizeClasses(pool: SizeClassPool): LearntSizeClasses | null {
  const { sizes, counts, requestedBytes } = pool.traffic();
  if (sizes.length === 0) return null;
  const stats = pool.stats();
  const { demand, growthBursts: bursts } = pool;
  const growthBefore = new Map(pool.choice.classes.map(({ slotBytes, growSlots }) => [slotBytes, growSlots]));
  const fit = fitSizeClasses({ sizes, counts }, MAX_LEARNT);
  const slotSizes = [...fit.classes];
  const largest = (stats.classes.at(-1) as { slotBytes: number }).slotBytes;
  if (slotSizes.at(-1) !== largest) slotSizes.push(largest);

  const live = new Float64Array(slotSizes.length);
  const grown = new Float64Array(slotSizes.length);
  sizes.forEach((size, k) => {
    const from = stats.classes.findIndex(({ slotBytes }) => slotBytes >= size);
    const to = slotSizes.findIndex((slotBytes) => slotBytes >= size);
    const share = (counts[k] as number) / (stats.classes[from] as { requests: number }).requests;
    live[to] = (live[to] as number) + share * (demand[from] as number);
    grown[to] = (grown[to] as number) + share * (bursts[from] as number);
  });
  const highWaterOf = (at: number) => Math.ceil((live[at] as number) - 1e-9);
  const classes = slotSizes.map((slotBytes, at): SizeClassSetting => {
    const highWater = highWaterOf(at);
    if (highWater === 0) return { slotBytes, slots: Math.min(UNUSED_SLOTS, pool.maxSlotsPerClass) };
    const growSlots =
      growthOf(Math.ceil((grown[at] as number) - 1e-9), pool.maxSlotsPerClass) ?? growthBefore.get(slotBytes);
    return {
      slotBytes,
      slots: slotsFor(highWater, pool.maxSlotsPerClass),
      ...(growSlots !== undefined && { growSlots }),
    };
  });
  return {
    choice: { kind: 'size_classes', classes },
    requests: counts.reduce((sum, count) => sum + count, 0),
    present: {
      slotSizes: stats.classes.map(({ slotBytes }) => slotBytes),
      internalFragmentation: stats.bytes.available ? (stats.bytes.internalFragmentation ?? 0) : 0,
      highWaterBytes: stats.classes.reduce(
        (sum, { slotBytes }, at) => sum + Math.ceil((demand[at] as number) - 1e-9) * slotBytes,
        0,
      ),
    },
    learnt: {
      slotSizes,
      internalFragmentation: 1 - requestedBytes / fit.slotBytes,
      highWaterBytes: slotSizes.reduce((sum, slotBytes, at) => sum + highWaterOf(at) * slotBytes, 0),
    },
  };
}

/**
 * The sizes that are in use at the high-water marks, for measuring: as many of each size as its share of its class. At most
 * `most`, in proportion.
 */
export function sizesInUse(pool: SizeClassPool, most: number): number[] {
  const { sizes, counts } = pool.traffic();
  const { classes } = pool.stats();
  const { demand } = pool;
  const all = demand.reduce((sum, each) => sum + each, 0);
  const scale = Math.min(1, most / Math.max(1, all));
  const inUse: number[] = [];
  let owed = 0;
  sizes.forEach((size, k) => {
    const at = classes.findIndex(({ slotBytes }) => slotBytes >= size);
    const { requests } = classes[at] as { requests: number };
    // What rounding down leaves is carried on, so that the sum is right.
    owed += (scale * (demand[at] as number) * (counts[k] as number)) / requests;
    for (; owed > 0.5; owed -= 1) inUse.push(Math.min(size, pool.maxBytes));
  });
  return inUse.length > 0 ? inUse : [Math.min(sizes[0] ?? 1, pool.maxBytes)];
}
