/**
 * Which of several equivalent functions is fastest, for each size of input: check that they agree → race them on
 * every size → find where the winner changes → prove the resulting dispatcher against the one in force.
 */
import { setImmediate } from 'node:timers/promises';
import { fail, SubjectError } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationContext, OptimizationDraft } from '../model/context.js';
import { unavailable } from '../model/metric.js';
import type { OptimizationStatus } from '../model/types.js';
import type { ComputationSettings } from '../settings/computation.js';
import { checkAgreement, type Rejection } from './agreement.js';
import { fitComplexity } from './complexity-fit.js';
import { variantFor, type ComputationOptions } from './computation.js';
import { contender, measuringOverheadBytes, UNITS, type Objective } from './cost.js';
import { generate, sizeClasses, type SizeClass } from './inputs.js';
import { admitted, withinMemory, type ComputationTarget } from './participants.js';
import { Race, type Standing } from './race.js';
import { search } from './search.js';
import { choiceOf, crossovers, pickVariants, type Crossover, type MeasuredSize } from './selection.js';
import { mean } from '../validation/statistics.js';
import { describeChoice, validateChoice } from './validate-choice.js';
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

/** Share of the budget for checking and racing; the rest proves the result. */
const SEARCH_SHARE = 0.45;
/** A call that takes more than this fraction of the budget is not made: there would be time for too few. */
const MAX_CALLS = 20;
/** Passes that the validation of a size must have time for: warm-up and pairs of several replicates. */
const MIN_PASSES = 60;
/** Neighbouring sizes further apart than this are worth a measurement between them. */
const REFINE_RATIO = 1.5;
const MAX_REFINEMENTS = 4;

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
  const { objective, maxMemoryBytes } = settings.resourceUtilization;
  const all = await computation.load();
  if (all.length < 2) {
    throw fail('INVALID_ARGUMENT', {
      name: 'variants',
      actual: `one function ("${all[0]!.name}")`,
      expected: 'two or more functions that do the same',
    });
  }
  const { variants, warnings: admission } = admitted(all, settings.parallelization);
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
  const wrong = present.bySize.find(({ variant }) => isOut(rejections, variant));
  if (wrong) {
    warnings.add(`"${wrong.variant}" was in force and is wrong; "${all[0]!.name}" replaces it.`);
    present = { kind: 'computation', bySize: [{ maxSize: null, variant: all[0]!.name }] };
    computation.applyChoice(present);
  }

  const asynchronous = agreement.asynchronous.size > 0;
  const overheadBytes = await measuringOverheadBytes(asynchronous);
  const breathe = async () => {
    await setImmediate();
    throwIfAborted();
  };
  const raceOn = async (sizeClass: SizeClass, participants: readonly Variant[]) => {
    const eligible = participants.filter(({ name }) => takesPart(rejections, name, sizeClass.size));
    const within = await withinMemory(eligible, sizeClass, asynchronous, overheadBytes, maxMemoryBytes);
    for (const warning of within.warnings) warnings.add(warning);
    const contenders = within.variants.map((variant) => contender(variant, sizeClass.inputs, asynchronous));
    return new Race(contenders, { objective, overheadBytes, breathe });
  };

  const measured: (MeasuredSize & { sizeClass: SizeClass; rounds: number })[] = [];
  const measure = async (parts: readonly SizeClass[], participants: readonly Variant[], budgetMs: number) => {
    const races: Race[] = [];
    for (const part of parts) races.push(await raceOn(part, participants));
    const progress = (fraction: number, i: number) => {
      context.progress({ stage: 'race', fraction, message: `Racing at size ${parts[i]!.size}` });
    };
    await search(races, { strategy: settings.performanceTuning.search, budgetMs, progress });
    for (const [i, sizeClass] of parts.entries()) {
      const { size, minSize, maxSize } = sizeClass;
      const race = races[i]!;
      measured.push({ size, minSize, maxSize, standings: race.standings(), sizeClass, rounds: race.rounds });
    }
    measured.sort((a, b) => a.size - b.size);
  };

  const names = variants.map(({ name }) => name);
  const isFixed = settings.algorithmOptimization.selection === 'fixed';
  const searchMs = Math.min(settings.performanceTuning.budgetMs ?? Infinity, context.budgetMs * SEARCH_SHARE);
  const pick = () => {
    const picked = pickVariants(measured, names, present, settings.algorithmOptimization.crossover);
    return { picked, changes: crossovers(measured, picked) };
  };
  const usable = variants.filter(({ name }) => takesPart(rejections, name, Infinity));
  const contested = variants.some(({ name }, i) => i > 0 && takesPart(rejections, name, classes[0]!.size));

  let picked: string[] = [];
  let changes: Crossover[] = [];
  let candidate: ComputationChoice = present;
  if (contested && isFixed) {
    // No race: the caller has chosen the last one, and wants to know whether that was right.
    const last = usable[usable.length - 1]!.name;
    for (const sizeClass of agreement.classes)
      measured.push({ ...sizeClass, standings: [], sizeClass, rounds: 0 });
    picked = measured.map(() => last);
    candidate = choiceOf(picked, []);
  } else if (contested) {
    await measure(agreement.classes, variants, Math.min(searchMs * 0.8, remainingMs()));
    ({ picked, changes } = pick());
    if (typeof inputs === 'function') {
      for (let i = 0; i < MAX_REFINEMENTS; i += 1) {
        const between = await sizeBetween(changes, inputs, computation.size, measured);
        if (!between || performance.now() - startMs > searchMs) break;
        const checked = await checkAgreement(variants, [between], agreementOptions);
        rejections.push(...checked.rejections);
        for (const { message } of checked.rejections) warnings.add(message);
        await measure([between], variants, (searchMs * 0.2) / MAX_REFINEMENTS);
        for (const at of measured) {
          const standings = at.standings.filter(({ variant }) => takesPart(rejections, variant, at.size));
          Object.assign(at, { standings });
        }
        ({ picked, changes } = pick());
      }
    }
    candidate = choiceOf(picked, changes);
  }

  // Where the race found nothing better, its strongest rival is held against what is in force, so that
  // keeping it rests on a comparison too.
  const isKept = measured.every(({ size }, i) => variantFor(present, size) === picked[i]);
  const rival = isKept ? strongestRival(measured, present) : undefined;
  if (rival !== undefined) {
    const instead = measured.map((at) => (standingOf(at, rival) ? rival : variantFor(present, at.size)));
    candidate = choiceOf(instead, crossovers(measured, instead));
  }
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
        variants,
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
      complexity: Object.fromEntries(names.map((name) => [name, complexityOf(name, measured)])),
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

/** A variant that is wrong anywhere is out everywhere; one that is too slow, from that size on. */
function takesPart(rejections: readonly Rejection[], name: string, size: number): boolean {
  return !rejections.some(
    (rejection) => rejection.variant === name && (rejection.reason !== 'too-slow' || size >= rejection.size),
  );
}

function isOut(rejections: readonly Rejection[], name: string): boolean {
  return rejections.some(({ variant, reason }) => variant === name && reason !== 'too-slow');
}

/** A class between the two sizes around a crossover, at the estimate; undefined where all are narrow enough. */
async function sizeBetween(
  changes: readonly Crossover[],
  inputs: (size: number) => unknown,
  sizeOf: (...args: unknown[]) => number,
  measured: readonly MeasuredSize[],
): Promise<SizeClass | undefined> {
  for (const { at, between } of changes) {
    if (between[1] <= between[0] * REFINE_RATIO + 1) continue;
    const args = await Promise.resolve(generate(inputs, at));
    const size = sizeOf(...args);
    // A generator need not give exactly the size it is asked for.
    const isNew = size > between[0] && size < between[1] && !measured.some((known) => known.size === size);
    if (isNew) return { size, minSize: size, maxSize: size, inputs: [args] };
  }
  return undefined;
}

/** The variant that loses least to the leaders, over the sizes at which it takes part and is not in force. */
function strongestRival(measured: readonly MeasuredSize[], present: ComputationChoice): string | undefined {
  const losses = new Map<string, number[]>();
  for (const { size, standings } of measured) {
    for (const { variant, logRatio } of standings) {
      if (variant === variantFor(present, size)) continue;
      losses.set(variant, [...(losses.get(variant) ?? []), logRatio]);
    }
  }
  const rivals = [...losses].map(([name, values]) => ({ name, loss: mean(values) }));
  return rivals.sort((a, b) => a.loss - b.loss)[0]?.name;
}

/** Classes that the budget lets be repeated often enough; the fastest where it lets none. */
function affordable(
  classes: readonly SizeClass[],
  measured: readonly (MeasuredSize & { readonly sizeClass: SizeClass })[],
  objective: Objective,
  budgetMs: number,
): SizeClass[] {
  if (objective === 'memory') return [...classes];
  const passMs = (sizeClass: SizeClass) => {
    const at = measured.find((candidate) => candidate.sizeClass === sizeClass);
    const slowest = Math.max(0, ...(at?.standings ?? []).map(({ cost }) => cost));
    return (slowest * sizeClass.inputs.length) / 1e6;
  };
  const kept = classes.filter((sizeClass) => passMs(sizeClass) <= budgetMs / MIN_PASSES);
  if (kept.length > 0 || classes.length === 0) return kept;
  return [classes.reduce((best, sizeClass) => (passMs(sizeClass) < passMs(best) ? sizeClass : best))];
}

function standingOf({ standings }: MeasuredSize, name: string): Standing | undefined {
  return standings.find(({ variant }) => variant === name);
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
