/** What one call of a variant costs, by objective: the sampler behind a race. */
import { calibrateInstrument, runBatch, SideThrew, timeCalls, type Side } from '../validation/batch.js';
import { median, quantile } from '../validation/statistics.js';
import type { Arguments } from './inputs.js';
import type { AnyFunction, Variant } from './variants.js';

/** A cost that can be measured on its own. */
export type PlainObjective = 'time' | 'p99' | 'memory' | 'cpu';
export type Objective = PlainObjective | 'weighted';

/** Share of each cost in a weighted one; those that are absent count nothing. */
export type Weights = Readonly<Partial<Record<PlainObjective, number>>>;

/** What is minimised. */
export interface CostMeasure {
  readonly objective: Objective;
  /** For `weighted` alone. */
  readonly weights?: Weights;
}

/** Unit in which an objective's costs are reported. A weighted cost has none: only its ratios mean something. */
export const UNITS: Readonly<Record<Objective, 'ns' | 'bytes' | 'score'>> = {
  time: 'ns',
  p99: 'ns',
  cpu: 'ns',
  memory: 'bytes',
  weighted: 'score',
};

/** Where a weighted objective names no weights: mostly time, but not at any price. */
export const DEFAULT_WEIGHTS: Weights = { time: 0.5, p99: 0.2, memory: 0.2, cpu: 0.1 };

/** What a race measures: one variant on the inputs of one size class. */
export interface Contender {
  readonly name: string;
  /** The variant's function, which `side` calls. */
  readonly run: AnyFunction;
  readonly side: Side;
  /** Calls of the variant that one call of `side` makes. */
  readonly callsPerPass: number;
}

/** A sample is never below this, so that its logarithm exists: half a nanosecond, or the smallest heap object. */
const FLOOR: Readonly<Record<PlainObjective, number>> = { time: 0.5, p99: 0.5, cpu: 0.5, memory: 16 };
/** Calls timed one by one for a 99th percentile. */
const P99_CALLS = 200;
const P99_MAX_MS = 60;
const ALLOCATION_BATCHES = 5;

/** One pass over the inputs of a size class: every input is called once, so every pass is the same work. */
export function contender(variant: Variant, inputs: readonly Arguments[], asynchronous: boolean): Contender {
  const { name, run } = variant;
  const [only] = inputs;
  let call: () => unknown;
  if (inputs.length === 1 && only!.length === 1) {
    const [argument] = only!;
    call = () => run(argument) as unknown;
  } else if (asynchronous) {
    call = async () => {
      let result: unknown;
      for (const args of inputs) result = await run(...args);
      return result;
    };
  } else {
    call = () => {
      let result: unknown;
      for (const args of inputs) result = run(...args);
      return result;
    };
  }
  return { name, run, side: { label: name, call, asynchronous }, callsPerPass: inputs.length };
}

/**
 * Cost of one call of the variant, in the objective's unit. Batches are `passes` long.
 *
 * - `time`: wall time. - `cpu`: CPU time of the whole process, so that work on other threads counts.
 * - `p99`: 99th percentile of passes timed one by one.
 * - `memory`: growth of heap and external memory over short batches that no collection fell into.
 * - `weighted`: the geometric mean of these by weight, so that a factor in one outweighs the same factor in
 *   another by their weights, whatever their units.
 */
export async function sample(
  of: Contender,
  { objective, weights = DEFAULT_WEIGHTS }: CostMeasure,
  passes: number,
  overheadBytes: number,
): Promise<number> {
  if (objective !== 'weighted') return samplePlain(of, objective, passes, overheadBytes);
  let [logCost, total] = [0, 0];
  for (const [part, weight] of Object.entries(weights) as [PlainObjective, number][]) {
    if (!(weight > 0)) continue;
    logCost += weight * Math.log(await samplePlain(of, part, passes, overheadBytes));
    total += weight;
  }
  return Math.exp(logCost / total);
}

/**
 * Wall time of one call, in ns, over `passes` passes after `lead` that are not timed. As `sample` for the objective `time`, without
 * what else a batch records.
 */
export function sampleTime(
  { side, callsPerPass }: Contender,
  lead: number,
  passes: number,
): number | Promise<number> {
  const perCallNs = (ms: number) => Math.max(FLOOR.time, (ms * 1e6) / (passes * callsPerPass));
  const ms = timeCalls(side, lead, passes);
  return typeof ms === 'number' ? perCallNs(ms) : ms.then(perCallNs);
}

async function samplePlain(
  { side, callsPerPass }: Contender,
  objective: PlainObjective,
  passes: number,
  overheadBytes: number,
): Promise<number> {
  const perCall = await samplePass(side, objective, passes, overheadBytes);
  return Math.max(FLOOR[objective], perCall / callsPerPass);
}

async function samplePass(
  side: Side,
  objective: PlainObjective,
  passes: number,
  overheadBytes: number,
): Promise<number> {
  switch (objective) {
    case 'p99':
      return slowPass(side);
    case 'memory':
      return allocatedBytes(side, Math.min(passes, 16), overheadBytes);
    default: {
      const { timeMs, cpuMs, calls } = await runBatch(side, passes);
      return ((objective === 'cpu' ? cpuMs : timeMs) * 1e6) / calls;
    }
  }
}

/** 99th percentile of single passes, in ns; of fewer than a hundred it is nearly their greatest. @throws SideThrew */
async function slowPass({ call, asynchronous, label }: Side): Promise<number> {
  const timesNs: number[] = [];
  const endMs = performance.now() + P99_MAX_MS;
  try {
    do {
      const startMs = performance.now();
      if (asynchronous) await call();
      else call();
      timesNs.push((performance.now() - startMs) * 1e6);
    } while (timesNs.length < P99_CALLS && performance.now() < endMs);
  } catch (cause) {
    throw new SideThrew(label, cause);
  }
  return quantile(timesNs, 0.99);
}

/**
 * Bytes that one pass allocates. A batch that a collection fell into shrinks, so the median of those that grew is
 * taken; where every pass is collected within, what is left is a lower bound.
 */
export async function allocatedBytes(side: Side, passes: number, overheadBytes: number): Promise<number> {
  const grown: number[] = [];
  for (let i = 0; i < ALLOCATION_BATCHES; i += 1) {
    const { grownBytes } = await runBatch(side, passes);
    if (grownBytes >= 0) grown.push(Math.max(0, grownBytes - overheadBytes) / passes);
  }
  return grown.length === 0 ? 0 : median(grown);
}

/** Heap growth that measuring causes itself, per batch. Also readies the loops that all batches share. */
export async function measuringOverheadBytes(asynchronous: boolean): Promise<number> {
  return (await calibrateInstrument(() => undefined, asynchronous)).heapOverheadBytes;
}
