/** One call of a variant whose result and input are looked at: what the checks before and after a race are made of. */
import { firstDifference } from '../validation/equality.js';
import { formatDurationMs } from '../units.js';
import type { Equivalence } from './computation.js';
import type { Arguments } from './inputs.js';
import type { Variant } from './variants.js';

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

function settled(promise: PromiseLike<unknown>, limitMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unsettled(limitMs)), limitMs);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (reason: unknown) => {
        clearTimeout(timer);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the variant rejects with, whatever it is
        reject(reason);
      },
    );
  });
}

/** Where a result differs from the expected one, by the caller's measure of equality; null where it does not. */
export function differenceOf(
  equivalence: Equivalence | undefined,
  expected: unknown,
  result: unknown,
): string | null {
  if (typeof equivalence === 'function') {
    return equivalence(expected, result) ? null : 'equivalence() returned false';
  }
  const tolerance = typeof equivalence === 'object' ? equivalence.relativeTolerance : 0;
  return firstDifference(expected, result, tolerance);
}

/** A clone to compare with; undefined where there is none (functions, class instances with private state). */
export function snapshot<T>(value: T): T | undefined {
  try {
    const clone = structuredClone(value);
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
  restore(args as unknown[], structuredClone(before) as unknown[]);
  return changed.replace(/^result/, 'argument');
}

/** Puts arrays and typed arrays back in place, so that the other variants get what the caller gave. */
function restore(args: unknown[], before: unknown[]): void {
  for (const [i, value] of before.entries()) {
    const target = args[i];
    if (Array.isArray(target) && Array.isArray(value)) {
      target.length = 0;
      for (const item of value as unknown[]) target.push(item);
    } else if (ArrayBuffer.isView(target) && 'set' in target) (target as Uint8Array).set(value as Uint8Array);
    else args[i] = value;
  }
}

/** `TypeError: too many`, for messages. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
