/** Chooses slots, growth, alignment, huge pages and prefault of a pool from the traffic that it has seen. */
import type { PoolChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { ComparisonSubject } from '../validation/subject.js';
import type { Workload } from '../validation/workload.js';
import { poolWith, type PoolTrial } from './allocation-trial.js';
import { roundUp } from './arguments.js';
import { growthOf, slotsFor } from './learnt-capacity.js';
import type { MemoryRequest } from './memory-request.js';
import { screenApart } from './screen-apart.js';
import { screen, type Screened } from './screening.js';
import type { SlabPool } from './slab-pool.js';
import { failureOf, trialSubject, type TrialBudget } from './trial-budget.js';
import { runnerFor } from './workload-runner.js';

export interface PoolOutcome {
  readonly candidate: PoolChoice | null;
  readonly validation: Comparison | null;
  readonly plan: Readonly<Record<string, unknown>>;
  /** Slots that were in use at most, for the questions beside. */
  readonly live: number;
}

/** From here on huge pages have something to save. */
const HUGE_BYTES = 2 * 2 ** 20;

export async function optimizePool(
  pool: SlabPool,
  request: MemoryRequest,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<PoolOutcome> {
  const stats = pool.stats();
  if (stats.highWater === 0) {
    budget.warnings.push(
      `Pool "${pool.name}" has seen no traffic yet, so its capacity stands in for the high-water mark. ` +
        'Optimise it after the service has run under load.',
    );
  }
  const live = stats.highWater === 0 ? pool.choice.slots : stats.highWater;
  const present: PoolChoice = { ...pool.choice, slots: Math.min(pool.choice.slots, pool.maxSlots) };
  const candidates = poolCandidates(pool, present, live, request);
  const trialOf = (choice: PoolChoice): PoolTrial => ({
    slotBytes: pool.slotBytes,
    maxSlots: pool.maxSlots,
    checks: pool.checks,
    choice,
    live,
  });
  const { highWater, growths, exhausted } = stats;
  const traffic = { highWater, growths, growthBurst: pool.growthBurst, exhausted };
  const outcome = (
    candidate: PoolChoice | null,
    validation: Comparison | null,
    screened: readonly Screened<PoolChoice>[] = [],
  ): PoolOutcome => ({
    candidate,
    validation,
    live,
    plan: {
      present,
      traffic,
      candidates,
      screening: screened.map(({ item, ratio }) => ({ choice: item, ratio })),
      candidate,
      measuredWith: workload
        ? `workload "${workload.name}" in this process`
        : 'the life of a pool at the recorded high-water mark',
    },
  });
  if (stats.exhausted > 0 && stats.capacity === pool.maxSlots) {
    budget.warnings.push(
      `Pool "${pool.name}" refused ${stats.exhausted} requests at its maxSlots of ${pool.maxSlots}: raise maxSlots.`,
    );
  }
  if (candidates.length === 0) return outcome(null, null);

  const run = workload && ((choice: PoolChoice) => runnerFor(workload, poolWith(trialOf(choice))));
  let screened: Screened<PoolChoice>[];
  try {
    budget.progress('screen', `Looking at ${candidates.length + 1} pool configurations`, 0);
    const choices = [present, ...candidates];
    if (run === undefined) {
      const trials = choices.map((item) => ({
        item,
        trial: { name: 'poolTrial' as const, trial: trialOf(item) },
      }));
      screened = await screenApart(trials, budget.screeningMs, budget.signal);
    } else {
      const runners: { item: PoolChoice; run: () => unknown }[] = [];
      for (const item of choices) runners.push({ item, run: await run(item) });
      screened = await screen(runners, budget.screeningMs, budget.signal);
    }
  } catch (error) {
    budget.warnings.push(`The first look failed: ${failureOf(error)}`);
    return outcome(candidates[0] as PoolChoice, null);
  }
  const best = screened.find(({ item }) => item !== present)?.item as PoolChoice;
  const subject = async (choice: PoolChoice, label: string): Promise<ComparisonSubject> => {
    if (run === undefined) return trialSubject('./allocation-trial.js', 'poolTrial', trialOf(choice), label);
    const made = await run(choice);
    return Object.defineProperty(() => made(), 'name', { value: label });
  };
  const validation = await budget.compare(
    await subject(present, `present (${describePool(present)})`),
    await subject(best, describePool(best)),
    budget.decidingMs(others),
    `Comparing ${describePool(best)} with the present configuration of pool "${pool.name}"`,
  );
  return outcome(best, validation, screened);
}

export function describePool(choice: PoolChoice): string {
  const { growSlots } = choice;
  return describeMeasured(choice) + (growSlots === undefined ? '' : `, grown by ${growSlots}`);
}

/** Without growth, which comes into play beyond the demand seen so far: two that differ in nothing else are equal. */
function describeMeasured({ slots, alignmentBytes, hugePages, prefault }: PoolChoice): string {
  return `${slots} slots, aligned ${alignmentBytes}, huge pages ${hugePages}${prefault ? ', prefaulted' : ''}`;
}

function poolCandidates(
  pool: SlabPool,
  present: PoolChoice,
  live: number,
  { cacheLineBytes }: MemoryRequest,
): PoolChoice[] {
  const slots = slotsFor(live, pool.maxSlots);
  const alignments = cacheLineBytes
    ? [cacheLineBytes]
    : [
        ...new Set(
          [present.alignmentBytes, 64, 128].filter((bytes) => bytes <= Math.max(128, pool.slotBytes)),
        ),
      ];
  const growSlots = growthOf(pool.growthBurst, pool.maxSlots) ?? present.growSlots;
  const candidates: PoolChoice[] = [];
  for (const alignmentBytes of alignments) {
    const isLarge = slots * roundUp(pool.slotBytes, alignmentBytes) >= HUGE_BYTES;
    for (const hugePages of isLarge ? (['never', 'auto'] as const) : (['never'] as const)) {
      for (const prefault of [false, true]) {
        const learnt = growSlots === undefined ? {} : { growSlots };
        candidates.push({ kind: 'pool', slots, ...learnt, alignmentBytes, hugePages, prefault });
      }
    }
  }
  return candidates.filter((candidate) => describeMeasured(candidate) !== describeMeasured(present));
}
