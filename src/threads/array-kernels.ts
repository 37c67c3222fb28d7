/** Kernels of `parallelScan` and `parallelSort`, as workers load them. Ranges are ranges of chunks unless said otherwise. */
import { defineTask } from './task.js';

/** Typed arrays of numbers or bigints over shared memory. */
export type SharedNumbers =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export type ScanOperation = 'sum' | 'product' | 'min' | 'max';

export interface ScanData {
  readonly input: SharedNumbers;
  readonly output: SharedNumbers;
  /** One a chunk: first its total, then the total of all chunks before. */
  readonly totals: Float64Array;
  readonly chunk: number;
  readonly operation: ScanOperation;
  readonly exclusive: boolean;
}

export const NEUTRAL: Readonly<Record<ScanOperation, number>> = {
  sum: 0,
  product: 1,
  min: Infinity,
  max: -Infinity,
};

const INTEGER_LIMITS: Readonly<Record<string, readonly [least: number, greatest: number]>> = {
  Int8Array: [-0x80, 0x7f],
  Uint8Array: [0, 0xff],
  Int16Array: [-0x8000, 0x7fff],
  Uint16Array: [0, 0xffff],
  Int32Array: [-0x8000_0000, 0x7fff_ffff],
  Uint32Array: [0, 0xffff_ffff],
};

/** The same as an array of this kind can hold it: infinities would become 0 in most integers. */
export function neutralIn({ constructor }: SharedNumbers, operation: ScanOperation): number {
  const limits = INTEGER_LIMITS[constructor.name];
  if (limits === undefined || operation === 'sum' || operation === 'product') return NEUTRAL[operation];
  return operation === 'min' ? limits[1] : limits[0];
}

export function combine(operation: ScanOperation, a: number, b: number): number {
  switch (operation) {
    case 'sum':
      return a + b;
    case 'product':
      return a * b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
  }
}

export const totalTask = defineTask<typeof totalChunks>(import.meta.url, 'totalChunks');
export function totalChunks(
  first: number,
  last: number,
  { input, totals, chunk, operation }: ScanData,
): void {
  for (let index = first; index < last; index += 1) {
    const end = Math.min(input.length, (index + 1) * chunk);
    let total = NEUTRAL[operation];
    for (let i = index * chunk; i < end; i += 1) total = combine(operation, total, input[i]!);
    totals[index] = total;
  }
}

export const scanTask = defineTask<typeof scanChunks>(import.meta.url, 'scanChunks');
export function scanChunks(first: number, last: number, data: ScanData): void {
  const { input, output, totals, chunk, operation, exclusive } = data;
  for (let index = first; index < last; index += 1) {
    const end = Math.min(input.length, (index + 1) * chunk);
    let total = totals[index]!;
    for (let i = index * chunk; i < end; i += 1) {
      const value = input[i]!;
      if (exclusive) output[i] = total;
      total = combine(operation, total, value);
      if (!exclusive) output[i] = total;
    }
  }
}

export interface SortData {
  readonly values: SharedNumbers;
  readonly chunk: number;
}

export const sortTask = defineTask<typeof sortChunks>(import.meta.url, 'sortChunks');
export function sortChunks(first: number, last: number, { values, chunk }: SortData): void {
  for (let index = first; index < last; index += 1) {
    values.subarray(index * chunk, Math.min(values.length, (index + 1) * chunk)).sort();
  }
}

export interface MergeData {
  readonly from: SharedNumbers;
  readonly to: SharedNumbers;
  /** Length of the runs in `from`, of which each pair becomes one in `to`. */
  readonly width: number;
  /** Elements of `to` that one iteration makes; divides twice the width. */
  readonly step: number;
}

/** Iteration i makes elements i·step to (i+1)·step of `to`, wherever in two runs they come from (merge path). */
export const mergeTask = defineTask<typeof mergeParts>(import.meta.url, 'mergeParts');
export function mergeParts(first: number, last: number, { from, to, width, step }: MergeData): void {
  const { length } = from;
  for (let part = first; part < last; part += 1) {
    const begin = part * step;
    const end = Math.min(length, begin + step);
    const pair = begin - (begin % (2 * width));
    const middle = Math.min(length, pair + width);
    const pairEnd = Math.min(length, pair + 2 * width);
    let left = pair + mergePath(from, { left: pair, middle, end: pairEnd }, begin - pair);
    let right = middle + (begin - pair) - (left - pair);
    for (let at = begin; at < end; at += 1) {
      const takesLeft = right >= pairEnd || (left < middle && !precedes(from[right]!, from[left]!));
      to[at] = takesLeft ? from[left++]! : from[right++]!;
    }
  }
}

/** How many of the first `count` elements of the merged pair come from its left run. */
function mergePath(
  values: SharedNumbers,
  pair: { readonly left: number; readonly middle: number; readonly end: number },
  count: number,
): number {
  let low = Math.max(0, count - (pair.end - pair.middle));
  let high = Math.min(count, pair.middle - pair.left);
  while (low < high) {
    const taken = (low + high) >> 1;
    // Equal elements come from the left first.
    if (precedes(values[pair.middle + count - taken - 1]!, values[pair.left + taken]!)) high = taken;
    else low = taken + 1;
  }
  return low;
}

/** The order of `TypedArray.prototype.sort`: -0 before 0, NaN last. */
function precedes(a: number, b: number): boolean {
  if (a < b) return true;
  if (a > b) return false;
  if (a === b) return a === 0 && Object.is(a, -0) && Object.is(b, 0);
  return b !== b && a === a;
}
