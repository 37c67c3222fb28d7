/** Sorting by radix. */
import { loadNative } from '../../native/load.js';
import { refuseSharing, requireOut, requireValues, type Values } from './arguments.js';
import { FROM } from './break-even.js';

/**
 * Sorts in place, in the order of `values.sort()`: ascending, -0 before 0, NaN last (NaNs lose sign and payload).
 * By radix, least significant digit first, in twice the memory of the array, which is freed afterwards. There is no form
 * with a comparator: calling JavaScript for each comparison, native code would win nothing.
 *
 * @returns `values`
 * @throws ENOMEM where there is no memory to work in; the values are as they were.
 */
export function sort<T extends Values>(values: T): T {
  requireValues('values', values);
  const native = values.length >= FROM.sort[values.BYTES_PER_ELEMENT]! ? loadNative().kernels : undefined;
  if (native) native.arraySort(values);
  else values.sort();
  return values;
}

/**
 * The indices that sort the values: ascending, equal ones in the order in which they stand, -0 before 0, NaN last.
 *
 * @param out by default a new array.
 * @example
 * const order = kernels.argsort(prices);
 * const byPrice = kernels.gather(names, order);
 */
export function argsort(values: Values, out: Uint32Array = new Uint32Array(values.length)): Uint32Array {
  requireValues('values', values);
  requireOut<Uint32Array>('out', out, 'Uint32Array', values.length);
  refuseSharing('out', out, 'values', values);
  const native = values.length >= FROM.argsort ? loadNative().kernels : undefined;
  if (native) native.arrayArgsort(values, out);
  else {
    const order = Array.from({ length: values.length }, (_, i) => i);
    out.set(order.sort((a, b) => compare(values[a]!, values[b]!) || a - b));
  }
  return out;
}

function compare(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === 0 && b === 0) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  return Number(a !== a) - Number(b !== b);
}
