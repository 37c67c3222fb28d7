/**
 * Whether the variants do the same: before any is timed, each runs on every input and its result is held against
 * the first variant's. One that differs, throws, gives something else the second time, or changes its input is
 * out, with the smallest size that shows it.
 */
import { fail } from '../errors.js';
import { firstDifference } from '../validation/equality.js';
import type { Equivalence } from './computation.js';
import type { Arguments, SizeClass } from './inputs.js';
import type { Variant } from './variants.js';

/** Why a variant takes no part, from which size on. */
export interface Rejection {
  readonly variant: string;
  readonly reason: 'differs' | 'threw' | 'not-repeatable' | 'changes-input' | 'too-slow';
  /** Smallest size that shows it. */
  readonly size: number;
  /** One sentence for people. */
  readonly message: string;
}

export interface Agreement {
  readonly rejections: readonly Rejection[];
  /** Size classes up to which the reference itself could be checked. */
  readonly classes: readonly SizeClass[];
  readonly asynchronous: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

export interface AgreementOptions {
  readonly equivalence: Equivalence | undefined;
  /** A single call that is predicted to last longer is not made. */
  readonly maxCallMs: number;
  readonly throwIfAborted: () => void;
}

interface Call {
  readonly result: unknown;
  readonly elapsedMs: number;
  readonly asynchronous: boolean;
}

/** Times below this say more of a cold start than of growth. */
const TELLING_MS = 0.2;

/**
 * Grows like the last step did: exponent between two sizes, at least linear, at most cubic. 0 where the calls so
 * far were too short to tell.
 */
function predictedMs(history: readonly { size: number; ms: number }[], size: number): number {
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
  const checked: SizeClass[] = [];
  const history = new Map<string, { size: number; ms: number }[]>(variants.map(({ name }) => [name, []]));
  const reference = variants[0]!;

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
      for (const variant of variants.slice(1)) {
        if (rejections.has(variant.name)) continue;
        const times = history.get(variant.name)!;
        const rejection =
          predictedMs(times, size) > options.maxCallMs
            ? slow(variant.name, size)
            : await checkOne(variant, args, before, expected.result, size, times, asynchronous, options);
        if (rejection) rejections.set(variant.name, rejection);
      }
    }
    checked.push(sizeClass);
  }
  return { rejections: [...rejections.values()], classes: checked, asynchronous, warnings: [...warnings] };
}

async function checkOne(
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
  const reject = (reason: Rejection['reason'], what: string): Rejection => ({
    variant: name,
    reason,
    size,
    message: `"${name}" is out: at size ${size} it ${what}.`,
  });
  let repeats = 1;
  let fastestMs = Infinity;
  for (let run = 0; run <= repeats; run += 1) {
    let call: Call;
    try {
      call = await timedCall(variant, args);
    } catch (error) {
      const changed = restoreIfChanged(args, before);
      const what = `threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
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
  let call: Call;
  try {
    call = await timedCall(reference, args);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw fail('SUBJECT_THREW', { subject: `variant "${reference.name}" (size ${size})`, reason }, { cause });
  }
  const changed = restoreIfChanged(args, before);
  if (changed !== null) {
    throw fail('INVALID_ARGUMENT', {
      name: `variants.${reference.name}`,
      actual: `a function that changes its input (${changed}, at size ${size})`,
      expected: 'one that leaves its input as it was: the others are held against it on the same input',
    });
  }
  if (call.elapsedMs > options.maxCallMs / 4) return call;
  const again = await timedCall(reference, args);
  const difference = differenceOf(options.equivalence, call.result, again.result);
  if (difference === null) return { ...call, elapsedMs: Math.min(call.elapsedMs, again.elapsedMs) };
  throw fail('INVALID_ARGUMENT', {
    name: `variants.${reference.name}`,
    actual: `a function that gives another result when it is called again (${difference}, at size ${size})`,
    expected: 'one whose result depends on its arguments alone',
  });
}

async function timedCall({ run }: Variant, args: Arguments): Promise<Call> {
  const startMs = performance.now();
  const returned: unknown = run(...args);
  const asynchronous = typeof (returned as { then?: unknown } | null | undefined)?.then === 'function';
  const result = asynchronous ? await returned : returned;
  return { result, elapsedMs: performance.now() - startMs, asynchronous };
}

function differenceOf(
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
function snapshot(args: Arguments): Arguments | undefined {
  try {
    const clone = structuredClone(args);
    // Instances of classes come back as plain objects, which would look like a change.
    return firstDifference(clone, args) === null ? clone : undefined;
  } catch {
    return undefined;
  }
}

/** How the arguments differ from what they were; null where they do not. What was changed is put back where it can be. */
function restoreIfChanged(args: Arguments, before: Arguments | undefined): string | null {
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

function slow(variant: string, size: number): Rejection {
  const message = `"${variant}" is out: it is too slow to be measured at size ${size}.`;
  return { variant, reason: 'too-slow', size, message };
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
