/**
 * The results of one optimizer's profiles, however their signals were gathered: diagnosed, stored, and told to its
 * listeners. A store that cannot be written costs no result, and neither does an exit of the process in the middle.
 */
import type { EventEmitter } from 'node:events';
import { describe, fail, StorageError } from '../errors.js';
import type { OptimizerEvents } from '../events.js';
import { allocatorMetrics } from '../memory/allocator-metrics.js';
import { SizeClassPool } from '../memory/size-class-pool.js';
import { SlabPool } from '../memory/slab-pool.js';
import type { ProfileTarget, ProfilingResult } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import type { Trigger } from '../model/trigger.js';
import type { Store } from '../storage/store.js';
import { diagnosedResult, loadDiagnosis, type ResultContext } from './diagnosed-result.js';
import type { Extensions } from './extensions.js';
import type { RunningWork } from './running-work.js';
import { rawProfileOf, storeResult } from './stored-result.js';
import type { SubjectRegistry } from './subject-registry.js';

/** What results are made with, of the optimizer that they belong to. */
export interface ResultHost {
  readonly store: Store;
  readonly subjects: SubjectRegistry;
  readonly extensions: Extensions;
  readonly work: RunningWork;
  readonly listeners: Pick<EventEmitter<OptimizerEvents>, 'emit'>;
}

/** Stores a profile at once, for a process that exits. */
export type KeepAtExit = (signals: Signals, trigger?: Trigger) => void;

export class ProfileResults {
  readonly #host: ResultHost;
  /** Signals of runs whose results are made: stored, or being stored. */
  readonly #diagnosed = new WeakSet<Signals>();

  constructor(host: ResultHost) {
    this.#host = host;
  }

  /** The result of a run in this process, with the registered pools as they stand at its end. */
  ofThisProcess(signals: Signals): Promise<ProfilingResult> {
    return this.#complete(this.#withPools(signals), thisProcess(), undefined, signals);
  }

  /** The result of what a monitor of this process took by itself. */
  ofMonitor(signals: Signals, trigger: Trigger): Promise<ProfilingResult> {
    return this.complete(signals, thisProcess(), trigger);
  }

  /** See `SystemOptimizer.completeResult`. */
  complete(signals: Signals, target: ProfileTarget, trigger?: Trigger): Promise<ProfilingResult> {
    return this.#complete(signals, target, trigger, signals);
  }

  /** Tells this thread's listeners of a result that another thread (the watchdog's) stored. */
  async tellStored(id: string): Promise<ProfilingResult> {
    const result = await this.#host.store.getResult(id);
    this.#tell(result);
    return result;
  }

  /**
   * What stores a profile that the exit of the process cuts short. Loaded ahead: an exit waits for nothing. One that is
   * being stored has a hook of its own (stored-result.ts).
   */
  async keeperAtExit(): Promise<KeepAtExit> {
    const [diagnose, save] = await Promise.all([loadDiagnosis(), this.#host.store.resultSaverAtExit()]);
    return (signals, trigger) => {
      if (this.#host.work.isClosing || this.#diagnosed.has(signals)) return;
      const result = diagnose(this.#withPools(signals), this.#context(thisProcess(), trigger));
      save(result, { raw: rawProfileOf(signals) });
    };
  }

  /** @param run what the run itself gave: its exit hook leaves it from here on to the one that stores it. */
  async #complete(
    signals: Signals,
    target: ProfileTarget,
    trigger: Trigger | undefined,
    run: Signals,
  ): Promise<ProfilingResult> {
    const { store, work, listeners } = this.#host;
    work.assertOpen();
    requireSignals(signals);
    const result = await diagnosedResult(signals, this.#context(target, trigger));
    const parts = { store, saveAtExit: await store.resultSaverAtExit() };
    const stored = storeResult(result, rawProfileOf(signals), parts, (message) =>
      listeners.emit('warning', message),
    );
    this.#diagnosed.add(run);
    try {
      await stored;
    } catch (error) {
      // It took seconds to measure, and cannot be measured again: it is handed over all the same.
      if (!(error instanceof StorageError)) throw error;
      listeners.emit('warning', `The result ${result.id} could not be stored: ${error.message}`);
      const warnings = [...result.warnings, `It could not be stored: ${error.message}`];
      const unstored = { ...result, stored: false as const, warnings };
      this.#tell(unstored);
      return unstored;
    }
    this.#tell(result);
    return result;
  }

  #context(target: ProfileTarget, trigger: Trigger | undefined): ResultContext {
    const { subjects, extensions } = this.#host;
    return { target, trigger, subjects: subjects.all(), rules: extensions.rules };
  }

  #withPools(signals: Signals): Signals {
    const metrics = { ...signals.metrics };
    for (const pool of this.#host.subjects.ofKind('pool')) {
      if (pool instanceof SlabPool || pool instanceof SizeClassPool)
        Object.assign(metrics, allocatorMetrics(pool.stats()));
    }
    return { ...signals, metrics };
  }

  #tell(result: ProfilingResult): void {
    const { listeners } = this.#host;
    listeners.emit('profile', result);
    for (const recommendation of result.recommendations) listeners.emit('recommendation', recommendation);
  }
}

/** @throws INVALID_ARGUMENT for what no run gathered */
function requireSignals(signals: unknown): void {
  const { type, metrics, functions, warnings } = Object(signals) as Partial<Signals>;
  if (
    typeof type === 'string' &&
    Object(metrics) === metrics &&
    Array.isArray(functions) &&
    Array.isArray(warnings)
  )
    return;
  const expected = 'what a run of the profiler gathered';
  throw fail('INVALID_ARGUMENT', { name: 'signals', actual: describe(signals), expected });
}

function thisProcess(): ProfileTarget {
  return { pid: process.pid, description: 'in-process' };
}
