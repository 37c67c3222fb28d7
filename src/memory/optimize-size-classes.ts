/**
 * Learns the classes of a size-class pool from its traffic, and puts them in force where that costs no time.
 *
 * What learnt classes save is memory, and exactly known from the counted sizes; whether they cost time is measured, with the
 * user's workload or the life of a pool. So they win where they are faster, or as fast and smaller.
 */
import type { SizeClassChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationStatus } from '../model/types.js';
import type { ComparisonSubject } from '../validation/subject.js';
import type { Workload } from '../validation/workload.js';
import { learnSizeClasses, sizesInUse } from './size-class-learning.js';
import type { SizeClassPool } from './size-class-pool.js';
import { sizeClassPoolWith, type SizeClassTrial } from './size-class-trial.js';
import { failureOf, statusOf, trialSubject, type TrialBudget } from './trial-budget.js';
import { runnerFor } from './workload-runner.js';

export interface SizeClassOutcome {
  readonly candidate: SizeClassChoice | null;
  readonly validation: Comparison | null;
  readonly status: OptimizationStatus;
  readonly plan: Readonly<Record<string, unknown>>;
  /** Blocks in use at most and their mean size, for the questions beside. */
  readonly live: number;
  readonly meanBytes: number;
}

const MOST_IN_TRIAL = 4096;
/** Less memory by this share is worth a change that costs no time. */
const WORTH = 0.01;

export async function optimizeSizeClasses(
  pool: SizeClassPool,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<SizeClassOutcome> {
  const stats = pool.stats();
  if (stats.oversized > 0) {
    budget.warnings.push(
      `Pool "${pool.name}" refused ${stats.oversized} requests of more than its maxBytes of ${pool.maxBytes} ` +
        `(the largest: ${stats.largestOversizedBytes}): raise maxBytes.`,
    );
  }
  for (const each of stats.classes) {
    if (each.exhausted === 0 || each.capacity < pool.maxSlotsPerClass) continue;
    budget.warnings.push(
      `Class ${each.slotBytes} of pool "${pool.name}" refused ${each.exhausted} requests at its ` +
        `${pool.maxSlotsPerClass} slots: raise maxSlotsPerClass.`,
    );
  }
  const learning = learnSizeClasses(pool);
  if (learning === null) {
    budget.warnings.push(
      `Pool "${pool.name}" has seen no traffic yet. Optimise it after the service has run under load.`,
    );
    return {
      candidate: null,
      validation: null,
      status: 'no_improvement',
      plan: { present: pool.choice },
      live: 1,
      meanBytes: pool.maxBytes,
    };
  }
  const { choice, present, learnt, requests } = learning;
  const { growths, exhausted, highWater } = stats;
  const isSame = JSON.stringify(choice) === JSON.stringify(pool.choice);
  const validation = isSame ? null : await validated(pool, choice, workload, budget, others);
  const isSmaller =
    saves(present.internalFragmentation, learnt.internalFragmentation) &&
    learnt.highWaterBytes <= present.highWaterBytes;
  return {
    candidate: isSame ? null : choice,
    validation,
    status: isSame
      ? 'no_improvement'
      : validation?.verdict === 'equivalent' && isSmaller
        ? 'applied'
        : statusOf(validation),
    plan: {
      traffic: { requests, highWater, growths, growthBursts: pool.growthBursts, exhausted },
      present: { ...present, choice: pool.choice },
      learnt,
      candidate: isSame ? null : choice,
      measuredWith: workload
        ? `workload "${workload.name}" in this process`
        : 'the life of a pool at the recorded high-water marks',
    },
    live: Math.max(1, highWater),
    meanBytes: Math.max(1, Math.round(pool.traffic().requestedBytes / requests)),
  };
}

/** Whether slots become smaller by a share worth a change: those for the same requests, so waste tells it. */
function saves(before: number, after: number): boolean {
  return (1 - before) / (1 - after) <= 1 - WORTH;
}

async function validated(
  pool: SizeClassPool,
  candidate: SizeClassChoice,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<Comparison | null> {
  const { maxBytes, alignmentBytes, maxSlotsPerClass } = pool;
  const trialOf = (choice: SizeClassChoice): SizeClassTrial => ({
    maxBytes,
    alignmentBytes,
    maxSlotsPerClass,
    choice,
    sizes: sizesInUse(pool, MOST_IN_TRIAL),
  });
  const subject = async (choice: SizeClassChoice, label: string): Promise<ComparisonSubject> => {
    if (workload === undefined) {
      return trialSubject('./size-class-trial.js', 'sizeClassTrial', trialOf(choice), label);
    }
    const run = await runnerFor(workload, sizeClassPoolWith(trialOf(choice)));
    return Object.defineProperty(() => run(), 'name', { value: label });
  };
  try {
    return await budget.compare(
      await subject(pool.choice, `present (${pool.choice.classes.length} size classes)`),
      await subject(candidate, `${candidate.classes.length} learnt size classes`),
      budget.decidingMs(others),
      `Comparing learnt size classes with the present ones of pool "${pool.name}"`,
    );
  } catch (error) {
    budget.warnings.push(`The comparison failed: ${failureOf(error)}`);
    return null;
  }
}
