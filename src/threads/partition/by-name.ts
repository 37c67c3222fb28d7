import type { Schedule } from '../../model/choice.js';
import { factoringPartitioner } from './factoring.js';
import { guidedPartitioner } from './guided.js';
import type { Partitioner } from './partitioner.js';
import { rangeStealingPartitioner } from './range-stealing.js';
import { sharedCounterPartitioner } from './shared-counter.js';
import { staticPartitioner } from './static.js';

/** Every partitioner. The position is its number in a loop's control block, so append only. */
export const PARTITIONERS: readonly Partitioner[] = [
  staticPartitioner,
  guidedPartitioner,
  factoringPartitioner,
  sharedCounterPartitioner,
  rangeStealingPartitioner,
];

/** Names that callers may pass as `schedule`. */
export const SCHEDULES: readonly Schedule[] = ['auto', ...PARTITIONERS.map(({ name }) => name)];

/** Number of the partitioner for a schedule. `auto` distributes by range stealing. */
export function partitionerIndex(schedule: Schedule): number {
  const name = schedule === 'auto' ? 'stealing' : schedule;
  return PARTITIONERS.findIndex((partitioner) => partitioner.name === name);
}
