/** One call of a variant whose result and input are looked at: what the checks before and after a race are made of. */
import { describe, fail } from '../errors.js';
import { firstDifference } from '../validation/equality.js';
import { formatDurationMs } from '../units.js';
import type { Equivalence } from './computation.js';
import { cloneOf } from './shared-inputs.js';
import type { Arguments } from './inputs.js';
import type { Variant } from './variants.js';
import { MAX_TIMER_MS } from '../timers.js';

export interface Call {
  readonly result: unknown;
  readonly elapsedMs: number;
  readonly asynchronous: boolean;
}

/** A promise that was waited for in vain. */
export class Unsettled extends Error {
  constructor(limitMs: number) {
    super(`did not settle the promise that it returned within ${formatDurationMs(limitMs)}`);
  }
}

/** Nothing that is to be raced takes so long. */
const MAX_WAIT_MS = 30_000;

/**
 * Calls once and waits for what it returns, `limitMs` at most. Throws what the variant throws. Without the limit a promise
 * that nobody settles would end the process in silence, because nothing else keeps the event loop alive.
 *
 * @throws Unsettled
 */
export async function timedCall(
  { run }: Variant,
  args: Arguments,
  limitMs: number = MAX_WAIT_MS,
): Promise<Call> {
  const startMs = performance.now();
  const returned: unknown = run(...args);
  const asynchronous = typeof (returned as { then?: unknown } | null | undefined)?.then === 'function';
  const result = asynchronous ? await settled(returned as PromiseLike<unknown>, limitMs) : returned;
  return { result, elapsedMs: performance.now() - startMs, asynchronous };
}

/**
 * What a promise settles to, within `limitMs`.
 *
 * @param keepsAlive whether the process stays for it that long.
 * @throws Unsettled; what it rejects with.
 */
export function settled<T>(promise: PromiseLike<T>, limitMs: number, keepsAlive = true): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unsettled(limitMs)), Math.min(limitMs, MAX_TIMER_MS));
    if (!keepsAlive) timer.unref();
    const refuse = (reason: unknown): void => {
      clearTimeout(timer);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the variant rejects with, whatever it is
      reject(reason);
    };
    try {
      promise.then((value) => {
        clearTimeout(timer);
        resolve(value);
      }, refuse);
    } catch (error) {
      refuse(error); // A `then` that throws itself: the timer would keep the process for its whole time.
    }
  });
}

/** Where a result differs from the expected one, by the caller's measure of equality; null where it does not. */
export function differenceOf(
  equivalence: Equivalence | undefined,
  expected: unknown,
  result: unknown,
): string | null {
  if (typeof equivalence === 'function') {
    return isEquivalent(equivalence, expected, result) ? null : 'equivalence() returned false';
  }
  const tolerance = typeof equivalence === 'object' ? equivalence.relativeTolerance : 0;
  return firstDifference(expected, result, tolerance);
}

/** @throws SUBJECT_THREW; INVALID_ARGUMENT for a promise, which would count as true whatever it comes to. */
function isEquivalent(
  equivalence: (reference: unknown, result: unknown) => unknown,
  expected: unknown,
  result: unknown,
): boolean {
  let verdict: unknown;
  try {
    verdict = equivalence(expected, result);
  } catch (cause) {
    throw fail('SUBJECT_THREW', { subject: 'equivalence()', reason: reasonOf(cause) }, { cause });
  }
  if (typeof (verdict as { then?: unknown } | null | undefined)?.then !== 'function') return Boolean(verdict);
  Promise.resolve(verdict).catch(() => undefined); // What it would have rejected with is not what is wrong.
  throw fail('INVALID_ARGUMENT', {
    name: 'equivalence',
    actual: 'a function that returned a promise',
    expected: 'one that returns true or false itself',
  });
}

/**
 * A clone to compare with; undefined where there is none (of functions).
 *
 * @param withClasses of instances of classes too, by their properties: not for what is called, as results may be by the
 *   caller's measure of equality.
 */
export function snapshot<T>(value: T, withClasses = true): T | undefined {
  try {
    const clone = cloneOf(value, withClasses);
    // Instances of classes come back as plain objects, which would look like a change.
    return firstDifference(clone, value) === null ? clone : undefined;
  } catch {
    return undefined;
  }
}

/** How the arguments differ from what they were; null where they do not. What was changed is put back where it can be. */
export function restoreIfChanged(args: Arguments, before: Arguments | undefined): string | null {
  if (before === undefined) return null;
  const changed = firstDifference(before, args);
  if (changed === null) return null;
  restored(args, cloneOf(before, true), new Set());
  return changed.replace(/^result/, 'argument');
}

/**
 * Puts a value back into what it was cloned from, in place as far as that goes, so that the other variants get what the
 * caller gave: the same arrays, in shared memory where they were. Returns what has to stand in its place.
 */
function restored(target: unknown, value: unknown, seen: Set<unknown>): unknown {
  if (typeof target !== 'object' || typeof value !== 'object' || target === null || value === null)
    return value;
  if (seen.has(target)) return target;
  seen.add(target);
  if (ArrayBuffer.isView(target) && ArrayBuffer.isView(value)) {
    if (!('set' in target) || target.byteLength !== value.byteLength) return value;
    (target as Uint8Array).set(value as Uint8Array);
    return target;
  }
  // What is as it was is not written to: it may be frozen.
  const put = (holder: Record<string | number, unknown>, key: string | number, part: unknown) => {
    const back = restored(holder[key], part, seen);
    if (!Object.is(holder[key], back)) holder[key] = back;
  };
  if (Array.isArray(target) && Array.isArray(value)) {
    if (target.length !== value.length) target.length = value.length;
    for (let i = 0; i < value.length; i += 1) put(target as unknown as Record<number, unknown>, i, value[i]);
    return target;
  }
  // Of an instance what shows is put back in place: what is private is in no clone.
  if (Array.isArray(target) || !isOfOneKind(target, value)) return value;
  const own = target as Record<string, unknown>;
  for (const key of Object.keys(own)) if (!Object.hasOwn(value, key)) delete own[key];
  for (const [key, part] of Object.entries(value)) put(own, key, part);
  return target;
}

/** What has its contents elsewhere than in properties. */
const BUILT_IN = [Map, Set, Date, RegExp, Error, ArrayBuffer, SharedArrayBuffer, DataView, Number, String];

const isOfOneKind = (target: object, value: object) =>
  Object.getPrototypeOf(target) === Object.getPrototypeOf(value) &&
  !BUILT_IN.some((Class) => target instanceof Class);

/** What became of a call that gave no result, as the end of a sentence: `threw TypeError: too many`. */
export function faultOf(error: unknown): string {
  return error instanceof Unsettled ? error.message : `threw ${reasonOf(error)}`;
}

/** `TypeError: too many`, for messages. */
export function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return describe(error); // What has no text of its own, which nothing keeps a variant from throwing.
  }
}
