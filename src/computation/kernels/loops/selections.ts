/** Filtering, gathering and scattering in JavaScript, for short arrays and where there is no addon. */
import type { Compare } from '../../../memory/struct/column-loops.js';
import type { Values } from '../arguments.js';

/**
 * Indices of the values that pass, ascending; returns how many. One loop for each test: none is decided in a loop. Every
 * value is written, to a place that the next one takes where it does not pass: branches on data cost more.
 */
export function filterIndices(
  values: Values,
  compare: Compare,
  against: number | bigint,
  out: Uint32Array,
): number {
  const { length } = values;
  let found = 0;
  switch (compare) {
    case '<':
      for (let i = 0; i < length; i += 1) {
        out[found] = i;
        found += values[i]! < against ? 1 : 0;
      }
      return found;
    case '<=':
      for (let i = 0; i < length; i += 1) {
        out[found] = i;
        found += values[i]! <= against ? 1 : 0;
      }
      return found;
    case '>':
      for (let i = 0; i < length; i += 1) {
        out[found] = i;
        found += values[i]! > against ? 1 : 0;
      }
      return found;
    case '>=':
      for (let i = 0; i < length; i += 1) {
        out[found] = i;
        found += values[i]! >= against ? 1 : 0;
      }
      return found;
    case '==':
      for (let i = 0; i < length; i += 1) {
        out[found] = i;
        found += values[i]! === against ? 1 : 0;
      }
      return found;
    default:
      for (let i = 0; i < length; i += 1) {
        out[found] = i;
        found += values[i]! !== against ? 1 : 0;
      }
      return found;
  }
}

/** The values that pass, in order; returns how many. */
export function compact(values: Values, compare: Compare, against: number | bigint, out: Values): number {
  const { length } = values;
  let found = 0;
  switch (compare) {
    case '<':
      for (let i = 0; i < length; i += 1) {
        const value = values[i]!;
        out[found] = value;
        found += value < against ? 1 : 0;
      }
      return found;
    case '<=':
      for (let i = 0; i < length; i += 1) {
        const value = values[i]!;
        out[found] = value;
        found += value <= against ? 1 : 0;
      }
      return found;
    case '>':
      for (let i = 0; i < length; i += 1) {
        const value = values[i]!;
        out[found] = value;
        found += value > against ? 1 : 0;
      }
      return found;
    case '>=':
      for (let i = 0; i < length; i += 1) {
        const value = values[i]!;
        out[found] = value;
        found += value >= against ? 1 : 0;
      }
      return found;
    case '==':
      for (let i = 0; i < length; i += 1) {
        const value = values[i]!;
        out[found] = value;
        found += value === against ? 1 : 0;
      }
      return found;
    default:
      for (let i = 0; i < length; i += 1) {
        const value = values[i]!;
        out[found] = value;
        found += value !== against ? 1 : 0;
      }
      return found;
  }
}

/** Returns the first k whose index is outside of the values, or the number of indices. */
export function gather(values: Values, indices: Uint32Array, out: Values): number {
  const { length } = indices;
  for (let k = 0; k < length; k += 1) {
    // V8 checks the bounds of a read itself; asking for what it gives outside of them costs nothing.
    const value: number | bigint | undefined = values[indices[k]!];
    if (value === undefined) return k;
    out[k] = value;
  }
  return length;
}

/** Returns the first k whose index is outside of `out`, or the number of values. */
export function scatter(values: Values, indices: Uint32Array, out: Values): number {
  const { length } = values;
  const room = out.length;
  for (let k = 0; k < length; k += 1) {
    const index = indices[k]!;
    if (index >= room) return k;
    out[index] = values[k]!;
  }
  return length;
}
