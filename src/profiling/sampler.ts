import { catalogued, type MetricName } from '../model/metric-catalogue.js';
import type { Metrics, UnavailableMetric } from '../model/metric.js';
import type {
  ActivityCost,
  AllocationSite,
  Deoptimisation,
  FunctionCost,
  GcSummary,
  ListenerGrowth,
  NativeFunction,
  OperationCost,
  Retainer,
  StackNode,
  ThreadCost,
  ThreadProfile,
} from '../model/signals.js';
import type { ProfileType } from '../model/types.js';
import type { SourceIndex } from './source/source-index.js';

/**
 * One source of signals. The session calls `start` once, `tick` about ten times a second, and `stop` once, also
 * where the run is cut short. These are synchronous, so that a process that exits in the middle of a run can
 * still hand over what was gathered, and must be cheap: they run on the loop that is measured.
 *
 * A sampler that cannot measure says so in `stop` with `unavailable`; one that throws is left out with a warning. Those
 * of a service are added with `optimizer.addSampler`.
 *
 * @example
 * class QueueDepth implements Sampler {
 *   readonly name = 'queue depth';
 *   #greatest = 0;
 *   start() {}
 *   tick(values: Record<string, number>) {
 *     values['app.queue.depth'] = queue.length;
 *     this.#greatest = Math.max(this.#greatest, queue.length);
 *   }
 *   stop(gathered: Gathered) {
 *     gathered.metrics['app.queue.depth'] = measured(this.#greatest, 'count');
 *   }
 * }
 */
export interface Sampler {
  /** For warnings; of those that a service adds, no two may have the same. */
  readonly name: string;
  start(window: SamplingWindow): void;
  /** Adds instantaneous values to the time line's next point. */
  tick?(values: Record<string, number>): void;
  stop(gathered: Gathered): void;
  /**
   * For what another thread has to answer: called after every sampler has stopped, and waited for at most two
   * seconds. Not called where the process exits in the middle of a run.
   */
  late?(gathered: Gathered): Promise<void>;
  /** Called once after all others, also after an abort: gives back what would outlive the run. */
  release?(): void;
}

/** One of the built-in ones whose late answer takes longer. */
export interface SlowSampler extends Sampler {
  readonly lateMs: number;
}

/** What a sampler may know when it starts. */
export interface SamplingWindow {
  readonly type: ProfileType;
  /** As asked for; the real one is in `Gathered`. */
  readonly durationMs: number;
  readonly samplingIntervalUs: number;
  readonly maxFunctions: number;
  readonly sources: SourceIndex;
  readonly keepRawProfile: boolean;
}

/** What the samplers of a run filled in. Each writes its own part. */
export class Gathered {
  /** Length of the window as it really was. */
  readonly elapsedMs: number;
  readonly metrics: Metrics = {};
  functions: readonly FunctionCost[] = [];
  operations: readonly OperationCost[] = [];
  allocations: readonly AllocationSite[] = [];
  callTree: StackNode | null = null;
  gc: readonly GcSummary[] = [];
  threads: readonly ThreadCost[] = [];
  listeners: readonly ListenerGrowth[] | undefined;
  deoptimisations: readonly Deoptimisation[] | undefined;
  nativeFunctions: readonly NativeFunction[] | undefined;
  retainers: readonly Retainer[] | undefined;
  activities: readonly ActivityCost[] | undefined;
  threadProfiles: readonly ThreadProfile[] = [];
  rawProfile: unknown;
  readonly warnings: string[] = [];

  constructor(elapsedMs: number) {
    this.elapsedMs = elapsedMs;
  }

  set(name: MetricName, value: number): void {
    this.metrics[name] = catalogued(name, value);
  }

  missing(names: readonly MetricName[], why: UnavailableMetric): void {
    for (const name of names) this.metrics[name] = why;
  }
}
