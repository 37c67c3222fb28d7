/**
 * Reductions, filters and gathers over a column in JavaScript: for short columns, for orders in which the native
 * kernels gain nothing, and without the addon. Bit for bit what `native/core/kernels` gives; the semantics stand in
 * its `kernels.h`, one test suite runs over both.
 *
 * Sums of floats go to 32 lanes. Here four lanes at a time run over a tile that fits the first-level cache, so that
 * four independent additions are in flight: as fast as the best plain loop, which has another order.
 */
import { BLOCK_SHIFT, type TypedArray } from './access-plan.js';
import type { Column } from './column.js';

/** An array of numbers that index to `number`. */
type Numbers = Float64Array;

const LANES = 32;
const SEQUENTIAL_BELOW = 128;
/** Records; a multiple of the lanes. */
const TILE = 512;
const EXACT = 2 ** 52;
const BLOCK_MASK = 2 ** BLOCK_SHIFT - 1;

const lanes = new Float64Array(LANES);

export type Compare = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** Index of a record's value. */
function place(shape: Int32Array, record: number): number {
  // By index: taking a typed array apart goes through an iterator.
  const first = shape[0] as number;
  const stride = shape[2] as number;
  const block = shape[3] as number;
  return block === 0
    ? first + record * stride
    : first + (record >> BLOCK_SHIFT) * block + (record & BLOCK_MASK) * stride;
}

export function sum(column: Column): number {
  const { view, shape, isFloat } = column;
  const values = view as Numbers;
  const count = shape[1] as number;
  if (!isFloat) return sumIntegers(values, shape, count);
  if (count < SEQUENTIAL_BELOW) {
    let total = 0;
    for (let i = 0; i < count; i += 1) total += values[place(shape, i)] as number;
    return total;
  }
  lanes.fill(0);
  const step = stepOf(shape);
  for (let start = 0; start < count; start += TILE) {
    const full = Math.min(TILE, count - start) >>> 5;
    const base = place(shape, start);
    for (let lane = 0; lane < LANES; lane += 4) {
      let j = base + laneOffset(shape, lane);
      const stride = shape[2] as number;
      let a = lanes[lane] as number;
      let b = lanes[lane + 1] as number;
      let c = lanes[lane + 2] as number;
      let d = lanes[lane + 3] as number;
      for (let k = 0; k < full; k += 1, j += step) {
        a += values[j] as number;
        b += values[j + stride] as number;
        c += values[j + 2 * stride] as number;
        d += values[j + 3 * stride] as number;
      }
      lanes[lane] = a;
      lanes[lane + 1] = b;
      lanes[lane + 2] = c;
      lanes[lane + 3] = d;
    }
  }
  for (let i = count & ~(LANES - 1); i < count; i += 1) {
    lanes[i & (LANES - 1)] = (lanes[i & (LANES - 1)] as number) + (values[place(shape, i)] as number);
  }
  return total();
}

/** Lanes pairwise: 16 apart, then 8, 4, 2, 1. */
function total(): number {
  for (let half = LANES / 2; half > 0; half >>= 1) {
    for (let k = 0; k < half; k += 1) lanes[k] = (lanes[k] as number) + (lanes[k + half] as number);
  }
  return lanes[0] as number;
}

/** Elements between records that are 32 apart. */
function stepOf(shape: Int32Array): number {
  const stride = shape[2] as number;
  const block = shape[3] as number;
  return block === 0 ? LANES * stride : (LANES >> BLOCK_SHIFT) * block;
}

function laneOffset(shape: Int32Array, lane: number): number {
  const stride = shape[2] as number;
  const block = shape[3] as number;
  return block === 0 ? lane * stride : (lane >> BLOCK_SHIFT) * block + (lane & BLOCK_MASK) * stride;
}

/** Exact, whatever the order: parts that a double holds exactly, the rest in a bigint. */
function sumIntegers(values: Numbers, shape: Int32Array, count: number): number {
  let carried = 0n;
  let part = 0;
  forTiles(shape, count, (start, length, stride) => {
    let a = 0;
    let b = 0;
    let j = start;
    let k = 0;
    for (; k + 1 < length; k += 2, j += 2 * stride) {
      a += values[j] as number;
      b += values[j + stride] as number;
    }
    if (k < length) a += values[j] as number;
    part += a + b;
    if (part > EXACT || part < -EXACT) {
      carried += BigInt(part);
      part = 0;
    }
  });
  return carried === 0n ? part : Number(carried + BigInt(part));
}

/** Runs of records with a constant stride: a tile, or a block. */
function forTiles(
  shape: Int32Array,
  count: number,
  visit: (start: number, length: number, stride: number, record: number) => void,
): void {
  const length = shape[3] === 0 ? TILE : BLOCK_MASK + 1;
  for (let record = 0; record < count; record += length) {
    visit(place(shape, record), Math.min(length, count - record), shape[2] as number, record);
  }
}

/** NaN where any value is NaN; never -0; an infinity where there is no value. */
export function extreme(column: Column, isMin: boolean): number {
  const { view, shape } = column;
  const values = view as Numbers;
  const count = shape[1] as number;
  let best = isMin ? Infinity : -Infinity;
  let hasNan = false;
  forTiles(shape, count, (start, length, stride) => {
    let j = start;
    let found = best;
    if (isMin) {
      for (let k = 0; k < length; k += 1, j += stride) {
        const value = values[j] as number;
        if (value < found) found = value;
        else if (value !== value) hasNan = true;
      }
    } else {
      for (let k = 0; k < length; k += 1, j += stride) {
        const value = values[j] as number;
        if (value > found) found = value;
        else if (value !== value) hasNan = true;
      }
    }
    best = found;
  });
  return hasNan ? NaN : best + 0;
}

export function sumWide(column: Column): bigint {
  const values = column.view as BigInt64Array;
  let all = 0n;
  for (let i = 0; i < (column.shape[1] as number); i += 1) all += values[place(column.shape, i)] as bigint;
  return all;
}

/** Undefined where there is no value. */
export function extremeWide(column: Column, isMin: boolean): bigint | undefined {
  const values = column.view as BigInt64Array;
  let best: bigint | undefined;
  for (let i = 0; i < (column.shape[1] as number); i += 1) {
    const value = values[place(column.shape, i)] as bigint;
    if (best === undefined || (isMin ? value < best : value > best)) best = value;
  }
  return best;
}

export function dot(one: Column, other: Column): number {
  const x = one.view as Numbers;
  const y = other.view as Numbers;
  const count = one.shape[1] as number;
  if (count < SEQUENTIAL_BELOW) {
    let all = 0;
    for (let i = 0; i < count; i += 1) {
      all += (x[place(one.shape, i)] as number) * (y[place(other.shape, i)] as number);
    }
    return all;
  }
  lanes.fill(0);
  const stepX = stepOf(one.shape);
  const stepY = stepOf(other.shape);
  const strideX = one.shape[2] as number;
  const strideY = other.shape[2] as number;
  for (let start = 0; start < count; start += TILE) {
    const full = Math.min(TILE, count - start) >>> 5;
    const baseX = place(one.shape, start);
    const baseY = place(other.shape, start);
    for (let lane = 0; lane < LANES; lane += 4) {
      let i = baseX + laneOffset(one.shape, lane);
      let j = baseY + laneOffset(other.shape, lane);
      let a = lanes[lane] as number;
      let b = lanes[lane + 1] as number;
      let c = lanes[lane + 2] as number;
      let d = lanes[lane + 3] as number;
      for (let k = 0; k < full; k += 1, i += stepX, j += stepY) {
        a += (x[i] as number) * (y[j] as number);
        b += (x[i + strideX] as number) * (y[j + strideY] as number);
        c += (x[i + 2 * strideX] as number) * (y[j + 2 * strideY] as number);
        d += (x[i + 3 * strideX] as number) * (y[j + 3 * strideY] as number);
      }
      lanes[lane] = a;
      lanes[lane + 1] = b;
      lanes[lane + 2] = c;
      lanes[lane + 3] = d;
    }
  }
  for (let i = count & ~(LANES - 1); i < count; i += 1) {
    lanes[i & (LANES - 1)] =
      (lanes[i & (LANES - 1)] as number) +
      (x[place(one.shape, i)] as number) * (y[place(other.shape, i)] as number);
  }
  return total();
}

/** Indices of the values for which `value compare against` holds; returns how many. */
export function filter<T extends number | bigint>(
  column: Column,
  compare: Compare,
  against: T,
  out: Uint32Array,
): number {
  const values = column.view as unknown as readonly T[];
  const { shape } = column;
  let found = 0;
  forTiles(shape, shape[1] as number, (start, length, stride, record) => {
    let j = start;
    for (let k = 0; k < length; k += 1, j += stride) {
      // Written always and kept by the count, so that no branch is mispredicted.
      out[found] = record + k;
      found += passes(values[j] as T, compare, against) ? 1 : 0;
    }
  });
  return found;
}

/**
 * Records whose flag is set, or is not. A branch is mispredicted for every other flag of no pattern; the bit itself is
 * what the count grows by.
 */
export function filterBit(column: Column, mask: number, isSet: boolean, out: Uint32Array): number {
  const values = column.view as unknown as Uint32Array;
  const { shape } = column;
  const count = shape[1] as number;
  const stride = shape[2] as number;
  const length = shape[3] === 0 ? count : BLOCK_MASK + 1;
  const shift = 31 - Math.clz32(mask);
  const flip = isSet ? 0 : 1;
  let found = 0;
  for (let record = 0; record < count; record += length) {
    const end = Math.min(count, record + length);
    found = filterBits(values, place(shape, record), stride, record, end, shift, flip, out, found);
  }
  return found;
}

function filterBits(
  values: Uint32Array,
  start: number,
  stride: number,
  from: number,
  to: number,
  shift: number,
  flip: number,
  out: Uint32Array,
  given: number,
): number {
  let found = given;
  let j = start;
  let k = from;
  for (; k + 3 < to; k += 4, j += 4 * stride) {
    const a = (values[j] as number) >>> shift;
    const b = (values[j + stride] as number) >>> shift;
    const c = (values[j + 2 * stride] as number) >>> shift;
    const d = (values[j + 3 * stride] as number) >>> shift;
    out[found] = k;
    found += (a & 1) ^ flip;
    out[found] = k + 1;
    found += (b & 1) ^ flip;
    out[found] = k + 2;
    found += (c & 1) ^ flip;
    out[found] = k + 3;
    found += (d & 1) ^ flip;
  }
  for (; k < to; k += 1, j += stride) {
    out[found] = k;
    found += (((values[j] as number) >>> shift) & 1) ^ flip;
  }
  return found;
}

function passes<T extends number | bigint>(value: T, compare: Compare, against: T): boolean {
  switch (compare) {
    case '<':
      return value < against;
    case '<=':
      return value <= against;
    case '>':
      return value > against;
    case '>=':
      return value >= against;
    case '==':
      return value === against;
    default:
      return value !== against;
  }
}

/** Returns the first k whose index is outside of the column, or `count`. */
export function gather(
  column: Column,
  indices: Uint32Array | readonly number[],
  out: TypedArray,
  count: number,
): number {
  const values = column.view as Numbers;
  const target = out as Numbers;
  const length = column.shape[1] as number;
  for (let k = 0; k < count; k += 1) {
    const index = indices[k] as number;
    if (!(index < length) || index < 0 || Math.floor(index) !== index) return k;
    target[k] = values[place(column.shape, index)] as number;
  }
  return count;
}
