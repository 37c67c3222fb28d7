/**
 * Sums over fewer than 128 values, from left to right: what `native/core/kernels/arrays.h` has for them, and no more than
 * the loop that a program would write itself. Closed, so that `copies.ts` can copy them.
 */
import type { Floats, Keys, Numbers } from '../arguments.js';

/** Below, sums go from left to right; equals kSequentialBelow of `native/core/kernels/simd.h`. */
export const SHORT_BELOW = 128;

/** Exact for integers: so few of them cannot leave 2^53. */
export function shortSum(values: Numbers): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i]!;
  return sum;
}

/** Knuth's TwoSum, without a branch. */
export function shortCompensatedSum(values: Floats): number {
  let sum = 0;
  let error = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    const total = sum + value;
    const rest = total - sum;
    error += sum - (total - rest) + (value - rest);
    sum = total;
  }
  // An infinite sum has no error worth adding: what TwoSum made of it is NaN.
  return Number.isFinite(sum) ? sum + error : sum;
}

export function shortMoments(values: Numbers): { count: number; mean: number; m2: number } {
  const count = values.length;
  if (count === 0) return { count: 0, mean: 0, m2: 0 };
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += values[i]!;
  const mean = sum / count;
  let m2 = 0;
  for (let i = 0; i < count; i += 1) {
    const distance = values[i]! - mean;
    m2 += distance * distance;
  }
  return { count, mean, m2 };
}

export function shortDot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}

export function shortRunningSum(values: Numbers, out: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) {
    sum += values[i]!;
    out[i] = sum;
  }
}

/** Into zeros. Returns the place of the first key that is no group, or the number of keys. */
export function shortGroupSum(keys: Keys, values: Numbers, sums: Float64Array, counts: Float64Array): number {
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[i]!;
    if (!(key >= 0 && key < sums.length)) return i;
    sums[key] = sums[key]! + values[i]!;
    counts[key] = counts[key]! + 1;
  }
  return keys.length;
}
