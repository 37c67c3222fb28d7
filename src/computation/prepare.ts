/** What comes before any race: the inputs, who takes part, and whether they do the same. */
import { fail } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { OptimizationContext } from '../model/context.js';
import { formatDurationMs, formatNumber } from '../units.js';
import type { ComputationSettings } from '../settings/computation.js';
import {
  checkAgreement,
  isWrong,
  takesPart,
  waitMs,
  type Agreement,
  type AgreementOptions,
  type Rejection,
} from './agreement.js';
import type { Inputs } from './computation.js';
import { DEFAULT_SIZES, sizeClasses, type SizeClass } from './inputs.js';
import { findKeptResults, freshOfGenerator, freshOfList, type SizedCall } from './kept-results.js';
import { admitted, type ComputationTarget } from './participants.js';
import type { Random } from './random.js';
import type { Variant } from './variants.js';

/** Everything a race needs to know. */
export interface Prepared {
  /** All that were given. */
  readonly all: readonly Variant[];
  /** Those that the settings admit; the first is the reference. */
  readonly variants: readonly Variant[];
  readonly inputs: Inputs | undefined;
  /** Sizes to race on. */
  readonly classes: readonly SizeClass[];
  /** Sizes that were asked for and cannot be raced on lie above. */
  readonly leftOutAbove: boolean;
  readonly agreement: Agreement;
  readonly agreementOptions: AgreementOptions;
  /** Grows as more is found out. */
  readonly rejections: Rejection[];
  readonly warnings: Set<string>;
  /** In force now: what was, unless that turned out to be wrong. */
  readonly present: ComputationChoice;
}

/** A call that takes more than this fraction of the budget is not made: there would be time for too few. */
const MAX_CALLS = 20;

/**
 * Loads, generates and checks. A variant in force that is wrong is replaced by the first at once.
 *
 * @throws INVALID_ARGUMENT, SUBJECT_UNLOADABLE, SUBJECT_THREW, ABORTED.
 */
export async function prepare(
  target: ComputationTarget,
  settings: ComputationSettings,
  context: OptimizationContext,
  random: Random,
  throwIfAborted: () => void,
): Promise<Prepared> {
  const { computation } = target;
  const { options } = computation;
  const all = await computation.load();
  if (all.length + computation.tunables.length < 2) {
    throw fail('INVALID_ARGUMENT', {
      name: 'variants',
      actual: `one function ("${all[0]!.name}")`,
      expected: 'two or more functions that do the same',
    });
  }
  const inForce = computation.choice.bySize.flatMap(({ variant }) => computation.variantNamed(variant) ?? []);
  const given = [
    ...all,
    ...inForce.filter((variant, i) => !all.includes(variant) && inForce.indexOf(variant) === i),
  ];
  const { variants, warnings: admission } = admitted(given, computation.choice, settings.parallelization);
  const warnings = new Set(admission);
  const warn = (message: string) => void warnings.add(message);
  const inputs = target.inputs ?? options.inputs;
  const sizes = target.inputs === undefined ? (target.sizes ?? options.sizes) : target.sizes;
  const asked = sizeClasses(inputs, sizes, computation.size, warn);
  const checkedClasses = withGreatest(asked, inputs, options.maxSize, computation.size, warn);
  const wanted = Array.isArray(sizes) ? sizes : typeof inputs === 'function' ? DEFAULT_SIZES : [];

  const message = `Checking that ${variants.length} variants agree`;
  context.progress({ stage: 'check', fraction: 0, message });
  const agreementOptions: AgreementOptions = {
    equivalence: options.equivalence,
    maxCallMs: context.budgetMs / MAX_CALLS,
    throwIfAborted,
    random,
  };
  const mayKeep = options.repeatedInputs === true;
  const keepers: Rejection[] = [];
  // Of a list, inputs are new only before anything was called with them.
  if (!mayKeep && typeof inputs !== 'function') {
    keepers.push(...(await keeping(variants, asked[0]!, () => freshOfList(asked), agreementOptions, warn)));
  }
  const agreement = await checkAgreement(variants, checkedClasses, agreementOptions);
  if (!mayKeep && typeof inputs === 'function') {
    const at = agreement.classes.findLast(({ referenceMs }) => referenceMs < agreementOptions.maxCallMs / 8);
    if (at) {
      const left = variants.filter(({ name }) => takesPart(agreement.rejections, name, at.sizeClass.size));
      const fresh = (index: number) => freshOfGenerator(inputs, at.sizeClass, index);
      keepers.push(...(await keeping(left, at.sizeClass, fresh, agreementOptions, warn)));
    }
  }
  const rejections = [
    ...agreement.rejections,
    ...keepers.filter(({ variant }) => !isWrong(agreement.rejections, variant)),
  ];
  for (const text of [...agreement.warnings, ...rejections.map(({ message: why }) => why)]) warn(text);

  let present = computation.choice;
  const wrong = present.bySize.find(({ variant }) => isWrong(rejections, variant));
  if (wrong) {
    warn(`"${wrong.variant}" was in force and is wrong; "${all[0]!.name}" replaces it.`);
    present = { kind: 'computation', bySize: [{ maxSize: null, variant: all[0]!.name }] };
    computation.applyChoice(present);
  }
  const checked = agreement.classes.map(({ sizeClass }) => sizeClass);
  const classes = asked.filter((sizeClass) => checked.some(({ size }) => size === sizeClass.size));
  const leftOutAbove = classes.length < asked.length || new Set(wanted).size > countOf(asked, inputs);
  return {
    all,
    variants,
    inputs,
    classes,
    leftOutAbove,
    agreement,
    agreementOptions,
    rejections,
    warnings,
    present,
  };
}

/** Sizes that were made of those asked for; a list is never left out in part here. */
function countOf(asked: readonly SizeClass[], inputs: Inputs | undefined): number {
  if (typeof inputs !== 'function') return Infinity;
  return asked.reduce((sum, { inputs: calls }) => sum + calls.length, 0);
}

/** The classes with the caller's greatest size, on which results are checked and nothing is raced. */
function withGreatest(
  asked: readonly SizeClass[],
  inputs: Inputs | undefined,
  maxSize: number | undefined,
  sizeOf: Parameters<typeof sizeClasses>[2],
  warn: (message: string) => void,
): readonly SizeClass[] {
  const greatest = asked[asked.length - 1]!;
  if (typeof inputs !== 'function' || maxSize === undefined || maxSize <= greatest.maxSize) return asked;
  // With the greatest one asked for beside it, so that its memory can be foreseen.
  const [, last] = sizeClasses(inputs, [greatest.maxSize, maxSize], sizeOf, warn);
  return last && last.size > greatest.maxSize ? [...asked, last] : asked;
}

/** @throws INVALID_ARGUMENT where the reference keeps results. */
async function keeping(
  variants: readonly Variant[],
  { size, inputs }: SizeClass,
  freshFor: (index: number) => readonly SizedCall[],
  { maxCallMs, throwIfAborted }: AgreementOptions,
  warn: (message: string) => void,
): Promise<Rejection[]> {
  const kept = await findKeptResults(variants, inputs[0]!, freshFor, throwIfAborted, waitMs(maxCallMs));
  return kept.flatMap(({ variant, ratio, firstMs, againMs, by }) => {
    const times =
      `${formatDurationMs(firstMs)} for an input that it sees for the first time, ` +
      `${formatDurationMs(againMs)} for the same again (${formatNumber(ratio)} times faster)`;
    if (by === 'engine') {
      warn(
        `"${variant}" takes ${times}, by what the engine and the caches keep of the elements: hashes of texts, texts of numbers, ` +
          'fields of dates. The race repeats its inputs, and so measures it as it is where elements come again.',
      );
      return [];
    }
    const what = `keeps results between calls: ${times}`;
    const remedy = 'repeatedInputs: true, if calls in production repeat their inputs as the measurement does';
    if (variant === variants[0]!.name) {
      throw fail('INVALID_ARGUMENT', {
        name: `variants.${variant}`,
        actual: `a function that ${what}`,
        expected: `one that computes each call, or ${remedy}`,
      });
    }
    const message = `"${variant}" is out: it ${what}. Pass ${remedy}.`;
    return { variant, reason: 'keeps-results', size, smallest: null, message };
  });
}
