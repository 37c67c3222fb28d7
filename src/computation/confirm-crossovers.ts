/**
 * Whether crossovers hold on sizes that were not used to find them: on one size below and one above each, the
 * variant that the choice gives there is raced against the one on the other side. A crossover that was read out of
 * noise has no reason to show again on sizes it never saw.
 */
import { SubjectError } from '../errors.js';
import { checkAgreement, takesPart } from './agreement.js';
import { raceOn, type MeasuredClass, type SearchRequest } from './find-choice.js';
import { generate, sizeOfCall, type SizeClass } from './inputs.js';
import type { Crossover } from './selection.js';

/** One crossover with what new sizes say of it. */
export interface ConfirmedCrossover extends Crossover {
  /**
   * `confirmed`: on no new size does the other side win. `refuted`: on one it does. `not-tested`: there is no new
   * size to test on, or no time.
   */
  readonly status: 'confirmed' | 'refuted' | 'not-tested';
  /** The new sizes with the cost of the variant chosen there over that of the other; below 1 speaks for the choice. */
  readonly heldOut: readonly { readonly size: number; readonly ratio: number; readonly tied: boolean }[];
  /** Why it was not tested. */
  readonly reason?: string;
}

/** How far from the crossover the new sizes lie, as a factor. */
const DISTANCE = 1.6;

/** Tests every crossover. @returns them, and what was measured for it. */
export async function confirmCrossovers(
  changes: readonly Crossover[],
  measured: readonly MeasuredClass[],
  request: SearchRequest,
): Promise<{ crossovers: ConfirmedCrossover[]; measured: MeasuredClass[] }> {
  const endMs = performance.now() + request.budgetMs;
  const crossovers: ConfirmedCrossover[] = [];
  const added: MeasuredClass[] = [];
  for (const [i, change] of changes.entries()) {
    const shareMs = (endMs - performance.now()) / (changes.length - i);
    if (shareMs <= 0) {
      crossovers.push(untested(change, 'no time was left'));
      continue;
    }
    try {
      const classes = heldOutClasses(change, measured, request);
      if (classes.length === 0) {
        crossovers.push(untested(change, 'there is no other size near it to test on'));
        continue;
      }
      const outcome = await test(change, classes, { ...request, budgetMs: shareMs });
      crossovers.push(outcome.crossover);
      added.push(...outcome.measured);
    } catch (error) {
      if (!(error instanceof SubjectError)) throw error;
      crossovers.push(untested(change, error.message));
    }
  }
  return { crossovers, measured: added };
}

async function test(change: Crossover, classes: readonly SizeClass[], request: SearchRequest) {
  const { rejections, warnings } = request;
  const { rejections: fresh } = await checkAgreement(request.variants, classes, request.agreement);
  rejections.push(...fresh);
  for (const { message } of fresh) warnings.add(message);
  const pair = request.variants.filter(({ name }) => name === change.from || name === change.to);
  const measured = await raceOn(classes, request.budgetMs, { ...request, variants: pair });
  const heldOut = measured.flatMap(({ size, standings }) => {
    const [chosen, other] = size <= change.at ? [change.from, change.to] : [change.to, change.from];
    const costOf = (name: string) => standings.find(({ variant }) => variant === name);
    const [own, rival] = [costOf(chosen), costOf(other)];
    if (!own || !rival || !takesPart(rejections, chosen, size)) return [];
    const ratio = own.logRatio > 0 ? Math.exp(own.logRatio) : Math.exp(-rival.logRatio);
    return [{ size, ratio, tied: own.tied && rival.tied, lost: !own.tied }];
  });
  const isRefuted = heldOut.some(({ lost }) => lost);
  const crossover: ConfirmedCrossover = {
    ...change,
    status: heldOut.length === 0 ? 'not-tested' : isRefuted ? 'refuted' : 'confirmed',
    heldOut: heldOut.map(({ size, ratio, tied }) => ({ size, ratio, tied })),
  };
  return { crossover, measured };
}

/** A class on each side of the crossover, of sizes that were not measured. */
function heldOutClasses(
  { at, between }: Crossover,
  measured: readonly MeasuredClass[],
  { inputs, computation }: SearchRequest,
): SizeClass[] {
  if (typeof inputs !== 'function') return [];
  const known = new Set(measured.map(({ size }) => size));
  const wanted = [
    Math.max(Math.floor(at / DISTANCE), 0),
    // Up to the larger neighbour, which was measured itself: the next size beyond it is new as well.
    Math.max(Math.ceil(at * DISTANCE), at + 1, Math.min(between[1] + 1, at * 2)),
  ];
  const classes: SizeClass[] = [];
  for (const size of wanted) {
    const args = generate(inputs, size);
    const actual = sizeOfCall(computation.size, args);
    if (known.has(actual) || !Number.isFinite(actual)) continue;
    known.add(actual);
    classes.push({ size: actual, minSize: actual, maxSize: actual, inputs: [args] });
  }
  return classes;
}

function untested(change: Crossover, reason: string): ConfirmedCrossover {
  return { ...change, status: 'not-tested', heldOut: [], reason };
}
