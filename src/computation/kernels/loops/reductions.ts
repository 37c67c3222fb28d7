/**
 * Reductions in JavaScript, in the order that `native/core/kernels/bulk.h` has: value i of a block is added to lane
 * i % 32 (compensated: % 16), blocks of fewer than 128 values from left to right, blocks are joined as a balanced tree.
 * The same bits as the addon, for arrays too short for it and where it is missing; the shortest ones go through the loops
 * of `short.ts`.
 */
import type { Floats, Numbers } from '../arguments.js';
import { SHORT_BELOW } from './short.js';

const BLOCK = 2 ** 14;
const MOMENT_BLOCK = 4096;
const LANES = 32;
const COMPENSATED_LANES = 16;
/** Sums of parts stay exact up to here. */
const EXACT = 2 ** 52;

const lanes = new Float64Array(LANES);
const errors = new Float64Array(COMPENSATED_LANES);

/** Number of values, mean, and the sum of squared distances from the mean. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
}

/** Joins as a balanced tree: equals first, like the carries of a binary counter. */
function joinBlocks<T>(
  length: number,
  block: number,
  of: (start: number, end: number) => T,
  join: (left: T, right: T) => T,
): T {
  if (length <= block) return of(0, length);
  const levels: T[] = [];
  let added = 0;
  for (let start = 0; start < length; start += block) {
    let part = of(start, Math.min(start + block, length));
    let level = 0;
    for (; (added >> level) & 1; level += 1) part = join(levels[level]!, part);
    levels[level] = part;
    added += 1;
  }
  let total: T | undefined;
  for (let level = 0; added >> level !== 0; level += 1) {
    if (((added >> level) & 1) === 0) continue;
    total = total === undefined ? levels[level]! : join(levels[level]!, total);
  }
  return total!;
}

const add = (left: number, right: number): number => left + right;

/** Lanes pairwise: 16 apart, then 8, 4, 2, 1. */
function totalOfLanes(): number {
  for (let half = LANES / 2; half > 0; half >>= 1) {
    for (let k = 0; k < half; k += 1) lanes[k] = lanes[k]! + lanes[k + half]!;
  }
  return lanes[0]!;
}

/** Four lanes at a time over a few rows, so that four additions are in flight. */
function sumOfBlock(values: Numbers, start: number, end: number): number {
  if (end - start < SHORT_BELOW) {
    let sum = 0;
    for (let i = start; i < end; i += 1) sum += values[i]!;
    return sum;
  }
  lanes.fill(0);
  const whole = start + ((end - start) & ~(LANES - 1));
  for (let from = start; from < whole; from += 512) {
    const to = Math.min(from + 512, whole);
    for (let lane = 0; lane < LANES; lane += 4) {
      let a = lanes[lane]!;
      let b = lanes[lane + 1]!;
      let c = lanes[lane + 2]!;
      let d = lanes[lane + 3]!;
      for (let i = from + lane; i < to; i += LANES) {
        a += values[i]!;
        b += values[i + 1]!;
        c += values[i + 2]!;
        d += values[i + 3]!;
      }
      lanes[lane] = a;
      lanes[lane + 1] = b;
      lanes[lane + 2] = c;
      lanes[lane + 3] = d;
    }
  }
  for (let i = whole; i < end; i += 1) lanes[i - whole] = lanes[i - whole]! + values[i]!;
  return totalOfLanes();
}

export function sum(values: Numbers): number {
  if (!(values instanceof Float64Array || values instanceof Float32Array)) return sumOfIntegers(values);
  return joinBlocks(values.length, BLOCK, (start, end) => sumOfBlock(values, start, end), add);
}

/** Exact, rounded once. */
function sumOfIntegers(values: Numbers): number {
  let carried = 0n;
  let part = 0;
  for (let start = 0; start < values.length; start += 512) {
    const end = Math.min(start + 512, values.length);
    for (let i = start; i < end; i += 1) part += values[i]!;
    if (part > EXACT || part < -EXACT) {
      carried += BigInt(part);
      part = 0;
    }
  }
  return carried === 0n ? part : Number(carried + BigInt(part));
}

interface Compensated {
  readonly sum: number;
  readonly error: number;
}

function joinCompensated(left: Compensated, right: Compensated): Compensated {
  const sum = left.sum + right.sum;
  const rest = sum - left.sum;
  const lost = left.sum - (sum - rest) + (right.sum - rest);
  return { sum, error: left.error + right.error + lost };
}

function compensatedBlock(values: Floats, start: number, end: number): Compensated {
  if (end - start < SHORT_BELOW) {
    let sum = 0;
    let error = 0;
    for (let i = start; i < end; i += 1) {
      const value = values[i]!;
      const total = sum + value;
      const rest = total - sum;
      error += sum - (total - rest) + (value - rest);
      sum = total;
    }
    return { sum, error };
  }
  lanes.fill(0);
  errors.fill(0);
  for (let lane = 0; lane < COMPENSATED_LANES; lane += 1) {
    let sum = 0;
    let error = 0;
    for (let i = start + lane; i < end; i += COMPENSATED_LANES) {
      const value = values[i]!;
      const total = sum + value;
      const rest = total - sum;
      error += sum - (total - rest) + (value - rest);
      sum = total;
    }
    lanes[lane] = sum;
    errors[lane] = error;
  }
  for (let half = COMPENSATED_LANES / 2; half > 0; half >>= 1) {
    for (let k = 0; k < half; k += 1) {
      const left = lanes[k]!;
      const right = lanes[k + half]!;
      const total = left + right;
      const rest = total - left;
      errors[k] = errors[k]! + (left - (total - rest) + (right - rest)) + errors[k + half]!;
      lanes[k] = total;
    }
  }
  return { sum: lanes[0]!, error: errors[0]! };
}

export function sumCompensated(values: Floats): number {
  const of = (start: number, end: number) => compensatedBlock(values, start, end);
  const { sum, error } = joinBlocks(values.length, BLOCK, of, joinCompensated);
  return Number.isFinite(sum) ? sum + error : sum;
}

export function joinMoments(left: Moments, right: Moments): Moments {
  const count = left.count + right.count;
  const delta = right.mean - left.mean;
  return {
    count,
    mean: left.mean + delta * (right.count / count),
    m2: left.m2 + right.m2 + delta * delta * (left.count * (right.count / count)),
  };
}

function momentsOfBlock(values: Numbers, start: number, end: number): Moments {
  const count = end - start;
  const mean = sumOfBlock(values, start, end) / count;
  if (count < SHORT_BELOW) {
    let m2 = 0;
    for (let i = start; i < end; i += 1) {
      const distance = values[i]! - mean;
      m2 += distance * distance;
    }
    return { count, mean, m2 };
  }
  lanes.fill(0);
  for (let lane = 0; lane < LANES; lane += 1) {
    let sum = 0;
    for (let i = start + lane; i < end; i += LANES) {
      const distance = values[i]! - mean;
      sum += distance * distance;
    }
    lanes[lane] = sum;
  }
  return { count, mean, m2: totalOfLanes() };
}

export function moments(values: Numbers): Moments {
  if (values.length === 0) return { count: 0, mean: 0, m2: 0 };
  const of = (start: number, end: number) => momentsOfBlock(values, start, end);
  return joinBlocks(values.length, MOMENT_BLOCK, of, joinMoments);
}

// One comparison finds what is better and what is NaN: neither is "not worse". Closed, so that `copies.ts` can copy them.

/** The least value: NaN where any is, never -0, +Infinity where there is none. */
export function least(values: Numbers): number {
  let best = Infinity;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (value >= best) continue;
    if (value !== value) return NaN;
    best = value;
  }
  return best + 0;
}

/** The greatest value: NaN where any is, never -0, -Infinity where there is none. */
export function greatest(values: Numbers): number {
  let best = -Infinity;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (value <= best) continue;
    if (value !== value) return NaN;
    best = value;
  }
  return best + 0;
}

/** The first NaN, else the first of the least; -1 where there is no value. */
export function indexOfLeast(values: Numbers): number {
  let best = Infinity;
  let place = values.length === 0 ? -1 : 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (value >= best) continue;
    if (value !== value) return i;
    best = value;
    place = i;
  }
  return place;
}

/** The first NaN, else the first of the greatest; -1 where there is no value. */
export function indexOfGreatest(values: Numbers): number {
  let best = -Infinity;
  let place = values.length === 0 ? -1 : 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (value <= best) continue;
    if (value !== value) return i;
    best = value;
    place = i;
  }
  return place;
}

function dotOfBlock(a: Numbers, b: Numbers, start: number, end: number): number {
  if (end - start < SHORT_BELOW) {
    let sum = 0;
    for (let i = start; i < end; i += 1) sum += a[i]! * b[i]!;
    return sum;
  }
  for (let lane = 0; lane < LANES; lane += 4) {
    let w = 0;
    let x = 0;
    let y = 0;
    let z = 0;
    let i = start + lane;
    for (; i + 3 < end; i += LANES) {
      w += a[i]! * b[i]!;
      x += a[i + 1]! * b[i + 1]!;
      y += a[i + 2]! * b[i + 2]!;
      z += a[i + 3]! * b[i + 3]!;
    }
    if (i < end) w += a[i]! * b[i]!;
    if (i + 1 < end) x += a[i + 1]! * b[i + 1]!;
    if (i + 2 < end) y += a[i + 2]! * b[i + 2]!;
    lanes[lane] = w;
    lanes[lane + 1] = x;
    lanes[lane + 2] = y;
    lanes[lane + 3] = z;
  }
  return totalOfLanes();
}

export function dot(a: Numbers, b: Numbers): number {
  return joinBlocks(a.length, BLOCK, (start, end) => dotOfBlock(a, b, start, end), add);
}
