/** The search: races on every size, a variant per size, and measurements where the choice changes. */
import { setImmediate } from 'node:timers/promises';
import { fail, SubjectError } from '../errors.js';
import type { ComputationChoice } from '../model/choice.js';
import type { OptimizationContext } from '../model/context.js';
import type { ComputationSettings } from '../settings/computation.js';
import { SideThrew } from '../validation/batch.js';
import { checkAgreement, isWrong, takesPart, type AgreementOptions, type Rejection } from './agreement.js';
import { faultOf, reasonOf, Unsettled } from './checked-call.js';
import type { Computation, Inputs } from './computation.js';
import { contender, type CostMeasure } from './cost.js';
import { generate, sizeOfCall, type SizeClass } from './inputs.js';
import { withinMemory } from './participants.js';
import { Race } from './race.js';
import { racer } from './racer.js';
import type { Random } from './random.js';
import { search } from './search.js';
import { choiceOf, crossovers, pickVariants, type Crossover, type MeasuredSize } from './selection.js';
import type { Variant } from './variants.js';

/** Share of the search for the caller's sizes; the rest is for sizes around the crossovers. */
const FIRST_SHARE = 0.8;
/** Neighbouring sizes further apart than this are worth a measurement between them. */
const REFINE_RATIO = 1.5;
const MAX_REFINEMENTS = 4;
/** For a batch of asynchronous calls, as short as it is meant to be: a busy host holds one up for seconds. */
const MIN_BATCH_LIMIT_MS = 5_000;

export interface MeasuredClass extends MeasuredSize {
  readonly sizeClass: SizeClass;
  readonly rounds: number;
  /** Undefined where nothing was raced. */
  readonly race: Race | undefined;
}

/** What the search found. A variant per measured size, in ascending order. */
export interface FoundChoice {
  readonly measured: readonly MeasuredClass[];
  readonly picked: readonly string[];
  readonly changes: readonly Crossover[];
  readonly candidate: ComputationChoice;
}

export interface SearchRequest {
  readonly computation: Computation;
  readonly variants: readonly Variant[];
  readonly classes: readonly SizeClass[];
  readonly inputs: Inputs | undefined;
  readonly present: ComputationChoice;
  readonly settings: ComputationSettings;
  readonly asynchronous: boolean;
  readonly measure: CostMeasure;
  /** Heap growth per batch that measuring causes itself. */
  readonly overheadBytes: number;
  readonly random: Random;
  readonly budgetMs: number;
  readonly context: OptimizationContext;
  readonly agreement: AgreementOptions;
  /** Added to, where a size between the caller's shows a variant to be wrong. */
  readonly rejections: Rejection[];
  /** Variants whose promises a race waited for in vain: waiting at each further size would multiply that. Added to. */
  readonly unsettled: Map<string, Unsettled>;
  readonly warnings: Set<string>;
}

/** What all parts of a search need, whatever they measure and for how long. */
export type SearchContext = Omit<SearchRequest, 'variants' | 'classes' | 'budgetMs'>;

/** Finds a choice by measuring. What it finds is a candidate: nothing is proved by a race. */
export async function findChoice(request: SearchRequest): Promise<FoundChoice> {
  const { variants, classes, rejections, settings } = request;
  const contested = variants.some(
    ({ name }, i) => i > 0 && classes.length > 0 && takesPart(rejections, name, classes[0]!.size),
  );
  if (!contested) return { measured: [], picked: [], changes: [], candidate: request.present };
  return settings.algorithmOptimization.selection === 'fixed' ? fixedChoice(request) : racedChoice(request);
}

/** No race: the caller has chosen the last variant, and wants to know whether that was right. */
function fixedChoice({ variants, classes, rejections }: SearchRequest): FoundChoice {
  const last = variants.findLast(({ name }) => takesPart(rejections, name, Infinity))!.name;
  const measured = classes.map((sizeClass) => ({
    ...sizeClass,
    standings: [],
    sizeClass,
    rounds: 0,
    race: undefined,
  }));
  const picked = measured.map(() => last);
  return { measured, picked, changes: [], candidate: choiceOf(picked, []) };
}

async function racedChoice(request: SearchRequest): Promise<FoundChoice> {
  const { classes, inputs, budgetMs, rejections, computation } = request;
  const startMs = performance.now();
  let measured = withoutRejected(await raceOn(classes, budgetMs * FIRST_SHARE, request), rejections);
  let found = pick(measured, request);
  if (typeof inputs !== 'function') return found;

  for (let i = 0; i < MAX_REFINEMENTS && performance.now() - startMs < budgetMs; i += 1) {
    try {
      const between = sizeBetween(found.changes, inputs, computation.size, measured);
      if (!between) break;
      const { rejections: fresh } = await checkAgreement(request.variants, [between], request.agreement);
      rejections.push(...fresh);
      for (const { message } of fresh) request.warnings.add(message);
      const shareMs = (budgetMs * (1 - FIRST_SHARE)) / MAX_REFINEMENTS;
      const added = await raceOn([between], shareMs, request);
      measured = withoutRejected([...measured, ...added], rejections);
      found = pick(measured, request);
    } catch (error) {
      // The sizes that the caller asked for are measured; one in between that fails spoils none of them.
      if (!(error instanceof SubjectError)) throw error;
      request.warnings.add(`The crossover was not measured more closely: ${error.message}`);
      break;
    }
  }
  return found;
}

/** In ascending order, without those who turned out to be wrong. */
export function withoutRejected(
  measured: readonly MeasuredClass[],
  rejections: readonly Rejection[],
): MeasuredClass[] {
  return [...measured]
    .sort((a, b) => a.size - b.size)
    .map((at) => ({
      ...at,
      standings: at.standings.filter(({ variant }) => takesPart(rejections, variant, at.size)),
    }));
}

/** The choice that follows from what was measured. */
export function pick(
  measured: readonly MeasuredClass[],
  { variants, present, settings }: Pick<SearchRequest, 'variants' | 'present' | 'settings'>,
): FoundChoice {
  const names = variants.map(({ name }) => name);
  const picked = pickVariants(measured, names, present, settings.algorithmOptimization.crossover);
  const changes = crossovers(measured, picked);
  return { measured, picked, changes, candidate: choiceOf(picked, changes) };
}

/** A race of some variants on one class. */
export function raceOf(
  variants: readonly Variant[],
  { inputs }: SizeClass,
  {
    asynchronous,
    measure,
    overheadBytes,
    random,
    agreement,
    unsettled,
  }: Pick<SearchRequest, 'asynchronous' | 'measure' | 'overheadBytes' | 'random' | 'agreement' | 'unsettled'>,
): Race {
  const racers = variants.map((variant) => {
    const one = racer(contender(variant, inputs, asynchronous), measure, overheadBytes);
    const warmUp = async () => {
      const known = unsettled.get(variant.name);
      if (known) throw known;
      await one.warmUp();
    };
    return { ...one, warmUp };
  });
  const onFailure = (variant: string, cause: unknown) => {
    if (cause instanceof Unsettled) unsettled.set(variant, cause);
  };
  const breathe = async () => {
    await setImmediate();
    agreement.throwIfAborted();
  };
  // Nobody settles a promise that takes ten times as long as any call may.
  const maxBatchMs = Math.max(MIN_BATCH_LIMIT_MS, 10 * agreement.maxCallMs * inputs.length);
  return new Race(racers, { random, now: () => performance.now(), breathe, maxBatchMs, onFailure });
}

/** Races all variants that may take part on each class. */
export async function raceOn(
  classes: readonly SizeClass[],
  budgetMs: number,
  request: SearchRequest,
): Promise<MeasuredClass[]> {
  const { variants, rejections, settings, asynchronous, warnings, context, overheadBytes, random } = request;
  const { maxMemoryBytes } = settings.resourceUtilization;
  const races: Race[] = [];
  for (const sizeClass of classes) {
    const eligible = variants.filter(({ name }) => takesPart(rejections, name, sizeClass.size));
    const within = await withinMemory(eligible, sizeClass, asynchronous, overheadBytes, maxMemoryBytes);
    for (const warning of within.warnings) warnings.add(warning);
    races.push(raceOf(within.variants, sizeClass, request));
  }
  await search(races, {
    strategy: settings.performanceTuning.search,
    budgetMs,
    random,
    now: () => performance.now(),
    progress: (fraction, i) => {
      context.progress({ stage: 'race', fraction, message: `Racing at size ${classes[i]!.size}` });
    },
  });
  for (const [i, race] of races.entries()) {
    for (const failure of race.failures) rejectThrower(failure, classes[i]!.size, request);
  }
  return classes.map((sizeClass, i) => {
    const { size, minSize, maxSize } = sizeClass;
    const race = races[i]!;
    return { size, minSize, maxSize, standings: race.standings(), sizeClass, rounds: race.rounds, race };
  });
}

/** A variant that did not throw when it was checked, and did when it was called thousands of times. */
function rejectThrower(
  { variant, cause }: Race['failures'][number],
  size: number,
  { computation, rejections, warnings, variants }: SearchRequest,
): void {
  const thrown = cause instanceof SideThrew ? cause.cause : cause;
  const reason = thrown instanceof Unsettled ? thrown.message : reasonOf(thrown);
  if (variant === computation.variantNames[0] || variants.length === 1) {
    throw fail(
      'SUBJECT_THREW',
      { subject: `variant "${variant}" (size ${size})`, reason },
      { cause: thrown },
    );
  }
  if (isWrong(rejections, variant)) return;
  const message = `"${variant}" is out: at size ${size} it ${faultOf(thrown)} in the race, after calls that did not fail.`;
  rejections.push({ variant, reason: 'threw', size, smallest: null, message });
  warnings.add(message);
}

/** A class between the two sizes around a crossover, at the estimate; undefined where all are narrow enough. */
function sizeBetween(
  changes: readonly Crossover[],
  inputs: (size: number) => unknown,
  sizeOf: (...args: unknown[]) => number,
  measured: readonly MeasuredSize[],
): SizeClass | undefined {
  for (const { at, between } of changes) {
    if (between[1] <= between[0] * REFINE_RATIO + 1) continue;
    const args = generate(inputs, at);
    const size = sizeOfCall(sizeOf, args);
    // A generator need not give exactly the size it is asked for.
    const isNew = size > between[0] && size < between[1] && !measured.some((known) => known.size === size);
    if (isNew) return { size, minSize: size, maxSize: size, inputs: [args] };
  }
  return undefined;
}
