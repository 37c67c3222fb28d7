/** What callers of loops may pass, checked and brought into one form. */
import { describe, fail } from '../errors.js';
import type { Schedule } from '../model/choice.js';
import { abortSignal, integerWithin, oneOf } from './check.js';
import { requireOptions } from '../options.js';
import type { CallerLoop } from './kernel-run.js';
import { unitFor } from './loop-control.js';
import { aborted } from './loop-errors.js';
import { SCHEDULES } from './partition/by-name.js';
import { MAX_UNITS } from './partition/partitioner.js';
import { leavesOf, type Leaves } from './shared-data.js';
import { checkTask, fixedTask, type RangeFunction, type Task } from './task.js';

/**
 * Expected cost of iterations, in any unit: a function of the index, or the costs of equally long parts of the
 * range, first to last. Only shapes the first split of `static` and `stealing`; results do not depend on it.
 */
export type CostHint = ((index: number) => number) | readonly number[];

export interface ParallelForOptions<Shared> {
  readonly task: Task<RangeFunction<Shared, unknown>>;
  /** First iteration (included) and end (excluded): safe integers. */
  readonly range: readonly [start: number, end: number];
  /** Handed to the kernel in every thread; see `SharedData`. */
  readonly shared: Shared;
  /** Least iterations a chunk. By default the schedule chooses. */
  readonly grain?: number;
  /** `auto` by default. */
  readonly schedule?: Schedule;
  readonly costHint?: CostHint;
  /** At most this many threads; by default all of the pool. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** Options of a loop over whatever data. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a kernel takes its own kind of data
export type AnyLoopOptions = ParallelForOptions<any>;

export interface ParallelReduceOptions<Shared, Partial> extends ParallelForOptions<Shared> {
  readonly task: Task<RangeFunction<Shared, Partial>>;
  /**
   * Iterations for one partial result: another grain may round a sum of floats differently, another schedule or
   * thread count never does. By default 4·√n chunks, at most 1,024.
   */
  readonly grain?: number;
  /** Called on the caller, left to right in the order of the range. */
  readonly combine: (left: Partial, right: Partial) => Partial;
  /** Result for an empty range, and leftmost operand otherwise. */
  readonly initial?: Partial;
}

const KEYS = ['task', 'range', 'shared', 'grain', 'schedule', 'costHint', 'threads', 'signal'];
const REDUCE_KEYS = [...KEYS, 'combine', 'initial'];

const HINT_SAMPLES = 256;

/** A loop to run; its kernel is loaded where the caller takes part. */
export interface Loop extends Omit<CallerLoop, 'kernel'> {
  readonly shared: unknown;
  readonly units: number;
  readonly schedule: Schedule;
  readonly grain: number | undefined;
  readonly threads: number;
  readonly weights: readonly number[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly leaves: Leaves;
}

/** @throws INVALID_ARGUMENT; ABORTED where the signal is aborted already. */
export function loopOf<S>(options: ParallelForOptions<S>, reduces: boolean, maxThreads: number): Loop {
  requireOptions('options', options, reduces ? REDUCE_KEYS : KEYS);
  checkTask(options.task);
  const task = fixedTask(options.task);
  const [start, end] = rangeOf(options.range);
  const grain = options.grain === undefined ? undefined : atLeastOne('grain', options.grain);
  const threads = options.threads === undefined ? Infinity : atLeastOne('threads', options.threads);
  const { schedule: wanted = 'auto' } = options;
  const schedule = oneOf('schedule', wanted, SCHEDULES);
  const signal = abortSignal(options.signal);
  const leaves = leavesOf(options.shared);
  const iterations = end - start;
  if (signal?.aborted === true) throw aborted(task, signal);
  const unit = reduces ? reduceUnit(iterations, grain) : unitFor(iterations);
  return {
    task,
    shared: options.shared,
    start,
    end,
    unit,
    partials: reduces ? [] : undefined,
    units: Math.ceil(iterations / unit),
    schedule,
    // A reduction's grain is its unit.
    grain: reduces ? undefined : grain,
    threads: Math.min(threads, maxThreads),
    weights: iterations === 0 ? undefined : weightsOf(options.costHint, start, end),
    signal,
    leaves,
  };
}

/** Checks what only reductions have. @throws INVALID_ARGUMENT */
export function checkCombine(combine: unknown): void {
  if (typeof combine === 'function') return;
  throw fail('INVALID_ARGUMENT', {
    name: 'combine',
    actual: describe(combine),
    expected: 'a function (left, right) => result',
  });
}

/** Left to right, in the order of the range. */
export function combinePartials<S, P>(
  options: Pick<ParallelReduceOptions<S, P>, 'combine' | 'initial'>,
  partials: readonly P[],
): P | undefined {
  const fold = (left: P, right: P) => options.combine(left, right);
  if ('initial' in options) return partials.reduce(fold, options.initial);
  return partials.length > 0 ? partials.reduce(fold) : undefined;
}

/** Depends on the range alone, so that results depend on nothing else. */
function reduceUnit(iterations: number, grain: number | undefined): number {
  const chunks = Math.max(1, Math.min(iterations, 1_024, Math.ceil(4 * Math.sqrt(iterations))));
  return Math.max(1, grain ?? Math.ceil(iterations / chunks), Math.ceil(iterations / MAX_UNITS));
}

function rangeOf(range: unknown): readonly [number, number] {
  if (Array.isArray(range) && range.length === 2) {
    const [start, end] = range as unknown[];
    if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && (start as number) <= (end as number)) {
      return [start as number, end as number];
    }
  }
  throw fail('INVALID_ARGUMENT', {
    name: 'range',
    actual: Array.isArray(range) ? `[${range.map(describe).join(', ')}]` : describe(range),
    expected: '[start, end] of safe integers with start ≤ end',
  });
}

function atLeastOne(name: string, value: unknown): number {
  return integerWithin(name, value, 1, Number.MAX_SAFE_INTEGER);
}

/** Costs of equally long parts. A hint with unusable numbers is refused: it would silently unbalance the loop. */
export function weightsOf(
  hint: CostHint | undefined,
  start: number,
  end: number,
): readonly number[] | undefined {
  if (hint === undefined) return undefined;
  const weights: unknown = typeof hint === 'function' ? sampleCosts(hint, start, end) : hint;
  const isCost = (value: unknown) => Number.isFinite(value) && (value as number) >= 0;
  if (Array.isArray(weights) && weights.length > 0 && weights.every(isCost)) return weights as number[];
  throw fail('INVALID_ARGUMENT', {
    name: 'costHint',
    actual: Array.isArray(weights)
      ? `${describe(weights)} with ${describe(weights.find((value) => !isCost(value)))} in it`
      : describe(hint),
    expected: 'a function of the index, or an array, that gives numbers of 0 or more',
  });
}

function sampleCosts(cost: (index: number) => number, start: number, end: number): number[] {
  const parts = Math.min(HINT_SAMPLES, end - start);
  return Array.from({ length: parts }, (_, part) =>
    cost(Math.floor(start + ((part + 0.5) * (end - start)) / parts)),
  );
}
