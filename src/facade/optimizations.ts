/**
 * The optimisations of one optimizer: which subjects a call is about, which room works on them, and what becomes of the
 * outcome: stored, put in force where it won, and told to listeners. How to optimise is the rooms' business.
 */
import type { EventEmitter } from 'node:events';
import type { Computation } from '../computation/computation.js';
import type { OptimizedComputation } from '../computation/optimize-computation.js';
import type { OptimizerEvents } from '../events.js';
import type { OptimizationContext } from '../model/context.js';
import type { OptimizationProfile } from '../model/optimization-profile.js';
import type { Subject } from '../model/subject.js';
import { OptimizationType } from '../model/types.js';
import { splitCall, type CallOptions } from '../settings/call.js';
import { parseComputationSettings, parseMemorySettings, parseThreadSettings } from '../settings/parse.js';
import type { Store } from '../storage/store.js';
import { Job, job, type JobOptions } from '../threads/job.js';
import type { ChoicesInForce } from './choices-in-force.js';
import type { KnownHost } from './known-host.js';
import type { LearningInForce } from './learning-in-force.js';
import { optimizeEach, throwIfAborted, type Outcome } from './optimize-each.js';
import type { RunningWork } from './running-work.js';
import type { SubjectRegistry } from './subject-registry.js';

/** What optimising needs of the optimizer that it is done for. */
export interface OptimizationHost {
  readonly store: Store;
  readonly subjects: SubjectRegistry;
  readonly choices: ChoicesInForce;
  readonly learning: LearningInForce;
  readonly knownHost: KnownHost;
  readonly work: RunningWork;
  /** Of a call that names none. */
  readonly budgetMs: number;
  readonly listeners: Pick<EventEmitter<OptimizerEvents>, 'emit'>;
}

export class Optimizations {
  readonly #host: OptimizationHost;

  constructor(host: OptimizationHost) {
    this.#host = host;
  }

  /** See `SystemOptimizer.optimizeMemory`. */
  async memory(call: unknown): Promise<OptimizationProfile> {
    const { subjects, work, knownHost } = this.#host;
    const { options, settings } = splitCall(OptimizationType.MEMORY, call);
    const { optimizeMemory } = await import('../memory/optimize-memory.js');
    const parsed = await parseMemorySettings(settings);
    const selected = subjects.select(['struct', 'pool'], options.subject);
    const workloads = subjects.ofKind('workload');
    if (selected.length === 0) {
      const { budgetMs = this.#host.budgetMs, signal } = options;
      const either = work.closingOr(signal);
      try {
        await knownHost.learnWithin(budgetMs, either);
      } catch (error) {
        throwIfAborted(either);
        throw error;
      }
    }
    return this.#each(OptimizationType.MEMORY, selected, options, async (subject, context) => ({
      draft: await optimizeMemory(subject, parsed, workloads, context),
    }));
  }

  /** See `SystemOptimizer.optimizeComputation`. */
  async computation(call: unknown): Promise<OptimizationProfile & OptimizedComputation> {
    const { options, data, settings } = splitCall(OptimizationType.COMPUTATION, call);
    const { optimizeComputation, computationsOf } = await import('../computation/optimize-computation.js');
    const parsed = await parseComputationSettings(settings);
    const named = computationsOf(data, this.#host.subjects.select(['computation'], options.subject));
    // Variants given with the call take the place of an earlier call's of the same name.
    for (const { computation } of named) this.#register(computation);
    return this.#each(
      OptimizationType.COMPUTATION,
      named.map(({ computation }) => computation),
      options,
      (subject, context) =>
        optimizeComputation(
          named.find(({ computation }) => computation === subject)!,
          parsed,
          context,
        ),
    );
  }

  /** See `SystemOptimizer.optimizeThreads`. */
  async threads(call: unknown): Promise<OptimizationProfile> {
    const { options, data, settings } = splitCall(OptimizationType.THREAD, call);
    const { optimizeThreads } = await import('../threads/optimize-threads.js');
    const parsed = await parseThreadSettings(settings);
    const given = data['job'] as Job | JobOptions | undefined;
    const registered = given === undefined || given instanceof Job ? given : job(given);
    if (registered) this.#register(registered);
    const selected = this.#host.subjects.select(['job'], given?.name ?? options.subject);
    return this.#each(OptimizationType.THREAD, selected, options, async (subject, context) => ({
      draft: await optimizeThreads(subject as Job | undefined, parsed, context),
    }));
  }

  /** Puts what a stored profile won in force again, and tells of it. @throws NOTHING_TO_APPLY; StorageError. */
  async enforce(profile: OptimizationProfile): Promise<OptimizationProfile> {
    await this.#host.choices.enforce(profile);
    this.#host.listeners.emit('applied', profile);
    return profile;
  }

  /** With the choice that earlier runs measured for it, where it was not here before. */
  #register(subject: Subject): void {
    if (this.#host.subjects.put(subject)) this.#host.choices.recall(subject);
  }

  #each<S extends Subject, P extends object>(
    type: OptimizationType,
    subjects: readonly S[],
    { budgetMs = this.#host.budgetMs, signal }: CallOptions,
    optimise: (subject: S | undefined, context: OptimizationContext) => Promise<Outcome<P>>,
  ): Promise<OptimizationProfile & P> {
    // Before a minute is spent on what could not be kept: the folder, and what is in force.
    this.#host.store.checkWritable();
    this.#host.store.config();
    return optimizeEach(type, subjects, optimise, {
      budgetMs,
      signal: this.#host.work.closingOr(signal),
      progress: (progress) => this.#host.listeners.emit('progress', progress),
      keep: (profile, subject) => this.#keep(profile, subject),
    });
  }

  async #keep(profile: OptimizationProfile, subject: Subject | undefined): Promise<void> {
    const { store, choices, learning, listeners } = this.#host;
    await store.saveProfile(profile);
    if (profile.status === 'applied') {
      await choices.record(profile);
      if (subject?.kind === 'computation') await learning.keepWisdom(subject as Computation);
      listeners.emit('applied', profile);
    }
    await choices.addRuntimeFlags(recommendedFlags(profile));
    listeners.emit('optimization', profile);
  }
}

/** Node flags that the memory optimiser measured to help: they act when a program starts, so nothing applies them here. */
function recommendedFlags({ plan }: OptimizationProfile): string[] {
  const tried = (plan['runtimeFlags'] ?? []) as readonly { flag: string; recommended: boolean }[];
  return tried.filter(({ recommended }) => recommended).map(({ flag }) => flag);
}
