/**
 * Copies records between arrays of one type: as one block where both lie alike, else run by run, each run being
 * what is contiguous in both.
 */
import type { KernelContract } from '../../native/kernel-contract.js';
import { BLOCK_SHIFT, type AccessNode, type AccessPlan, type TypedArray } from './access-plan.js';

/** Seven numbers a run, as `KernelContract.moveRecords` takes them. */
const NUMBERS = 7;
const BLOCK_MASK = 2 ** BLOCK_SHIFT - 1;
/** Above this a record has so many scattered elements that copying objects is the better way. */
const MAX_RUNS = 4096;

interface Run {
  readonly offset: number;
  readonly stride: number;
  readonly block: number;
  readonly bytes: number;
}

/** The array as a plan lays it out; `views` begin at `start` bytes into the memory. */
interface Laid {
  readonly plan: AccessPlan;
  readonly views: Readonly<Record<string, TypedArray>>;
  readonly offsetBytes: number;
}

/**
 * The moves from one array to another of the same schema, whatever their orders and field orders.
 * Undefined where a record has too many scattered elements.
 */
export function planMoves(from: Laid, to: Laid): Float64Array | undefined {
  const sources = runsOf(from.plan.root, from);
  const targets = runsOf(to.plan.root, to);
  if (sources === undefined || targets === undefined) return undefined;
  const moves = new Float64Array(sources.length * NUMBERS);
  sources.forEach((source, k) => {
    const target = targets[k] as Run;
    moves.set(
      [source.offset, source.stride, source.block, target.offset, target.stride, target.block, source.bytes],
      k * NUMBERS,
    );
  });
  return moves;
}

/** One run per scalar and element of the arrays around it, in declared order; texts are one run. */
function runsOf(node: AccessNode, array: Laid): Run[] | undefined {
  const runs: Run[] = [];
  const visit = (each: AccessNode, counts: readonly number[]): boolean => {
    if (each.kind === 'struct') return each.members.every(({ access }) => visit(access, counts));
    if (each.kind === 'array') return visit(each.element, [...counts, each.count]);
    // Flags lie in the integer that goes as a whole.
    if (each.codec.kind === 'bit') return true;
    const view = array.views[each.view] as TypedArray;
    const size = view.BYTES_PER_ELEMENT;
    const { constant, stride, blockStride = 0, dimensions } = each.index;
    const elements = counts.reduce((product, count) => product * count, 1);
    if (runs.length + elements > MAX_RUNS) return false;
    for (let k = 0; k < elements; k += 1) {
      let at = constant;
      let rest = k;
      for (let d = counts.length - 1; d >= 0; d -= 1) {
        const count = counts[d] as number;
        at += (rest % count) * (dimensions[d] as number);
        rest = Math.floor(rest / count);
      }
      runs.push({
        offset: view.byteOffset - array.offsetBytes + at * size,
        stride: stride * size,
        block: blockStride * size,
        bytes: each.codec.kind === 'utf8' ? each.codec.bytes : size,
      });
    }
    return true;
  };
  return visit(node, []) ? runs : undefined;
}

/** Records from which the call into the addon pays. */
const NATIVE_FROM = 64;

/**
 * Moves `count` records from `fromStart` on to where `toStart` is. By the addon, unless a block would be entered in its
 * middle: its runs begin with whole blocks.
 */
export function moveRange(
  native: KernelContract | undefined,
  from: Uint8Array,
  fromStart: number,
  to: Uint8Array,
  toStart: number,
  count: number,
  moves: Float64Array,
): void {
  let wholeBlocks = true;
  const shifted = moves.slice();
  for (let k = 0; k < moves.length; k += NUMBERS) {
    for (const [at, start] of [
      [k, fromStart],
      [k + 3, toStart],
    ] as const) {
      const block = moves[at + 2] as number;
      if (block !== 0 && (start & BLOCK_MASK) !== 0) wholeBlocks = false;
      shifted[at] =
        (moves[at] as number) +
        (block === 0 ? start * (moves[at + 1] as number) : (start >> BLOCK_SHIFT) * block);
    }
  }
  if (native !== undefined && count >= NATIVE_FROM && wholeBlocks)
    native.moveRecords(from, to, count, shifted);
  else moveRecords(from, to, count, moves, fromStart, toStart);
}

/** What `KernelContract.moveRecords` does, in JavaScript; from any record to any. */
export function moveRecords(
  from: Uint8Array,
  to: Uint8Array,
  count: number,
  moves: Float64Array,
  fromStart = 0,
  toStart = 0,
): void {
  for (let k = 0; k < moves.length; k += NUMBERS) {
    const [fromOffset, fromStride, fromBlock, toOffset, toStride, toBlock, bytes] = moves.subarray(
      k,
      k + NUMBERS,
    ) as unknown as [number, number, number, number, number, number, number];
    const places = [fromOffset, fromStride, fromBlock, toOffset, toStride, toBlock, bytes];
    const aligned = [...places, from.byteOffset, to.byteOffset];
    // Integers of up to 4 bytes: a double that is copied as such may lose the bits of a NaN.
    const unit = [4, 2].find((size) => aligned.every((value) => value % size === 0)) ?? 1;
    const source = viewOf(from, unit);
    const target = viewOf(to, unit);
    for (let run = 0; run < bytes / unit; run += 1) {
      copyRun(
        source,
        [fromOffset / unit + run, fromStride / unit, fromBlock / unit],
        fromStart,
        target,
        [toOffset / unit + run, toStride / unit, toBlock / unit],
        toStart,
        count,
      );
    }
  }
}

function viewOf(bytes: Uint8Array, unit: number): Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = Math.floor(byteLength / unit);
  if (unit === 4) return new Uint32Array(buffer, byteOffset, length) as unknown as Uint8Array;
  if (unit === 2) return new Uint16Array(buffer, byteOffset, length) as unknown as Uint8Array;
  return bytes;
}

type Walk = readonly [offset: number, stride: number, block: number];

function copyRun(
  source: Uint8Array,
  from: Walk,
  fromStart: number,
  target: Uint8Array,
  to: Walk,
  toStart: number,
  count: number,
): void {
  for (let done = 0; done < count;) {
    const a = fromStart + done;
    const b = toStart + done;
    let length = count - done;
    if (from[2] !== 0) length = Math.min(length, BLOCK_MASK + 1 - (a & BLOCK_MASK));
    if (to[2] !== 0) length = Math.min(length, BLOCK_MASK + 1 - (b & BLOCK_MASK));
    let i = placeIn(from, a);
    let j = placeIn(to, b);
    for (let k = 0; k < length; k += 1, i += from[1], j += to[1]) target[j] = source[i] as number;
    done += length;
  }
}

function placeIn([offset, stride, block]: Walk, record: number): number {
  return block === 0
    ? offset + record * stride
    : offset + (record >> BLOCK_SHIFT) * block + (record & BLOCK_MASK) * stride;
}
