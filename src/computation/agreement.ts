/**
 * Whether the variants do the same: before any is timed, each runs on every input and its result is held against
 * the first variant's. One that differs, throws, gives something else the second time, or changes its input is
 * out, with the smallest size that shows it.
 */
import { fail } from '../errors.js';
import type { Equivalence } from './computation.js';
import {
  differenceOf,
  reasonOf,
  restoreIfChanged,
  snapshot,
  timedCall,
  Unsettled,
  type Call,
} from './checked-call.js';
import type { Arguments, SizeClass } from './inputs.js';
import { checkOrder, knownCall, type KnownCall } from './order-check.js';
import { seededRandom, type Random } from './random.js';
import { shrink, type Counterexample } from './shrink.js';
import type { Variant } from './variants.js';

/** Why a variant takes no part, from which size on. */
export interface Rejection {
  readonly variant: string;
  readonly reason:
    'differs' | 'threw' | 'not-repeatable' | 'changes-input' | 'keeps-state' | 'keeps-results' | 'too-slow';
  /** Smallest size that shows it. */
  readonly size: number;
  /** The call that shows it, made as small as it goes; null where making it smaller makes no sense. */
  readonly smallest: Counterexample | null;
  /** One sentence for people. */
  readonly message: string;
}

export interface Agreement {
  readonly rejections: readonly Rejection[];
  /** Size classes up to which the reference itself could be checked, with its least time for a call. */
  readonly classes: readonly { readonly sizeClass: SizeClass; readonly referenceMs: number }[];
  readonly asynchronous: ReadonlySet<string>;
  /** Calls with what they should give, for a check after the race. */
  readonly calls: readonly KnownCall[];
  readonly warnings: readonly string[];
}

export interface AgreementOptions {
  readonly equivalence: Equivalence | undefined;
  /** A single call that is predicted to last longer is not made. */
  readonly maxCallMs: number;
  readonly throwIfAborted: () => void;
  readonly random?: Random;
}

/** Calls that are remembered for checks in other orders: as many as find a dependence, as few as memory allows. */
const MAX_KNOWN_CALLS = 16;
/** Time for those checks, per variant. */
const ORDER_CHECK_MS = 40;
/** Time to make a call that shows a fault smaller. */
const SHRINK_MS = 250;

/** For a promise; less may be a busy event loop. */
const MIN_WAIT_MS = 1_000;
/** Times below this say more of a cold start than of growth. */
const TELLING_MS = 0.2;

/**
 * Grows like the last step did: exponent between two sizes, at least linear, at most cubic. 0 where the calls so
 * far were too short to tell.
 */
export function predictedMs(history: readonly { size: number; ms: number }[], size: number): number {
  const last = history.at(-1);
  if (!last || last.size <= 0 || last.ms < TELLING_MS) return 0;
  const before = history.findLast(({ size: earlier }) => earlier < last.size);
  const slope =
    before && before.size > 0 && before.ms > TELLING_MS / 10
      ? Math.log(last.ms / before.ms) / Math.log(last.size / before.size)
      : 1;
  return last.ms * (size / last.size) ** Math.min(3, Math.max(1, slope));
}

/**
 * Checks all variants, smallest inputs first. The first variant is the reference.
 *
 * @throws SUBJECT_THREW, INVALID_ARGUMENT where the reference itself throws, changes its input or is not
 *   repeatable: nothing can be held against it then.
 */
export async function checkAgreement(
  variants: readonly Variant[],
  classes: readonly SizeClass[],
  options: AgreementOptions,
): Promise<Agreement> {
  const rejections = new Map<string, Rejection>();
  const asynchronous = new Set<string>();
  const warnings = new Set<string>();
  const checked: Agreement['classes'][number][] = [];
  const history = new Map<string, { size: number; ms: number }[]>(variants.map(({ name }) => [name, []]));
  const reference = variants[0]!;
  const calls: KnownCall[] = [];

  for (const sizeClass of classes) {
    const { size } = sizeClass;
    if (predictedMs(history.get(reference.name)!, size) > options.maxCallMs) {
      warnings.add(
        `Sizes from ${size} on are left out: one call of "${reference.name}" would take too long there.`,
      );
      break;
    }
    for (const args of sizeClass.inputs) {
      options.throwIfAborted();
      const before = snapshot(args);
      if (before === undefined) {
        warnings.add('Inputs that cannot be cloned were not checked for changes by the variants.');
      }
      const expected = await callReference(reference, args, before, size, options);
      if (expected.asynchronous) asynchronous.add(reference.name);
      history.get(reference.name)!.push({ size, ms: expected.elapsedMs });
      if (expected.elapsedMs < ORDER_CHECK_MS / 8) calls.push(knownCall(size, args, expected.result));
      for (const variant of variants.slice(1)) {
        if (rejections.has(variant.name)) continue;
        const times = history.get(variant.name)!;
        const rejection =
          predictedMs(times, size) > options.maxCallMs
            ? slow(variant.name, size)
            : await checkOne(
                reference,
                variant,
                args,
                before,
                expected.result,
                size,
                times,
                asynchronous,
                options,
              );
        if (rejection) rejections.set(variant.name, rejection);
      }
    }
    const times = history.get(reference.name)!.filter((call) => call.size === size);
    checked.push({ sizeClass, referenceMs: Math.min(...times.map(({ ms }) => ms)) });
  }
  const known = spread(calls, MAX_KNOWN_CALLS);
  for (const rejection of await checkOrders(variants, known, [...rejections.values()], options)) {
    rejections.set(rejection.variant, rejection);
  }
  return {
    rejections: [...rejections.values()],
    classes: checked,
    asynchronous,
    calls: known,
    warnings: [...warnings],
  };
}

/**
 * Calls every variant that is left in random orders. Also made after the race, when all have run thousands of times.
 *
 * @returns the variants that are out by it.
 * @throws INVALID_ARGUMENT where it is the reference that depends on earlier calls.
 */
export async function checkOrders(
  variants: readonly Variant[],
  calls: readonly KnownCall[],
  rejections: readonly Rejection[],
  { equivalence, maxCallMs, throwIfAborted, random = seededRandom(1) }: AgreementOptions,
): Promise<Rejection[]> {
  const found: Rejection[] = [];
  if (calls.length === 0) return found;
  for (const [i, variant] of variants.entries()) {
    if (isWrong(rejections, variant.name)) continue;
    throwIfAborted();
    const slowFrom = rejections.find((rejection) => rejection.variant === variant.name)?.size ?? Infinity;
    const affordable = calls.filter(({ size }) => size < slowFrom);
    const fault = await checkOrder(variant, affordable, {
      equivalence,
      budgetMs: ORDER_CHECK_MS,
      waitMs: waitMs(maxCallMs),
      random,
    });
    if (!fault) continue;
    const { reason, size, what } = fault;
    if (i === 0) {
      const isUnseen = calls.some(({ before }) => before === undefined);
      const unless = isUnseen ? ', unless another variant changed its input, which cannot be cloned' : '';
      throw fail('INVALID_ARGUMENT', {
        name: `variants.${variant.name}`,
        actual: `a function that ${what}, at size ${size}${unless}`,
        expected: 'one whose result depends on its arguments alone: the others are held against it',
      });
    }
    const message = `"${variant.name}" is out: at size ${size} it ${what}.`;
    found.push({ variant: variant.name, reason, size, smallest: null, message });
  }
  return found;
}

/** At most `count` items, evenly over all. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}

async function checkOne(
  reference: Variant,
  variant: Variant,
  args: Arguments,
  before: Arguments | undefined,
  expected: unknown,
  size: number,
  times: { size: number; ms: number }[],
  asynchronous: Set<string>,
  { equivalence, maxCallMs }: AgreementOptions,
): Promise<Rejection | undefined> {
  const { name } = variant;
  const reject = async (
    reason: Rejection['reason'],
    what: string,
    shows = reason === 'differs' || reason === 'threw',
  ): Promise<Rejection> => {
    const smallest = shows
      ? await shrink(reference, variant, args, {
          equivalence,
          budgetMs: Math.min(SHRINK_MS, maxCallMs),
          waitMs: waitMs(maxCallMs),
        })
      : null;
    const example =
      smallest?.length === undefined ? '' : ` Smallest input that shows it: ${describeInput(smallest)}.`;
    const message = `"${name}" is out: at size ${size} it ${what}.${example}`;
    return { variant: name, reason, size, smallest, message };
  };
  let repeats = 1;
  let fastestMs = Infinity;
  for (let run = 0; run <= repeats; run += 1) {
    let call: Call;
    try {
      call = await timedCall(variant, args, waitMs(maxCallMs));
    } catch (error) {
      // Waiting again for ever shorter inputs would show nothing.
      if (error instanceof Unsettled) return reject('threw', error.message, false);
      const changed = restoreIfChanged(args, before);
      const what = `threw ${reasonOf(error)}`;
      return reject('threw', changed === null ? what : `${what}, having changed its input`);
    }
    if (call.asynchronous) asynchronous.add(name);
    const changed = restoreIfChanged(args, before);
    if (changed !== null) return reject('changes-input', `changes its input (${changed})`);
    const difference = differenceOf(equivalence, expected, call.result);
    if (difference !== null) {
      return run === 0
        ? reject('differs', `gives another result than the first variant (${difference})`)
        : reject('not-repeatable', `gives another result when it is called again (${difference})`);
    }
    fastestMs = Math.min(fastestMs, call.elapsedMs);
    if (call.elapsedMs > maxCallMs / 4) repeats = 0;
  }
  times.push({ size, ms: fastestMs });
  return undefined;
}

async function callReference(
  reference: Variant,
  args: Arguments,
  before: Arguments | undefined,
  size: number,
  options: AgreementOptions,
): Promise<Call> {
  const called = async (): Promise<Call> => {
    try {
      return await timedCall(reference, args, waitMs(options.maxCallMs));
    } catch (cause) {
      const reason = cause instanceof Unsettled ? cause.message : reasonOf(cause);
      const subject = `variant "${reference.name}" (size ${size})`;
      throw fail('SUBJECT_THREW', { subject, reason }, { cause });
    }
  };
  const call = await called();
  const changed = restoreIfChanged(args, before);
  if (changed !== null) {
    throw fail('INVALID_ARGUMENT', {
      name: `variants.${reference.name}`,
      actual: `a function that changes its input (${changed}, at size ${size})`,
      expected: 'one that leaves its input as it was: the others are held against it on the same input',
    });
  }
  if (call.elapsedMs > options.maxCallMs / 4) return call;
  const again = await called();
  const difference = differenceOf(options.equivalence, call.result, again.result);
  if (difference === null) return { ...call, elapsedMs: Math.min(call.elapsedMs, again.elapsedMs) };
  throw fail('INVALID_ARGUMENT', {
    name: `variants.${reference.name}`,
    actual: `a function that gives another result when it is called again (${difference}, at size ${size})`,
    expected: 'one whose result depends on its arguments alone',
  });
}

/** Where the text is cut, how long the input is says more than how it begins. */
function describeInput({ input, length }: Counterexample): string {
  return input.endsWith('…') ? `of length ${String(length)}, ${input}` : input;
}

/** For one promise: as long as ten calls that may be made at all. */
export function waitMs(maxCallMs: number): number {
  return Math.max(MIN_WAIT_MS, 10 * maxCallMs);
}

function slow(variant: string, size: number): Rejection {
  const message = `"${variant}" is out: it is too slow to be measured at size ${size}.`;
  return { variant, reason: 'too-slow', size, smallest: null, message };
}

/** A variant that is wrong anywhere is out everywhere; one that is too slow, from that size on. */
export function takesPart(rejections: readonly Rejection[], name: string, size: number): boolean {
  return !rejections.some(
    (rejection) => rejection.variant === name && (rejection.reason !== 'too-slow' || size >= rejection.size),
  );
}

/** Whether a variant is wrong at any size. */
export function isWrong(rejections: readonly Rejection[], name: string): boolean {
  return rejections.some(({ variant, reason }) => variant === name && reason !== 'too-slow');
}
