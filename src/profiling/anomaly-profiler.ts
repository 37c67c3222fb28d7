/**
 * Takes a bounded profile when the monitor sees an anomaly: one at a time, at most one in `cooldownMs`, and never beside
 * a profile that somebody asked for.
 */
import { getHeapStatistics } from 'node:v8';
import type { Trigger } from '../model/trigger.js';
import type { Signals } from '../model/signals.js';
import { addAutomaticRun } from './automatic-runs.js';
import type { Sampler } from './sampler.js';
import { AnomalyDetector, type AnomalyLimits, type AnomalyPoint } from './anomaly.js';

/**
 * A memory profile collects the whole heap three times, which takes a service some milliseconds for each megabyte that
 * lives: above this many bytes a CPU profile with heap sampling has to do, for nobody asked for the pause.
 */
const MOST_HEAP_TO_COLLECT = 128 * 2 ** 20;

/** An anomaly with what was found when it was looked into. */
export interface ProfiledAnomaly extends Trigger {
  /** `cpu`; `memory` for a heap that grows and is not larger than 128 MiB. With V8's own profile in `rawProfile`. Absent where profiling failed. */
  readonly signals?: Signals;
  /** Why there is no profile: the program may not use the inspector, say. */
  readonly failure?: Error;
}

/** What whoever diagnoses the profiles adds to them. */
export interface BesideAnomalies {
  /** Beside the built-in ones; asked for when a profile begins. */
  readonly samplers?: () => readonly Sampler[];
  /** Makes ready what keeps a profile that the exit of the process cuts short. Asked for before one begins. */
  readonly keeper?: () => Promise<(signals: Signals, trigger: Trigger) => void>;
}

export class AnomalyProfiler {
  readonly #limits: AnomalyLimits;
  readonly #detector: AnomalyDetector;
  readonly #onProfiled: (anomaly: ProfiledAnomaly) => void;
  readonly #beside: BesideAnomalies;
  #running: AbortController | undefined;
  #restUntilMs = -Infinity;
  #isClosed = false;

  constructor(
    limits: AnomalyLimits,
    onProfiled: (anomaly: ProfiledAnomaly) => void,
    beside: BesideAnomalies = {},
  ) {
    this.#beside = beside;
    this.#limits = limits;
    this.#detector = new AnomalyDetector(limits);
    this.#onProfiled = onProfiled;
  }

  /** A point of the monitor. A profile's own time is not judged. */
  add(point: AnomalyPoint, nowMs: number): void {
    if (this.#running !== undefined || this.#isClosed) return;
    const anomaly = this.#detector.add(point);
    if (anomaly === undefined || nowMs < this.#restUntilMs) return;
    const abort = new AbortController();
    this.#running = abort;
    const ended = this.#profile(anomaly, abort.signal).finally(() => {
      this.#running = undefined;
      this.#detector.reset();
      forget();
    });
    const forget = addAutomaticRun(() => {
      abort.abort();
      return ended;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#running?.abort();
  }

  async #profile(anomaly: Trigger, signal: AbortSignal): Promise<void> {
    const { profileMs: durationMs, samplingIntervalUs, cooldownMs } = this.#limits;
    const rest = () => (this.#restUntilMs = performance.now() + cooldownMs);
    try {
      const [{ isProfiling, startRun }, { keptAtExit }, keep] = await Promise.all([
        import('./session.js'),
        import('./kept-at-exit.js'),
        this.#beside.keeper?.(),
      ]);
      // Somebody asked for one: what is out of the ordinary afterwards is looked into then.
      if (isProfiling()) return;
      const { used_heap_size: heapBytes } = getHeapStatistics();
      const collects = anomaly.kind === 'heap-growth' && heapBytes <= MOST_HEAP_TO_COLLECT;
      const run = startRun(collects ? 'memory' : 'cpu', {
        durationMs,
        samplingIntervalUs,
        samplers: this.#beside.samplers?.() ?? [],
        signal,
        rawProfile: true,
        keepAlive: false,
      });
      const signals = await keptAtExit(
        run,
        keep && ((gathered) => keep(gathered, anomaly)),
        (gathered) => gathered,
      );
      rest();
      this.#onProfiled({ ...anomaly, signals });
    } catch (error) {
      if (signal.aborted) return;
      rest();
      this.#onProfiled({ ...anomaly, failure: error instanceof Error ? error : new Error(String(error)) });
    }
  }
}
