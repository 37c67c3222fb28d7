/** Which variants take part, by the settings: how they execute, how many threads, how much memory. */
import { describe, fail } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { ComputationSettings } from '../settings/computation.js';
import { computation, type Computation, type ComputationOptions, type Inputs } from './computation.js';
import { SideThrew } from '../validation/batch.js';
import { faultOf, settled } from './checked-call.js';
import { allocatedBytes, contender } from './cost.js';
import type { SizeClass } from './inputs.js';
import type { Variant } from './variants.js';

/** One computation to optimise, and what to measure it with. */
export interface ComputationTarget {
  readonly computation: Computation;
  /** In place of the inputs that the computation was made with. */
  readonly inputs?: Inputs;
  readonly sizes?: readonly number[];
}

/**
 * The computations that a call is about: the one it describes, the registered one it names, or all registered.
 *
 * @param data the caller's own keys, as `splitCall` returns them.
 * @throws INVALID_ARGUMENT where there is none.
 */
export function computationsOf(
  data: Readonly<Record<string, unknown>>,
  registered: readonly unknown[],
): ComputationTarget[] {
  const { inputGenerator, ...rest } = data;
  if (inputGenerator !== undefined && data['inputs'] !== undefined) {
    const actual = 'given beside inputs';
    throw fail('INVALID_ARGUMENT', { name: 'inputGenerator', actual, expected: 'one of the two' });
  }
  const own = (
    inputGenerator === undefined ? rest : { ...rest, inputs: inputGenerator }
  ) as Partial<ComputationOptions>;
  const { name, variants, inputs, sizes } = own;
  if (variants !== undefined) {
    return [{ computation: computation(own as unknown as ComputationOptions) }];
  }
  const known = registered as readonly Computation[];
  const chosen = name === undefined ? known : known.filter((candidate) => candidate.name === name);
  if (chosen.length === 0) {
    throw fail('INVALID_ARGUMENT', {
      name: 'variants',
      actual:
        name === undefined ? 'missing' : `missing, and no computation is registered as ${describe(name)}`,
      expected: 'variants and inputs, or register a computation first',
    });
  }
  return chosen.map((one) => ({
    computation: one,
    ...(inputs !== undefined && { inputs }),
    ...(sizes !== undefined && { sizes }),
  }));
}

export interface Participants {
  readonly variants: readonly Variant[];
  readonly warnings: readonly string[];
}

/** Variants that the settings admit. The first and those in force always take part: the others are held against them. */
export function admitted(
  variants: readonly Variant[],
  inForce: ComputationChoice,
  { strategy, maxThreads }: ComputationSettings['parallelization'],
): Participants {
  const needed = new Set([variants[0]!.name, ...inForce.bySize.map(({ variant }) => variant)]);
  const warnings: string[] = [];
  const admits = ({ execution }: Variant) => strategy === 'auto' || execution === strategy;
  const isAdmitted = (variant: Variant) =>
    admits(variant) && (variant.threads ?? 1) <= (maxThreads ?? Infinity);
  if (strategy !== 'auto' && strategy !== 'serial' && !variants.some(admits)) {
    warnings.push(
      `parallelization.strategy "${strategy}" found no such variant: describe one as { run, execution: "${strategy}" }` +
        `${strategy === 'threads' ? ', or give a thread job' : ', or give kernels as native'}. Nothing is made parallel by itself.`,
    );
  }
  if (maxThreads !== undefined && !variants.some(({ threads }) => threads !== undefined)) {
    warnings.push('parallelization.maxThreads has no effect: no variant says how many threads it uses.');
  }
  for (const variant of variants) {
    if (isAdmitted(variant)) continue;
    const { name } = variant;
    warnings.push(
      needed.has(name)
        ? `"${name}" takes part although the parallelization settings leave it out: the others are held against it.`
        : `"${name}" is left out by the parallelization settings.`,
    );
  }
  return {
    variants: variants.filter((variant) => needed.has(variant.name) || isAdmitted(variant)),
    warnings,
  };
}

/** Of promises: nothing that may take part takes so long. */
const MAX_MEASURING_MS = 30_000;

/** Contestants of one class that stay within a limit of bytes allocated per call. */
export async function withinMemory(
  variants: readonly Variant[],
  { size, inputs }: SizeClass,
  asynchronous: boolean,
  overheadBytes: number,
  maxMemoryBytes: number | undefined,
): Promise<Participants> {
  if (maxMemoryBytes === undefined) return { variants, warnings: [] };
  const kept: Variant[] = [];
  const warnings: string[] = [];
  for (const variant of variants) {
    const leaveOut = (why: string) =>
      warnings.push(`"${variant.name}" is left out at size ${size}: it ${why}.`);
    const { side, callsPerPass } = contender(variant, inputs, asynchronous);
    const allocated = async () => {
      await allocatedBytes(side, 1, overheadBytes); // compiles it: the interpreter allocates on its own account
      return (await allocatedBytes(side, 1, overheadBytes)) / callsPerPass;
    };
    try {
      const bytes = await settled(allocated(), MAX_MEASURING_MS);
      if (bytes <= maxMemoryBytes) kept.push(variant);
      else leaveOut(`allocates ${Math.round(bytes)} bytes a call`);
    } catch (error) {
      // After calls that did not fail: whether it stays within the limit is not known.
      leaveOut(`${faultOf(error instanceof SideThrew ? error.cause : error)} when its memory was measured`);
    }
  }
  // Something has to do the work: the reference where all exceed the limit.
  if (kept.length === 0) {
    warnings.push(
      `At size ${size} every variant allocates more than ${maxMemoryBytes} bytes; the first is kept.`,
    );
    kept.push(variants[0]!);
  }
  return { variants: kept, warnings };
}
