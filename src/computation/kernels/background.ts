/**
 * The same kernels without waiting: on native threads, while this thread goes on. For arrays of 2^17 values and more; a
 * call costs some 10 µs. Results are those of the functions that wait, to the bit.
 *
 * Arrays have to lie in SharedArrayBuffers: memory that the event loop goes on using must not go away. Whoever writes to
 * them before the promise settles spoils the result, nothing else. Without the addon the work is done at once, by this
 * thread.
 */
import { loadNative } from '../../native/load.js';
import {
  lengthOf,
  requireFloats,
  requireNumber,
  requireNumbers,
  requireSameLength,
  requireValues,
  type Floats,
  type Keys,
  type Numbers,
  type Values,
} from './arguments.js';
import {
  checkGroups,
  checkHistogram,
  groupSum,
  groupSumsOf,
  histogram,
  HISTOGRAM_OPTIONS,
  histogramOf,
  type GroupSums,
  type Histogram,
  type HistogramOptions,
} from './distributions.js';
import type { Moments } from './loops/reductions.js';
import { SPLIT_GROUPS } from './loops/vectors.js';
import * as waiting from './reductions.js';
import type { SumOptions } from './reductions.js';
import { asyncThreadsOf, Operation, requireShared, type Known, type ThreadOptions } from './threads.js';
import { argsort, checkArgsort, sort } from './order.js';
import { axpy, checkAxpy, checkPrefixSum, prefixSum, scale } from './vectors.js';

/** Starts a job, or does the work at once where there is no addon. Never throws: what goes wrong rejects. */
async function start<R>(
  operation: number,
  options: ThreadOptions | undefined,
  arrays: Readonly<Record<string, ArrayBufferView>>,
  args: readonly (ArrayBufferView | number)[],
  finish: (results: Float64Array) => R,
  atOnce: () => R,
  known?: Known,
): Promise<R> {
  const threads = asyncThreadsOf(options, known);
  for (const [name, array] of Object.entries(arrays)) requireShared(name, array);
  const native = loadNative().kernels;
  return native ? finish(await native.arrayJobAsync(operation, threads, ...args)) : atOnce();
}

async function reduce(
  operation: number,
  values: Numbers,
  options: ThreadOptions | undefined,
  place: number,
  atOnce: () => number,
  known?: Known,
): Promise<number> {
  requireNumbers('values', values);
  const finish = (results: Float64Array) => results[place]!;
  return start(operation, options, { values }, [values, values], finish, atOnce, known);
}

/** {@link waiting.sum} in the background. */
export async function sum(values: Numbers, options?: SumOptions): Promise<number> {
  if (options?.compensated === true) requireFloats('values', values);
  const operation = options?.compensated === true ? Operation.sumCompensated : Operation.sum;
  const compensated = options?.compensated;
  const again = compensated === undefined ? undefined : { compensated };
  return reduce(operation, values, options, 0, () => waiting.sum(values, again), waiting.SUM_OPTIONS);
}

export async function mean(values: Numbers, options?: SumOptions): Promise<number> {
  return (await sum(values, options)) / values.length;
}

export async function min(values: Numbers, options?: ThreadOptions): Promise<number> {
  return reduce(Operation.min, values, options, 0, () => waiting.min(values));
}

export async function max(values: Numbers, options?: ThreadOptions): Promise<number> {
  return reduce(Operation.max, values, options, 0, () => waiting.max(values));
}

export async function argmin(values: Numbers, options?: ThreadOptions): Promise<number> {
  return reduce(Operation.argmin, values, options, 1, () => waiting.argmin(values));
}

export async function argmax(values: Numbers, options?: ThreadOptions): Promise<number> {
  return reduce(Operation.argmax, values, options, 1, () => waiting.argmax(values));
}

export async function moments(values: Numbers, options?: ThreadOptions): Promise<Moments> {
  requireNumbers('values', values);
  const finish = ([count, mean, m2]: Float64Array) => ({ count: count!, mean: mean!, m2: m2! });
  const atOnce = () => waiting.moments(values);
  return start(Operation.moments, options, { values }, [values, values], finish, atOnce);
}

export async function dot(a: Numbers, b: Numbers, options?: ThreadOptions): Promise<number> {
  requireNumbers('a', a);
  requireNumbers('b', b);
  requireSameLength('b', b, 'a', a);
  return start(
    Operation.dot,
    options,
    { a, b },
    [a, b],
    ([all]) => all!,
    () => waiting.dot(a, b),
  );
}

async function scaleInPlace<T extends Floats>(
  values: T,
  factor: number,
  options?: ThreadOptions,
): Promise<T> {
  requireFloats('values', values);
  requireNumber('factor', factor);
  const atOnce = () => scale(values, factor);
  return start(Operation.scale, options, { values }, [factor, values], () => values, atOnce);
}

async function axpyInPlace<T extends Floats>(a: number, x: T, y: T, options?: ThreadOptions): Promise<T> {
  checkAxpy(a, x, y);
  return start(
    Operation.axpy,
    options,
    { x, y },
    [a, x, y],
    () => y,
    () => axpy(a, x, y),
  );
}

async function histogramInBackground(values: Numbers, options: HistogramOptions): Promise<Histogram> {
  const { bins, low, high } = checkHistogram(values, options);
  const args = [values, low, high, bins];
  const atOnce = () => histogram(values, { bins, low, high });
  return start(Operation.histogram, options, { values }, args, histogramOf, atOnce, HISTOGRAM_OPTIONS);
}

/** At most 512 groups; more are summed at once, by this thread. */
async function groupSumInBackground(
  keys: Keys,
  values: Numbers,
  groups: number,
  options?: ThreadOptions,
): Promise<GroupSums> {
  checkGroups(keys, values, groups);
  const atOnce = () => groupSum(keys, values, groups);
  if (groups > SPLIT_GROUPS) return atOnce();
  const finish = (results: Float64Array) => groupSumsOf(results, keys, groups);
  return start(Operation.groupSum, options, { keys, values }, [keys, values, groups], finish, atOnce);
}

/** In place; see {@link sort}. */
async function sortInPlace<T extends Values>(values: T, options?: ThreadOptions): Promise<T> {
  requireValues('values', values);
  const atOnce = () => sort(values);
  return start(Operation.sort, options, { values }, [values], () => values, atOnce);
}

async function argsortInBackground(
  values: Values,
  out: Uint32Array = new Uint32Array(new SharedArrayBuffer(4 * lengthOf(values))),
  options?: ThreadOptions,
): Promise<Uint32Array> {
  checkArgsort(values, out);
  const atOnce = () => argsort(values, out);
  return start(Operation.argsort, options, { values, out }, [values, out], () => out, atOnce);
}

async function prefixSumInBackground(
  values: Numbers,
  out: Float64Array = new Float64Array(new SharedArrayBuffer(8 * lengthOf(values))),
  options?: ThreadOptions,
): Promise<Float64Array> {
  checkPrefixSum(values, out);
  const atOnce = () => prefixSum(values, out);
  return start(Operation.runningSum, options, { values, out }, [values, out], () => out, atOnce);
}

export {
  argsortInBackground as argsort,
  axpyInPlace as axpy,
  groupSumInBackground as groupSum,
  histogramInBackground as histogram,
  prefixSumInBackground as prefixSum,
  scaleInPlace as scale,
  sortInPlace as sort,
};
