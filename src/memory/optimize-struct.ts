/** Chooses layout and order of record types: candidates → a first look in process → proof in fresh processes. */
import { effectiveCacheBytes } from '../host/effective-cache.js';
import type { MemoryChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { ComparisonSubject } from '../validation/subject.js';
import type { Workload } from '../validation/workload.js';
import { patternFor, type AccessPattern } from './access-pattern.js';
import { layoutReport } from './layout-report.js';
import { loadSetup, typeWith, type LayoutTrial, type WorkloadTrial } from './layout-trial.js';
import { describeChoice, layoutCandidates, type MemoryRequest } from './memory-request.js';
import { screenApart } from './screen-apart.js';
import { screen, type Screened } from './screening.js';
import { writerGroups, type FieldAccesses } from './struct/access-recorder.js';
import type { StructDescriptor } from './struct/descriptor.js';
import type { StructType } from './struct/struct-type.js';
import { failureOf, trialSubject, type TrialBudget } from './trial-budget.js';

export interface StructOutcome {
  readonly present: MemoryChoice;
  readonly candidate: MemoryChoice | null;
  readonly validation: Comparison | null;
  /** The library's own access pattern over the layout that won or stayed; undefined where there is none. */
  readonly trial: LayoutTrial | undefined;
  readonly plan: Readonly<Record<string, unknown>>;
}

/** Records of a trial fill twice the last cache, so that most visits at random leave the caches behind; within limits. */
const BEYOND_LAST_CACHE = 2;
const [MIN_TRIAL_BYTES, MAX_TRIAL_BYTES] = [8 * 2 ** 20, 64 * 2 ** 20];
/** Small records are so many in the least trial that filling them would take longer than measuring. */
const MAX_RECORDS_PER_MEGABYTE = 25_000;
/** A function of this process sees every layout; beyond four shapes V8 gives up on its property accesses. */
const CLOSURE_CANDIDATES = 3;

/** What is measured for a choice: made anew in this process, or described for fresh ones. */
interface Measurable {
  /** A first look at the choices, the present one first. */
  readonly screen: (
    choices: readonly MemoryChoice[],
    budget: TrialBudget,
  ) => Promise<Screened<MemoryChoice>[]>;
  /** How many layouts can be told apart in one look. */
  readonly maxCandidates: number;
  readonly subject: (choice: MemoryChoice, label: string) => ComparisonSubject | Promise<ComparisonSubject>;
  readonly measuredWith: string;
}

/**
 * @param types one registered type, or the reference records, which are measured together
 * @param workload measures it where there is one
 */
export async function optimizeStruct(
  types: readonly StructType[],
  request: MemoryRequest,
  workload: Workload | undefined,
  budget: TrialBudget,
  others: number,
): Promise<StructOutcome> {
  const [first] = types as [StructType];
  const present = first.descriptor.choice;
  const descriptors = types.map((type) => type.descriptor);
  const isSingle = types.length === 1;
  const learnt = await learn(first, isSingle, request, workload, budget);
  const hot = learnt.hot ?? present.hot;
  const passes = request.studies.includes('loop_fusion') ? 'fused' : 'separate';
  const patterns = types.map((type) => patternFor(type, request.access, passes, isSingle ? (hot ?? []) : []));
  const trial = (choice: MemoryChoice) => trialOf(types, patterns, descriptors, choice);
  const measurable = workload
    ? workloadMeasurable(workload, descriptors[0] as StructDescriptor)
    : patterns.every((pattern) => pattern !== undefined)
      ? patternMeasurable(trial)
      : undefined;
  const candidates = distinct(
    types,
    present,
    layoutCandidates(request, present, isSingle ? hot : undefined, learnt.writers),
  ).slice(0, measurable?.maxCandidates);
  const basis = {
    present: describeChoice(present),
    candidates: candidates.map(describeChoice),
    // A workload brings its own records; ours are sized by the caches.
    ...(workload ? {} : { caches: effectiveCacheBytes(), trialBytes: trialSizeBytes() }),
    accessPattern: workload ? null : patterns.map((pattern) => pattern ?? null),
    ...(learnt.accesses === undefined ? {} : { accessesPerField: learnt.accesses }),
    ...(learnt.writers === undefined ? {} : { writers: learnt.writers }),
  };
  const done = (
    candidate: MemoryChoice | null,
    validation: Comparison | null,
    screening: readonly Screened<MemoryChoice>[] = [],
  ): StructOutcome => {
    const inForce = validation?.verdict === 'faster' && candidate !== null ? candidate : present;
    return {
      present,
      candidate,
      validation,
      trial: patterns.every((pattern) => pattern !== undefined) ? trial(inForce) : undefined,
      plan: {
        ...basis,
        measuredWith: measurable?.measuredWith ?? null,
        screening: screening.map(({ item, ratio }) => ({ choice: describeChoice(item), ratio })),
        candidate: candidate === null ? null : describeChoice(candidate),
        layouts: types.map((type) => layoutsOf(type, present, candidate ?? present)),
      },
    };
  };

  if (candidates.length === 0) {
    budget.warnings.push('What the settings ask for is in force already; there was nothing to compare.');
    return done(null, null);
  }
  if (measurable === undefined) {
    budget.warnings.push(
      `Struct "${first.name}" has no number fields to measure with. Register a workload for it.`,
    );
    return done(candidates[0] as MemoryChoice, null);
  }
  let screened: Screened<MemoryChoice>[];
  try {
    budget.progress('screen', `Looking at ${candidates.length + 1} layouts`, 0);
    screened = await measurable.screen([present, ...candidates], budget);
  } catch (error) {
    budget.warnings.push(`The first look failed: ${failureOf(error)}`);
    return done(candidates[0] as MemoryChoice, null);
  }
  const best = screened.find(({ item }) => item !== present)?.item as MemoryChoice;
  const validation = await budget.compare(
    await measurable.subject(present, `present (${describeChoice(present)})`),
    await measurable.subject(best, describeChoice(best)),
    budget.decidingMs(others),
    `Comparing ${describeChoice(best)} with the present layout of ${isSingle ? first.name : 'the reference records'}`,
  );
  return done(best, validation, screened);
}

/** Candidates whose arrays would really differ from the present ones and from each other. */
function distinct(
  types: readonly StructType[],
  present: MemoryChoice,
  candidates: readonly MemoryChoice[],
): MemoryChoice[] {
  const effect = (choice: MemoryChoice) => {
    if (choice.order !== 'aos') return choice.order; // columns do not care where a field stood in the record
    const layouts = types.map((type) => type.plan(choice));
    return JSON.stringify([
      choice.cacheLineBytes,
      layouts.map(({ fields, strideBytes }) => [strideBytes, fields]),
    ]);
  };
  const seen = new Set([effect(present)]);
  return candidates.filter((candidate) => {
    const key = effect(candidate);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function patternMeasurable(trial: (choice: MemoryChoice) => LayoutTrial): Measurable {
  return {
    screen: (choices, budget) =>
      screenApart(
        choices.map((item) => ({ item, trial: { name: 'layoutTrial', trial: trial(item) } })),
        budget.screeningMs,
        budget.signal,
      ),
    maxCandidates: Infinity,
    subject: (choice, label) => trialSubject('./layout-trial.js', 'layoutTrial', trial(choice), label),
    measuredWith: 'the library’s access pattern over the fields',
  };
}

function workloadMeasurable(workload: Workload, descriptor: StructDescriptor): Measurable {
  const { setup, source } = workload;
  if (source === undefined) {
    const runner = async (choice: MemoryChoice) => {
      const run = await setup?.(typeWith(descriptor, choice));
      if (typeof run === 'function') return run;
      throw new TypeError(`setup of workload "${workload.name}" returned no function`);
    };
    return {
      screen: async (choices, budget) => {
        const runners: { item: MemoryChoice; run: () => unknown }[] = [];
        for (const item of choices) runners.push({ item, run: await runner(item) });
        return screen(runners, budget.screeningMs, budget.signal);
      },
      maxCandidates: CLOSURE_CANDIDATES,
      subject: async (choice, label) => {
        const run = await runner(choice);
        return Object.defineProperty(() => run(), 'name', { value: label });
      },
      measuredWith: `workload "${workload.name}" in this process`,
    };
  }
  const module = String(source.module);
  const trialOfChoice = (choice: MemoryChoice): WorkloadTrial => ({
    descriptor,
    choice,
    module,
    export: source.export,
  });
  return {
    screen: (choices, budget) =>
      screenApart(
        choices.map((item) => ({ item, trial: { name: 'workloadTrial', trial: trialOfChoice(item) } })),
        budget.screeningMs,
        budget.signal,
      ),
    maxCandidates: Infinity,
    subject: (choice, label) =>
      trialSubject('./layout-trial.js', 'workloadTrial', trialOfChoice(choice), label),
    measuredWith: `workload "${workload.name}" in fresh processes`,
  };
}

function trialSizeBytes(): number {
  return Math.max(MIN_TRIAL_BYTES, Math.min(MAX_TRIAL_BYTES, BEYOND_LAST_CACHE * effectiveCacheBytes().last));
}

function trialOf(
  types: readonly StructType[],
  patterns: readonly (AccessPattern | undefined)[],
  descriptors: readonly StructDescriptor[],
  choice: MemoryChoice,
): LayoutTrial {
  const trialBytes = trialSizeBytes();
  const maxRecords = (trialBytes / 2 ** 20) * MAX_RECORDS_PER_MEGABYTE;
  return {
    types: types.map((type, k) => ({
      descriptor: descriptors[k] as StructDescriptor,
      choice,
      records: Math.max(1_000, Math.min(maxRecords, Math.floor(trialBytes / types.length / type.sizeBytes))),
      pattern: patterns[k] as AccessPattern,
    })),
  };
}

interface Learnt {
  readonly hot?: readonly string[];
  /** Where several threads write, who writes what. */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  readonly accesses?: Readonly<Record<string, FieldAccesses>>;
}

/** What a run of the workload does to the fields, where the settings ask for clustering. */
async function learn(
  type: StructType,
  isSingle: boolean,
  { clusterHot }: MemoryRequest,
  workload: Workload | undefined,
  budget: TrialBudget,
): Promise<Learnt> {
  const { choice, writers: declared } = type.descriptor;
  if (!clusterHot || !isSingle || choice.hot !== undefined) return {};
  if (workload === undefined) {
    budget.warnings.push(
      `dataClustering does nothing for struct "${type.name}": no field is declared hot and no workload shows which are. ` +
        'Register a workload, or pass hot to struct().',
    );
    return {};
  }
  budget.progress('record', `Counting accesses of workload "${workload.name}"`);
  const recording = type.recording();
  try {
    const setup = workload.source
      ? await loadSetup(String(workload.source.module), workload.source.export)
      : workload.setup;
    const run = await setup?.(recording);
    // What setup itself touched (filling arrays) says nothing about the work.
    recording.accesses({ reset: true });
    await run?.();
  } catch (error) {
    budget.warnings.push(`Accesses of workload "${workload.name}" were not counted: ${failureOf(error)}`);
    return {};
  }
  const accesses = recording.accesses() as Readonly<Record<string, FieldAccesses>>;
  const frequencies = Object.fromEntries(
    Object.entries(accesses).map(([name, { reads, writes }]) => [name, reads + writes]),
  );
  const { hot } = type.plan(choice, { frequencies });
  if (hot.length === 0) {
    budget.warnings.push(
      `Workload "${workload.name}" used no cursor, so dataClustering learnt nothing from it.`,
    );
    return {};
  }
  // What the type declares is known; what one run shows is not more.
  const writers = Object.keys(declared).length === 0 ? writerGroups(accesses) : undefined;
  return { hot, accesses, ...(writers === undefined ? {} : { writers }) };
}

function layoutsOf(type: StructType, present: MemoryChoice, candidate: MemoryChoice) {
  const side = (choice: MemoryChoice) => {
    const plan = type.plan(choice);
    return {
      sizeBytes: plan.sizeBytes,
      paddingBytes: plan.paddingBytes,
      moves: plan.moves,
      hotLines: plan.hotLines,
      report: layoutReport(plan, type.name),
    };
  };
  return { name: type.name, present: side(present), candidate: side(candidate) };
}
