/** Sums, means, variances, extremes and dot products of typed arrays. */
import { describe, fail } from '../../errors.js';
import { loadNative } from '../../native/load.js';
import { requireBoolean } from '../../memory/arguments.js';
import { numbersKind, requireFloats, requireSameLength, type Floats, type Numbers } from './arguments.js';
import { FROM } from './break-even.js';
import { copies } from './loops/copies.js';
import * as loops from './loops/reductions.js';
import type { Moments } from './loops/reductions.js';
import * as short from './loops/short.js';
import { SHORT_BELOW } from './loops/short.js';
import { Operation, reduceOnThreads, requireKnown, threadsOf, type ThreadOptions } from './threads.js';

const NUMBER_KINDS = 8;
export const SUM_OPTIONS = { threads: true, compensated: true } as const;

const results = new Float64Array(3);

// Most calls are with few doubles: those go to the loops themselves, which can be inlined then.
const sums = copies(short.shortSum, NUMBER_KINDS);
const compensatedSums = copies(short.shortCompensatedSum, NUMBER_KINDS);
const momentsOfFew = copies(short.shortMoments, NUMBER_KINDS);
const leasts = copies(loops.least, NUMBER_KINDS);
const greatests = copies(loops.greatest, NUMBER_KINDS);
const indicesOfLeast = copies(loops.indexOfLeast, NUMBER_KINDS);
const indicesOfGreatest = copies(loops.indexOfGreatest, NUMBER_KINDS);
/** By the kinds of both: 8 * that of the first + that of the second. */
const dots = copies(short.shortDot, NUMBER_KINDS * NUMBER_KINDS);

export interface SumOptions extends ThreadOptions {
  /** Adds up what every rounding loses as well (Neumaier's sum, in 16 lanes). Floats only. */
  readonly compensated?: boolean;
}

/**
 * The sum. Floats: value i of a block of 2^14 is added to lane i % 32, lanes and blocks are joined pairwise (fewer than
 * 128 values: from left to right), so the error grows with the logarithm of the length; f32 is added as f64. Integers
 * are exact, rounded once. The same bits with and without the addon, on one thread and on several.
 *
 * @throws INVALID_ARGUMENT for what is no typed array of numbers.
 * @example
 * kernels.sum(Float64Array.of(0.1, 0.2, 0.3)); // 0.6000000000000001
 * kernels.sum(prices, { compensated: true });  // as if added in twice the precision
 */
export function sum(values: Numbers, options?: SumOptions): number {
  const kind = numbersKind('values', values);
  if (options === undefined) return plainSum(values, kind);
  requireKnown(options, SUM_OPTIONS);
  const isCompensated =
    options.compensated !== undefined && requireBoolean('compensated', options.compensated);
  const kernel = isCompensated ? 'compensated' : 'sum';
  const threads = options.threads === undefined ? 1 : threadsOf(options, values.length, kernel, SUM_OPTIONS);
  if (!isCompensated) {
    return threads > 1 ? reduceOnThreads(Operation.sum, threads, values) : plainSum(values, kind);
  }
  requireFloats('values', values);
  return threads > 1
    ? reduceOnThreads(Operation.sumCompensated, threads, values)
    : compensatedSum(values, kind);
}

function plainSum(values: Numbers, kind: number): number {
  if (values.length < SHORT_BELOW) return kind === 0 ? short.shortSum(values) : sums[kind]!(values);
  const native = values.length >= FROM.sum ? loadNative().kernels : undefined;
  return native ? native.arrayReduce(Operation.sum, values) : loops.sum(values);
}

function compensatedSum(values: Floats, kind: number): number {
  if (values.length < SHORT_BELOW) {
    return kind === 0 ? short.shortCompensatedSum(values) : compensatedSums[kind]!(values);
  }
  const native = values.length >= FROM.compensated ? loadNative().kernels : undefined;
  return native ? native.arrayReduce(Operation.sumCompensated, values) : loops.sumCompensated(values);
}

/** The mean: the sum over the number of values; NaN where there is none. */
export function mean(values: Numbers, options?: SumOptions): number {
  return sum(values, options) / values.length;
}

/**
 * Number, mean, and sum of squared distances from the mean, by blocks of 4,096 values: the mean of each first, then
 * distances from it, joined by the formula of Chan, Golub and LeVeque. No worse than Welford's, and in vectors.
 */
export function moments(values: Numbers, options?: ThreadOptions): Moments {
  const kind = numbersKind('values', values);
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'moments');
  if (values.length < SHORT_BELOW) {
    return kind === 0 ? short.shortMoments(values) : momentsOfFew[kind]!(values);
  }
  if (threads > 1) reduceOnThreads(Operation.moments, threads, values, undefined, results);
  else {
    const native = values.length >= FROM.moments ? loadNative().kernels : undefined;
    if (!native) return loops.moments(values);
    native.arrayMoments(values, results);
  }
  return { count: results[0]!, mean: results[1]!, m2: results[2]! };
}

/**
 * The moments of two sets together: of parts of an array, of windows of a stream.
 *
 * @throws INVALID_ARGUMENT for what are none.
 * @example
 * const all = kernels.mergeMoments(kernels.moments(monday), kernels.moments(tuesday));
 */
export function mergeMoments(left: Moments, right: Moments): Moments {
  requireMoments('left', left);
  requireMoments('right', right);
  if (left.count === 0) return right;
  return right.count === 0 ? left : loops.joinMoments(left, right);
}

function requireMoments(name: string, value: unknown): asserts value is Moments {
  const { count, mean: middle, m2 } = Object(value) as Partial<Record<keyof Moments, unknown>>;
  if (typeof count === 'number' && typeof middle === 'number' && typeof m2 === 'number') return;
  const expected = 'a typed array of numbers, or { count, mean, m2 } as moments() gives them';
  throw fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}

/**
 * The variance of values or of moments: with `isSample` that of the population they were drawn from (n - 1). NaN where
 * there are too few values.
 *
 * @throws INVALID_ARGUMENT for what is neither.
 */
export function variance(of: Numbers | Moments, isSample = false): number {
  if (!ArrayBuffer.isView(of)) requireMoments('of', of);
  const { count, m2 } = ArrayBuffer.isView(of) ? moments(of) : of;
  const divisor = isSample ? count - 1 : count;
  return divisor > 0 ? m2 / divisor : NaN;
}

/** The least value: NaN where any is NaN, never -0, +Infinity where there is none. */
export function min(values: Numbers, options?: ThreadOptions): number {
  return extreme(values, true, options);
}

/** The greatest value: NaN where any is NaN, never -0, -Infinity where there is none. */
export function max(values: Numbers, options?: ThreadOptions): number {
  return extreme(values, false, options);
}

function extreme(values: Numbers, isMin: boolean, options?: ThreadOptions): number {
  const kind = numbersKind('values', values);
  const operation = isMin ? Operation.min : Operation.max;
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'extreme');
  if (threads > 1) return reduceOnThreads(operation, threads, values);
  const native = values.length >= FROM.extreme ? loadNative().kernels : undefined;
  if (native) return native.arrayReduce(operation, values);
  if (kind === 0) return isMin ? loops.least(values) : loops.greatest(values);
  return (isMin ? leasts : greatests)[kind]!(values);
}

/** Index of the first NaN, else of the first of the least values; -1 where there is none. -0 and 0 are equal. */
export function argmin(values: Numbers, options?: ThreadOptions): number {
  return extremeIndex(values, true, options);
}

/** Index of the first NaN, else of the first of the greatest values; -1 where there is none. -0 and 0 are equal. */
export function argmax(values: Numbers, options?: ThreadOptions): number {
  return extremeIndex(values, false, options);
}

function extremeIndex(values: Numbers, isMin: boolean, options?: ThreadOptions): number {
  const kind = numbersKind('values', values);
  const operation = isMin ? Operation.argmin : Operation.argmax;
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'extremeIndex');
  if (threads > 1) {
    reduceOnThreads(operation, threads, values, undefined, results);
    return results[1]!;
  }
  const native = values.length >= FROM.extremeIndex ? loadNative().kernels : undefined;
  if (native) return native.arrayReduce(operation, values);
  if (kind === 0) return isMin ? loops.indexOfLeast(values) : loops.indexOfGreatest(values);
  return (isMin ? indicesOfLeast : indicesOfGreatest)[kind]!(values);
}

/**
 * The dot product, in the order of {@link sum} (integers too). No fused multiply-add: every product is rounded.
 *
 * @throws INVALID_ARGUMENT where the lengths differ.
 */
export function dot(a: Numbers, b: Numbers, options?: ThreadOptions): number {
  const kinds = NUMBER_KINDS * numbersKind('a', a) + numbersKind('b', b);
  requireSameLength('b', b, 'a', a);
  const threads = options === undefined ? 1 : threadsOf(options, a.length, 'dot');
  if (a.length < SHORT_BELOW) return kinds === 0 ? short.shortDot(a, b) : dots[kinds]!(a, b);
  if (threads > 1) return reduceOnThreads(Operation.dot, threads, a, b);
  const native = a.length >= FROM.dot ? loadNative().kernels : undefined;
  return native ? native.arrayDot(a, b) : loops.dot(a, b);
}
