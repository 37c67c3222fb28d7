/**
 * The facade: one object that profiles, optimises, validates, stores and applies. It holds no algorithm; each
 * room does its own work and is loaded when it is first needed, so that importing the package stays cheap.
 */
import { EventEmitter } from 'node:events';
import type { Rule } from './analysis/rule.js';
import type { ComputationRequest, OptimizedComputation } from './computation/optimize-computation.js';
import type { Computation } from './computation/computation.js';
import type { OnlineLearning } from './computation/online-learning.js';
import { ChoicesInForce } from './choices-in-force.js';
import { diagnosedResult, loadDiagnosis, type ResultContext } from './diagnosed-result.js';
import { describe, fail, StorageError } from './errors.js';
import { Extensions } from './extensions.js';
import type { OptimizerEvents } from './events.js';
import { useHostProbe } from './host/effective-cache.js';
import { hostFingerprint } from './host/environment.js';
import type { ProbeOptions } from './host/probe.js';
import { Job, job, type JobOptions } from './threads/job.js';
import { LearningInForce, type KeepLearningOptions } from './learning-in-force.js';
import { allocatorMetrics } from './memory/allocator-metrics.js';
import { SizeClassPool } from './memory/size-class-pool.js';
import { SlabPool, type SlabPoolOptions } from './memory/slab-pool.js';
import type { Fields } from './memory/struct/field-types.js';
import { struct, type StructOptions, type StructType } from './memory/struct/struct-type.js';
import type { Trigger } from './model/trigger.js';
import type { MemoryChoice } from './model/choice.js';
import type { Comparison, StoredComparison } from './model/comparison.js';
import type { HostProbe } from './model/host-probe.js';
import type { OptimizationContext } from './model/context.js';
import type { OptimizationProfile } from './model/optimization-profile.js';
import type { ProfileTarget, ProfilingResult } from './model/profiling-result.js';
import type { Recommendation } from './model/recommendation.js';
import type { Signals } from './model/signals.js';
import type { Subject } from './model/subject.js';
import { OptimizationType, SCHEMA_VERSION } from './model/types.js';
import { optimizeEach, type Outcome } from './optimize-each.js';
import type { Monitor, MonitorOptions } from './profiling/monitor.js';
import type { Sampler } from './profiling/sampler.js';
import type { ExperimentSubject } from './cause-experiment.js';
import { carryOut } from './recommended-action.js';
import type { CarriedOutExperiment } from './recommended-experiment.js';
import { splitCall, type CallOptions } from './settings/call.js';
import type { ComputationSettingsInput } from './settings/computation.js';
import type { MemorySettingsInput } from './settings/memory.js';
import {
  parseOptimizerOptions,
  type OptimizerOptions,
  type OptimizerOptionsInput,
} from './settings/optimizer.js';
import {
  parseComputationSettings,
  parseMemorySettings,
  parseProfileOptions,
  parseThreadSettings,
} from './settings/parse.js';
import type { ProfileOptionsInput } from './settings/profile.js';
import type { ThreadSettingsInput } from './settings/threads.js';
import type { CompareOptions } from './validation/options.js';
import { newId } from './storage/ids.js';
import type { OptimizationStats, StatsFilter } from './storage/stats.js';
import { openStore, type Store } from './storage/store.js';
import { rawProfileOf, storeResult } from './stored-result.js';
import { SubjectRegistry } from './subject-registry.js';

/** Settings trees are accepted in snake_case too; these keys are checked when they are parsed. */
type SnakeCase = Readonly<Record<`${string}_${string}`, unknown>>;

/** Share of an optimisation's budget that measuring the host may take, once per host and store. */
const PROBE_SHARE = 1 / 20;
/** With less than this, the latency curve ends before main memory; with more it gets no better. */
const [MIN_PROBE_MS, MAX_PROBE_MS] = [500, 1000];

/**
 * Makes a Node service faster and proves it.
 *
 * Subjects are registered by the service; what earlier runs on this host measured to be better for them is put in
 * force at once, from the store's `config.json`.
 *
 * Constructing reads that one file and starts nothing. An unreadable configuration does not stop a service: it is
 * reported as a process warning, and nothing stored is put in force.
 *
 * @example
 * const optimizer = new SystemOptimizer({ storagePath: 'data/optimization' });
 * const result = await optimizer.profileSystem({ type: 'cpu', durationMs: 5_000 });
 * console.log(result.analysis.summary);
 * await optimizer.close();
 */
export class SystemOptimizer extends EventEmitter<OptimizerEvents> implements AsyncDisposable {
  readonly #options: OptimizerOptions;
  readonly #store: Store;
  readonly #subjects = new SubjectRegistry();
  readonly #extensions = new Extensions();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #choices: ChoicesInForce;
  readonly #learning: LearningInForce;
  /** Signals of runs whose results are made: stored, or being stored. */
  readonly #diagnosed = new WeakSet<Signals>();

  /** @throws SettingsError for an unknown option or a value outside its range. */
  constructor(options?: OptimizerOptionsInput | SnakeCase) {
    super();
    this.#options = parseOptimizerOptions(options);
    this.#store = openStore(this.#options.storagePath, { retention: this.#options.retention });
    this.#choices = new ChoicesInForce(this.#store, this.#subjects);
    this.#learning = new LearningInForce(this.#store, this.#choices, (message) =>
      this.emit('warning', message),
    );
    useHostProbe(() => this.#storedProbe());
  }

  /** The store behind this optimizer: what is listed, got and kept. */
  get store(): Store {
    return this.#store;
  }

  /** What new structs and pools of this optimizer use, where it was measured; undefined before. */
  get memoryDefaults(): MemoryChoice | undefined {
    return this.#choices.memoryDefaults;
  }

  /**
   * Registers what the service wants optimised or measured with: a struct type, a pool, a computation, a job or a
   * workload. A choice stored for it on this host is put in force. Returns the subject.
   *
   * @throws INVALID_ARGUMENT for what is no subject; DUPLICATE_NAME for a second one of that kind and name; CLOSED.
   */
  register<T extends Subject>(subject: T): T {
    this.#assertOpen();
    this.#subjects.add(subject);
    this.#choices.recall(subject);
    return subject;
  }

  /** The registered subjects, in the order of their registration. */
  get subjects(): readonly Subject[] {
    return this.#subjects.all();
  }

  /**
   * Makes and registers a struct type that uses this optimizer's measured defaults, where there are any and
   * `options` does not say otherwise. See `struct`.
   */
  struct<const F extends Fields>(name: string, fields: F, options: StructOptions = {}): StructType<F> {
    this.#assertOpen();
    const defaults = this.#choices.memoryDefaults;
    const type = struct(name, fields, {
      ...(defaults && {
        packing: defaults.packing,
        cacheLineBytes: defaults.cacheLineBytes,
        order: defaults.order,
      }),
      ...options,
    });
    return this.register(type);
  }

  /** Makes and registers a pool that uses this optimizer's measured defaults. See `SlabPool`. */
  pool(options: SlabPoolOptions): SlabPool {
    this.#assertOpen();
    const alignment = this.#choices.memoryDefaults?.cacheLineBytes;
    return this.register(new SlabPool({ ...(alignment && { alignment }), ...options }));
  }

  /**
   * What this host's memory, clock and calls cost: as stored where it was measured on this host before (`measuredAt` says
   * when), else measured (see `probeHost`) and stored. From then on layouts, tiles and trials take their cache sizes
   * from it.
   *
   * @param options `fresh` measures in any case; the others as for `probeHost`.
   * @throws as `probeHost`; StorageError; CLOSED.
   *
   * @example
   * const { effectiveCaches, measuredAt } = await optimizer.hostProbe();
   */
  hostProbe({
    fresh = false,
    ...options
  }: ProbeOptions & { readonly fresh?: boolean } = {}): Promise<HostProbe> {
    return this.#track(async (closing) => {
      const stored = fresh ? null : this.#storedProbe();
      if (stored) return stored;
      const { probeHost } = await import('./host/probe.js');
      const probe = await probeHost({ ...options, signal: either(closing, options.signal) });
      await this.#store.saveHostProbe(probe);
      useHostProbe(() => probe);
      return probe;
    });
  }

  /**
   * Adds a diagnosis to those that run over every profile of this optimizer: asked for, taken by its monitor, or
   * handed to `completeResult`. What it finds is stored, reported and recommended like any other. One that throws or
   * gives something else than findings is left out of that profile with a warning in the result. A block that the
   * watchdog's own thread stores is diagnosed by the built-in rules alone: functions cannot go there.
   *
   * @returns takes it away again.
   * @throws INVALID_ARGUMENT for what is no rule; DUPLICATE_NAME for a second one of that name; CLOSED.
   *
   * @example
   * const remove = optimizer.addRule({ name: 'queue fills', cause: 'backpressure-ignored', evaluate: (view) => ({ findings: [] }) });
   */
  addRule(rule: Rule): () => void {
    this.#assertOpen();
    return this.#extensions.addRule(rule);
  }

  /**
   * Adds a source of figures to every profile of this optimizer in this process, those of its monitor included: metrics
   * and time line values under names of the service's own, which rules can read. Its methods run on the loop that is
   * measured. One that throws is left out of that profile with a warning in the result.
   *
   * @returns takes it away again, from the next profile on.
   * @throws as `addRule`.
   *
   * @example
   * optimizer.addSampler({
   *   name: 'queue depth',
   *   start() {},
   *   stop: ({ metrics }) => void (metrics['app.queue.depth'] = measured(queue.length, 'count')),
   * });
   */
  addSampler(sampler: Sampler): () => void {
    this.#assertOpen();
    return this.#extensions.addSampler(sampler);
  }

  /**
   * Profiles this process and diagnoses what it finds. Stored as `results/<id>.json`. A store that turns out not to be
   * writable when the profile is there does not cost the result: it is returned with `stored: false` and a warning.
   * Where the process exits before its end, what was gathered until then is diagnosed and stored in an `exit` hook, with
   * a warning that says so; not where a signal kills the process.
   *
   * @throws SettingsError; StorageError where the store cannot be written from the start; NOT_SUPPORTED for a type that this version does not measure; ABORTED; CLOSED.
   *
   * @example
   * const { analysis, recommendations } = await optimizer.profileSystem({ type: ProfileType.CPU, durationMs: 5_000 });
   */
  profileSystem(
    options: ProfileOptionsInput | (SnakeCase & { readonly type?: string }),
  ): Promise<ProfilingResult> {
    return this.#track(async (closing) => {
      const [{ startRun }, { keptAtExit }, keep] = await Promise.all([
        import('./profiling/session.js'),
        import('./profiling/kept-at-exit.js'),
        this.#keeperAtExit(),
      ]);
      const { type, signal, ...rest } = await parseProfileOptions(options);
      this.#store.checkWritable();
      // What is asked for goes before what a monitor takes by itself.
      const { automaticRunsGiveWay } = await import('./profiling/automatic-runs.js');
      await automaticRunsGiveWay();
      const run = startRun(type, {
        ...rest,
        samplers: this.#extensions.samplers,
        signal: either(closing, signal),
        onProgress: (progress) => this.emit('progress', progress),
      });
      return keptAtExit(run, keep, (signals) =>
        this.#complete(this.#withPools(signals), inProcess(), undefined, signals),
      );
    });
  }

  /** With the registered pools as they stand at the end of the profile. */
  #withPools(signals: Signals): Signals {
    const metrics = { ...signals.metrics };
    for (const pool of this.#subjects.ofKind('pool')) {
      if (pool instanceof SlabPool || pool instanceof SizeClassPool)
        Object.assign(metrics, allocatorMetrics(pool.stats()));
    }
    return { ...signals, metrics };
  }

  /**
   * What stores a profile that the exit of the process cuts short. Loaded ahead: an exit waits for nothing. One that is
   * being stored has a hook of its own (stored-result.ts).
   */
  async #keeperAtExit(): Promise<(signals: Signals, trigger?: Trigger) => void> {
    const [diagnose, save] = await Promise.all([loadDiagnosis(), this.#store.resultSaverAtExit()]);
    return (signals, trigger) => {
      if (this.#closing.signal.aborted || this.#diagnosed.has(signals)) return;
      const result = diagnose(this.#withPools(signals), this.#context(inProcess(), trigger));
      save(result, { raw: rawProfileOf(signals) });
    };
  }

  #context(target: ProfileTarget, trigger: Trigger | undefined): ResultContext {
    return { target, trigger, subjects: this.subjects, rules: this.#extensions.rules };
  }

  /**
   * Starts the always-on sampler: a point every 100 ms in memory that does not grow.
   *
   * Where timers are late, the loop is busy throughout or the heap grows, it takes a profile of a few seconds by itself,
   * rarely and one at a time (`anomalies`; `false` switches it off). With `watchdog`, a block of the event loop is
   * profiled while it lasts; one that outlasts its profile is stored by the watchdog's own thread. Either is diagnosed,
   * stored with V8's own profile, told as a `profile` event like any other and then as an `alert`. The monitor ends
   * with the optimizer, or with its own `close`.
   *
   * @throws InvalidArgumentError for options outside their range; CLOSED.
   *
   * @example
   * optimizer.on('alert', ({ statement, result }) => log(statement, result?.analysis.summary));
   * const monitor = await optimizer.monitor({ watchdog: { blockedMs: 500 } });
   * monitor.points().at(-1)?.values['eventLoop.utilization'];
   */
  async monitor(options: MonitorOptions = {}): Promise<Monitor> {
    this.#assertOpen();
    const { startAlertingMonitor } = await import('./alerting-monitor.js');
    this.#assertOpen();
    return startAlertingMonitor(options, {
      options: { ...this.#options, storagePath: this.#store.path },
      closing: this.#closing.signal,
      beside: {
        samplers: () => this.#extensions.samplers,
        keeper: () => this.#keeperAtExit(),
      },
      complete: (signals, trigger) => this.completeResult(signals, inProcess(), trigger),
      tellStored: (resultId) => this.#tellStored(resultId),
      alert: (alert) => this.emit('alert', alert),
      warn: (message) => this.emit('warning', message),
    });
  }

  /** What the watchdog's thread stored, told to this thread's listeners. */
  async #tellStored(id: string): Promise<ProfilingResult> {
    const result = await this.#store.getResult(id);
    this.#tell(result);
    return result;
  }

  #tell(result: ProfilingResult): void {
    this.emit('profile', result);
    for (const recommendation of result.recommendations) this.emit('recommendation', recommendation);
  }

  /**
   * Diagnoses signals that were gathered here or in another process, stores the result and tells listeners. This
   * is what `profileSystem` ends with, for callers that gather by other means (the command line, a file). V8's own
   * profile, where the signals have it, is kept beside the result.
   *
   * Where the store cannot be written, the result is handed over all the same, with `stored: false` and a warning.
   *
   * @param trigger why it was taken, where nobody asked for it.
   */
  completeResult(signals: Signals, target: ProfileTarget, trigger?: Trigger): Promise<ProfilingResult> {
    return this.#complete(signals, target, trigger, signals);
  }

  /** @param run what the run itself gave: its exit hook leaves it from here on to the one that stores it. */
  async #complete(
    signals: Signals,
    target: ProfileTarget,
    trigger: Trigger | undefined,
    run: Signals,
  ): Promise<ProfilingResult> {
    this.#assertOpen();
    const result = await diagnosedResult(signals, this.#context(target, trigger));
    const parts = { store: this.#store, saveAtExit: await this.#store.resultSaverAtExit() };
    const stored = storeResult(result, rawProfileOf(signals), parts, (message) =>
      this.emit('warning', message),
    );
    this.#diagnosed.add(run);
    try {
      await stored;
    } catch (error) {
      // It took seconds to measure, and cannot be measured again: it is handed over all the same.
      if (!(error instanceof StorageError)) throw error;
      this.emit('warning', `The result ${result.id} could not be stored: ${error.message}`);
      const warnings = [...result.warnings, `It could not be stored: ${error.message}`];
      const unstored = { ...result, stored: false as const, warnings };
      this.#tell(unstored);
      return unstored;
    }
    this.#tell(result);
    return result;
  }

  /**
   * Plans layout and pool settings for the registered struct types and pools, measures them against what is in
   * force, and applies what wins. With none registered, the library's reference records are measured, and the
   * winner becomes the default of structs and pools made by this optimizer; that is never called a gain.
   *
   * With several subjects, the profile with the greatest gain is returned; `others` names the rest.
   *
   * @throws SettingsError; SUBJECT_NOT_HERE for a named subject that is not registered; ABORTED; CLOSED;
   *   StorageError where the outcome cannot be stored.
   */
  optimizeMemory(
    settings: (MemorySettingsInput & CallOptions) | SnakeCase = {},
  ): Promise<OptimizationProfile> {
    return this.#track(async (closing) => {
      const { options, settings: tree } = splitCall(OptimizationType.MEMORY, settings);
      const { optimizeMemory } = await import('./memory/optimize-memory.js');
      const parsed = await parseMemorySettings(tree);
      const subjects = this.#subjects.select(['struct', 'pool'], options.subject);
      const workloads = this.#subjects.ofKind('workload');
      if (subjects.length === 0) await this.#learnCaches(options);
      return this.#optimizeEach(
        OptimizationType.MEMORY,
        subjects,
        options,
        closing,
        async (subject, context) => ({
          draft: await optimizeMemory(subject, parsed, workloads, context),
        }),
      );
    });
  }

  /**
   * Finds the fastest of several equivalent functions for each input size, proves it and returns a dispatcher.
   * Pass variants and inputs, or name a registered computation (without either, every registered one is raced and
   * the greatest gain returned).
   *
   * @throws SettingsError; SubjectError where variants cannot be run; ABORTED; CLOSED.
   *
   * @example
   * const { dispatch, choices } = await optimizer.optimizeComputation({
   *   name: 'dedupe',
   *   variants: { set: (a) => [...new Set(a)], filter: (a) => a.filter((x, i) => a.indexOf(x) === i) },
   *   inputs: (size) => Array.from({ length: size }, (_, i) => i % 50),
   *   sizes: [10, 100, 1000],
   * });
   */
  optimizeComputation(
    request:
      | (ComputationRequest & ComputationSettingsInput & CallOptions)
      | (SnakeCase & Partial<ComputationRequest>) = {},
  ): Promise<OptimizationProfile & OptimizedComputation> {
    return this.#track(async (closing) => {
      const { options, data, settings: tree } = splitCall(OptimizationType.COMPUTATION, request);
      const { optimizeComputation, computationsOf } = await import('./computation/optimize-computation.js');
      const parsed = await parseComputationSettings(tree);
      const named = computationsOf(data, this.#subjects.select(['computation'], options.subject));
      // Variants given with the call take the place of an earlier call's of the same name.
      for (const { computation } of named) {
        if (this.#subjects.put(computation)) this.#choices.recall(computation);
      }
      return this.#optimizeEach(
        OptimizationType.COMPUTATION,
        named.map(({ computation }) => computation),
        options,
        closing,
        (subject, context) =>
          optimizeComputation(
            named.find(({ computation }) => computation === subject)!,
            parsed,
            context,
          ),
      );
    });
  }

  /**
   * Keeps the choice of a registered computation right while the service uses it (see `keepLearning`): what it expects
   * comes from the latest profile stored for it on this host, and what it changes is stored, so that the next
   * process starts with it: in `config.json`, and in `wisdom.json` to be taken along. It ends with the optimizer, or with
   * its own `close`. What cannot be stored is told as a `warning`.
   *
   * @param subject the computation or its name.
   * @throws INVALID_ARGUMENT where nothing was measured for it on this host, for options outside their range, and for
   *   a computation that is watched already; SUBJECT_NOT_HERE; StorageError; CLOSED.
   *
   * @example
   * const learning = await optimizer.keepLearning('lookup');
   * learning.on('choice', ({ size, from, to, ratio }) => log.info({ size, from, to, ratio }, 'another variant'));
   */
  keepLearning(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a computation of any functions
    subject: Computation<any> | string,
    options: KeepLearningOptions = {},
  ): Promise<OnlineLearning> {
    return this.#track(async () => {
      const name = typeof subject === 'string' ? subject : (subject as Computation | undefined)?.name;
      const [here] = this.#subjects.select(['computation'], String(name)) as Computation[];
      const learning = await this.#learning.keep(here!, options);
      if (this.#closing.signal.aborted) learning.close();
      return learning;
    });
  }

  /**
   * Finds the number of threads, the schedule and the grain that are fastest for a registered job on this machine,
   * proves it and puts it in force. With none registered a reference job tells what this machine pays for threads.
   *
   * @throws as `optimizeMemory`; TaskError where the job's task fails.
   */
  optimizeThreads(
    request: ({ readonly job?: Job | JobOptions } & ThreadSettingsInput & CallOptions) | SnakeCase = {},
  ): Promise<OptimizationProfile> {
    return this.#track(async (closing) => {
      const { options, data, settings: tree } = splitCall(OptimizationType.THREAD, request);
      const { optimizeThreads } = await import('./threads/optimize-threads.js');
      const parsed = await parseThreadSettings(tree);
      const given = data['job'] as Job | JobOptions | undefined;
      const subject = given === undefined || given instanceof Job ? given : job(given);
      if (subject && this.#subjects.put(subject)) this.#choices.recall(subject);
      const name = given?.name ?? options.subject;
      const subjects = this.#subjects.select(['job'], name);
      return this.#optimizeEach(
        OptimizationType.THREAD,
        subjects,
        options,
        closing,
        async (subject, context) => ({
          draft: await optimizeThreads(subject as Job | undefined, parsed, context),
        }),
      );
    });
  }

  /**
   * Carries a recommendation out: runs the optimisation it names on this process' subject, validates it, puts it
   * in force on a win and stores the outcome with the recommendation. Given the id of an optimisation profile that
   * won, its choice is put in force again: here, and in `config.json` for the service that it belongs to.
   *
   * An `experiment` needs the module that does the work both ways, made from the recommendation's `action.template`. It
   * applies nothing: it measures whether the cause is there, in seconds, and stores the comparison and the outcome.
   *
   * @param what a recommendation, its id, or the id of an optimisation profile.
   * @param experiment for an experiment: the module's function, as `testCause` takes it.
   * @param options of an experiment: those of `compare`.
   * @throws SUBJECT_NOT_HERE where the subject lives in another process and nothing was measured for it yet;
   *   NOTHING_TO_APPLY for a change that a person must make; EXPERIMENT_WITHOUT_MODULE; UNKNOWN_ID; CLOSED;
   *   INVALID_ARGUMENT for a module beside anything but an experiment; of an experiment also what `compare` throws.
   *
   * @example
   * await optimizer.apply(result.recommendations[0]);
   * const { finding, conclusion } = await optimizer.apply('recommendation-0193…', {
   *   module: './experiment.mjs',
   *   export: 'sumColumns',
   *   factory: true,
   * });
   */
  apply(what: Recommendation | string): Promise<OptimizationProfile>;
  apply(
    what: Recommendation | string,
    experiment: ExperimentSubject,
    options?: CompareOptions,
  ): Promise<CarriedOutExperiment>;
  async apply(
    what: Recommendation | string,
    experiment?: ExperimentSubject,
    options: CompareOptions = {},
  ): Promise<OptimizationProfile | CarriedOutExperiment> {
    this.#assertOpen();
    if (experiment !== undefined) return this.#experiment(what, experiment, options);
    const document = typeof what === 'string' ? await this.#store.get(what) : what;
    if (!isDocument(document) || !('action' in document)) {
      if (isDocument(document) && 'choice' in document) return this.#enforce(document);
      throw fail('INVALID_ARGUMENT', {
        name: 'what',
        actual: describe(what),
        expected: 'a recommendation, its id, or the id of an optimisation profile',
      });
    }
    const profile = await carryOut(document, {
      store: this.#store,
      subjects: this.#subjects,
      optimizeMemory: (settings) => this.optimizeMemory(settings),
      optimizeComputation: (settings) => this.optimizeComputation(settings),
      optimizeThreads: (settings) => this.optimizeThreads(settings),
      enforce: (stored) => this.#enforce(stored),
    });
    const { validation } = profile;
    await this.#store.saveRecommendation({
      ...document,
      outcome: {
        status: profile.status,
        profileId: profile.id,
        appliedAt: new Date().toISOString(),
        ...(validation && { ratio: validation.ratio }),
        ...(validation?.interval && { interval: validation.interval }),
      },
    });
    return profile;
  }

  #experiment(
    what: Recommendation | string,
    subject: ExperimentSubject,
    options: CompareOptions,
  ): Promise<CarriedOutExperiment> {
    return this.#track(async (closing) => {
      const { carryOutExperiment } = await import('./recommended-experiment.js');
      return carryOutExperiment(
        typeof what === 'string' ? await this.#store.get(what) : what,
        subject,
        { ...options, signal: either(closing, options.signal) },
        {
          store: this.#store,
          keepComparison: (name, comparison) => this.keepComparison(name, 'person', comparison),
        },
      );
    });
  }

  /**
   * Keeps a comparison that no optimisation made: of the whole service before and after a change, say. It is
   * listed and reported, and is in no statistic of gains. Returns what was stored.
   *
   * @param changedBy whose doing the difference is: `tool` where only choices of this optimizer differ.
   * @example
   * const comparison = await compare({ service: before, url }, { service: after, url: url2 });
   * await optimizer.keepComparison('orders over HTTP', 'person', comparison);
   */
  async keepComparison(
    name: string,
    changedBy: StoredComparison['changedBy'],
    comparison: Comparison,
  ): Promise<StoredComparison> {
    this.#assertOpen();
    const stored = {
      schemaVersion: SCHEMA_VERSION,
      id: await newId('comparison'),
      createdAt: new Date().toISOString(),
      name,
      changedBy,
      comparison,
    };
    await this.#store.saveComparison(stored);
    return stored;
  }

  /**
   * Totals by type and status and the aggregated gains of everything in the store, what earlier processes stored
   * included. Runs on reference records are counted apart and are in no gain. Synchronous.
   *
   * @throws INVALID_ARGUMENT for an unknown filter; StorageError where the store cannot be read; CLOSED.
   */
  getOptimizationStats(filter: StatsFilter = {}): OptimizationStats {
    this.#assertOpen();
    return this.#store.stats(filter);
  }

  /** Aborts what is running, waits for it and for the store. Every call resolves when that is done. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(fail('ABORTED', { what: 'The running work' }));
    await Promise.allSettled(this.#running);
    await this.#learning.close();
    await this.#store.close();
    this.emit('close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Makes sure of a host probe where the budget has room for one; else sizes come from a short measurement. */
  async #learnCaches({ budgetMs = this.#options.budgetMs, signal }: CallOptions): Promise<void> {
    const probeMs = Math.min(MAX_PROBE_MS, budgetMs * PROBE_SHARE);
    if (probeMs >= MIN_PROBE_MS) await this.hostProbe({ budgetMs: probeMs, ...(signal && { signal }) });
  }

  /** Null also where the store cannot be read: cache sizes are then measured for this process. */
  #storedProbe(): HostProbe | null {
    try {
      return this.#store.hostProbe(hostFingerprint().id);
    } catch {
      return null;
    }
  }

  // --- Applying --------------------------------------------------------------------------------------------

  async #enforce(profile: OptimizationProfile): Promise<OptimizationProfile> {
    await this.#choices.enforce(profile);
    this.emit('applied', profile);
    return profile;
  }

  // --- Running ---------------------------------------------------------------------------------------------

  #optimizeEach<S extends Subject, P extends object>(
    type: OptimizationType,
    subjects: readonly S[],
    { budgetMs = this.#options.budgetMs, signal }: CallOptions,
    closing: AbortSignal,
    optimise: (subject: S | undefined, context: OptimizationContext) => Promise<Outcome<P>>,
  ): Promise<OptimizationProfile & P> {
    return optimizeEach(type, subjects, optimise, {
      budgetMs,
      signal: either(closing, signal),
      progress: (progress) => this.emit('progress', progress),
      keep: (profile, subject) => this.#keepProfile(profile, subject),
    });
  }

  async #keepProfile(profile: OptimizationProfile, subject: Subject | undefined): Promise<void> {
    await this.#store.saveProfile(profile);
    if (profile.status === 'applied') {
      await this.#choices.record(profile);
      if (subject?.kind === 'computation') await this.#learning.keepWisdom(subject as Computation);
      this.emit('applied', profile);
    }
    await this.#choices.addRuntimeFlags(recommendedFlags(profile));
    this.emit('optimization', profile);
  }

  /** Runs work that `close()` aborts and waits for. */
  async #track<T>(work: (closing: AbortSignal) => Promise<T>): Promise<T> {
    this.#assertOpen();
    const promise = work(this.#closing.signal);
    this.#running.add(promise);
    try {
      return await promise;
    } finally {
      this.#running.delete(promise);
    }
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw fail('CLOSED', { what: 'The optimizer' });
  }
}

/** What a caller without types passes: `recommendations[0]` of a healthy service is undefined. */
function isDocument<T extends object>(value: T | undefined): value is T {
  return typeof value === 'object' && value !== null;
}

function inProcess(): ProfileTarget {
  return { pid: process.pid, description: 'in-process' };
}

function either(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second ? AbortSignal.any([first, second]) : first;
}

/** Node flags that the memory optimiser measured to help: they act when a program starts, so nothing applies them here. */
function recommendedFlags({ plan }: OptimizationProfile): string[] {
  const tried = (plan['runtimeFlags'] ?? []) as readonly { flag: string; recommended: boolean }[];
  return tried.filter(({ recommended }) => recommended).map(({ flag }) => flag);
}
