/** Filtering, gathering and scattering in JavaScript, for short arrays and where there is no addon. */
import type { Compare } from '../../../memory/struct/column-loops.js';
import type { Values } from '../arguments.js';

/** Indices of the values that pass, ascending; returns how many. One loop for each test: none is decided in a loop. */
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
      for (let i = 0; i < length; i += 1) if (values[i]! < against) out[found++] = i;
      return found;
    case '<=':
      for (let i = 0; i < length; i += 1) if (values[i]! <= against) out[found++] = i;
      return found;
    case '>':
      for (let i = 0; i < length; i += 1) if (values[i]! > against) out[found++] = i;
      return found;
    case '>=':
      for (let i = 0; i < length; i += 1) if (values[i]! >= against) out[found++] = i;
      return found;
    case '==':
      for (let i = 0; i < length; i += 1) if (values[i]! === against) out[found++] = i;
      return found;
    default:
      for (let i = 0; i < length; i += 1) if (values[i]! !== against) out[found++] = i;
      return found;
  }
}

/** The values that pass, in order; returns how many. */
export function compact(values: Values, compare: Compare, against: number | bigint, out: Values): number {
  const { length } = values;
  let found = 0;
  switch (compare) {
    case '<':
      for (let i = 0; i < length; i += 1) if (values[i]! < against) out[found++] = values[i]!;
      return found;
    case '<=':
      for (let i = 0; i < length; i += 1) if (values[i]! <= against) out[found++] = values[i]!;
      return found;
    case '>':
      for (let i = 0; i < length; i += 1) if (values[i]! > against) out[found++] = values[i]!;
      return found;
    case '>=':
      for (let i = 0; i < length; i += 1) if (values[i]! >= against) out[found++] = values[i]!;
      return found;
    case '==':
      for (let i = 0; i < length; i += 1) if (values[i]! === against) out[found++] = values[i]!;
      return found;
    default:
      for (let i = 0; i < length; i += 1) if (values[i]! !== against) out[found++] = values[i]!;
      return found;
  }
}

/** Returns the first k whose index is outside of the values, or the number of indices. */
export function gather(values: Values, indices: Uint32Array, out: Values): number {
  for (let k = 0; k < indices.length; k += 1) {
    const index = indices[k]!;
    if (index >= values.length) return k;
    out[k] = values[index]!;
  }
  return indices.length;
}

/** Returns the first k whose index is outside of `out`, or the number of values. */
export function scatter(values: Values, indices: Uint32Array, out: Values): number {
  for (let k = 0; k < values.length; k += 1) {
    const index = indices[k]!;
    if (index >= out.length) return k;
    out[index] = values[k]!;
  }
  return values.length;
}
