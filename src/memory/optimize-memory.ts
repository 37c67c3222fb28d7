/**
 * Optimises one memory subject: a record type, a pool, or, where nothing is registered, the reference records.
 * What is measured and why is in the plan; what was found to be no better is reported as such and not applied.
 */
import { describe, fail } from '../errors.js';
import type { MemoryChoice } from '../model/choice.js';
import type { OptimizationContext, OptimizationDraft } from '../model/context.js';
import type { Subject } from '../model/subject.js';
import type { OptimizationStatus } from '../model/types.js';
import type { MemorySettings } from '../settings/memory.js';
import type { Workload } from '../validation/workload.js';
import { readRequest, type MemoryRequest, type Study } from './memory-request.js';
import { allocationStudy, fusionStudy, type StudyResult } from './memory-studies.js';
import type { LayoutTrial } from './layout-trial.js';
import { optimizePool } from './optimize-pool.js';
import { optimizeSizeClasses } from './optimize-size-classes.js';
import { optimizeStruct } from './optimize-struct.js';
import { referenceRecords } from './reference-records.js';
import { flagStudies, type FlagResult } from './runtime-flags.js';
import { SizeClassPool } from './size-class-pool.js';
import { SlabPool } from './slab-pool.js';
import { StructType } from './struct/struct-type.js';
import { statusOf, TrialBudget } from './trial-budget.js';

const REFERENCE_LIVE = 64;

/** What the studies of allocation try: blocks of a size, so many of them alive. */
interface Allocation {
  readonly blockBytes: number;
  readonly live: number;
}

interface PoolOutcome extends Pick<OptimizationDraft, 'plan' | 'validation' | 'status'> {
  readonly candidate: OptimizationDraft['choice'];
}

/**
 * @param subject a registered struct type, slab pool or size-class pool; undefined measures the reference records
 * @param settings canonical tree, as `parseMemorySettings` gives it; groups that are absent were not asked for
 * @param workloads registered workloads; the first that names the subject, or names none, measures it
 * @throws INVALID_ARGUMENT for another kind of subject; ABORTED
 */
export async function optimizeMemory(
  subject: Subject | undefined,
  settings: MemorySettings,
  workloads: readonly Subject[],
  context: OptimizationContext,
): Promise<OptimizationDraft> {
  const request = readRequest(settings);
  const budget = new TrialBudget(context);
  if (context.signal?.aborted === true) {
    throw fail('ABORTED', { what: 'The optimisation' }, { cause: context.signal.reason });
  }
  const workload = subject && workloadFor(subject, workloads);
  const others = request.studies.length + request.flags.length;
  if (subject instanceof SizeClassPool) {
    return ofSizeClasses(subject, request, settings, workload, budget, others);
  }
  if (subject instanceof SlabPool) return ofPool(subject, request, settings, workload, budget, others);
  if (subject !== undefined && !(subject instanceof StructType)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'subject',
      actual: describe(subject),
      expected: 'a struct type, a SlabPool or a SizeClassPool',
    });
  }
  return ofStruct(subject as StructType | undefined, request, settings, workload, budget, others);
}

async function ofStruct(
  type: StructType | undefined,
  request: MemoryRequest,
  settings: MemorySettings,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<OptimizationDraft> {
  const types = type === undefined ? referenceRecords() : [type];
  const outcome = await optimizeStruct(types, request, workload, budget, others);
  const { candidate, validation } = outcome;
  const status: OptimizationStatus = candidate === null ? 'no_improvement' : statusOf(validation);
  const blockBytes = Math.max(...types.map((each) => each.sizeBytes));
  const studies = await answer(request, { blockBytes, live: REFERENCE_LIVE }, outcome.trial, budget);
  const flags = await flagStudies(request.flags, workload, type, budget);
  const choice = status === 'applied' ? (candidate as MemoryChoice) : null;
  if (choice !== null) type?.applyChoice(choice, 'measured');
  return {
    type: 'memory',
    subject:
      type === undefined ? { kind: 'reference', name: 'records' } : { kind: 'struct', name: type.name },
    settings: settings,
    plan: { ...outcome.plan, ...planOf(studies, flags) },
    status,
    validation,
    comparisons: comparisonsOf(studies, flags),
    choice,
    warnings: budget.warnings,
  };
}

async function ofPool(
  pool: SlabPool,
  request: MemoryRequest,
  settings: MemorySettings,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<OptimizationDraft> {
  warnOfFields(pool, request, budget);
  const outcome = await optimizePool(pool, request, workload, budget, others);
  const status = outcome.candidate === null ? 'no_improvement' : statusOf(outcome.validation);
  const allocation = { blockBytes: pool.slotBytes, live: Math.max(1, outcome.live) };
  return concludePool(pool, { ...outcome, status }, allocation, request, settings, workload, budget);
}

async function ofSizeClasses(
  pool: SizeClassPool,
  request: MemoryRequest,
  settings: MemorySettings,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<OptimizationDraft> {
  warnOfFields(pool, request, budget);
  if (request.cacheLineBytes !== undefined) {
    budget.warnings.push(
      `cacheLineOptimization does nothing for pool "${pool.name}": its alignment is set when it is made.`,
    );
  }
  const outcome = await optimizeSizeClasses(pool, workload, budget, others);
  const allocation = { blockBytes: outcome.meanBytes, live: outcome.live };
  return concludePool(pool, outcome, allocation, request, settings, workload, budget);
}

/** What pools of both kinds have in common once their candidate was measured. */
async function concludePool(
  pool: SlabPool | SizeClassPool,
  outcome: PoolOutcome,
  allocation: Allocation,
  request: MemoryRequest,
  settings: MemorySettings,
  workload: Workload | undefined,
  budget: TrialBudget,
): Promise<OptimizationDraft> {
  const { candidate, validation, status } = outcome;
  const studies = await answer(request, allocation, undefined, budget);
  const flags = await flagStudies(request.flags, workload, undefined, budget);
  const choice = status === 'applied' ? candidate : null;
  if (choice !== null && !pool.stats().closed) pool.applyChoice(choice);
  return {
    type: 'memory',
    subject: { kind: 'pool', name: pool.name },
    settings: settings,
    plan: { ...outcome.plan, ...planOf(studies, flags) },
    status,
    validation,
    comparisons: comparisonsOf(studies, flags),
    choice,
    warnings: budget.warnings,
  };
}

function warnOfFields(
  { name }: Subject,
  { packing, compareOrders, clusterHot }: MemoryRequest,
  budget: TrialBudget,
): void {
  if (packing === undefined && !compareOrders && !clusterHot) return;
  budget.warnings.push(
    `structPacking, memoryAccessPatterns, arrayTraversal and dataClustering do nothing for pool "${name}": ` +
      'its slots have no fields.',
  );
}

function workloadFor({ name }: Subject, workloads: readonly Subject[]): Workload | undefined {
  const all = workloads as readonly Workload[];
  // One that names the subject goes before one that is for any.
  return all.find((each) => each.subject === name) ?? all.find((each) => each.subject === undefined);
}

async function answer(
  { studies, flags }: MemoryRequest,
  allocation: Allocation,
  layout: LayoutTrial | undefined,
  budget: TrialBudget,
): Promise<StudyResult[]> {
  const results: StudyResult[] = [];
  let left = studies.length + flags.length;
  for (const study of studies) {
    const budgetMs = budget.partMs(left);
    left -= 1;
    if (study !== 'loop_fusion') results.push(await allocationStudy(study, allocation, budget, budgetMs));
    else if (layout !== undefined) results.push(await fusionStudy(layout, budget, budgetMs));
    else budget.warnings.push('dataReuse does nothing here: there are no number fields to loop over.');
  }
  return results;
}

function planOf(studies: readonly StudyResult[], flags: readonly FlagResult[]) {
  return {
    studies: studies.map(({ study, question, comparison, detail }: StudyResult & { study: Study }) => ({
      study,
      question,
      verdict: comparison?.verdict ?? null,
      ratio: comparison?.ratio ?? null,
      ...detail,
    })),
    runtimeFlags: flags.map(({ flag, comparison }) => ({
      flag,
      verdict: comparison?.verdict ?? null,
      ratio: comparison?.ratio ?? null,
      recommended: comparison?.verdict === 'faster',
    })),
  };
}

function comparisonsOf(studies: readonly StudyResult[], flags: readonly FlagResult[]) {
  return [...studies, ...flags].flatMap(({ comparison }) => (comparison === null ? [] : [comparison]));
}
