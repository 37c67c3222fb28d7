/**
 * Finds how many threads, which schedule and which grain are fastest for a job on this machine: measure what threads
 * cost here → draw up candidates from the settings → let them take turns → prove the best against what is in force.
 * Everything is measured on copies of the job's data; the service's own stays untouched.
 */
import { isDeepStrictEqual } from 'node:util';
import { fail, SubjectError, TaskError } from '../errors.js';
import { cpuLimits, type CpuLimits } from '../host/limits.js';
import { adviseOnPools, ownRuntimePools } from '../host/runtime-pools.js';
import { loadNative } from '../native/load.js';
import type { ThreadChoice } from '../model/choice.js';
import type { Comparison } from '../model/comparison.js';
import type { OptimizationContext, OptimizationDraft } from '../model/context.js';
import type { OptimizationStatus } from '../model/types.js';
import type { ComparisonSubject } from '../validation/subject.js';
import { loadMakers } from './attached-objects.js';
import { Job, poolFor, SERIAL } from './job.js';
import { weightsOf } from './loop-options.js';
import { measureDispatch, measurePayoff, type DispatchCost, type Payoff } from './payoff.js';
import { allowedCpus, physicalCores, type LogicalCpu } from './placement.js';
import { referenceJob } from './reference-job.js';
import { fitScalability, worthwhileCounts, type ScalabilityFit } from './scalability-fit.js';
import { pilotChoices, speedsByThreads } from './scaling-pilot.js';
import { screen, median, type Contender, type Standing } from './screening.js';
import { spinLimitMs } from './transport/spin.js';
import {
  packedBytes,
  packShared,
  sameBytes,
  unpackShared,
  type PackedData,
  type PackedJob,
} from './shared-copy.js';
import {
  candidates,
  describeChoice,
  sameChoice,
  threadCounts,
  threadSearch,
  type ThreadOptimizationSettings,
  type ThreadSearch,
} from './thread-candidates.js';

/** Rows of the reference job: 5 to 10 ms of work. */
const REFERENCE_ROWS = 400;
/** Shares of the budget; the rest proves the result. */
const SERIAL_SHARE = 0.1;
const SCREENING_SHARE = 0.3;
/** Of the screening, where enough thread counts are there to fit the scalability law to. */
const PILOT_SHARE = 0.25;
const MAX_SERIAL_RUNS = 7;
/** A chunk should take at least this long, or handing it out costs more than it balances. */
const PAYING_CHUNK_NS = 3_000;
/** More data than this is not sent to fresh processes: both sides would copy it in each of them. */
const MAX_PROCESS_BYTES = 256 * 2 ** 20;

/** The figures behind a plan; `null` where there was nothing to measure. */
interface Findings {
  readonly serialMs: number | null;
  readonly dispatch: readonly DispatchCost[];
  readonly standings: readonly Standing[];
  readonly scalability: ScalabilityFit;
  /** Only for the reference job: from how much work on this machine threads pay. */
  readonly payoff?: Payoff;
  /** Choices whose results differ from the serial ones, with what they gave. */
  readonly rejected: readonly { readonly choice: ThreadChoice; readonly reason: string }[];
}

/** What is known of the machine. */
export interface ThreadHost {
  readonly limits: CpuLimits;
  /** CPUs that the process may run on, with their places; empty where unknown. */
  readonly cpus: readonly LogicalCpu[];
}

/**
 * Optimises one job, or where none is registered the library's reference job, and puts the winner in force if it is
 * proved faster. A reference result is stored as such: it tells from how much work on this machine threads pay.
 *
 * @throws INVALID_ARGUMENT for settings outside their vocabulary; TASK_UNLOADABLE or TASK_THREW where the job does
 *   not even run serially; ABORTED.
 */
export async function optimizeThreads(
  job: Job | undefined,
  settings: ThreadOptimizationSettings,
  context: OptimizationContext,
  host: ThreadHost = { limits: cpuLimits(), cpus: allowedCpus() },
): Promise<OptimizationDraft> {
  const search = threadSearch(settings);
  const subject = job ?? referenceJob(REFERENCE_ROWS);
  return new Session(subject, job === undefined, search, context, host).run();
}

class Session {
  readonly #job: Job;
  readonly #isReference: boolean;
  readonly #search: ThreadSearch;
  readonly #context: OptimizationContext;
  readonly #began = performance.now();
  readonly #warnings: string[] = [];
  readonly #data: PackedData;
  readonly #limits: CpuLimits;
  readonly #cpus: readonly LogicalCpu[];
  /** Why a choice gives something else than a serial run; undefined where it gives the same. */
  readonly #agreement = new Map<string, string | undefined>();
  /** Threads that may run at once. */
  readonly #threads: number;

  constructor(
    job: Job,
    isReference: boolean,
    search: ThreadSearch,
    context: OptimizationContext,
    { limits, cpus }: ThreadHost,
  ) {
    this.#limits = limits;
    this.#cpus = cpus;
    this.#job = job;
    this.#isReference = isReference;
    this.#search = search;
    this.#context = context;
    this.#data = packShared(job.options.shared);
    this.#threads = Math.min(
      Math.max(1, Math.floor(this.#limits.effectiveCpus)),
      search.maxThreads ?? Infinity,
    );
  }

  async run(): Promise<OptimizationDraft> {
    await loadMakers(this.#data.attached);
    this.#throwIfAborted();
    const present = this.#job.choice;
    const { iterations, options } = this.#shape();
    if (iterations === 0) return this.#draft(present, null, noFindings, null, 'the range is empty');
    const serialMs = await this.#measureSerial();
    this.#throwIfAborted();
    const dispatch = await this.#measureDispatch();
    const most = Math.min(this.#threads, iterations);
    const counts = threadCounts(most, physicalCores(this.#cpus));
    const scope = {
      iterations,
      payingGrain: Math.max(1, Math.ceil((PAYING_CHUNK_NS * iterations) / (serialMs * 1e6))),
      reduces: options.combine !== undefined,
      canPin: this.#canPin(),
    };
    const pilot = pilotChoices(this.#search, { ...scope, counts, most });
    const law = fitScalability(await this.#measureScaling(present, pilot));
    const asked = candidates(this.#search, { ...scope, counts: worthwhileCounts(counts, law, most) });
    const rivals = [SERIAL, ...asked].filter((choice) => !sameChoice(choice, present));
    const { agreeing, rejected } = await this.#agreeing(rivals);
    this.#warnOfRejected(rejected, rivals.length);
    const share = pilot.length > 0 ? SCREENING_SHARE * (1 - PILOT_SHARE) : SCREENING_SHARE;
    const standings = agreeing.length > 0 ? await this.#screen(present, agreeing, share) : [];
    const best = standings[0];
    const findings: Findings = {
      serialMs,
      dispatch,
      standings,
      scalability: law.available ? law : fitScalability(speedsByThreads(standings, present)),
      rejected,
      ...(this.#isReference && best && { payoff: await this.#measurePayoff(best.choice) }),
    };
    if (best === undefined) return this.#draft(present, null, findings, null, this.#whyNoRival());
    const validation = await this.#validate(present, best.choice);
    return this.#draft(present, best.choice, findings, validation, undefined);
  }

  #shape() {
    const { options } = this.#job;
    return { options, iterations: options.range[1] - options.range[0] };
  }

  /** Median time of the whole range on one thread, in ms. */
  async #measureSerial(): Promise<number> {
    this.#progress('measure', 0, 'Measuring the job on one thread');
    const trial = this.#trial(SERIAL);
    await trial.run();
    const times: number[] = [];
    const until = performance.now() + this.#context.budgetMs * SERIAL_SHARE;
    do {
      this.#throwIfAborted();
      const began = performance.now();
      await trial.run();
      times.push(performance.now() - began);
    } while (times.length < MAX_SERIAL_RUNS && performance.now() < until);
    return median(times);
  }

  async #measureDispatch(): Promise<DispatchCost[]> {
    if (this.#threads < 2) return [];
    this.#progress('measure', 0.05, 'Measuring what handing work to threads costs');
    const counts = [...new Set([2, this.#threads])];
    return measureDispatch(poolFor('none'), counts, () => this.#throwIfAborted());
  }

  async #measurePayoff(choice: ThreadChoice): Promise<Payoff> {
    this.#progress('measure', 0.4, 'Measuring from how much work threads pay on this machine');
    return measurePayoff(choice, () => this.#throwIfAborted());
  }

  #canPin(): boolean {
    const { threadAffinity } = this.#search;
    if (threadAffinity === 'none') return false;
    if (this.#cpus.length > 1) return true;
    this.#warnings.push(`threadAffinity "${threadAffinity}" was left out: threads cannot be pinned here.`);
    return false;
  }

  /** Leaves out choices under which the job gives something else, as it does where iterations depend on each other. */
  async #agreeing(choices: readonly ThreadChoice[]) {
    const expected = choices.length > 0 ? await this.#outcome(SERIAL) : undefined;
    const agreeing: ThreadChoice[] = [];
    const rejected: { choice: ThreadChoice; reason: string }[] = [];
    for (const choice of choices) {
      this.#throwIfAborted();
      const key = describeChoice(choice);
      if (!this.#agreement.has(key)) {
        const outcome = await this.#outcome(choice).catch((error: unknown) => {
          if (error instanceof TaskError) return error;
          throw error;
        });
        this.#agreement.set(
          key,
          outcome instanceof TaskError ? outcome.message : differenceOf(outcome, expected!),
        );
      }
      const reason = this.#agreement.get(key);
      if (reason === undefined) agreeing.push(choice);
      else rejected.push({ choice, reason });
    }
    return { agreeing, rejected };
  }

  #warnOfRejected(rejected: readonly { readonly reason: string }[], of: number): void {
    if (rejected.length === 0) return;
    this.#warnings.push(
      `${rejected.length} of ${of} ways to split the job were left out: ${rejected[0]!.reason}. ` +
        'Iterations must not depend on each other or on how the range is cut.',
    );
  }

  /** How fast the job is at several thread counts; nothing where there are too few for the law. */
  async #measureScaling(present: ThreadChoice, pilot: readonly ThreadChoice[]) {
    const rivals = [SERIAL, ...pilot].filter((choice) => !sameChoice(choice, present));
    if (pilot.length === 0 || rivals.length === 0) return [];
    const { agreeing } = await this.#agreeing(rivals);
    if (agreeing.length === 0) return [];
    return speedsByThreads(await this.#screen(present, agreeing, SCREENING_SHARE * PILOT_SHARE), present);
  }

  async #outcome(choice: ThreadChoice): Promise<Outcome> {
    const trial = this.#trial(choice);
    const result: unknown = await trial.run(this.#context.signal && { signal: this.#context.signal });
    return { result, data: packShared(trial.options.shared) };
  }

  /** @param share of the budget. */
  async #screen(present: ThreadChoice, rivals: readonly ThreadChoice[], share: number): Promise<Standing[]> {
    // One copy for all: the job is repeatable, and its data may be large.
    const shared: unknown = unpackShared(this.#data);
    const contender = (choice: ThreadChoice): Contender => {
      const trial = this.#trial(choice, shared);
      return { choice, run: () => trial.run() };
    };
    return screen({
      present: contender(present),
      rivals: rivals.map(contender),
      budgetMs: this.#context.budgetMs * share,
      throwIfAborted: () => this.#throwIfAborted(),
      onRound: (fraction) =>
        this.#progress('screen', 0.1 + fraction * 0.3, `Trying ${rivals.length} ways to split the job`),
    });
  }

  async #validate(present: ThreadChoice, candidate: ThreadChoice): Promise<Comparison | null> {
    const what = `${describeChoice(candidate)} against ${describeChoice(present)}`;
    this.#progress('validate', 0.4, `Validating ${what}`);
    const { compare } = await import('../validation/compare.js');
    const { signal, budgetMs } = this.#context;
    try {
      return await compare(this.#subject(present), this.#subject(candidate), {
        budgetMs: Math.max(1_000, budgetMs - (performance.now() - this.#began)),
        // Both sides ran in this process and gave the same bytes; a job without combine returns nothing to compare.
        checkResults: false,
        ...(signal && { signal }),
        onProgress: ({ fraction = 0, message }) => this.#progress('validate', 0.4 + fraction * 0.6, message),
      });
    } catch (error) {
      if (!(error instanceof SubjectError)) throw error;
      this.#warnings.push(error.message);
      return null;
    }
  }

  /** A module that fresh processes load, or where the data are too large for that a function. */
  #subject(choice: ThreadChoice): ComparisonSubject {
    const label = describeChoice(choice);
    if (packedBytes(this.#data) > MAX_PROCESS_BYTES) {
      this.#warn('The shared data are too large for fresh processes: compared within this one.');
      const trial = this.#trial(choice);
      return Object.defineProperty(() => trial.run(), 'name', { value: label });
    }
    const { task, range, costHint, combine } = this.#job.options;
    const packed: PackedJob = {
      module: task.module,
      export: task.export,
      range,
      shared: this.#data,
      reduces: combine !== undefined,
      costHint: weightsOf(costHint, ...range),
      choice,
    };
    return {
      module: new URL('./job-trial.js', import.meta.url),
      export: 'prepareTrial',
      factory: true,
      args: [packed],
      label,
    };
  }

  #trial(choice: ThreadChoice, shared: unknown = unpackShared(this.#data)): Job {
    const trial = new Job({ ...this.#job.options, shared });
    trial.applyChoice(choice);
    return trial;
  }

  #draft(
    present: ThreadChoice,
    candidate: ThreadChoice | null,
    findings: Findings,
    validation: Comparison | null,
    reason: string | undefined,
  ): OptimizationDraft {
    if (reason !== undefined) this.#warnings.push(`Nothing was compared: ${reason}.`);
    const status = reason === undefined ? statusOf(validation) : 'no_improvement';
    const choice = status === 'applied' ? candidate : null;
    if (choice !== null) this.#job.applyChoice(choice);
    const { granularityControl, loadBalancing, threadAffinity, maxThreads } = this.#search;
    return {
      type: 'thread',
      subject: { kind: this.#isReference ? 'reference' : 'job', name: this.#job.name },
      settings: {
        workloadDistribution: { taskPartitioning: { granularityControl, loadBalancing, threadAffinity } },
        ...(maxThreads !== undefined && { maxThreads }),
      },
      plan: {
        cpus: this.#limits,
        threads: this.#threads,
        iterations: this.#shape().iterations,
        serialMs: findings.serialMs,
        dispatch: findings.dispatch,
        scalability: findings.scalability,
        pools: this.#pools(),
        spin: this.#spin(),
        ...(findings.payoff && { payoff: findings.payoff }),
        present,
        candidate,
        screened: findings.standings.map((standing) => ({
          ...standing,
          description: describeChoice(standing.choice),
        })),
        rejected: findings.rejected,
      },
      status,
      validation,
      comparisons: [],
      choice,
      warnings: this.#warnings,
    };
  }

  #whyNoRival(): string {
    const { effectiveCpus, quotaCpus } = this.#limits;
    if (this.#threads > 1) return 'no other way to run the job was left';
    if (this.#search.maxThreads === 1) return 'maxThreads is 1 and the job runs serially already';
    return quotaCpus === undefined
      ? 'this process has one CPU, so the job stays serial'
      : `the container's quota is ${quotaCpus} CPUs (${effectiveCpus} usable), so the job stays serial`;
  }

  /** Other threads of the process, and what to ask for where they fight with the job's for the CPUs. */
  #pools() {
    const { effectiveCpus } = this.#limits;
    const runtime = ownRuntimePools(effectiveCpus);
    const advice = adviseOnPools(runtime, effectiveCpus);
    const { runtimeFlags, environment, reasons } = advice;
    const asked = [
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      ...runtimeFlags,
    ].join(' ');
    if (asked !== '')
      this.#warn(`${reasons.join(' ')} Compare it with ${asked}: that was not measured here.`);
    const living = loadNative().computeThreads();
    return { ...runtime, computeThreads: Number.isFinite(living) ? living : null, advice };
  }

  /**
   * How threads wait for work here, as measured while the job was tried. It is no choice among candidates: each thread keeps
   * to it, stops while it spins in vain and begins again when that pays.
   */
  #spin() {
    const { wakeUs } = this.#threads > 1 ? poolFor('none').stats() : {};
    const threads = Math.min(this.#threads, Math.floor(this.#limits.effectiveCpus) - 1);
    if (wakeUs === undefined) return { threads: Math.max(0, threads), wakeUs: null, spinUs: null };
    return { threads, wakeUs, spinUs: 1e3 * spinLimitMs(wakeUs / 1e3) };
  }

  #progress(stage: string, fraction: number, message: string): void {
    this.#context.progress({ stage, fraction, message });
  }

  #warn(message: string): void {
    if (!this.#warnings.includes(message)) this.#warnings.push(message);
  }

  #throwIfAborted(): void {
    const { signal } = this.#context;
    if (signal?.aborted === true) {
      throw fail('ABORTED', { what: 'The optimisation' }, { cause: signal.reason });
    }
  }
}

/** What a run gave: its result, and the bytes it left. */
interface Outcome {
  readonly result: unknown;
  readonly data: PackedData;
}

function differenceOf(outcome: Outcome, expected: Outcome): string | undefined {
  if (!isDeepStrictEqual(outcome.result, expected.result))
    return 'the result differs from that of a serial run';
  if (!sameBytes(outcome.data, expected.data)) return 'the shared data differ from those of a serial run';
  return undefined;
}

const noFindings: Findings = {
  serialMs: null,
  dispatch: [],
  standings: [],
  scalability: fitScalability([]),
  rejected: [],
};

function statusOf(validation: Comparison | null): OptimizationStatus {
  if (validation === null) return 'failed';
  if (validation.verdict === 'faster') return 'applied';
  return validation.verdict === 'inconclusive' ? 'inconclusive' : 'no_improvement';
}
