/**
 * Bulk operations over the columns of struct arrays: the native kernel where it beats the best JavaScript loop by half
 * or more in cache, else a loop of our own; both give the same bits. What each gains is measured in
 * `bench/cases/struct-columns.js` and told in `docs/guide-memory.md`.
 */
import { describe, fail } from '../../errors.js';
import { loadNative } from '../../native/load.js';
import { requireInteger, requireOneOf } from '../arguments.js';
import type { TypedArray } from './access-plan.js';
import type { Column } from './column.js';
import * as loops from './column-loops.js';
import type { Compare } from './column-loops.js';
import { integerRange } from './integer-range.js';

/**
 * Records from which the call into the addon, some 200 ns, takes at most two thirds of the time of our own loop, in
 * every order of records (sums of rows, and dot products of them, take three quarters at first, half from 2,000 on).
 */
const NATIVE_FROM = { sum: 512, extreme: 128, reduceWide: 64, dot: 512, filter: 128, gather: 64 } as const;

export const COMPARES: readonly Compare[] = ['<', '<=', '>', '>=', '==', '!='];
const SUM = 0;
const MIN = 1;
const MAX = 2;

const wide = new BigInt64Array(2);
const bounds = new BigUint64Array(2);
const setFlag = new BigUint64Array(3);

/** Numbers of an enum's names are for telling them apart. @throws INVALID_ARGUMENT */
function refuseEnum(what: string, { codec, path }: Column): void {
  if (codec.kind !== 'enum') return;
  throw fail('INVALID_ARGUMENT', {
    name: `${what} of ${path}`,
    actual: `a field of names (${Object.keys(codec.values).slice(0, 6).join(', ')})`,
    expected: 'a field of numbers; to count the records of a name, take the length of a filter',
  });
}

export function sumOf(column: Column): number | bigint {
  refuseEnum('sum', column);
  const { view, shape, isWide } = column;
  const count = shape[1] as number;
  const native = loadNative().kernels;
  if (isWide) {
    if (native === undefined || count < NATIVE_FROM.reduceWide) return loops.sumWide(column);
    native.columnReduceWide(SUM, view, shape, wide);
    return ((wide[1] as bigint) << 32n) + BigInt.asUintN(64, wide[0] as bigint);
  }
  if (native === undefined || count < NATIVE_FROM.sum) return loops.sum(column);
  return native.columnReduce(SUM, view, shape);
}

export function extremeOf(column: Column, isMin: boolean): number | bigint | undefined {
  refuseEnum(isMin ? 'min' : 'max', column);
  const { view, shape, isWide } = column;
  const count = shape[1] as number;
  const native = loadNative().kernels;
  if (isWide) {
    if (native === undefined || count < NATIVE_FROM.reduceWide) return loops.extremeWide(column, isMin);
    native.columnReduceWide(isMin ? MIN : MAX, view, shape, wide);
    const best = wide[0] as bigint;
    return view instanceof BigUint64Array ? BigInt.asUintN(64, best) : best;
  }
  if (count === 0) return undefined;
  if (native === undefined || count < NATIVE_FROM.extreme) return loops.extreme(column, isMin);
  return native.columnReduce(isMin ? MIN : MAX, view, shape);
}

export function dotOf(one: Column, other: Column): number {
  for (const column of [one, other]) {
    refuseEnum('dot', column);
    const { isWide, path } = column;
    if (isWide) {
      throw fail('INVALID_ARGUMENT', {
        name: `dot of ${path}`,
        actual: 'a field of 64-bit integers',
        expected: 'fields of numbers of at most 32 bits, or floats',
      });
    }
  }
  const native = loadNative().kernels;
  if (native === undefined || (one.shape[1] as number) < NATIVE_FROM.dot) return loops.dot(one, other);
  return native.columnDot(one.view, one.shape, other.view, other.shape);
}

export function filterOf(column: Column, compare: unknown, given: unknown, out: unknown): number {
  const operator = requireOneOf('compare', compare, COMPARES);
  const { view, shape, isWide, isFloat } = column;
  const count = shape[1] as number;
  if (!(out instanceof Uint32Array) || out.length < count) {
    throw fail('INVALID_ARGUMENT', {
      name: 'out',
      actual: out instanceof Uint32Array ? `of length ${out.length}` : describe(out),
      expected: `a Uint32Array of at least ${count} elements, one for each record`,
    });
  }
  const [comparison, value] = operand(column, operator, given);
  const native = loadNative().kernels;
  if (column.codec.kind === 'bit') {
    const { mask } = column.codec;
    const isSet = comparison === '!=';
    if (native === undefined || count < NATIVE_FROM.filter) return loops.filterBit(column, mask, isSet, out);
    setFlag[2] = BigInt(mask);
    return native.columnFilter(view, shape, 0, 0, setFlag, isSet, out);
  }
  if (native === undefined || count < NATIVE_FROM.filter) return loops.filter(column, comparison, value, out);
  const code = COMPARES.indexOf(comparison);
  if (isFloat) return native.columnFilter(view, shape, code, value as number, bounds, false, out);
  const range = integerRange(column.view, comparison, value);
  if (range === 'none') return 0;
  const bits = isWide ? 64 : view.BYTES_PER_ELEMENT * 8;
  bounds[0] = BigInt.asUintN(bits, range.low);
  bounds[1] = BigInt.asUintN(bits, range.high);
  return native.columnFilter(view, shape, 0, 0, bounds, range.isInverted, out);
}

/** The number to compare with: of an enum's name, of a boolean. Only equality makes sense for those. */
function operand(
  { codec, isWide, path }: Column,
  compare: Compare,
  given: unknown,
): [Compare, number | bigint] {
  const isEquality = compare === '==' || compare === '!=';
  if ((codec.kind === 'bool' || codec.kind === 'bit') && typeof given === 'boolean' && isEquality) {
    // Any byte but 0 is true.
    return [given === (compare === '==') ? '!=' : '==', 0];
  }
  if (
    codec.kind === 'enum' &&
    typeof given === 'string' &&
    isEquality &&
    Object.hasOwn(codec.values, given)
  ) {
    return [compare, codec.values[given] as number];
  }
  const isNumber = codec.kind === 'number' && typeof given === (isWide ? 'bigint' : 'number');
  if (isNumber) return [compare, given as number | bigint];
  const expected = {
    bool: 'true or false, with == or !=',
    bit: 'true or false, with == or !=',
    enum: `one of ${codec.kind === 'enum' ? Object.keys(codec.values).slice(0, 12).join(', ') : ''}, with == or !=`,
    utf8: 'nothing',
    number: isWide ? 'a bigint' : 'a number',
  }[codec.kind];
  throw fail('INVALID_ARGUMENT', { name: `value for ${path} ${compare}`, actual: describe(given), expected });
}

export function gatherOf(
  column: Column,
  indices: unknown,
  out: TypedArray | undefined,
): { readonly out: TypedArray; readonly count: number } {
  if (!(indices instanceof Uint32Array) && !Array.isArray(indices)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'indices',
      actual: describe(indices),
      expected: 'a Uint32Array, or an array of indices',
    });
  }
  const given = indices as Uint32Array | readonly number[];
  const count = given.length;
  const Type = column.view.constructor as new (length: number) => TypedArray;
  const target = out ?? new Type(count);
  const isAlike = target.constructor === Type;
  if (!isAlike || target.length < count) {
    throw fail('INVALID_ARGUMENT', {
      name: 'out',
      actual: isAlike ? `of length ${target.length}` : describe(target),
      expected: `a ${Type.name} of at least ${count} elements`,
    });
  }
  const native = loadNative().kernels;
  const done =
    native !== undefined && count >= NATIVE_FROM.gather && given instanceof Uint32Array
      ? native.columnGather(column.view, column.shape, given, target, count)
      : loops.gather(column, given, target, count);
  if (done < count) {
    requireInteger(`indices[${done}]`, given[done], 0, (column.shape[1] as number) - 1);
  }
  return { out: target, count };
}
