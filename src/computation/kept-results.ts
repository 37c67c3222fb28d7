/**
 * Whether a variant answers a call from what it kept of an earlier one. On inputs that repeat, as in a race, such a
 * variant wins by a factor that it does not have in production.
 *
 * Method: each fresh input is called once and then again. A variant that computes takes about as long both times;
 * one that looks up its own result is several times faster the second time. Fresh inputs differ in contents where
 * there are such (unseen inputs of the caller, or neighbouring sizes from the generator), because results may be
 * kept by contents; else they are clones, which shows what is kept by identity. All are read once beforehand, so
 * that a cold cache does not look like a kept result, and variants are warmed on another input, so that compiling
 * does not. Time is the process' CPU time: on a busy host the first of two calls is preempted more often, which
 * looks the same on the wall clock. Variants that run on threads are left out: their first call with an input hands its
 * memory over, which takes several times as long as a short loop over it.
 */
import { median } from '../validation/statistics.js';
import { predictedMs } from './agreement.js';
import { restoreIfChanged, snapshot, timedCall } from './checked-call.js';
import { generate, type Arguments, type SizeClass } from './inputs.js';
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
 * Variants that keep results. Where every one of several seems to, it is the engine or the host, not the variants,
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
      ratio: median(telling.map(([first, again]) => first / Math.max(again, 1e-5))),
      firstMs: median(telling.map(([first]) => first)),
      againMs: median(telling.map(([, again]) => again)),
    });
  }
  return found.length === tested && tested > 1 ? [] : found;
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
  const clones = Array.from({ length: MIN_INPUTS + 2 }, () => snapshot(args));
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
