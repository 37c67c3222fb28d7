/**
 * A computation: several functions that do the same, and one dispatcher that calls the right one for the size of
 * its input. Which is right is measured by `optimizeComputation`; until then it is the first.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { Choice, ComputationChoice } from '../model/choice.js';
import type { Subject } from '../model/subject.js';
import { makeDispatch, type Range } from './dispatch.js';
import { nativeVariants, type NativeComputation } from './native-variants.js';
import { parallelVariant, type ParallelComputation } from './parallel.js';
import {
  checkSpace,
  isInSpace,
  parseConfiguredName,
  type Constraint,
  type ParameterSpace,
} from './parameters.js';
import { defaultSize, type SizeOf } from './size.js';
import { checkModuleForm, fromModule, loadExports, loadExportsSync, mayHave } from './module-variants.js';
import {
  fromFunctions,
  isModuleForm,
  requireDistinct,
  type AnyFunction,
  type FunctionVariants,
  type GivenVariants,
  type ModuleVariants,
  type Tunable,
  type Variant,
} from './variants.js';

/**
 * When two results count as the same: deep equality (default), numbers equal up to a relative difference, or the
 * caller's own judgement.
 */
export type Equivalence =
  'deep' | { readonly relativeTolerance: number } | ((reference: unknown, result: unknown) => boolean);

/** Inputs to measure with: values, or a function that makes one of a given size. */
export type Inputs = readonly unknown[] | ((size: number) => unknown);

export interface ComputationOptions<F extends AnyFunction = AnyFunction> {
  readonly name: string;
  readonly variants: FunctionVariants<F> | ModuleVariants;
  /** Size of the arguments. By default that of the first: a number itself, or its length or size. */
  readonly size?: SizeOf;
  readonly equivalence?: Equivalence;
  /**
   * What to measure with: one value is the argument of one call; `{ args: [a, b] }` is several arguments. They
   * must not change when the functions are called.
   */
  readonly inputs?: Inputs;
  /** Sizes to ask of `inputs` where it is a function. */
  readonly sizes?: readonly number[];
  /**
   * Greatest size that occurs. Results are checked there too where that can be afforded, and you are warned where
   * the choice is not expected to hold up to it, in time or in memory.
   */
  readonly maxSize?: number;
  /**
   * True where calls in production repeat inputs as the measurement does. Variants that keep results between
   * calls are then admitted; otherwise they are out, because on repeated inputs they win what they do not have.
   */
  readonly repeatedInputs?: boolean;
  /** What variants with `create` can be configured by; those of a module too. */
  readonly parameters?: ParameterSpace;
  /** Configurations for which one of these returns false are not tried. */
  readonly constraints?: readonly Constraint[];
  /** The same computation as a loop over threads: raced as the variant `parallelFor`. A module's is one of its exports. */
  readonly parallel?: ParallelComputation;
  /** The same computation by native kernels: raced as `native`, and on several threads as `nativeParallel`. Likewise. */
  readonly native?: NativeComputation;
}

const OPTION_KEYS: Readonly<Record<keyof ComputationOptions, true>> = {
  name: true,
  variants: true,
  size: true,
  equivalence: true,
  inputs: true,
  sizes: true,
  maxSize: true,
  repeatedInputs: true,
  parameters: true,
  constraints: true,
  parallel: true,
  native: true,
};

/** Variants of a module that nothing needed so far. */
const NOT_LOADED: readonly Variant<never>[] = [];

/** What a range's variant is called through. */
export type Instrument = (run: AnyFunction, range: number) => AnyFunction;

export class Computation<F extends AnyFunction = AnyFunction> implements Subject {
  readonly kind = 'computation';
  readonly name: string;
  readonly options: ComputationOptions<F>;
  readonly size: SizeOf;
  /** As far as they are known before the variants are. */
  readonly #names: readonly string[];
  #variants: readonly Variant<F>[] | undefined;
  #tunables: ReadonlyMap<string, Tunable<F>> = new Map();
  readonly #configured = new Map<string, Variant<F>>();
  #choice: ComputationChoice;
  readonly #reload: () => void;
  #instrument: Instrument | undefined;
  #wasCalled = false;

  /**
   * Calls the variant that is in force for the size of the arguments. The same function for the life of the
   * computation: take it out, pass it on. It costs a comparison and a call: 1 ns over calling the
   * variant where one serves all sizes, 2 to 5 ns where size decides.
   */
  readonly dispatch: F;

  constructor(options: ComputationOptions<F>) {
    requireOptions('computation options', options, OPTION_KEYS);
    const {
      name,
      variants,
      size = defaultSize,
      equivalence,
      maxSize,
      repeatedInputs,
    } = options as Partial<ComputationOptions<F>>;
    if (typeof name !== 'string' || name === '') {
      throw fail('INVALID_ARGUMENT', { name: 'name', actual: describe(name), expected: 'a name' });
    }
    if (typeof size !== 'function') {
      const expected = 'a function from the arguments to a number';
      throw fail('INVALID_ARGUMENT', { name: 'size', actual: describe(size), expected });
    }
    checkEquivalence(equivalence);
    if (maxSize !== undefined && !(typeof maxSize === 'number' && maxSize > 0 && Number.isFinite(maxSize))) {
      const expected = 'a finite number above 0';
      throw fail('INVALID_ARGUMENT', { name: 'maxSize', actual: describe(maxSize), expected });
    }
    if (repeatedInputs !== undefined && typeof repeatedInputs !== 'boolean') {
      const expected = 'true or false';
      throw fail('INVALID_ARGUMENT', { name: 'repeatedInputs', actual: describe(repeatedInputs), expected });
    }
    this.name = name;
    this.options = options;
    this.size = size;
    if (isModuleForm(variants)) {
      this.#names = checkModuleForm(variants);
      refuseWithModule(options);
      if (options.parameters !== undefined) checkSpace(options.parameters);
    } else {
      const { parameters, constraints, parallel, native } = options;
      const given = fromFunctions(variants as FunctionVariants<F>, parameters, constraints);
      this.#tunables = given.tunables;
      this.#variants = [
        ...given.variants,
        ...(parallel ? [parallelVariant<F>(parallel)] : []),
        ...(native ? nativeVariants<F>(native) : []),
      ];
      this.#names = this.#variants.map((variant) => variant.name);
      requireDistinct(this.#names);
    }
    this.#choice = { kind: 'computation', bySize: [{ maxSize: null, variant: this.#names[0]! }] };
    const { dispatch, reload } = makeDispatch(size, () => this.#rangesOf(this.#choice));
    this.dispatch = dispatch as F;
    this.#reload = reload;
  }

  /** In the order given. Variants with parameters stand with their default ones, once a module is loaded. */
  get variantNames(): readonly string[] {
    return this.#variants?.map(({ name }) => name) ?? this.#names;
  }

  /** What is in force. */
  get choice(): ComputationChoice {
    return this.#choice;
  }

  /** The module form, where the variants came as one. */
  get moduleForm(): ModuleVariants | undefined {
    const { variants } = this.options;
    return isModuleForm(variants) ? variants : undefined;
  }

  /**
   * Puts a choice in force for all later calls.
   *
   * @throws INVALID_ARGUMENT for a choice of another kind, an unknown variant, or ranges out of order.
   */
  applyChoice(choice: Choice): void {
    // Runs for every computation at a service's start, as code that was never run before: in one piece, and with what is
    // seldom needed in functions of its own, which are not compiled then.
    const { kind, bySize } = (choice ?? {}) as Partial<ComputationChoice>;
    if (kind !== 'computation' || !Array.isArray(bySize) || bySize.length === 0) throw noChoice(this, choice);
    const ranges = bySize as ComputationChoice['bySize'];
    const variants = this.#variants ?? NOT_LOADED;
    const checked: { readonly maxSize: number | null; readonly variant: string }[] = [];
    let previous = -Infinity;
    for (let i = 0; i < ranges.length; i += 1) {
      const range = ranges[i];
      const name = range?.variant;
      let at = 0;
      while (at < variants.length && variants[at]!.name !== name) at += 1;
      const variant = at < variants.length ? name! : this.#otherName(name);
      const { maxSize } = range!;
      if (i === ranges.length - 1 ? maxSize !== null : !(typeof maxSize === 'number' && maxSize > previous))
        throw notInOrder(this);
      previous = maxSize!;
      checked.push({ maxSize, variant });
    }
    this.#choice = { kind, bySize: checked };
    // What was never called is loaded by its first call, so that a service can register many at no cost.
    if (this.#wasCalled) this.#reload();
  }

  /**
   * The name of what is none of the variants as given: of one with a configuration, or as it is where its module is not
   * loaded and may have it.
   *
   * @throws INVALID_ARGUMENT
   */
  #otherName(variant: unknown): string {
    if (typeof variant !== 'string') throw unknownVariant(this, variant);
    const known = this.#configuredVariant(variant);
    if (known) return known.name;
    const { moduleForm } = this;
    if (!this.#variants && moduleForm && mayHave(moduleForm, variant)) return variant;
    throw unknownVariant(this, variant);
  }

  /**
   * Loads the module of a module form ahead of the first call. Needed only where the module uses top-level await.
   *
   * @throws SUBJECT_UNLOADABLE
   */
  async load(): Promise<readonly Variant<F>[]> {
    const { moduleForm } = this;
    if (!this.#variants && moduleForm) this.#adopt(moduleForm, await loadExports(moduleForm));
    return this.#variants!;
  }

  /** Takes over what a module turned out to have. */
  #adopt(form: ModuleVariants, loaded: Readonly<Record<string, unknown>>): void {
    const { parameters, constraints } = this.options;
    const given = fromModule(form, loaded, parameters, constraints) as GivenVariants<F>;
    this.#tunables = given.tunables;
    this.#variants = given.variants;
    // The choice was made by names that could not be checked. One that is none is replaced by what is in use today, aloud.
    const bySize = this.#choice.bySize.map((range) => {
      const known = this.variantNamed(range.variant);
      if (!known) {
        process.emitWarning(
          `The choice for computation "${this.name}" names the variant "${range.variant}", which its module has not: ` +
            `"${this.#variants![0]!.name}" takes its place.`,
          { type: 'SystemOptimizerWarning' },
        );
      }
      return { ...range, variant: (known ?? this.#variants![0]!).name };
    });
    this.#choice = { kind: 'computation', bySize };
  }

  /**
   * Sends the calls of each range through what `instrument` makes of its variant; undefined sends them straight again.
   *
   * @internal For `keepLearning`.
   * @throws INVALID_ARGUMENT where something does so already.
   */
  instrument(instrument: Instrument | undefined): void {
    if (instrument && this.#instrument) {
      const expected = 'one that is not watched already; close the other first';
      throw fail('INVALID_ARGUMENT', { name: 'computation', actual: `"${this.name}", which is`, expected });
    }
    this.#instrument = instrument;
    this.#reload();
  }

  /** Whether the variants are there: false for those of a module that nothing needed so far. */
  get isLoaded(): boolean {
    return this.#variants !== undefined;
  }

  /** Variants that take parameters. */
  get tunables(): readonly Tunable<F>[] {
    return [...this.#tunables.values()];
  }

  /**
   * The variant of a name, made for its configuration where it names one; undefined where there is none, or its
   * module is not loaded yet.
   */
  variantNamed(name: string): Variant<F> | undefined {
    const variants = this.#variants;
    if (variants !== undefined) {
      for (let i = 0; i < variants.length; i += 1) if (variants[i]!.name === name) return variants[i];
    }
    return this.#configuredVariant(name);
  }

  #configuredVariant(name: string): Variant<F> | undefined {
    const variants = this.#variants;
    const known = this.#configured.get(name);
    if (known) return known;
    // An export with parameters, by its own name: with the parameters that it stands with among the others.
    if (this.moduleForm && this.#tunables.has(name)) return variants?.[this.#names.indexOf(name)];
    const parsed = parseConfiguredName(name);
    const tunable = parsed && this.#tunables.get(parsed.variant);
    if (!tunable || !isInSpace(tunable.space, tunable.constraints, parsed.configuration)) return undefined;
    const made = tunable.configure(parsed.configuration);
    this.#configured.set(name, made);
    return made;
  }

  /** Variant in force for a size. */
  variantFor(size: number): string {
    return variantFor(this.#choice, size);
  }

  #rangesOf(choice: ComputationChoice): Range[] {
    this.#wasCalled = true;
    if (!this.#variants) {
      this.#adopt(this.moduleForm!, loadExportsSync(this.moduleForm!));
      choice = this.#choice;
    }
    return choice.bySize.map(({ maxSize, variant }, i) => {
      const { run } = this.variantNamed(variant)!;
      return { maxSize: maxSize ?? Infinity, run: this.#instrument?.(run, i) ?? run };
    });
  }
}

/**
 * Makes a computation of several functions that do the same.
 *
 * @throws INVALID_ARGUMENT for options that are not as described; the functions are not called.
 *
 * @example
 * const find = computation({
 *   name: 'find-order',
 *   variants: { scan: (orders, id) => orders.find((o) => o.id === id), index: findByIndex },
 * });
 * find.dispatch(orders, 17);
 */
export function computation<F extends AnyFunction>(options: ComputationOptions<F>): Computation<F> {
  return new Computation(options);
}

/** Variant that a choice names for a size. A size that is no number falls to the last range, as in `dispatch`. */
export function variantFor({ bySize }: ComputationChoice, size: number): string {
  const range = bySize.find(({ maxSize }) => maxSize === null || size <= maxSize);
  return (range ?? bySize[bySize.length - 1]!).variant;
}

function noChoice(computation: Computation, choice: unknown): Error {
  const expected = "{ kind: 'computation', bySize: [{ maxSize, variant }, …] }";
  return badChoice(computation, describe(choice), expected);
}

function unknownVariant(computation: Computation, variant: unknown): Error {
  const expected = `only variants of ${computation.variantNames.join(', ')}`;
  return badChoice(computation, `one that names the variant ${describe(variant)}`, expected);
}

function notInOrder(computation: Computation): Error {
  const expected = 'ascending maxSize, null in the last range alone';
  return badChoice(computation, 'one whose ranges are not in order', expected);
}

function badChoice({ name }: Computation, actual: string, expected: string): Error {
  return fail('INVALID_ARGUMENT', { name: `choice for computation "${name}"`, actual, expected });
}

/** What only functions can have. @throws INVALID_ARGUMENT */
function refuseWithModule({ parallel, native }: ComputationOptions): void {
  for (const [name, value] of Object.entries({ parallel, native })) {
    if (value === undefined) continue;
    const expected = `the name of an export, as variants.${name}, where variants are exports of a module`;
    throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
  }
}

function checkEquivalence(equivalence: unknown): void {
  if (equivalence === undefined || equivalence === 'deep' || typeof equivalence === 'function') return;
  const { relativeTolerance: tolerance } = Object(equivalence) as { relativeTolerance?: unknown };
  if (typeof tolerance === 'number' && tolerance >= 0 && tolerance <= 1) return;
  throw fail('INVALID_ARGUMENT', {
    name: 'equivalence',
    actual: describe(equivalence),
    expected: "'deep', { relativeTolerance: 0 to 1 } or a function of two results",
  });
}
