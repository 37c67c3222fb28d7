/** Histograms, group sums and order statistics. */
import { describe, fail } from '../../errors.js';
import { loadNative } from '../../native/load.js';
import { requireInteger } from '../../memory/arguments.js';
import {
  keysKind,
  numbersKind,
  requireFinite,
  requireNumbers,
  requireSameLength,
  type Keys,
  type Numbers,
} from './arguments.js';
import { FROM } from './break-even.js';
import { copies } from './loops/copies.js';
import { SHORT_BELOW, shortGroupSum } from './loops/short.js';
import * as loops from './loops/vectors.js';
import { Operation, requireKnown, threadsOf, type ThreadOptions } from './threads.js';

const MAX_BINS = 2 ** 24;
export const HISTOGRAM_OPTIONS = { threads: true, bins: true, low: true, high: true } as const;

const NUMBER_KINDS = 8;
const histograms = copies(loops.histogram, NUMBER_KINDS);
/** By the kinds of both: 8 * that of the keys + that of the values. */
const groupSums = copies(shortGroupSum, NUMBER_KINDS * NUMBER_KINDS);

export interface HistogramOptions extends ThreadOptions {
  /** Number of bins of equal width: 1 to 2^24. */
  readonly bins: number;
  /** Where the first bin begins. */
  readonly low: number;
  /** Where the last bin ends; the value itself still counts as in it. */
  readonly high: number;
}

export interface Histogram {
  readonly counts: Uint32Array;
  readonly below: number;
  readonly above: number;
  readonly nan: number;
}

/**
 * Counts values by bins of equal width: value x falls into bin `floor((x - low) * (bins / (high - low)))`.
 *
 * @throws INVALID_ARGUMENT
 * @example
 * kernels.histogram(Float64Array.of(0, 1, 9.5, 10, 11), { bins: 10, low: 0, high: 10 });
 * // { counts: [1, 1, 0, 0, 0, 0, 0, 0, 0, 2], below: 0, above: 1, nan: 0 }
 */
export function histogram(values: Numbers, options: HistogramOptions): Histogram {
  const { bins, low, high, kind } = checkHistogram(values, options);
  const threads = threadsOf(options, values.length, 'histogram', HISTOGRAM_OPTIONS);
  if (threads > 1) {
    return histogramOf(loadNative().kernels!.arrayJob(Operation.histogram, threads, values, low, high, bins));
  }
  const slots = new Uint32Array(bins + 3);
  const native = values.length >= FROM.histogram ? loadNative().kernels : undefined;
  if (native) native.arrayHistogram(values, low, high, slots);
  else histograms[kind]!(values, low, high, slots);
  return histogramOf(slots);
}

export function checkHistogram(
  values: unknown,
  options: HistogramOptions,
): { readonly bins: number; readonly low: number; readonly high: number; readonly kind: number } {
  const kind = numbersKind('values', values);
  requireKnown(options, HISTOGRAM_OPTIONS);
  const { bins, low, high } = options;
  requireInteger('bins', bins, 1, MAX_BINS);
  requireFinite('low', low);
  requireFinite('high', high);
  if (!(high > low) || !Number.isFinite(high - low) || !Number.isFinite(bins / (high - low))) {
    throw fail('INVALID_ARGUMENT', {
      name: 'high',
      actual: String(high),
      expected: `a number above low, ${low}`,
    });
  }
  return { bins, low, high, kind };
}

/** Of the slots: bins, below, above, NaN. */
export function histogramOf(slots: Uint32Array | Float64Array): Histogram {
  const bins = slots.length - 3;
  return {
    counts:
      slots instanceof Uint32Array ? slots.subarray(0, bins) : Uint32Array.from(slots.subarray(0, bins)),
    below: slots[bins]!,
    above: slots[bins + 1]!,
    nan: slots[bins + 2]!,
  };
}

export interface GroupSums {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Adds up values by group: `sums[keys[i]] += values[i]`, and counts them.
 *
 * Up to 512 groups: value i goes to partial sum i % 4 of its group, partial sums are added up after each 2^16 values.
 * More groups, and fewer than 128 values: in the order of the values. More groups are summed on one thread.
 *
 * @param groups number of groups, 1 to 2^24; all keys are below.
 * @throws INVALID_ARGUMENT for lengths that differ, and for a key that is no group (with its place).
 * @example
 * kernels.groupSum(Uint8Array.of(0, 1, 0), Float64Array.of(1, 2, 3), 2); // { sums: [4, 2], counts: [2, 1] }
 */
export function groupSum(keys: Keys, values: Numbers, groups: number, options?: ThreadOptions): GroupSums {
  const kinds = checkGroups(keys, values, groups);
  const threads = options === undefined ? 1 : threadsOf(options, keys.length, 'groupSum');
  if (threads > 1 && groups <= loops.SPLIT_GROUPS) {
    return groupSumsOf(
      loadNative().kernels!.arrayJob(Operation.groupSum, threads, keys, values, groups),
      keys,
      groups,
    );
  }
  const sums = new Float64Array(groups);
  const counts = new Float64Array(groups);
  // Entries of all groups are made and read: with many groups and few values that is most of the work.
  const isWorthIt = keys.length >= FROM.groupSum && keys.length >= 2 * groups;
  const native = isWorthIt ? loadNative().kernels : undefined;
  let done: number;
  if (keys.length < SHORT_BELOW) done = groupSums[kinds]!(keys, values, sums, counts);
  else if (native) done = native.arrayGroupSum(keys, values, sums, counts);
  else done = loops.groupSum(keys, values, sums, counts);
  if (done < keys.length) throw badKey(keys, done, groups);
  return { sums, counts };
}

/** The kinds of both: 8 * that of the keys + that of the values. */
export function checkGroups(keys: Keys, values: Numbers, groups: unknown): number {
  const kinds = NUMBER_KINDS * keysKind('keys', keys) + numbersKind('values', values);
  requireSameLength('values', values, 'keys', keys);
  requireInteger('groups', groups, 1, 2 ** 24);
  return kinds;
}

/** Of an array of sums, counts, and the place of a bad key or -1. */
export function groupSumsOf(results: Float64Array, keys: Keys, groups: number): GroupSums {
  const bad = results[2 * groups]!;
  if (bad >= 0) throw badKey(keys, bad, groups);
  return { sums: results.slice(0, groups), counts: results.slice(groups, 2 * groups) };
}

function badKey(keys: Keys, place: number, groups: number): Error {
  return fail('INVALID_ARGUMENT', {
    name: `keys[${place}]`,
    actual: String(keys[place]),
    expected: `a group: 0 to ${groups - 1}`,
  });
}

/**
 * The values that stand at some places of the sorted array, without sorting it: by radix, in a copy.
 *
 * @param ranks places, ascending, each below the number of values. -0 stands before 0, NaN last.
 * @throws INVALID_ARGUMENT
 */
export function select(values: Numbers, ranks: readonly number[]): Float64Array {
  requireNumbers('values', values);
  const given: unknown = ranks;
  if (!Array.isArray(given)) {
    const expected = 'an array of places, ascending';
    throw fail('INVALID_ARGUMENT', { name: 'ranks', actual: describe(given), expected });
  }
  // A copy, without holes: the addon is told nothing that was not looked at.
  const places = Array.from(given as readonly number[]);
  let least = 0;
  for (const [k, rank] of places.entries()) {
    requireInteger(`ranks[${k}]`, rank, least, values.length - 1);
    least = rank;
  }
  return selected(values, places).found;
}

function selected(values: Numbers, ranks: readonly number[]): { found: Float64Array; nans: number } {
  const found = new Float64Array(ranks.length);
  const native = values.length >= FROM.select ? loadNative().kernels : undefined;
  if (native) return { found, nans: native.arraySelect(values, Uint32Array.from(ranks), found) };
  const sorted = values.slice().sort();
  ranks.forEach((rank, k) => (found[k] = sorted[rank]!));
  let nans = 0;
  for (let i = sorted.length - 1; i >= 0 && sorted[i] !== sorted[i]; i -= 1) nans += 1;
  return { found, nans };
}

/**
 * Quantiles, interpolated between the two nearest values (definition 7 of Hyndman and Fan, as in NumPy and R). NaN
 * where any value is NaN, between opposite infinities, and where there is none.
 *
 * @param probabilities from 0 to 1, in any order.
 * @example
 * const [median, p99] = kernels.quantiles(latencies, [0.5, 0.99]);
 */
export function quantiles(values: Numbers, probabilities: readonly number[]): number[] {
  requireNumbers('values', values);
  if (!Array.isArray(probabilities)) {
    const expected = 'an array of numbers from 0 to 1';
    throw fail('INVALID_ARGUMENT', { name: 'probabilities', actual: describe(probabilities), expected });
  }
  const wanted = Array.from(probabilities as readonly number[]);
  const last = values.length - 1;
  const places = wanted.map((probability, k) => {
    if (typeof probability === 'number' && probability >= 0 && probability <= 1) return probability * last;
    const expected = 'a number from 0 to 1';
    throw fail('INVALID_ARGUMENT', { name: `probabilities[${k}]`, actual: String(probability), expected });
  });
  if (last < 0) return places.map(() => NaN);
  const ranks = ranksAround(places);
  const { found, nans } = selected(values, ranks);
  if (nans > 0) return places.map(() => NaN);
  return places.map((place) => {
    const rank = Math.floor(place);
    const at = ranks.indexOf(rank);
    const low = found[at]!;
    return place === rank ? low : between(low, found[at + 1]!, place - rank);
  });
}

/** The value at a share of the way. Not by the way itself where that is infinite: from an infinity, or over all numbers. */
function between(low: number, high: number, share: number): number {
  const way = high - low;
  if (Number.isFinite(way)) return low + way * share;
  return low === high ? low : low * (1 - share) + high * share;
}

/** The whole ranks on either side of each place, ascending, none twice. */
function ranksAround(places: readonly number[]): number[] {
  const ranks: number[] = [];
  for (const place of places.length === 1 ? places : places.slice().sort((a, b) => a - b)) {
    const low = Math.floor(place);
    if (!(ranks[ranks.length - 1]! >= low)) ranks.push(low);
    if (low !== place && ranks[ranks.length - 1] !== low + 1) ranks.push(low + 1);
  }
  return ranks;
}
