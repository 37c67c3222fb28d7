/** Holds a candidate choice against the one in force, on measurements that took no part in choosing it. */
import { setImmediate } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { fail } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationContext } from '../model/context.js';
import { SideThrew } from '../validation/batch.js';
import { compare } from '../validation/compare.js';
import { runExperiment, type Experiment } from '../validation/experiment.js';
import { resolveOptions, type CompareOptions } from '../validation/options.js';
import { median } from '../validation/statistics.js';
import { reasonOf, settled, Unsettled } from './checked-call.js';
import { variantFor, type Computation } from './computation.js';
import {
  contender,
  measuringOverheadBytes,
  sample,
  UNITS,
  type Contender,
  type CostMeasure,
  type Objective,
} from './cost.js';
import type { MeasuredClass } from './find-choice.js';
import type { SizeClass } from './inputs.js';
import { moduleUrl } from './module-variants.js';
import { sharedPlaces } from './shared-inputs.js';
import { defaultSize } from './size.js';
import type { AnyFunction, Variant } from './variants.js';
import { dispatcherFor, workloadOf, type WeightedClass, type WorkloadRequest } from './workload.js';

/** A class is repeated until it takes this long, if another takes as long. */
const MAX_CLASS_MS = 4;
const MIN_CLASS_MS = 0.05;
/** Passes of each side per replicate of the objectives that `compare` does not know. */
const SAMPLE_PASSES = 4;
const SAMPLES_PER_REPLICATE = 5;
/** As for all times that are compared within one process (see validation/in-process.ts). */
const SHARED_DEVIATION = 0.012;
/** For a validation of asynchronous variants, however short its budget. */
const MIN_LIMIT_MS = 60_000;
const P99_WARNING =
  'Percentiles are compared within one process: an error of about 1.2 % that differs between processes cannot be ' +
  'seen, and the interval is widened for it.';

export interface ValidationRequest {
  readonly computation: Computation;
  readonly variants: readonly Variant[];
  readonly present: ComputationChoice;
  readonly candidate: ComputationChoice;
  /** Classes for which the two choose differently. */
  readonly classes: readonly SizeClass[];
  readonly asynchronous: boolean;
  readonly measure: CostMeasure;
  readonly budgetMs: number;
  readonly context: OptimizationContext;
}

/**
 * The comparison, with what weakened it. `ratio` is the candidate's cost over that of the choice in force.
 *
 * @throws SUBJECT_THREW where one of the two throws, or never settles its promise, though it did not before; as `compare`.
 */
export async function validateChoice(
  request: ValidationRequest,
): Promise<{ comparison: Comparison; warnings: string[] }> {
  const { asynchronous, budgetMs } = request;
  try {
    const validating = validated(request);
    // What is left over of the budget is no bound for a host that is busy, but nothing takes this long.
    return await (asynchronous ? settled(validating, Math.max(MIN_LIMIT_MS, 3 * budgetMs)) : validating);
  } catch (error) {
    const cause = error instanceof SideThrew ? error.cause : error;
    if (cause === error && !(error instanceof Unsettled)) throw error;
    const subject = error instanceof SideThrew ? `choice "${error.label}"` : 'a variant';
    const reason = cause instanceof Unsettled ? cause.message : reasonOf(cause);
    throw fail('SUBJECT_THREW', { subject, reason }, { cause });
  }
}

async function validated(
  request: ValidationRequest,
): Promise<{ comparison: Comparison; warnings: string[] }> {
  const { measure, context, budgetMs } = request;
  const { objective } = measure;
  const { signal, progress } = context;
  const options: CompareOptions = {
    budgetMs: Math.max(1, budgetMs),
    // The variants were held against each other before, by the caller's own measure of equality.
    checkResults: false,
    onProgress: progress,
    ...(signal && { signal }),
  };
  if (objective === 'memory' || objective === 'p99' || objective === 'weighted') {
    return { comparison: await compareObjective(request, options), warnings: [] };
  }
  const timed: CompareOptions = { ...options, measure: objective };
  const classes = await weigh(request);
  const fresh = freshRequests(request, classes);
  if (typeof fresh !== 'string') {
    const module = new URL('./workload.js', import.meta.url);
    const sides = fresh.map(({ args, label }) => ({
      module,
      export: 'prepareWorkload',
      factory: true,
      args: [args],
      label,
    }));
    return { comparison: await compare(sides[0]!, sides[1]!, timed), warnings: [] };
  }
  const [baseline, candidate] = labelled(request, (choice) =>
    workloadOf(dispatcherOf(request, choice), classes, request.asynchronous),
  );
  return { comparison: await compare(baseline, candidate, timed), warnings: fresh === '' ? [] : [fresh] };
}

/** Passes that the validation of a size must have time for: warm-up, pairs and allocation of four replicates. */
const MIN_PASSES = 50;

/** Classes that the budget lets be repeated often enough; the fastest where it lets none. */
export function affordable(
  classes: readonly SizeClass[],
  measured: readonly MeasuredClass[],
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

/** Arguments for fresh processes, or why there can be none ('' where the caller gave plain functions). */
function freshRequests(
  { computation, present, candidate, asynchronous }: ValidationRequest,
  classes: readonly (WeightedClass & { readonly size: number })[],
): { args: WorkloadRequest; label: string }[] | string {
  const { moduleForm, size } = computation;
  if (!moduleForm) return '';
  const common = {
    form: { ...moduleForm, module: moduleUrl(moduleForm.module) },
    classes,
    shared: sharedPlaces(classes),
    asynchronous,
    usesDefaultSize: size === defaultSize,
  };
  try {
    serialize(classes);
  } catch (error) {
    return `Compared in this process: the inputs cannot be sent to another (${(error as Error).message}).`;
  }
  const labels = labelsOf(present, candidate);
  return [present, candidate].map((choice, i) => ({ args: { ...common, choice }, label: labels[i]! }));
}

/** The classes with repeats that give each about the same share of the time under the choice in force. */
async function weigh(request: ValidationRequest): Promise<(WeightedClass & { size: number })[]> {
  const { classes, asynchronous, present } = request;
  const dispatch = dispatcherOf(request, present);
  const timesMs: number[] = [];
  for (const { inputs } of classes) {
    const pass = workloadOf(dispatch, [{ inputs, repeats: 1 }], asynchronous);
    const runs: number[] = [];
    const endMs = performance.now() + 20;
    do {
      const startMs = performance.now();
      try {
        await pass();
      } catch (cause) {
        throw new SideThrew(describeChoice(present), cause);
      }
      runs.push(performance.now() - startMs);
    } while (runs.length < 50 && performance.now() < endMs);
    timesMs.push(Math.max(median(runs), 1e-5));
  }
  const target = Math.min(Math.max(...timesMs, MIN_CLASS_MS), MAX_CLASS_MS);
  return classes.map(({ size, inputs }, i) => ({
    size,
    inputs,
    repeats: Math.max(1, Math.round(target / timesMs[i]!)),
  }));
}

function dispatcherOf({ variants, computation }: ValidationRequest, choice: ComputationChoice): AnyFunction {
  const functions = new Map(variants.map(({ name, run }) => [name, run]));
  return dispatcherFor(choice, functions, computation.size);
}

/** Both workloads, named for the result: a function's name is its label. */
function labelled<T extends AnyFunction>(
  { present, candidate }: ValidationRequest,
  make: (choice: ComputationChoice) => T,
): [T, T] {
  const labels = labelsOf(present, candidate);
  return [present, candidate].map((choice, i) =>
    Object.defineProperty(make(choice), 'name', { value: labels[i] }),
  ) as [T, T];
}

function labelsOf(present: ComputationChoice, candidate: ComputationChoice): [string, string] {
  return [describeChoice(present), describeChoice(candidate)];
}

/** `scan up to 40, then index`. */
export function describeChoice({ bySize }: ComputationChoice): string {
  return bySize
    .map(({ maxSize, variant }) => (maxSize === null ? variant : `${variant} up to ${maxSize}`))
    .join(', then ');
}

/**
 * Allocated bytes, percentiles of single calls and weighted costs, which `compare` does not know: blocks in this process, per
 * class and interleaved; the log ratio of a block is the mean over classes.
 */
async function compareObjective(request: ValidationRequest, options: CompareOptions): Promise<Comparison> {
  const { present, candidate, classes, variants, asynchronous, context, measure } = request;
  const { objective } = measure;
  const overheadBytes = await measuringOverheadBytes(asynchronous);
  const side = (choice: ComputationChoice, { size, inputs }: SizeClass): Contender => {
    const variant = variants.find(({ name }) => name === variantFor(choice, size))!;
    return contender(variant, inputs, asynchronous);
  };
  const pairs = classes.map((part) => [side(present, part), side(candidate, part)] as const);
  const costOf = async (of: Contender) => {
    const samples: number[] = [];
    for (let i = 0; i < SAMPLES_PER_REPLICATE; i += 1) {
      samples.push(await sample(of, measure, SAMPLE_PASSES, overheadBytes));
    }
    return median(samples);
  };
  const experiment: Experiment = {
    form: 'in-process',
    labels: labelsOf(present, candidate),
    replicateName: 'blocks',
    unit: UNITS[objective],
    // What is allocated is the same in every process; times are not.
    sharedDeviation: objective === 'memory' ? 0 : SHARED_DEVIATION,
    warnings: objective === 'memory' ? [] : [P99_WARNING],
    replicate: async (index) => {
      const costs: [number, number][] = [];
      for (const [baseline, other] of pairs) {
        if (context.signal?.aborted) throw fail('ABORTED', { what: 'The comparison' });
        await setImmediate();
        const first = await costOf(index % 2 === 0 ? baseline : other);
        const second = await costOf(index % 2 === 0 ? other : baseline);
        costs.push(index % 2 === 0 ? [first, second] : [second, first]);
      }
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      return {
        logRatio: mean(costs.map(([baseline, other]) => Math.log(other / baseline))),
        pairs: costs.length * SAMPLES_PER_REPLICATE,
        baselineCost: mean(costs.map(([baseline]) => baseline)),
        candidateCost: mean(costs.map(([, other]) => other)),
        costs: [],
        flags: [],
      };
    },
  };
  const { comparison } = await runExperiment(experiment, resolveOptions(options, 'other'));
  return { ...comparison, measure: objective === 'memory' ? 'allocated' : objective };
}
