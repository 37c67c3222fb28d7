/** The ways to do one thing: what callers pass, and what the rest of this room works with. */
import { describe, fail } from '../errors.js';
import { reasonOf } from './checked-call.js';
import {
  checkConstraints,
  checkSpace,
  configuredName,
  defaultConfiguration,
  gridConfigurations,
  isInSpace,
  type Configuration,
  type Constraint,
  type ParameterSpace,
} from './parameters.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the top type of functions
export type AnyFunction = (...args: any[]) => any;

/** How a variant does its work. */
export type Execution = 'serial' | 'threads' | 'native';

/** A variant with what the optimizer cannot see from outside. A thread job fits: it has `run` and uses threads. */
export interface DescribedVariant<F extends AnyFunction = AnyFunction> {
  readonly run: F;
  /** `serial` by default, `threads` for a thread job. */
  readonly execution?: Execution;
  /** Threads that it uses at most, where it uses threads. */
  readonly threads?: number;
}

/** A variant that is made for a configuration of the computation's parameters. */
export interface TunableVariant<F extends AnyFunction = AnyFunction> {
  /** Makes the function. Called once per configuration that is tried. */
  readonly create: (configuration: Configuration) => F;
  /** Names of the parameters it takes; by default all. */
  readonly uses?: readonly string[];
  readonly execution?: Execution;
  readonly threads?: number;
}

/** Exports of one module: the strong form, because fresh processes can load and compare them. */
export interface ModuleVariants {
  /** File URL, absolute path, or path relative to the working directory. */
  readonly module: string | URL;
  /**
   * Names of exported functions, or of exports that describe one: `{ run, execution? }`, or with parameters `{ create, uses? }`.
   * The first is the one in use today.
   */
  readonly exports: readonly string[];
  /** Name of the export that describes it as a loop over threads: what `parallel` is where variants are functions. */
  readonly parallel?: string;
  /** Name of the export that does it by native kernels: what `native` is where variants are functions. */
  readonly native?: string;
}

/** Functions by name; the first is the one in use today. */
export type FunctionVariants<F extends AnyFunction> = Readonly<
  Record<string, F | DescribedVariant<F> | TunableVariant<F>>
>;

/** One way to do it, ready to be called. */
export interface Variant<F extends AnyFunction = AnyFunction> {
  readonly name: string;
  readonly run: F;
  readonly execution: Execution;
  readonly threads?: number;
}

/** Of two variants of one name a choice could mean either. @throws INVALID_ARGUMENT */
export function requireDistinct(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw fail('INVALID_ARGUMENT', {
    name: 'variants',
    actual: `two with the name "${twice}"`,
    expected:
      'a name of its own for each: parallelFor is the one of `parallel`, native and nativeParallel of `native`',
  });
}

export function isModuleForm(variants: unknown): variants is ModuleVariants {
  const { module, exports } = (variants ?? {}) as Partial<ModuleVariants>;
  return (typeof module === 'string' || module instanceof URL) && Array.isArray(exports);
}

/** Functions by name, and those still to be made for a configuration. */
export interface GivenVariants<F extends AnyFunction = AnyFunction> {
  /** In the order given. A tunable variant stands in it with its default configuration. */
  readonly variants: readonly Variant<F>[];
  readonly tunables: ReadonlyMap<string, Tunable<F>>;
}

/** A tunable variant with what it takes. */
export interface Tunable<F extends AnyFunction = AnyFunction> {
  readonly name: string;
  readonly space: ParameterSpace;
  readonly constraints: readonly Constraint[];
  /** @throws SUBJECT_THREW where `create` does, or gives no function. */
  readonly configure: (configuration: Configuration) => Variant<F>;
}

/** Checks functions by name. @throws INVALID_ARGUMENT, SUBJECT_THREW */
export function fromFunctions<F extends AnyFunction>(
  variants: FunctionVariants<F>,
  parameters?: ParameterSpace,
  constraints: readonly Constraint[] = [],
): GivenVariants<F> {
  const isRecord = typeof variants === 'object' && variants !== null && !Array.isArray(variants);
  const entries = isRecord ? Object.entries(variants) : [];
  if (entries.length === 0) {
    throw fail('INVALID_ARGUMENT', {
      name: 'variants',
      actual: isRecord ? 'an object without functions' : describe(variants),
      expected: 'functions by name, such as { linear: fn, binary: fn }, or { module, exports }',
    });
  }
  if (parameters !== undefined) checkSpace(parameters);
  checkConstraints(constraints);
  const tunables = new Map<string, Tunable<F>>();
  const given = entries.map(([name, value]) => {
    if (!isTunable(value)) return fromValue(name, value);
    const tunable = tunableOf(name, value, parameters, constraints);
    tunables.set(name, tunable);
    return tunable.configure(startingPoint(tunable));
  });
  if (parameters !== undefined && tunables.size === 0) {
    throw fail('INVALID_ARGUMENT', {
      name: 'parameters',
      actual: 'given, and no variant takes any',
      expected: 'a variant { create: (parameters) => function } that does',
    });
  }
  return { variants: given, tunables };
}

function isTunable<F extends AnyFunction>(value: unknown): value is TunableVariant<F> {
  return typeof (value as Partial<TunableVariant> | null)?.create === 'function';
}

function tunableOf<F extends AnyFunction>(
  name: string,
  value: TunableVariant<F>,
  parameters: ParameterSpace | undefined,
  constraints: readonly Constraint[],
): Tunable<F> {
  const { create, execution, threads } = value;
  const uses: unknown = value.uses ?? Object.keys(parameters ?? {});
  if (!Array.isArray(uses)) {
    const expected = 'an array of names of `parameters`';
    throw fail('INVALID_ARGUMENT', { name: `variants.${name}.uses`, actual: describe(uses), expected });
  }
  const keys = uses as readonly string[];
  const unknown = keys.find((key) => !Object.hasOwn(parameters ?? {}, key));
  if (keys.length === 0 || unknown !== undefined) {
    throw fail('INVALID_ARGUMENT', {
      name: unknown === undefined ? `variants.${name}` : `variants.${name}.uses`,
      actual: unknown === undefined ? 'tunable without parameters' : `with the name ${describe(unknown)}`,
      expected: 'names of `parameters`',
    });
  }
  const space = Object.fromEntries(keys.map((key) => [key, parameters![key]!]));
  return {
    name,
    space,
    constraints,
    configure: (configuration) => {
      const configured = configuredName(name, configuration);
      let run: unknown;
      try {
        run = create(configuration);
      } catch (cause) {
        const subject = `create() of variant "${configured}"`;
        throw fail('SUBJECT_THREW', { subject, reason: reasonOf(cause) }, { cause });
      }
      const described = {
        run,
        ...(execution !== undefined && { execution }),
        ...(threads !== undefined && { threads }),
      };
      return { ...fromValue(name, described as DescribedVariant<F>), name: configured };
    },
  };
}

/** The default configuration, or where the constraints forbid it the first of the grid that they allow. */
function startingPoint({ name, space, constraints }: Tunable): Configuration {
  const initial = defaultConfiguration(space);
  if (isInSpace(space, constraints, initial)) return initial;
  const [first] = gridConfigurations(space, constraints, 1);
  if (first) return first;
  throw fail('INVALID_ARGUMENT', {
    name: `parameters of variants.${name}`,
    actual: 'a space in which no configuration meets the constraints',
    expected: 'constraints that leave one, or a default that meets them',
  });
}

function fromValue<F extends AnyFunction>(name: string, value: F | DescribedVariant<F>): Variant<F> {
  if (typeof value === 'function') return { name, run: value, execution: 'serial' };
  const described = value as (DescribedVariant<F> & { readonly kind?: unknown }) | null | undefined;
  const path = `variants.${name}`;
  if (typeof described?.run !== 'function') {
    throw fail('INVALID_ARGUMENT', {
      name: path,
      actual: describe(value),
      expected: 'a function, or { run, execution?, threads? }',
    });
  }
  const { execution = described.kind === 'job' ? 'threads' : 'serial', threads } = described;
  if (!['serial', 'threads', 'native'].includes(execution)) {
    const expected = '"serial", "threads" or "native"';
    throw fail('INVALID_ARGUMENT', { name: `${path}.execution`, actual: describe(execution), expected });
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    const expected = 'a number of threads from 1';
    throw fail('INVALID_ARGUMENT', { name: `${path}.threads`, actual: describe(threads), expected });
  }
  // A method keeps its object: a thread job is useless without it.
  const run = ((...args: unknown[]) => described.run(...args) as unknown) as F;
  return { name, run, execution, ...(threads !== undefined && { threads }) };
}
