/** How many slots a pool should begin with and grow by, from what was seen. */
import { roundUp } from './arguments.js';

/** Room above the high-water mark, so that the next peak does not grow the pool. */
const HEADROOM = 1.25;
const SLOT_STEP = 16;

/** Slots to begin with, for a pool of which `highWater` were in use at most. */
export function slotsFor(highWater: number, maxSlots: number): number {
  return Math.min(maxSlots, roundUp(Math.ceil(highWater * HEADROOM), SLOT_STEP));
}

/** Slots to grow by: a burst as large as the largest that was seen, in one step. Undefined where there was none. */
export function growthOf(growthBurst: number, maxSlots: number): number | undefined {
  return growthBurst === 0 ? undefined : Math.min(maxSlots, roundUp(growthBurst, SLOT_STEP));
}
