/** What fresh processes load to measure a size-class pool's classes. */
import type { SizeClassChoice } from '../model/choice.js';
import { SizeClassPool } from './size-class-pool.js';

export interface SizeClassTrial {
  readonly maxBytes: number;
  readonly alignmentBytes: number;
  readonly maxSlotsPerClass: number;
  readonly choice: SizeClassChoice;
  /** Sizes in use at a time. */
  readonly sizes: readonly number[];
}

export function sizeClassPoolWith(trial: Omit<SizeClassTrial, 'sizes'>): SizeClassPool {
  const pool = new SizeClassPool({
    maxBytes: trial.maxBytes,
    alignment: trial.alignmentBytes,
    maxSlotsPerClass: trial.maxSlotsPerClass,
  });
  pool.applyChoice(trial.choice);
  return pool;
}

/** The life of a pool: made, filled to its high-water marks, churned, emptied. Growth and first touches count. */
export function sizeClassTrial(trial: SizeClassTrial): () => number {
  const { sizes } = trial;
  const live = sizes.length;
  const held = new Int32Array(live);
  return () => {
    using pool = sizeClassPoolWith(trial);
    let sum = 0;
    for (let k = 0; k < live; k += 1) {
      const size = sizes[k] as number;
      const handle = pool.acquire(size);
      const bytes = pool.view(handle);
      for (let at = 0; at < size; at += 64) bytes[at] = k;
      held[k] = handle;
    }
    for (let round = 0; round < 8 * live; round += 1) {
      const k = (round * 7) % live;
      pool.release(held[k] as number);
      const handle = pool.acquire(sizes[k] as number);
      const bytes = pool.view(handle);
      bytes[0] = k;
      sum += bytes[0];
      held[k] = handle;
    }
    for (let k = 0; k < live; k += 1) pool.release(held[k] as number);
    return sum;
  };
}
