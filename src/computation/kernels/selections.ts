/** What passes a test, and values by index. */
import { loadNative } from '../../native/load.js';
import { requireOneOf } from '../../memory/arguments.js';
import { COMPARES, filterOf, gatherOf } from '../../memory/struct/bulk.js';
import type { Column } from '../../memory/struct/column.js';
import { filter, type Compare } from '../../memory/struct/column-loops.js';
import { integerRange } from '../../memory/struct/integer-range.js';
import { fail, describe } from '../../errors.js';
import { refuseSharing, requireOut, requireValues, typeName, type Values } from './arguments.js';
import { FROM } from './break-even.js';

const bounds = new BigUint64Array(2);

/** A typed array as the column that it is. */
function columnOfArray(values: Values): Column {
  const isFloat = values instanceof Float64Array || values instanceof Float32Array;
  return {
    view: values,
    shape: Int32Array.of(0, values.length, 1, 0),
    codec: { kind: 'number' },
    isWide: values instanceof BigInt64Array || values instanceof BigUint64Array,
    isFloat,
    path: 'values',
  };
}

/**
 * Indices of the values for which `value compare against` holds, ascending. NaN equals nothing; integers are compared
 * exactly, also with fractions and bigints.
 *
 * @param out room for all indices, e.g. for reuse; by default a new array.
 * @returns the part of `out` that was filled
 * @example
 * kernels.filterIndices(prices, '>', 100);
 */
export function filterIndices(
  values: Values,
  compare: Compare,
  against: number | bigint,
  out: Uint32Array = new Uint32Array(values.length),
): Uint32Array {
  requireValues('values', values);
  requireOut<Uint32Array>('out', out, 'Uint32Array', values.length);
  refuseSharing('out', out, 'values', values);
  return out.subarray(0, filterOf(columnOfArray(values), compare, against, out));
}

/**
 * The values for which `value compare against` holds, in order.
 *
 * @param out room for all values, of their type; by default a new array.
 * @returns the part of `out` that was filled
 */
export function compact<T extends Values>(
  values: T,
  compare: Compare,
  against: number | bigint,
  out: T = new (values.constructor as new (length: number) => T)(values.length),
): T {
  requireValues('values', values);
  requireOut<T>('out', out, typeName(values)!, values.length);
  refuseSharing('out', out, 'values', values);
  requireOneOf('compare', compare, COMPARES);
  const isWide = values instanceof BigInt64Array || values instanceof BigUint64Array;
  if (typeof against !== (isWide ? 'bigint' : 'number')) {
    const expected = isWide ? 'a bigint' : 'a number';
    throw fail('INVALID_ARGUMENT', { name: 'against', actual: describe(against), expected });
  }
  return out.subarray(0, compacted(values, compare, against, out)) as T;
}

function compacted(values: Values, compare: Compare, against: number | bigint, out: Values): number {
  const native = values.length >= FROM.compact ? loadNative().kernels : undefined;
  if (!native) {
    const indices = new Uint32Array(values.length);
    const found = filter(columnOfArray(values), compare, against as number, indices);
    for (let k = 0; k < found; k += 1) out[k] = values[indices[k]!]!;
    return found;
  }
  if (values instanceof Float64Array || values instanceof Float32Array) {
    return native.arrayCompact(values, COMPARES.indexOf(compare), against as number, bounds, false, out);
  }
  const range = integerRange(values, compare, against);
  if (range === 'none') return 0;
  const bits = values.BYTES_PER_ELEMENT * 8;
  bounds[0] = BigInt.asUintN(bits, range.low);
  bounds[1] = BigInt.asUintN(bits, range.high);
  return native.arrayCompact(values, 0, 0, bounds, range.isInverted, out);
}

/**
 * `out[k] = values[indices[k]]`. There is no kernel for its reverse, scattering.
 *
 * @param out of the type of `values`; by default a new array.
 * @throws INVALID_ARGUMENT for an index that is outside of the values; what stood before it has been written.
 */
export function gather<T extends Values>(
  values: T,
  indices: Uint32Array,
  out: T = new (values.constructor as new (length: number) => T)(indices.length),
): T {
  requireValues('values', values);
  requireOut<Uint32Array>('indices', indices, 'Uint32Array', 0);
  requireOut<T>('out', out, typeName(values)!, indices.length);
  refuseSharing('out', out, 'values', values);
  refuseSharing('out', out, 'indices', indices);
  gatherOf(columnOfArray(values), indices, out);
  return out;
}
