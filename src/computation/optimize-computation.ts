/**
 * Which of several equivalent functions is fastest, for each size of input: check that they agree → race them on
 * every size → find where the winner changes → prove the resulting dispatcher against the one in force.
 */
import { fail, SubjectError } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationContext, OptimizationDraft } from '../model/context.js';
import { unavailable } from '../model/metric.js';
import type { OptimizationStatus } from '../model/types.js';
import type { ComputationSettings } from '../settings/computation.js';
import { checkAgreement, isWrong, takesPart, type Rejection } from './agreement.js';
import { fitComplexity } from './complexity-fit.js';
import { variantFor, type ComputationOptions } from './computation.js';
import { UNITS } from './cost.js';
import { findChoice, type FoundChoice } from './find-choice.js';
import { sizeClasses } from './inputs.js';
import { admitted, type ComputationTarget } from './participants.js';
import type { Standing } from './race.js';
import { choiceOf, crossovers, strongestRival, type MeasuredSize } from './selection.js';
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

/** Share of the budget for the search; the rest proves the result. */
const SEARCH_SHARE = 0.45;
/** A call that takes more than this fraction of the budget is not made: there would be time for too few. */
const MAX_CALLS = 20;

/**
 * Optimises one computation and puts the winner in force if it is proved faster.
 *
 * @throws INVALID_ARGUMENT for fewer than two variants or inputs that do not fit; SUBJECT_UNLOADABLE,
 *   SUBJECT_THREW where the first variant or the inputs fail; ABORTED.
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
  const { objective } = settings.resourceUtilization;
  const all = await computation.load();
  if (all.length < 2) {
    throw fail('INVALID_ARGUMENT', {
      name: 'variants',
      actual: `one function ("${all[0]!.name}")`,
      expected: 'two or more functions that do the same',
    });
  }
  const { variants, warnings: admission } = admitted(all, computation.choice, settings.parallelization);
  const warnings = new Set(admission);
  const inputs = target.inputs ?? computation.options.inputs;
  const sizes = target.inputs === undefined ? (target.sizes ?? computation.options.sizes) : target.sizes;
  const classes = sizeClasses(inputs, sizes, computation.size);

  context.progress({
    stage: 'check',
    fraction: 0,
    message: `Checking that ${variants.length} variants agree`,
  });
  const agreementOptions = {
    equivalence: computation.options.equivalence,
    maxCallMs: context.budgetMs / MAX_CALLS,
    throwIfAborted,
  };
  const agreement = await checkAgreement(variants, classes, agreementOptions);
  const rejections = [...agreement.rejections];
  for (const text of [...agreement.warnings, ...rejections.map(({ message }) => message)]) warnings.add(text);

  let present = computation.choice;
  const wrong = present.bySize.find(({ variant }) => isWrong(rejections, variant));
  if (wrong) {
    warnings.add(`"${wrong.variant}" was in force and is wrong; "${all[0]!.name}" replaces it.`);
    present = { kind: 'computation', bySize: [{ maxSize: null, variant: all[0]!.name }] };
    computation.applyChoice(present);
  }

  const asynchronous = agreement.asynchronous.size > 0;
  const found = await findChoice({
    computation,
    variants,
    classes: agreement.classes,
    inputs,
    present,
    settings,
    asynchronous,
    budgetMs: Math.min(settings.performanceTuning.budgetMs ?? Infinity, remainingMs() * SEARCH_SHARE),
    context,
    agreement: agreementOptions,
    rejections,
    warnings,
  });
  const { measured, picked, changes } = found;

  const isKept = measured.every(({ size }, i) => variantFor(present, size) === picked[i]);
  const candidate = isKept ? rivalChoice(found, present, variants, rejections) : found.candidate;
  const changed = measured
    .map(({ sizeClass }) => sizeClass)
    .filter(({ size }) => variantFor(candidate, size) !== variantFor(present, size));
  // Sizes that were added to find a crossover lie where the two are nearly equal: the caller's own count.
  const asked = changed.filter((sizeClass) => agreement.classes.includes(sizeClass));
  const validated = affordable(asked.length > 0 ? asked : changed, measured, objective, remainingMs());
  if (!isKept && validated.length < asked.length) {
    const left = asked.filter((sizeClass) => !validated.includes(sizeClass)).map(({ size }) => size);
    warnings.add(`Not validated at size ${left.join(', ')}: too slow there for the budget that was left.`);
  }

  let validation: Comparison | null = null;
  if (validated.length > 0) {
    context.progress({ stage: 'validate', fraction: 0, message: `Validating ${describeChoice(candidate)}` });
    try {
      const outcome = await validateChoice({
        computation,
        variants: all,
        present,
        candidate,
        classes: validated,
        asynchronous,
        objective,
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
  const unit = UNITS[objective];
  const draft: OptimizationDraft = {
    type: 'computation',
    subject: { kind: 'computation', name: computation.name },
    settings: settings,
    plan: {
      objective,
      unit,
      variants: all.map(({ name, execution }) => ({
        name,
        execution,
        rejected: rejections.find(({ variant }) => variant === name) ?? null,
      })),
      sizes: measured.map(({ size, minSize, maxSize, standings, rounds, sizeClass }, i) => ({
        size,
        minSize,
        maxSize,
        inputs: sizeClass.inputs.length,
        rounds,
        picked: picked[i] ?? null,
        standings: standings.map((standing) => ({ ...standing, error: finiteOrNull(standing.error) })),
      })),
      crossovers: changes,
      present: present.bySize,
      candidate: candidate.bySize,
      validatedSizes: validated.map(({ size }) => size),
      complexity: Object.fromEntries(variants.map(({ name }) => [name, complexityOf(name, measured)])),
      search: settings.performanceTuning.search,
    },
    status,
    validation,
    comparisons: [],
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

function complexityOf(name: string, measured: readonly MeasuredSize[]) {
  const points = measured.flatMap(({ size, standings }) =>
    standings.filter(({ variant }) => variant === name).map(({ cost }) => ({ size, cost })),
  );
  return (
    fitComplexity(points) ??
    unavailable(
      'TOO_FEW_SIZES',
      `"${name}" was measured at too few sizes, or too close ones, to tell how it grows.`,
      'Give four or more sizes that span a factor of eight or more.',
    )
  );
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
