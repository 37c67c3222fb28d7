/**
 * Whether results depend on the arguments alone: the same calls in random orders, again and again, with every
 * result held against what it was. Run once before the race, and once after it, when the variants have been called
 * thousands of times and run as optimised code.
 *
 * Finds what calling twice in a row does not: results that depend on the call before, a result buffer that is
 * used again by the next call, counters that overflow, variants that are wrong now and then.
 */
import type { Equivalence } from './computation.js';
import { differenceOf, faultOf, restoreIfChanged, snapshot, timedCall } from './checked-call.js';
import type { Arguments } from './inputs.js';
import { shuffle, type Random } from './random.js';
import type { Variant } from './variants.js';

/** One call with what it should give. */
export interface KnownCall {
  readonly size: number;
  readonly args: Arguments;
  /** The arguments as they were; undefined where they cannot be cloned. */
  readonly before: Arguments | undefined;
  readonly expected: unknown;
  /** The same, cloned when it was made: the reference may give the same buffer each time. */
  readonly expectedThen: unknown;
}

/** What was found wrong, and at which size. */
export interface OrderFault {
  readonly reason: 'keeps-state' | 'not-repeatable' | 'changes-input' | 'threw';
  readonly size: number;
  /** Continues "at size n it …". */
  readonly what: string;
}

export interface OrderCheckOptions {
  readonly equivalence: Equivalence | undefined;
  /** Rounds are ended after this; one is always made. */
  readonly budgetMs: number;
  /** For one promise. */
  readonly waitMs: number;
  readonly random: Random;
}

/** Rounds over all calls: a variant that is wrong once in ten calls is found with near certainty. */
const ROUNDS = 32;
/** Times that a call which went wrong is made again, after the one that came before it. */
const REPLAYS = 3;

/** Remembers a call of the reference, for the checks to come. */
export function knownCall(size: number, args: Arguments, expected: unknown): KnownCall {
  return {
    size,
    args,
    before: snapshot(args),
    expected,
    expectedThen: snapshot(expected, false) ?? expected,
  };
}

/** The first fault that shows in the time given; undefined where none does. Calls the variant on every known call. */
export async function checkOrder(
  variant: Variant,
  calls: readonly KnownCall[],
  { equivalence, budgetMs, waitMs, random }: OrderCheckOptions,
): Promise<OrderFault | undefined> {
  const endMs = performance.now() + budgetMs;
  let made = 0;
  let previous: KnownCall | undefined;
  const results = new Map<KnownCall, unknown>();
  for (let round = 0; round < ROUNDS && (round === 0 || performance.now() < endMs); round += 1) {
    for (const call of shuffle([...calls], random)) {
      const outcome = await checkCall(variant, call, { equivalence, waitMs }, made, previous);
      if ('reason' in outcome) return outcome;
      made += 1;
      previous = call;
      if (round === 0) results.set(call, outcome.result);
    }
    if (round > 0) continue;
    // A result must stay what it was when later calls are made.
    for (const [call, result] of results) {
      const difference = differenceOf(equivalence, call.expectedThen, result);
      if (difference === null) continue;
      const what = `changes the result of an earlier call when it is called again (${difference})`;
      return { reason: 'keeps-state', size: call.size, what };
    }
    results.clear();
  }
  return undefined;
}

async function checkCall(
  variant: Variant,
  { size, args, before, expectedThen }: KnownCall,
  { equivalence, waitMs }: Pick<OrderCheckOptions, 'equivalence' | 'waitMs'>,
  made: number,
  previous: KnownCall | undefined,
): Promise<OrderFault | { readonly result: unknown }> {
  let result: unknown;
  try {
    ({ result } = await timedCall(variant, args, waitMs));
  } catch (error) {
    restoreIfChanged(args, before);
    return { reason: 'threw', size, what: `${faultOf(error)}, after ${made} calls that did not fail` };
  }
  const changed = restoreIfChanged(args, before);
  if (changed !== null) {
    return { reason: 'changes-input', size, what: `changes its input at times (${changed})` };
  }
  const difference = differenceOf(equivalence, expectedThen, result);
  if (difference === null) return { result };
  // Wrong for good, or again whenever the same call comes before: that is state. Anything else is chance.
  const isWrong = async () =>
    differenceOf(equivalence, expectedThen, (await timedCall(variant, args, waitMs)).result) !== null;
  let wrongAgain = 0;
  try {
    for (let i = 0; i < REPLAYS; i += 1) {
      if (previous) await timedCall(variant, previous.args, waitMs);
      if (await isWrong()) wrongAgain += 1;
      restoreIfChanged(args, before);
    }
  } catch {
    wrongAgain = 0;
  }
  return wrongAgain === REPLAYS
    ? { reason: 'keeps-state', size, what: `gives a result that depends on earlier calls (${difference})` }
    : {
        reason: 'not-repeatable',
        size,
        what: `gives another result now and then (${difference}, after ${made} calls that agreed)`,
      };
}
