/** What passes a test, and values by index. */
import { loadNative } from '../../native/load.js';
import { requireOneOf } from '../../memory/arguments.js';
import { COMPARES, filterOf, gatherOf } from '../../memory/struct/bulk.js';
import type { Column } from '../../memory/struct/column.js';
import type { Compare } from '../../memory/struct/column-loops.js';
import { integerRange } from '../../memory/struct/integer-range.js';
import { fail, describe } from '../../errors.js';
import {
  alike,
  filledPart,
  lengthOf,
  refuseSharing,
  requireOut,
  requireSameLength,
  shareMemory,
  KINDS,
  valuesKind,
  type Values,
} from './arguments.js';
import { FROM, SCATTER_UP_TO } from './break-even.js';
import { copies } from './loops/copies.js';
import * as loops from './loops/selections.js';

const bounds = new BigUint64Array(2);

const filters = copies(loops.filterIndices, KINDS.length);
const compacts = copies(loops.compact, KINDS.length);
const gathers = copies(loops.gather, KINDS.length);
const scatters = copies(loops.scatter, KINDS.length);

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
 * @returns the part of `out` that was filled, `out` itself where that is all of it
 * @example
 * kernels.filterIndices(prices, '>', 100);
 */
export function filterIndices(
  values: Values,
  compare: Compare,
  against: number | bigint,
  out: Uint32Array = new Uint32Array(lengthOf(values)),
): Uint32Array {
  const kind = valuesKind('values', values);
  requireOut<Uint32Array>('out', out, 'Uint32Array', values.length);
  refuseSharing('out', out, 'values', values);
  if (values.length < FROM.filter) {
    checkTest(values, compare, against);
    return filledPart(out, filters[kind]!(values, compare, against, out));
  }
  return filledPart(out, filterOf(columnOfArray(values), compare, against, out));
}

/**
 * The values for which `value compare against` holds, in order.
 *
 * @param out room for all values, of their type; by default a new array.
 * @returns the part of `out` that was filled, `out` itself where that is all of it
 */
export function compact<T extends Values>(
  values: T,
  compare: Compare,
  against: number | bigint,
  out: T = alike(values, lengthOf(values)),
): T {
  const kind = valuesKind('values', values);
  requireOut<T>('out', out, KINDS[kind]!, values.length);
  refuseSharing('out', out, 'values', values);
  checkTest(values, compare, against);
  return filledPart(out, compacted(values, compare, against, out, kind));
}

function checkTest(values: Values, compare: unknown, against: unknown): void {
  requireOneOf('compare', compare, COMPARES);
  const isWide = values instanceof BigInt64Array || values instanceof BigUint64Array;
  if (typeof against === (isWide ? 'bigint' : 'number')) return;
  const expected = isWide ? 'a bigint' : 'a number';
  throw fail('INVALID_ARGUMENT', { name: 'against', actual: describe(against), expected });
}

function compacted(
  values: Values,
  compare: Compare,
  against: number | bigint,
  out: Values,
  kind: number,
): number {
  const native = values.length >= FROM.compact ? loadNative().kernels : undefined;
  if (!native) return compacts[kind]!(values, compare, against, out);
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
 * `out[k] = values[indices[k]]`; the reverse is {@link scatter}.
 *
 * @param out of the type of `values`; by default a new array.
 * @throws INVALID_ARGUMENT for an index that is outside of the values; what stood before it has been written.
 */
export function gather<T extends Values>(
  values: T,
  indices: Uint32Array,
  out: T = alike(values, lengthOf(indices)),
): T {
  const kind = valuesKind('values', values);
  requireOut<Uint32Array>('indices', indices, 'Uint32Array', 0);
  requireOut<T>('out', out, KINDS[kind]!, indices.length);
  const { buffer } = out;
  refuseSharing('out', out, 'values', values, buffer);
  refuseSharing('out', out, 'indices', indices, buffer);
  if (indices.length >= FROM.gather) gatherOf(columnOfArray(values), indices, out);
  else {
    const done = gathers[kind]!(values, indices, out);
    if (done < indices.length) throw outside(done, indices, values, 'values');
  }
  return out;
}

/**
 * `out[indices[k]] = values[k]`, in ascending order: of equal indices the last one stands. The reverse of {@link gather}.
 * Also where `out` lies over part of `values` or `indices`: what was written before is read then.
 *
 * @param indices as many as there are values.
 * @param out of the type of `values`.
 * @throws INVALID_ARGUMENT for an index that is outside of `out`; what stood before it has been written. Also where `out`
 *   is `values` or `indices` itself: a permutation in place needs memory of its own.
 * @example
 * kernels.scatter(Float64Array.of(1, 2), Uint32Array.of(3, 0), new Float64Array(4)); // [2, 0, 0, 1]
 */
export function scatter<T extends Values>(values: T, indices: Uint32Array, out: T): T {
  const kind = valuesKind('values', values);
  requireOut<Uint32Array>('indices', indices, 'Uint32Array', 0);
  requireSameLength('indices', indices, 'values', values);
  requireOut<T>('out', out, KINDS[kind]!, 0);
  const itself = (out as Values) === indices ? 'indices' : 'values';
  if (out === values || itself === 'indices') refuseSharing('out', out, itself, out);
  // Where the arrays lie is asked only where the addon might be called, for it costs 15 ns each.
  const isWorthIt =
    values.length >= FROM.scatter &&
    out.byteLength <= SCATTER_UP_TO &&
    !shareMemory(out, values) &&
    !shareMemory(out, indices);
  const native = isWorthIt ? loadNative().kernels : undefined;
  const done = native ? native.arrayScatter(values, indices, out) : scatters[kind]!(values, indices, out);
  if (done < values.length) throw outside(done, indices, out, 'out');
  return out;
}

function outside(place: number, indices: Uint32Array, { length }: Values, name: string): Error {
  const expected = length === 0 ? `nothing: ${name} is empty` : `a place in ${name}: 0 to ${length - 1}`;
  return fail('INVALID_ARGUMENT', { name: `indices[${place}]`, actual: String(indices[place]), expected });
}
