/**
 * Whether a variant answers a call from what it kept of an earlier one. On inputs that repeat, as in a race, such a
 * variant wins by a factor that it does not have in production.
 *
 * The engine keeps things too, and so do caches: the hash of a text, the text of a number, the fields of a date. They keep them
 * of the elements, the variant of the whole, so a part of an input that was seen tells them apart: with the same elements it is fast
 * where the engine kept something, and is computed where the variant did.
 *
 * Method: each fresh input is called once and then again. A variant that computes takes about as long both times;
 * one that looks up its own result is several times faster the second time. Fresh inputs differ in contents where
 * there are such (unseen inputs of the caller, or neighbouring sizes from the generator), because results may be
 * kept by contents; else they are clones, which shows what is kept by identity. All are read once beforehand, so
 * that a cold cache does not look like a kept result, and variants are warmed on another input, so that compiling
 * does not. Time is the process' CPU time: on a busy host the first of two calls is preempted more often, which
 * looks the same on the wall clock. Variants that run on threads are left out: their first call with an input hands its
 * memory over, which takes several times as long as a short loop over it.
 *
 * Rejected: finding it in calls of under 4 µs by timing blocks of 32 fresh inputs, first pass against second. What kept
 * results was 9 to 490 times faster the second time; sums over short records, linked lists, dates, joined numbers and sets of
 * texts up to 40 times, and a merge of two sorted lists 5 times, by caches and by what the engine keeps.
 */
import { median } from '../validation/statistics.js';
import { predictedMs } from './agreement.js';
import { restoreIfChanged, snapshot, timedCall } from './checked-call.js';
import { generate, type Arguments, type SizeClass } from './inputs.js';
import { isSequence, without } from './shrink.js';
import type { Variant } from './variants.js';

/** One call with the size of its input. */
export interface SizedCall {
  readonly size: number;
  readonly args: Arguments;
}

export interface KeptResult {
  readonly variant: string;
  /** Median CPU time of a first call over that of the same call again. */
  readonly ratio: number;
  readonly firstMs: number;
  readonly againMs: number;
  /** Whose doing it is: with the engine's, the variant computes each call. */
  readonly by: 'variant' | 'engine';
}

/** Second calls that are this many times faster were not computed. */
const SUSPICIOUS = 4;
/** Differences below this are the clock's. */
const MIN_SAVED_MS = 0.002;
/** Inputs that a claim needs at least, and the share of them that must show it. */
const MIN_INPUTS = 4;
const SHARE = 0.8;
const MAX_INPUTS = 12;
/** No more fresh inputs are called after this. */
const MAX_MS = 400;
const WARM_UP_MS = 15;

/**
 * Variants that are several times faster on an input that they have seen. Where every one of several seems to, it is the engine or the host, not the variants,
 * and none is named.
 *
 * @param freshFor inputs that no variant was called with yet, for the nth variant.
 * @param waitMs for one promise; 30 s by default.
 */
export async function findKeptResults(
  variants: readonly Variant[],
  warmInput: Arguments,
  freshFor: (index: number) => readonly SizedCall[],
  throwIfAborted: () => void,
  waitMs?: number,
): Promise<KeptResult[]> {
  const found: KeptResult[] = [];
  let tested = 0;
  for (const [i, variant] of variants.entries()) {
    throwIfAborted();
    if (variant.execution === 'threads') continue;
    const inputs = freshFor(i);
    if (inputs.length < MIN_INPUTS) continue;
    const pairs = await firstAndSecond(variant, warmInput, inputs, waitMs);
    if (!pairs) continue;
    tested += 1;
    // Shorter calls cannot show it.
    const telling = pairs.filter(([first]) => first > 2 * MIN_SAVED_MS);
    const showing = telling.filter(([first, again]) => first > again * SUSPICIOUS);
    if (showing.length < Math.max(MIN_INPUTS, SHARE * telling.length)) continue;
    found.push({
      variant: variant.name,
      by: await keeperOf(variant, inputs, pairs, waitMs),
      ratio: median(telling.map(([first, again]) => first / Math.max(again, 1e-5))),
      firstMs: median(telling.map(([first]) => first)),
      againMs: median(telling.map(([, again]) => again)),
    });
  }
  return found.length === tested && tested > 1 ? [] : found;
}

/** Share of an input that a part of it has: less than the whole, so that no key of it is the same. */
const PART = 7 / 8;

/** Who kept something, where a second call was several times faster than the first: the variant where it cannot be told. */
async function keeperOf(
  variant: Variant,
  inputs: readonly SizedCall[],
  pairs: readonly (readonly [first: number, again: number])[],
  waitMs: number | undefined,
): Promise<KeptResult['by']> {
  let [seen, fast] = [0, 0];
  try {
    for (const [i, [first, again]] of pairs.entries()) {
      const { args } = inputs[i]!;
      const part = partOf(args);
      if (!part) continue;
      for (const each of [args, part]) {
        const before = snapshot(each);
        // The whole once more: what the engine keeps of few elements at a time is then of these.
        const { cpuMs } = await timesOf(variant, each, waitMs);
        restoreIfChanged(each, before);
        if (each === args) continue;
        seen += 1;
        if (cpuMs < Math.sqrt(first * again)) fast += 1;
      }
    }
  } catch {
    return 'variant'; // It takes no part of its input.
  }
  return fast > seen / 2 ? 'engine' : 'variant';
}

/** The same with a part of the first argument that has several elements, or of its first property that has: the same elements. */
function partOf(args: Arguments): Arguments | undefined {
  for (const [i, arg] of args.entries()) {
    const part = partOfValue(arg) ?? partWithin(arg);
    if (part !== undefined) return args.map((each, k) => (k === i ? part : each));
  }
  return undefined;
}

function partOfValue(value: unknown): unknown {
  const rest = (size: number) => (size < 1 / (1 - PART) ? undefined : Math.floor(size * PART));
  if (value instanceof Map || value instanceof Set) {
    const kept = rest(value.size);
    if (kept === undefined) return undefined;
    return value instanceof Map
      ? new Map([...(value as Map<unknown, unknown>)].slice(0, kept))
      : new Set([...(value as Set<unknown>)].slice(0, kept));
  }
  if (!isSequence(value)) return undefined;
  const kept = rest(value.length);
  return kept === undefined ? undefined : without(value, kept, value.length);
}

function partWithin(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const part = partOfValue(inner);
    if (part !== undefined) return { ...value, [key]: part };
  }
  return undefined;
}

/** Inputs of a list that no variant has been called with, ascending; clones of one where there are too few. */
export function freshOfList(classes: readonly SizeClass[]): SizedCall[] {
  const all = classes.flatMap(({ size, inputs }) => inputs.map((args) => ({ size, args })));
  const unseen = all.slice(1);
  if (unseen.length < MIN_INPUTS) return clonesOf(all[0]!);
  const step = Math.max(1, unseen.length / MAX_INPUTS);
  const count = Math.min(unseen.length, MAX_INPUTS);
  return Array.from({ length: count }, (_, i) => unseen[Math.floor(i * step)]!);
}

/**
 * Inputs of just below the class' size, different ones for each variant, so that one cannot profit from what
 * another kept. Clones where the generator fails for those sizes.
 */
export function freshOfGenerator(
  inputs: (size: number) => unknown,
  { size, inputs: [first] }: SizeClass,
  index: number,
): SizedCall[] {
  const count = MIN_INPUTS + 2;
  try {
    return Array.from({ length: count }, (_, i) => {
      const smaller = size - 1 - i - index * count;
      const asked = Number.isInteger(size) && smaller > size / 2 ? smaller : size;
      return { size, args: generate(inputs, asked) };
    });
  } catch {
    return clonesOf({ size, args: first! });
  }
}

function clonesOf({ size, args }: SizedCall): SizedCall[] {
  const clones = Array.from({ length: MIN_INPUTS + 2 }, () => snapshot(args, false));
  return clones.flatMap((clone) => (clone === undefined ? [] : [{ size, args: clone }]));
}

/** Times of the first and a later call on each input; undefined where the variant throws: that is found elsewhere. */
async function firstAndSecond(
  variant: Variant,
  warmInput: Arguments,
  inputs: readonly SizedCall[],
  waitMs: number | undefined,
): Promise<(readonly [first: number, again: number])[] | undefined> {
  try {
    const warmBefore = snapshot(warmInput);
    const endMs = performance.now() + WARM_UP_MS;
    do {
      await timedCall(variant, warmInput, waitMs);
      restoreIfChanged(warmInput, warmBefore);
    } while (performance.now() < endMs);
    const pairs: (readonly [number, number])[] = [];
    const giveUpMs = performance.now() + MAX_MS;
    const history: { size: number; ms: number }[] = [];
    for (const { size, args } of inputs) {
      if (performance.now() > giveUpMs || predictedMs(history, size) > MAX_MS) break;
      const before = snapshot(args); // Reads all of it.
      const call = async () => {
        const elapsed = await timesOf(variant, args, waitMs);
        restoreIfChanged(args, before);
        return elapsed;
      };
      const { cpuMs: first, wallMs } = await call();
      history.push({ size, ms: wallMs });
      const again = Math.min((await call()).cpuMs, (await call()).cpuMs);
      pairs.push([first, again]);
    }
    return pairs;
  } catch {
    return undefined;
  }
}

/** CPU time where its clock resolves the call, which Windows' does not. */
async function timesOf(
  variant: Variant,
  args: Arguments,
  waitMs: number | undefined,
): Promise<{ cpuMs: number; wallMs: number }> {
  const before = process.cpuUsage();
  const { elapsedMs } = await timedCall(variant, args, waitMs);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  return { cpuMs: cpuMs > 0 ? Math.min(cpuMs, elapsedMs) : elapsedMs, wallMs: elapsedMs };
}
