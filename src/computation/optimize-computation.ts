/**
 * Which of several equivalent functions is fastest, for each size of input: check that they agree → race them on
 * every size → find where the winner changes → prove the resulting dispatcher against the one in force.
 */
import { fail, SubjectError } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationContext, OptimizationDraft } from '../model/context.js';
import type { OptimizationStatus } from '../model/types.js';
import type { ComputationSettings } from '../settings/computation.js';
import { checkOrders, takesPart, type Rejection } from './agreement.js';
import { boundedChoice } from './bounded-choice.js';
import { variantFor, type ComputationOptions } from './computation.js';
import { confirmCrossovers } from './confirm-crossovers.js';
import { configure } from './configure.js';
import { measuringOverheadBytes, type CostMeasure, type Weights } from './cost.js';
import { findChoice, pick, withoutRejected, type FoundChoice, type SearchRequest } from './find-choice.js';
import type { ComputationTarget } from './participants.js';
import { planOf } from './plan.js';
import { prepare } from './prepare.js';
import { raceComparisons } from './race-comparisons.js';
import type { Standing } from './race.js';
import { seededRandom } from './random.js';
import { resourcesOf } from './resources-by-size.js';
import { choiceOf, crossovers, strongestRival } from './selection.js';
import { affordable, describeChoice, validateChoice } from './validate-choice.js';
import type { AnyFunction, Variant } from './variants.js';

export { computationsOf, type ComputationTarget } from './participants.js';

/** What a caller of `optimizer.optimizeComputation` describes beside the settings. */
export type ComputationRequest<F extends AnyFunction = AnyFunction> = ComputationOptions<F>;

/** What was found at one size. */
export interface SizeChoice {
  readonly size: number;
  /** Variant that the race picked for it. In force only where the whole choice was validated. */
  readonly variant: string;
  /** Variants that cannot be told apart from the fastest here. */
  readonly indistinguishable: readonly string[];
  readonly standings: readonly Standing[];
}

/** What a caller gets beside the profile. */
export interface OptimizedComputation<F extends AnyFunction = AnyFunction> {
  /** Calls what is in force, now and after later choices. */
  readonly dispatch: F;
  readonly choices: readonly SizeChoice[];
}

/** Shares of the budget: configuring variants, racing, testing crossovers; the rest proves the result. */
const TUNE_SHARE = 0.2;
const SEARCH_SHARE = 0.45;
const CONFIRM_SHARE = 0.08;
/** Share of the budget after which no more resources are looked at. */
const RESOURCES_SHARE = 0.1;

/**
 * Optimises one computation and puts the winner in force if it is proved faster.
 *
 * @throws INVALID_ARGUMENT for fewer than two variants, inputs that do not fit, or a reference that changes its
 *   input, keeps results or is not repeatable; SUBJECT_UNLOADABLE, SUBJECT_THREW where the first variant or the
 *   inputs fail; ABORTED.
 *
 * @example
 * const { draft, dispatch } = await optimizeComputation(
 *   { computation: computation({ name: 'sum', variants: { loop, reduce }, inputs: (n) => new Float64Array(n) }) },
 *   await parseComputationSettings({}),
 *   context,
 * );
 */
export async function optimizeComputation(
  target: ComputationTarget,
  settings: ComputationSettings,
  context: OptimizationContext,
): Promise<{ draft: OptimizationDraft } & OptimizedComputation> {
  const startMs = performance.now();
  const remainingMs = () => context.budgetMs - (performance.now() - startMs);
  const throwIfAborted = () => {
    if (context.signal?.aborted) throw fail('ABORTED', { what: 'The optimisation' });
  };
  throwIfAborted();

  const { computation } = target;
  const { objective, weights } = settings.resourceUtilization;
  const measure: CostMeasure = {
    objective,
    ...(weights && objective === 'weighted' && { weights: weights as Weights }),
  };
  const random = seededRandom(settings.performanceTuning.seed);
  const prepared = await prepare(target, settings, context, random, throwIfAborted);
  const { all, agreement, rejections, warnings, present, classes } = prepared;
  if (weights && objective !== 'weighted') {
    warnings.add(`resourceUtilization.weights has no effect: the objective is ${objective}, not weighted.`);
  }
  const asynchronous = agreement.asynchronous.size > 0;
  const budgetMs = Math.min(settings.performanceTuning.budgetMs ?? Infinity, remainingMs());
  const common = {
    computation,
    inputs: prepared.inputs,
    present,
    settings,
    asynchronous,
    measure,
    overheadBytes: await measuringOverheadBytes(asynchronous),
    random,
    context,
    agreement: prepared.agreementOptions,
    rejections,
    unsettled: new Map(),
    warnings,
  };

  const tuned = await configure(prepared, common, budgetMs * TUNE_SHARE);
  const variants = [...prepared.variants, ...tuned.variants];
  const searchMs = Math.min(settings.performanceTuning.budgetMs ?? Infinity, remainingMs() * SEARCH_SHARE);
  const request: SearchRequest = { ...common, variants, classes, budgetMs: searchMs };
  let found = await findChoice(request);

  // After thousands of calls, as optimised code: what was right before the race must still be.
  const late = await checkOrders(variants, agreement.calls, rejections, prepared.agreementOptions);
  if (late.length > 0) {
    rejections.push(...late);
    for (const { message } of late) warnings.add(message);
    found = repick(found, request);
  }

  const confirmMs = Math.min(searchMs / 3, remainingMs() * CONFIRM_SHARE);
  const known = rejections.length;
  const confirmed = await confirmCrossovers(found.changes, found.measured, {
    ...request,
    budgetMs: confirmMs,
  });
  let { crossovers: tested } = confirmed;
  if (confirmed.measured.length > 0 && tested.some(({ status }) => status === 'refuted')) {
    const measuredAll = [...found.measured, ...confirmed.measured];
    found = pick(withoutRejected(measuredAll, rejections), request);
    for (const { from, to, at, status } of tested) {
      if (status !== 'refuted') continue;
      warnings.add(
        `The crossover from "${from}" to "${to}" at ${at} did not hold on other sizes; it was found anew.`,
      );
    }
    const again = new Map(tested.map((change) => [`${change.from} ${change.to} ${change.at}`, change]));
    tested = found.changes.map(
      (change) =>
        again.get(`${change.from} ${change.to} ${change.at}`) ?? {
          ...change,
          status: 'not-tested',
          heldOut: [],
          reason: 'it was found with the sizes that refuted another',
        },
    );
  }
  if (rejections.length > known) found = repick(found, request);
  const { measured, picked } = found;

  const isKept = measured.every(({ size }, i) => variantFor(present, size) === picked[i]);
  const proposed = isKept ? rivalChoice(found, present, variants, rejections) : found.candidate;
  const changed = measured
    .map(({ sizeClass }) => sizeClass)
    .filter(({ size }) => variantFor(proposed, size) !== variantFor(present, size));
  // Sizes that were added to find a crossover lie where the two are nearly equal: the caller's own count.
  const asked = changed.filter((sizeClass) => classes.includes(sizeClass));
  const uses = await resourcesOf(found.measured, variants, {
    ...common,
    endMs: performance.now() + remainingMs() * RESOURCES_SHARE,
  });
  const validated = affordable(asked.length > 0 ? asked : changed, measured, objective, remainingMs());
  const notValidated = new Set(asked.filter((one) => !validated.includes(one)).map(({ size }) => size));
  if (!isKept && notValidated.size > 0) {
    const left = [...notValidated].join(', ');
    warnings.add(
      `Not validated at size ${left}: too slow there for the budget that was left. What was in force there stays.`,
    );
  }
  const candidate =
    isKept || measured.length === 0
      ? proposed
      : boundedChoice(proposed, present, measured, { notValidated, leftOutAbove: prepared.leftOutAbove });

  let validation: Comparison | null = null;
  if (validated.length > 0) {
    context.progress({ stage: 'validate', fraction: 0, message: `Validating ${describeChoice(candidate)}` });
    try {
      const outcome = await validateChoice({
        computation,
        variants,
        present,
        candidate,
        classes: validated,
        asynchronous,
        measure,
        budgetMs: remainingMs(),
        context,
      });
      validation = outcome.comparison;
      for (const warning of outcome.warnings) warnings.add(warning);
    } catch (error) {
      if (!(error instanceof SubjectError)) throw error;
      warnings.add(error.message);
    }
  } else {
    warnings.add('There is nothing to compare: no other variant can take part.');
  }

  const status = statusOf(validation);
  if (status === 'applied') computation.applyChoice(candidate);
  const plan = planOf({
    measure,
    all,
    variants,
    rejections,
    found,
    crossovers: tested,
    present,
    candidate,
    inForce: status === 'applied' ? candidate : present,
    validated,
    uses,
    tuned: tuned.report,
    settings,
    maxSize: computation.options.maxSize,
  });
  for (const warning of plan.warnings) warnings.add(warning);
  const draft: OptimizationDraft = {
    type: 'computation',
    subject: { kind: 'computation', name: computation.name },
    settings: settings,
    plan: plan.plan,
    status,
    validation,
    comparisons: raceComparisons(measured, objective, context.environment),
    choice: status === 'applied' ? candidate : null,
    warnings: [...warnings],
  };
  const choices = measured.map(({ size, standings }, i) => ({
    size,
    variant: picked[i]!,
    indistinguishable: standings.filter(({ tied }) => tied).map(({ variant }) => variant),
    standings,
  }));
  return { draft, dispatch: computation.dispatch, choices };
}

function repick(found: FoundChoice, request: SearchRequest): FoundChoice {
  const measured = withoutRejected(found.measured, request.rejections).filter(
    ({ standings }) => standings.length > 0,
  );
  return measured.length === 0
    ? { measured: [], picked: [], changes: [], candidate: request.present }
    : pick(measured, request);
}

/**
 * Where the search found nothing better, what it is held against, so that keeping what is in force rests on a
 * comparison too: the strongest rival, or without a race the first variant that is another.
 */
function rivalChoice(
  { measured, candidate }: FoundChoice,
  present: ComputationChoice,
  variants: readonly Variant[],
  rejections: readonly Rejection[],
): ComputationChoice {
  const raced = measured.some(({ standings }) => standings.length > 0);
  const isInForce = (name: string) => measured.every(({ size }) => variantFor(present, size) === name);
  const rival = raced
    ? strongestRival(measured, present)
    : variants.find(({ name }) => !isInForce(name) && takesPart(rejections, name, Infinity))?.name;
  if (rival === undefined || measured.length === 0) return candidate;
  const instead = measured.map(({ size, standings }) =>
    !raced || standings.some(({ variant }) => variant === rival) ? rival : variantFor(present, size),
  );
  return choiceOf(instead, crossovers(measured, instead));
}

function statusOf(validation: Comparison | null): OptimizationStatus {
  switch (validation?.verdict) {
    case undefined:
      return 'failed';
    case 'faster':
      return 'applied';
    case 'inconclusive':
      return 'inconclusive';
    default:
      return 'no_improvement';
  }
}
