/** A first look at how a job scales: one choice for each thread count, enough of them to fit the scalability law to. Pure. */
import type { ThreadChoice } from '../model/choice.js';
import { SERIAL } from './job.js';
import { LEAST_COUNTS, type SpeedAtThreads } from './scalability-fit.js';
import type { Standing } from './screening.js';
import { candidates, type CandidateScope, type ThreadSearch } from './thread-candidates.js';

/**
 * The first choice of the settings, free to run anywhere, for each thread count; where the counts are too few, for every
 * count up to the most. Empty where that is too few still.
 */
export function pilotChoices(
  search: ThreadSearch,
  { most, ...scope }: CandidateScope & { readonly most: number },
): ThreadChoice[] {
  // One thread is a count too.
  const least = LEAST_COUNTS - 1;
  const every = Array.from({ length: Math.max(0, most - 1) }, (_, index) => index + 2);
  const counts = scope.counts.length >= least ? scope.counts : every;
  if (counts.length < least) return [];
  const free = candidates(search, { ...scope, counts, canPin: false });
  return counts.map((count) => free.find(({ threads }) => threads === count)!);
}

/** Speed over a serial run, the best of each thread count, from a screening against the choice in force. */
export function speedsByThreads(standings: readonly Standing[], present: ThreadChoice): SpeedAtThreads[] {
  if (standings.length === 0) return [];
  const best = new Map<number, number>([[present.threads, 1]]);
  for (const { choice, ratio } of standings)
    best.set(choice.threads, Math.min(ratio, best.get(choice.threads) ?? Infinity));
  const serial = best.get(SERIAL.threads);
  if (serial === undefined) return [];
  return [...best]
    .map(([threads, ratio]) => ({ threads, speedup: serial / ratio }))
    .sort((a, b) => a.threads - b.threads);
}
