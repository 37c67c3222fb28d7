/** Element-wise kernels and running sums. */
import { fail } from '../../errors.js';
import { loadNative } from '../../native/load.js';
import {
  lengthOf,
  numbersKind,
  refuseOverlap,
  refuseSharing,
  requireFloats,
  requireNumber,
  requireOut,
  requireSameLength,
  shareMemory,
  typeName,
  type Floats,
  type Numbers,
} from './arguments.js';
import { FROM } from './break-even.js';
import { copies } from './loops/copies.js';
import { SHORT_BELOW, shortRunningSum } from './loops/short.js';
import * as loops from './loops/vectors.js';
import { Operation, threadsOf, type ThreadOptions } from './threads.js';

const [scaleSingles] = copies(loops.scale, 1);
const [axpySingles] = copies(loops.axpy, 1);
const runningSums = copies(shortRunningSum, 8);

/**
 * Multiplies every value by `factor`, in place. f32 is multiplied as f64 and rounded once, as JavaScript does.
 *
 * @returns `values`
 */
export function scale<T extends Floats>(values: T, factor: number, options?: ThreadOptions): T {
  requireFloats('values', values);
  requireNumber('factor', factor);
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'scale');
  if (threads > 1) loadNative().kernels!.arrayJob(Operation.scale, threads, factor, values);
  else {
    const native = values.length >= FROM.scale ? loadNative().kernels : undefined;
    if (native) native.arrayScale(factor, values);
    else if (values instanceof Float64Array) loops.scale(values, factor);
    else scaleSingles!(values, factor);
  }
  return values;
}

/**
 * `y[i] += a * x[i]`, as if in ascending order, also where the two lie over each other. f32 is worked on as f64 and rounded
 * once.
 *
 * @returns `y`
 * @throws INVALID_ARGUMENT where types or lengths differ.
 */
export function axpy<T extends Floats>(a: number, x: T, y: T, options?: ThreadOptions): T {
  requireNumber('a', a);
  if (options === undefined && x instanceof Float64Array && y instanceof Float64Array) {
    // Most calls, and the shortest: where the two lie is asked only where the addon might be called, for it costs 30 ns.
    const { length } = x;
    if (length < FROM.axpy && y.length === length) {
      loops.axpy(a, x, y);
      return y;
    }
  }
  requireSameFloats(x, y);
  const threads = options === undefined ? 1 : threadsOf(options, x.length, 'axpy');
  // Vectors and threads read ahead of what they write. At the same place they do not.
  const isInOrder = x.length >= FROM.axpy && x !== y && x.byteOffset !== y.byteOffset && shareMemory(x, y);
  if (threads > 1 && !isInOrder) loadNative().kernels!.arrayJob(Operation.axpy, threads, a, x, y);
  else {
    const native = x.length >= FROM.axpy && !isInOrder ? loadNative().kernels : undefined;
    if (native) native.arrayAxpy(a, x, y);
    else if (x instanceof Float64Array) loops.axpy(a, x, y);
    else axpySingles!(a, x, y);
  }
  return y;
}

/** For a job in the background, where the two may be read and written in any order. */
export function checkAxpy(a: unknown, x: Floats, y: Floats): void {
  requireNumber('a', a);
  requireSameFloats(x, y);
  refuseOverlap('y', y, 'x', x);
}

function requireSameFloats(x: unknown, y: unknown): void {
  requireFloats('x', x);
  requireFloats('y', y);
  if (!(x instanceof Float64Array && y instanceof Float64Array) && typeName(y) !== typeName(x)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'y',
      actual: `a ${typeName(y)!}`,
      expected: `a ${typeName(x)!}, as x is`,
    });
  }
  requireSameLength('y', y, 'x', x);
}

/**
 * Running sums: `out[i]` is the sum of the first i + 1 values. Eight at a time are added up as a tree and then put on top
 * of the sum so far (fewer than 128 values: one by one), each 2^14 values by themselves, so the error is at most that of
 * adding one by one, mostly far less.
 * The same bits on one thread and on several.
 *
 * @param out by default a new array; `values` itself where that is a Float64Array.
 * @throws INVALID_ARGUMENT where `out` is too short or overlaps `values` without being the same.
 * @example
 * kernels.prefixSum(Int32Array.of(1, 2, 3)); // Float64Array [1, 3, 6]
 */
export function prefixSum(
  values: Numbers,
  out: Float64Array = new Float64Array(lengthOf(values)),
  options?: ThreadOptions,
): Float64Array {
  const kind = checkPrefixSum(values, out);
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'prefixSum');
  if (values.length < SHORT_BELOW) {
    if (kind === 0) shortRunningSum(values, out);
    else runningSums[kind]!(values, out);
  } else if (threads > 1) loadNative().kernels!.arrayJob(Operation.runningSum, threads, values, out);
  else {
    const native = values.length >= FROM.runningSum ? loadNative().kernels : undefined;
    if (native) native.arrayRunningSum(values, out);
    else loops.runningSum(values, out);
  }
  return out;
}

/** The kind of the values. */
export function checkPrefixSum(values: Numbers, out: unknown): number {
  const kind = numbersKind('values', values);
  requireOut<Float64Array>('out', out, 'Float64Array', values.length);
  if (kind === 0) refuseOverlap('out', out, 'values', values);
  else refuseSharing('out', out, 'values', values);
  return kind;
}
