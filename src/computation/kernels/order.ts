/** Sorting: by merging where that is little work, by the digits of the keys else. */
import { loadNative } from '../../native/load.js';
import { lengthOf, refuseSharing, requireOut, requireValues, type Values } from './arguments.js';
import { FROM } from './break-even.js';
import { Operation, threadsOf, type ThreadOptions } from './threads.js';

/** So many ascending runs are merged; equals kMergedRuns of `native/core/kernels/sort_keys.h`. */
const MERGED_RUNS = 4;

/**
 * Sorts in place, in the order of `values.sort()`: ascending, -0 before 0, NaN last (NaNs lose sign and payload).
 * Short arrays and up to four ascending runs are merged, all else is sorted by the topmost digits in which values differ, or
 * by all of them where values crowd together. In up to twice the memory of the array, which is freed afterwards. On
 * several threads, and where values are more than caches hold,
 * by parts between samples first. There is no form with a comparator: calling JavaScript for each comparison, native code
 * would win nothing. To sort by a key, take {@link argsort} of the keys and `gather`.
 *
 * @returns `values`
 * @throws ENOMEM where there is no memory to work in; the values are as they were.
 */
export function sort<T extends Values>(values: T, options?: ThreadOptions): T {
  requireValues('values', values);
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'sort');
  if (isByParts(values, values.BYTES_PER_ELEMENT, threads)) {
    loadNative().kernels!.arrayJob(Operation.sort, threads, values);
  } else {
    const isFloat = values instanceof Float64Array || values instanceof Float32Array;
    const from = FROM.sort[isFloat ? 'float' : values.BYTES_PER_ELEMENT]!;
    const native = values.length >= from ? loadNative().kernels : undefined;
    if (native) native.arraySort(values);
    else if (values.length > 0) values.sort(); // Which throws where the buffer is gone.
  }
  return values;
}

/**
 * The indices that sort the values: ascending, equal ones in the order in which they stand, -0 before 0, NaN last.
 *
 * @param out by default a new array.
 * @throws ENOMEM where there is no memory to work in.
 * @example
 * const order = kernels.argsort(prices);
 * const byPrice = kernels.gather(names, order);
 */
export function argsort(
  values: Values,
  out: Uint32Array = new Uint32Array(lengthOf(values)),
  options?: ThreadOptions,
): Uint32Array {
  checkArgsort(values, out);
  const threads = options === undefined ? 1 : threadsOf(options, values.length, 'argsort');
  // An index beside each key, in the room of a key.
  if (isByParts(values, 2 * values.BYTES_PER_ELEMENT, threads)) {
    loadNative().kernels!.arrayJob(Operation.argsort, threads, values, out);
    return out;
  }
  const native = values.length >= FROM.argsort ? loadNative().kernels : undefined;
  if (native) native.arrayArgsort(values, out);
  else {
    const order = Array.from({ length: values.length }, (_, i) => i);
    out.set(order.sort((a, b) => compare(values[a]!, values[b]!) || a - b));
  }
  return out;
}

/**
 * Whether sorting is by parts: on several threads, and on one where more is moved than caches hold. Not where values ascend
 * in a few runs, which are merged on one thread in less time; nor short integers, which take one or two passes as they are.
 */
function isByParts(values: Values, itemBytes: number, threads: number): boolean {
  const isLarge = values.BYTES_PER_ELEMENT >= 4 && values.length * itemBytes >= FROM.partBytes;
  return (threads > 1 || isLarge) && hasManyRuns(values) && loadNative().kernels !== undefined;
}

/** Values in no order show that in a few steps. */
function hasManyRuns(values: Values): boolean {
  let runs = 1;
  for (let i = 1; i < values.length; i += 1) {
    if (values[i]! < values[i - 1]!) {
      runs += 1;
      if (runs > MERGED_RUNS) return true;
    }
  }
  return false;
}

export function checkArgsort(values: unknown, out: unknown): void {
  requireValues('values', values);
  requireOut<Uint32Array>('out', out, 'Uint32Array', values.length);
  refuseSharing('out', out, 'values', values);
}

function compare(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === 0 && b === 0) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  return Number(a !== a) - Number(b !== b);
}
