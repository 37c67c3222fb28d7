/**
 * The contract of partitioners: how a range of units is handed out to participants, chunk by chunk.
 *
 * A partitioner is pure: all it knows stands in the Int32Array `state`, which in production lies in shared memory and
 * in tests and simulations in a plain one. `init` runs in one thread before anybody calls `next`; `next` runs in all
 * of them at once and settles races with `Atomics` alone, never waiting for another thread.
 */
import type { Schedule } from '../../model/choice.js';

/**
 * Most units that one loop has. A share (first, end) then fits one 32-bit word, so that taking from it and stealing
 * from it are one compare-and-swap. Longer ranges get units of several iterations: 1/65535 of a range is finer
 * than any schedule needs.
 */
export const MAX_UNITS = 65_535;

/** Words from one independently written word to the next: 128 bytes, as adjacent lines are fetched in pairs. */
export const LINE_WORDS = 32;

export interface PartitionPlan {
  /** 0 to `MAX_UNITS`. */
  readonly units: number;
  /** At least 1. */
  readonly participants: number;
  /** Least units a chunk (the last may be shorter), or null for the schedule's own choice. */
  readonly grain: number | null;
  /** Expected cost of equally long parts of the range, first to last, in any unit. */
  readonly weights?: readonly number[];
}

/** Units from `start` (included) to `end` (excluded). Filled by `next`, so that it allocates nothing. */
export interface Chunk {
  start: number;
  end: number;
}

export interface Partitioner {
  readonly name: Exclude<Schedule, 'auto'>;
  /** Whether each share belongs to one participant: then a share without participant must be taken over. */
  readonly owned: boolean;
  stateWords(participants: number): number;
  init(state: Int32Array, plan: PartitionPlan): void;
  /** Fills the next chunk for a participant; false where there is nothing left for it. */
  next(state: Int32Array, participant: number, chunk: Chunk): boolean;
}

/**
 * Ends of contiguous shares, one per participant: equally long, or of equal cost where weights are given.
 */
export function shareEnds({ units, participants, weights }: PartitionPlan): number[] {
  const total = weights?.reduce((sum, weight) => sum + weight, 0) ?? 0;
  const ends: number[] = [];
  if (weights === undefined || !(total > 0)) {
    for (let share = 1; share <= participants; share += 1)
      ends.push(Math.round((units * share) / participants));
    return ends;
  }
  const unitsPerWeight = units / weights.length;
  let part = 0;
  let before = 0;
  for (let share = 1; share < participants; share += 1) {
    const target = (total * share) / participants;
    while (part < weights.length - 1 && before + weights[part]! < target) before += weights[part++]!;
    const weight = weights[part]!;
    const within = weight > 0 ? (target - before) / weight : 1;
    ends.push(Math.min(units, Math.round((part + Math.min(1, within)) * unitsPerWeight)));
  }
  ends.push(units);
  return ends;
}
