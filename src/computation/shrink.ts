/**
 * The smallest input on which a variant still goes wrong, for people: an array of a thousand numbers explains
 * nothing, the three that matter do.
 *
 * Delta debugging (Zeller & Hildebrandt 2002, ddmin): parts of ever finer size are removed from one argument as
 * long as the variant still fails on what is left and the reference still runs. Elements are only removed, never
 * changed or moved, so what was sorted or unique stays so. Other arguments stay as they are.
 */
import type { Equivalence } from './computation.js';
import { differenceOf, restoreIfChanged, snapshot, timedCall } from './checked-call.js';
import type { Arguments } from './inputs.js';
import type { Variant } from './variants.js';

export interface ShrinkOptions {
  readonly equivalence: Equivalence | undefined;
  /** Time for it in all; the calls themselves cannot be stopped. */
  readonly budgetMs: number;
  /** For one promise. Default 30 s. */
  readonly waitMs?: number;
}

/** A call that shows the failure. */
export interface Counterexample {
  /** Length of the argument that was shortened; undefined where none could be. */
  readonly length: number | undefined;
  /** The arguments as text, cut at 200 characters. */
  readonly input: string;
}

const MAX_TRIALS = 400;
const MAX_TEXT = 200;

export type Sequence = unknown[] | string | Float64Array;

/** Shrinks a call on which `variant` differs from the reference or throws. Never throws itself. */
export async function shrink(
  reference: Variant,
  variant: Variant,
  args: Arguments,
  { equivalence, budgetMs, waitMs }: ShrinkOptions,
): Promise<Counterexample> {
  const endMs = performance.now() + budgetMs;
  let trials = 0;
  const fails = async (candidate: Arguments): Promise<boolean> => {
    trials += 1;
    const before = snapshot(candidate);
    if (before === undefined) return false;
    let expected: unknown;
    try {
      expected = (await timedCall(reference, candidate, waitMs)).result;
    } catch {
      return false; // An input that the reference does not accept proves nothing.
    }
    if (restoreIfChanged(candidate, before) !== null) return false;
    try {
      const { result } = await timedCall(variant, candidate, waitMs);
      return differenceOf(equivalence, expected, result) !== null;
    } catch {
      return true;
    } finally {
      restoreIfChanged(candidate, before);
    }
  };

  const position = args.findIndex(isSequence);
  const first = args[position];
  if (!isSequence(first)) return { length: undefined, input: textOf(args) };
  let smallest: Sequence = first;
  const withArgument = (value: Sequence) => args.map((arg, i) => (i === position ? value : arg));
  let parts = 2;
  const isOver = () => trials >= MAX_TRIALS || performance.now() >= endMs;
  while (smallest.length > 0 && !isOver()) {
    const step = Math.max(1, Math.ceil(smallest.length / parts));
    let removed = false;
    for (let start = 0; start < smallest.length && !isOver();) {
      const candidate = without(smallest, start, start + step);
      if (await fails(withArgument(candidate))) {
        smallest = candidate;
        removed = true;
      } else start += step;
    }
    if (step === 1 && !removed) break;
    parts = removed ? Math.max(2, parts - 1) : Math.min(parts * 2, smallest.length);
  }
  return { length: smallest.length, input: textOf(withArgument(smallest)) };
}

export function isSequence(value: unknown): value is Sequence {
  return (
    Array.isArray(value) ||
    typeof value === 'string' ||
    (ArrayBuffer.isView(value) && !(value instanceof DataView))
  );
}

/** A copy without some of its elements: what was sorted or unique stays so. */
export function without(sequence: Sequence, start: number, end: number): Sequence {
  if (typeof sequence === 'string') return sequence.slice(0, start) + sequence.slice(end);
  if (Array.isArray(sequence)) return [...sequence.slice(0, start), ...sequence.slice(end)];
  const kept = sequence.length - Math.min(end, sequence.length) + start;
  const shorter = new (sequence.constructor as Float64ArrayConstructor)(kept);
  shorter.set(sequence.subarray(0, start));
  shorter.set(sequence.subarray(end), start);
  return shorter;
}

/** Arguments as a reader would write them. */
function textOf(args: Arguments): string {
  const texts = args.map((arg) => {
    if (ArrayBuffer.isView(arg) && isSequence(arg)) {
      return `${arg.constructor.name} [${Array.from(arg.subarray(0, 50)).join(', ')}]`;
    }
    try {
      return JSON.stringify(arg) ?? String(arg);
    } catch {
      return String(arg); // A cycle, a bigint.
    }
  });
  const text = `(${texts.join(', ')})`;
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
