/** Comparisons of integers as ranges: one native test, `low <= x <= high`, then serves every operator. */
import type { TypedArray } from './access-plan.js';
import type { Compare } from './column-loops.js';

/** The integers of a type that pass, as a range or as all outside of one. */
export function integerRange(
  view: TypedArray,
  compare: Compare,
  value: number | bigint,
): { low: bigint; high: bigint; isInverted: boolean } | 'none' {
  const bits = BigInt(view.BYTES_PER_ELEMENT * 8);
  const isSigned =
    view instanceof Int8Array ||
    view instanceof Int16Array ||
    view instanceof Int32Array ||
    view instanceof BigInt64Array;
  const least = isSigned ? -(2n ** (bits - 1n)) : 0n;
  const most = isSigned ? 2n ** (bits - 1n) - 1n : 2n ** bits - 1n;
  const all = { low: least, high: most, isInverted: false };
  const within = (low: bigint, high: bigint, isInverted = false) => {
    const from = low < least ? least : low;
    const to = high > most ? most : high;
    if (from > to) return isInverted ? all : 'none';
    return { low: from, high: to, isInverted };
  };
  if (value !== value) return compare === '!=' ? all : 'none';
  const down = typeof value === 'bigint' ? value : floor(value);
  const isWhole = typeof value === 'bigint' || Number.isInteger(value);
  switch (compare) {
    case '<':
      return within(least, isWhole ? down - 1n : down);
    case '<=':
      return within(least, down);
    case '>':
      return within(down + 1n, most);
    case '>=':
      return within(isWhole ? down : down + 1n, most);
    case '==':
      return isWhole ? within(down, down) : 'none';
    default:
      if (!isWhole) return all;
      // All but everything of a one-value range cannot be: types have more values.
      return within(down, down, true);
  }
}

/** Infinities become numbers beyond every type. */
function floor(value: number): bigint {
  if (value === Infinity) return 2n ** 65n;
  if (value === -Infinity) return -(2n ** 65n);
  return BigInt(Math.floor(value));
}
