/**
 * The facade: one object that profiles, optimises, validates, stores and applies. It says what the public methods do and
 * holds nothing but the parts that do it (facade/), each loaded when it is first needed, so that importing the package
 * stays cheap.
 */
import { EventEmitter } from 'node:events';
import type { Rule } from './analysis/rule.js';
import type { ComputationRequest, OptimizedComputation } from './computation/optimize-computation.js';
import type { Computation } from './computation/computation.js';
import type { OnlineLearning } from './computation/online-learning.js';
import { fail } from './errors.js';
import type { OptimizerEvents } from './events.js';
import type { ExperimentSubject } from './facade/cause-experiment.js';
import { ChoicesInForce } from './facade/choices-in-force.js';
import { Extensions } from './facade/extensions.js';
import { KnownHost } from './facade/known-host.js';
import { LearningInForce, type KeepLearningOptions } from './facade/learning-in-force.js';
import { Optimizations } from './facade/optimizations.js';
import { ProfileResults } from './facade/profile-results.js';
import { profileThisProcess } from './facade/profile-this-process.js';
import { applyStored } from './facade/recommended-action.js';
import type { CarriedOutExperiment } from './facade/recommended-experiment.js';
import { RunningWork } from './facade/running-work.js';
import { SubjectRegistry } from './facade/subject-registry.js';
import type { ProbeOptions } from './host/probe.js';
import { SlabPool, type SlabPoolOptions } from './memory/slab-pool.js';
import type { Fields } from './memory/struct/field-types.js';
import { struct, type StructOptions, type StructType } from './memory/struct/struct-type.js';
import type { MemoryChoice } from './model/choice.js';
import type { Comparison, StoredComparison } from './model/comparison.js';
import type { HostProbe } from './model/host-probe.js';
import type { OptimizationProfile } from './model/optimization-profile.js';
import type { ProfileTarget, ProfilingResult } from './model/profiling-result.js';
import type { Recommendation } from './model/recommendation.js';
import type { Signals } from './model/signals.js';
import type { Subject } from './model/subject.js';
import type { Trigger } from './model/trigger.js';
import { SCHEMA_VERSION } from './model/types.js';
import type { Monitor, MonitorOptions } from './profiling/monitor.js';
import type { Sampler } from './profiling/sampler.js';
import type { CallOptions } from './settings/call.js';
import type { ComputationSettingsInput } from './settings/computation.js';
import type { MemorySettingsInput } from './settings/memory.js';
import {
  parseOptimizerOptions,
  type OptimizerOptions,
  type OptimizerOptionsInput,
} from './settings/optimizer.js';
import type { ProfileOptionsInput } from './settings/profile.js';
import type { ThreadSettingsInput } from './settings/threads.js';
import { requireOptions } from './options.js';
import { newId } from './storage/ids.js';
import type { OptimizationStats, StatsFilter } from './storage/stats.js';
import { openStore, type Store } from './storage/store.js';
import type { Job, JobOptions } from './threads/job.js';
import type { CompareOptions } from './validation/options.js';

/** Settings trees are accepted in snake_case too; these keys are checked when they are parsed. */
type SnakeCase = Readonly<Record<`${string}_${string}`, unknown>>;

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
  readonly #work = new RunningWork();
  readonly #subjects = new SubjectRegistry();
  readonly #extensions = new Extensions();
  readonly #choices: ChoicesInForce;
  readonly #learning: LearningInForce;
  readonly #knownHost: KnownHost;
  readonly #results: ProfileResults;
  readonly #optimizations: Optimizations;
  #closed: Promise<void> | undefined;

  /** @throws SettingsError for an unknown option or a value outside its range. */
  constructor(options?: OptimizerOptionsInput | SnakeCase) {
    super();
    this.#options = parseOptimizerOptions(options);
    this.#store = openStore(this.#options.storagePath, { retention: this.#options.retention });
    this.#choices = new ChoicesInForce(this.#store, this.#subjects);
    this.#learning = new LearningInForce(this.#store, this.#choices, (message) =>
      this.emit('warning', message),
    );
    this.#knownHost = new KnownHost(this.#store);
    const parts = { store: this.#store, subjects: this.#subjects, work: this.#work, listeners: this };
    this.#results = new ProfileResults({ ...parts, extensions: this.#extensions });
    this.#optimizations = new Optimizations({
      ...parts,
      choices: this.#choices,
      learning: this.#learning,
      knownHost: this.#knownHost,
      budgetMs: this.#options.budgetMs,
    });
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
    this.#work.assertOpen();
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
    this.#work.assertOpen();
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
    this.#work.assertOpen();
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
  hostProbe(options: ProbeOptions & { readonly fresh?: boolean } = {}): Promise<HostProbe> {
    return this.#work.track(async () => {
      requireOptions('options of hostProbe', options, { fresh: true, budgetMs: true, signal: true });
      return this.#knownHost.probe({ ...options, signal: this.#work.closingOr(options.signal) });
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
    this.#work.assertOpen();
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
    this.#work.assertOpen();
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
    return this.#work.track(() =>
      profileThisProcess(options, {
        store: this.#store,
        work: this.#work,
        results: this.#results,
        samplers: () => this.#extensions.samplers,
        onProgress: (progress) => this.emit('progress', progress),
      }),
    );
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
    this.#work.assertOpen();
    requireOptions('options of the monitor', options);
    const { startAlertingMonitor } = await import('./facade/alerting-monitor.js');
    this.#work.assertOpen();
    return startAlertingMonitor(options, {
      options: { ...this.#options, storagePath: this.#store.path },
      closing: this.#work.closing,
      beside: {
        samplers: () => this.#extensions.samplers,
        keeper: () => this.#results.keeperAtExit(),
      },
      complete: (signals, trigger) => this.#results.ofMonitor(signals, trigger),
      tellStored: (resultId) => this.#results.tellStored(resultId),
      alert: (alert) => this.emit('alert', alert),
      warn: (message) => this.emit('warning', message),
    });
  }

  /**
   * Diagnoses signals that were gathered here or in another process, stores the result and tells listeners. This
   * is what `profileSystem` ends with, for callers that gather by other means (the command line, a file). V8's own
   * profile, where the signals have it, is kept beside the result.
   *
   * Where the store cannot be written, the result is handed over all the same, with `stored: false` and a warning.
   *
   * @param trigger why it was taken, where nobody asked for it.
   * @throws INVALID_ARGUMENT for what are no signals; CLOSED.
   */
  completeResult(signals: Signals, target: ProfileTarget, trigger?: Trigger): Promise<ProfilingResult> {
    return this.#results.complete(signals, target, trigger);
  }

  /**
   * Plans layout and pool settings for the registered struct types and pools, measures them against what is in
   * force, and applies what wins. With none registered, the library's reference records are measured, and the
   * winner becomes the default of structs and pools made by this optimizer; that is never called a gain.
   *
   * With several subjects, the profile with the greatest gain is returned; `others` names the rest.
   *
   * @throws SettingsError; SUBJECT_NOT_HERE for a named subject that is not registered; ABORTED; CLOSED;
   *   StorageError where the outcome cannot be stored, before anything is measured where that shows.
   */
  optimizeMemory(
    settings: (MemorySettingsInput & CallOptions) | SnakeCase = {},
  ): Promise<OptimizationProfile> {
    return this.#work.track(() => this.#optimizations.memory(settings));
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
    return this.#work.track(() => this.#optimizations.computation(request));
  }

  /**
   * Keeps the choice of a registered computation right while the service uses it (see `keepLearning`): what it expects
   * comes from the latest profile stored for it on this host, and what it changes is stored, so that the next
   * process starts with it: in `config.json`, and in `wisdom.json` to be taken along. It ends with the optimizer, or with
   * its own `close`. What cannot be stored is told as a `warning`.
   *
   * @param subject the computation or its name.
   * @throws INVALID_ARGUMENT where nothing was measured for it on this host or the objective was not time, for options
   *   outside their range, and for a computation that is watched already; SUBJECT_NOT_HERE; StorageError; CLOSED.
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
    return this.#work.track(async () => {
      const name = typeof subject === 'string' ? subject : (subject as Computation | undefined)?.name;
      const [here] = this.#subjects.select(['computation'], String(name)) as Computation[];
      if (typeof subject !== 'string' && here !== subject) {
        throw fail('SUBJECT_NOT_HERE', {
          subject: `this computation "${String(name)}"`,
          remedy: 'register it: the one of that name which is registered here is another.',
        });
      }
      const learning = await this.#learning.keep(here!, options);
      if (this.#work.isClosing) learning.close();
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
    return this.#work.track(() => this.#optimizations.threads(request));
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
    this.#work.assertOpen();
    if (experiment !== undefined) return this.#experiment(what, experiment, options);
    return applyStored(what, {
      store: this.#store,
      subjects: this.#subjects,
      optimizeMemory: (settings) => this.optimizeMemory(settings),
      optimizeComputation: (settings) => this.optimizeComputation(settings),
      optimizeThreads: (settings) => this.optimizeThreads(settings),
      enforce: (stored) => this.#optimizations.enforce(stored),
    });
  }

  #experiment(
    what: Recommendation | string,
    subject: ExperimentSubject,
    options: CompareOptions,
  ): Promise<CarriedOutExperiment> {
    return this.#work.track(async () => {
      const { carryOutExperiment } = await import('./facade/recommended-experiment.js');
      return carryOutExperiment(
        typeof what === 'string' ? await this.#store.get(what) : what,
        subject,
        { ...options, signal: this.#work.closingOr(options.signal) },
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
    this.#work.assertOpen();
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
    this.#work.assertOpen();
    return this.#store.stats(filter);
  }

  /** Aborts what is running, waits for it and for the store. Every call resolves when that is done. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#work.end();
    await this.#learning.close();
    await this.#store.close();
    this.emit('close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
