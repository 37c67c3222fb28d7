/** From two functions to two sides that are ready to be timed: first call, asynchrony, agreement of results. */
import { SideThrew, type Side } from './batch.js';
import { firstDifference } from './equality.js';
import type { ResultCheck } from './options.js';

export interface OpenedSide {
  readonly side: Side;
  /** What the first call returned, awaited where it was a promise. */
  readonly result: unknown;
}

/** Calls a side once. @throws SideThrew */
export async function openSide(label: string, call: () => unknown): Promise<OpenedSide> {
  try {
    const returned = call();
    const asynchronous = isThenable(returned);
    return { side: { label, call, asynchronous }, result: asynchronous ? await returned : returned };
  } catch (cause) {
    throw new SideThrew(label, cause);
  }
}

/** How the sides' results differ, as a sentence; null where they agree or are not to be compared. */
export function disagreement(check: ResultCheck, baseline: unknown, candidate: unknown): string | null {
  if (check === false) return null;
  if (typeof check === 'function') {
    return check(baseline, candidate) ? null : 'checkResults returned false for them';
  }
  return firstDifference(baseline, candidate, check === true ? 0 : check.relativeTolerance);
}

export const DISAGREEMENT_REMEDY =
  'Make them agree, or say what counts as equal with checkResults: { relativeTolerance } or a function.';

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
