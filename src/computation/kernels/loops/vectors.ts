/** Element-wise kernels, running sums, histograms and group sums in JavaScript: the same bits as `native/core/kernels`. */
import type { Floats, Keys, Numbers } from '../arguments.js';
import { SHORT_BELOW } from './short.js';

export const SPLIT_GROUPS = 512;
const CHUNK = 2 ** 16;
const RUNNING_CHUNK = 2 ** 14;
/** Four partial sums of each group. */
const parts = new Float64Array(4 * SPLIT_GROUPS);

export function scale(values: Floats, factor: number): void {
  for (let i = 0; i < values.length; i += 1) values[i] = values[i]! * factor;
}

export function axpy(a: number, x: Floats, y: Floats): void {
  for (let i = 0; i < x.length; i += 1) y[i] = y[i]! + a * x[i]!;
}

/**
 * Groups of eight by Hillis and Steele, each on top of the carry; each 2^14 values on top of those before. Fewer than 128
 * one by one.
 */
export function runningSum(values: Numbers, out: Float64Array): void {
  let base = 0;
  for (let start = 0; start < values.length; start += RUNNING_CHUNK) {
    base += runningSumOfChunk(values, start, Math.min(start + RUNNING_CHUNK, values.length), base, out);
  }
}

function runningSumOfChunk(
  values: Numbers,
  start: number,
  end: number,
  base: number,
  out: Float64Array,
): number {
  let carry = 0;
  const whole = end - start < SHORT_BELOW ? start : end - ((end - start) & 7);
  for (let i = start; i < whole; i += 8) {
    const v0 = values[i]!;
    const v1 = values[i + 1]!;
    const v2 = values[i + 2]!;
    const v3 = values[i + 3]!;
    const v4 = values[i + 4]!;
    const v5 = values[i + 5]!;
    const v6 = values[i + 6]!;
    const v7 = values[i + 7]!;
    const t1 = v1 + v0;
    const t2 = v2 + v1 + v0;
    const t3 = v3 + v2 + t1;
    const t5 = v5 + v4;
    out[i] = base + (carry + v0);
    out[i + 1] = base + (carry + t1);
    out[i + 2] = base + (carry + t2);
    out[i + 3] = base + (carry + t3);
    out[i + 4] = base + (carry + (v4 + v3 + (v2 + v1) + v0));
    out[i + 5] = base + (carry + (t5 + (v3 + v2) + t1));
    out[i + 6] = base + (carry + (v6 + v5 + (v4 + v3) + t2));
    carry += v7 + v6 + t5 + t3;
    out[i + 7] = base + carry;
  }
  for (let i = whole; i < end; i += 1) {
    carry += values[i]!;
    out[i] = base + carry;
  }
  return carry;
}

/** Adds to `slots`: the bins, then what was below, above, and NaN. */
export function histogram(values: Numbers, low: number, high: number, slots: Uint32Array): void {
  const bins = slots.length - 3;
  const scaled = bins / (high - low);
  const last = bins - 1;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (value >= low && value <= high) {
      const slot = (value - low) * scaled;
      slots[slot < bins ? slot | 0 : last]!++;
    } else slots[value < low ? bins : value > high ? bins + 1 : bins + 2]!++;
  }
}

/** Returns the place of the first key that is no group, or the number of keys. */
export function groupSum(keys: Keys, values: Numbers, sums: Float64Array, counts: Float64Array): number {
  const groups = sums.length;
  sums.fill(0);
  counts.fill(0);
  if (groups > SPLIT_GROUPS) {
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i]!;
      if (!(key >= 0 && key < groups)) return i;
      sums[key] = sums[key]! + values[i]!;
      counts[key]!++;
    }
    return keys.length;
  }
  for (let start = 0; start < keys.length; start += CHUNK) {
    const end = Math.min(start + CHUNK, keys.length);
    parts.fill(0, 0, 4 * groups);
    const mask = end - start < SHORT_BELOW ? 0 : 3;
    for (let i = start; i < end; i += 1) {
      const key = keys[i]!;
      if (!(key >= 0 && key < groups)) return i;
      const at = 4 * key + (i & mask);
      parts[at] = parts[at]! + values[i]!;
      counts[key]!++;
    }
    for (let group = 0; group < groups; group += 1) {
      const at = 4 * group;
      const all = parts[at]! + parts[at + 1]! + (parts[at + 2]! + parts[at + 3]!);
      sums[group] = sums[group]! + all;
    }
  }
  return keys.length;
}
