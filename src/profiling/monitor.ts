/**
 * The always-on tier: a point ten times a second, cheap enough to stay on in production, in memory that does not
 * grow. One native call reads what the kernel tells, with its files kept open; V8 and the loop are asked directly.
 * What is dear (threads by role, descriptors, the container's memory: monitor-points.ts) is read once a second. A watchdog thread, where it is asked for, profiles the
 * main thread while it is blocked, which it could not do itself. Where something is out of the ordinary (anomaly.ts), a
 * bounded profile is taken by itself (anomaly-profiler.ts).
 */
import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import type { MetricName } from '../model/metric-catalogue.js';
import type { TimelinePoint, UnavailableMetric } from '../model/metric.js';
import type { Trigger } from '../model/trigger.js';
import type { Signals } from '../model/signals.js';
import { TICK_COLUMNS, type NativeContract } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { AnomalyProfiler, type BesideAnomalies, type ProfiledAnomaly } from './anomaly-profiler.js';
import { anomalyLimits, type AnomalyOptions } from './anomaly.js';
import { COLUMNS, SLOW_COLUMNS, SlowFigures, whyEmpty } from './monitor-points.js';
import { ownWorker } from './own-worker.js';
import { loopCounts, type LoopCounts } from './samplers/event-loop.js';
import type { BlockReporter, WatchdogMessage } from './watchdog-worker.js';

export interface MonitorOptions {
  /** Distance of points in milliseconds, 20 to 60,000. Default 100. */
  readonly intervalMs?: number;
  /** How far back points are kept, in milliseconds, up to a day. Default 60,000. 8 bytes a figure: 136 KiB. */
  readonly historyMs?: number;
  /**
   * Watches for a loop that does not come round: a thread of its own (about 9 MB) profiles the main thread meanwhile.
   * `blockedMs`: from when on, at least three intervals.
   */
  readonly watchdog?: { readonly blockedMs: number };
  /** Called after the loop came free again, with what held it. */
  readonly onBlocked?: (block: BlockedLoop) => void;
  /**
   * When to profile by itself: a CPU profile with heap sampling of a few seconds, for a growing heap a memory profile;
   * one at a time, rarely (`cooldownMs`), and given up for one that somebody asks for. Default `{}`; `false`: never.
   */
  readonly anomalies?: AnomalyOptions | false;
  /** Called with each such profile. */
  readonly onAnomaly?: (anomaly: ProfiledAnomaly) => void;
  /**
   * What the watchdog's thread runs where the loop stays blocked after its profile, so that it is not lost with a
   * process that never comes free.
   *
   * @internal
   */
  readonly blockReporter?: BlockReporter;
  /**
   * What goes with the profiles that it takes by itself.
   *
   * @internal
   */
  readonly beside?: BesideAnomalies;
}

/** A time in which the loop did not come round. */
export interface BlockedLoop {
  /** How long, in milliseconds, as the watchdog saw it: right to a quarter of `blockedMs`. */
  readonly blockedMs: number;
  /** The profile of the block with the points before it: what `analyse` takes. */
  readonly signals: Signals;
  readonly trigger: Trigger;
  /** Id of the result that the watchdog's thread stored while the loop was still blocked. */
  readonly resultId?: string;
}

const OPTION_KEYS: Readonly<Record<keyof MonitorOptions, true>> = {
  intervalMs: true,
  historyMs: true,
  watchdog: true,
  onBlocked: true,
  anomalies: true,
  onAnomaly: true,
  blockReporter: true,
  beside: true,
};
const WIDTH = COLUMNS.length + 1;
const SLOW_AT = 1 + COLUMNS.length - SLOW_COLUMNS.length;
const SLOW_EVERY_MS = 1000;
const HOST_FIRST = TICK_COLUMNS.indexOf('hostUserNs');
const HOST_COUNT = 8;
const at = (name: (typeof TICK_COLUMNS)[number]) => TICK_COLUMNS.indexOf(name);
const [ON_CPU, RUNNABLE, USER, SYSTEM] = [at('onCpuNs'), at('runnableNs'), at('userNs'), at('systemNs')];
const [RESIDENT, IDLE, IOWAIT, STEAL] = [
  at('residentBytes'),
  at('hostIdleNs'),
  at('hostIowaitNs'),
  at('hostStealNs'),
];
const [THROTTLED, CPU_SOME] = [at('throttledNs'), at('cpuSome')];
const [MINOR_FAULTS, MAJOR_FAULTS] = [at('minorFaults'), at('majorFaults')];

/**
 * Points of the calling thread and its process, until closed. The greatest part of a point is one native call
 * (`readTick`), whose cost stands there.
 *
 * @example
 * const monitor = new Monitor({ watchdog: { blockedMs: 500 }, onBlocked: ({ blockedMs }) => log(blockedMs) });
 * monitor.points().at(-1)?.values['eventLoop.utilization'];
 * monitor.close();
 */
export class Monitor implements Disposable {
  readonly #native: NativeContract;
  readonly #ring: Float64Array;
  readonly #capacity: number;
  readonly #intervalMs: number;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #watchdog: Watchdog | undefined;
  readonly #anomalies: AnomalyProfiler | undefined;
  readonly #slow: SlowFigures;
  /** Columns that held a figure at least once. */
  readonly #given = new Uint8Array(COLUMNS.length);
  #now = new Float64Array(TICK_COLUMNS.length);
  #before = new Float64Array(TICK_COLUMNS.length);
  #utilization: EventLoopUtilization;
  #counts: LoopCounts | undefined;
  #atMs = 0;
  #slowAtMs = -Infinity;
  #slowReadings = 0;
  #points = 0;
  #isClosed = false;

  /** @throws InvalidArgumentError for options outside their range; NotSupportedError for a watchdog without a thread. */
  constructor(options: MonitorOptions = {}) {
    requireOptions('options of the monitor', options, OPTION_KEYS);
    const { intervalMs = 100, historyMs = 60_000, watchdog, anomalies = {}, onAnomaly } = options;
    checkRange('intervalMs', intervalMs, 20, 60_000);
    checkRange('historyMs', historyMs, intervalMs, 86_400_000);
    if (watchdog !== undefined) {
      requireOptions('watchdog', watchdog, ['blockedMs']);
      checkRange('watchdog.blockedMs', watchdog.blockedMs, intervalMs * 3, 600_000);
    }
    const limits = anomalies === false ? undefined : anomalyLimits(anomalies);
    if (limits !== undefined) {
      this.#anomalies = new AnomalyProfiler(limits, (anomaly) => onAnomaly?.(anomaly), options.beside);
    }
    this.#native = loadNative();
    this.#intervalMs = intervalMs;
    this.#capacity = Math.ceil(historyMs / intervalMs);
    this.#ring = new Float64Array(this.#capacity * WIDTH);
    this.#native.readTick(this.#before);
    this.#utilization = performance.eventLoopUtilization();
    this.#counts = loopCounts();
    this.#slow = new SlowFigures(this.#native);
    this.#timer = setInterval(() => this.#tick(), intervalMs);
    this.#timer.unref();
    if (watchdog === undefined) return;
    try {
      this.#watchdog = this.#watch(watchdog.blockedMs, options);
    } catch (error) {
      this.close();
      throw fail(
        'NOT_SUPPORTED',
        {
          what: 'The watchdog',
          where: 'where no thread can be started',
          remedy:
            'Leave watchdog out. Under Node’s permission model it takes --allow-worker and --allow-inspector.',
        },
        { cause: error },
      );
    }
  }

  /** The points that are kept, oldest first. A figure that this host does not give is absent. */
  points(): TimelinePoint[] {
    const count = Math.min(this.#points, this.#capacity);
    return Array.from({ length: count }, (_, index) => {
      const row = ((this.#points - count + index) % this.#capacity) * WIDTH;
      const values: Record<string, number> = {};
      COLUMNS.forEach((name, column) => {
        const value = this.#ring[row + 1 + column]!;
        if (Number.isFinite(value)) values[name] = value;
      });
      return { atMs: this.#ring[row]!, values };
    });
  }

  /**
   * The figures that no point holds, each with the reason why this host does not give it. Those that are read once a second
   * are among them from the second reading on.
   */
  unavailable(): Partial<Record<MetricName, UnavailableMetric>> {
    const asked = this.#slowReadings >= 2 ? COLUMNS.length : SLOW_AT - 1;
    const missing = COLUMNS.filter((_, i) => this.#points > 0 && i < asked && this.#given[i] === 0);
    return Object.fromEntries(missing.map((name) => [name, whyEmpty(name, this.#native)]));
  }

  /** Ends it and gives its files and its thread back. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#watchdog?.close();
    this.#anomalies?.close();
    this.#slow[Symbol.dispose]();
    this.#native.closeTick();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #tick(): void {
    this.#watchdog?.beat();
    const now = this.#now;
    const before = this.#before;
    this.#native.readTick(now);
    const atMs = performance.now() - this.#startedAt;
    const elapsedMs = atMs - this.#atMs;
    const elapsedNs = elapsedMs * 1e6;
    const lateMs = Math.max(0, elapsedMs - this.#intervalMs);
    const rate = (column: number) => (now[column]! - before[column]!) / elapsedNs;
    const utilization = performance.eventLoopUtilization();
    const heap = getHeapStatistics();
    const counts = loopCounts();
    const ring = this.#ring;
    const row = (this.#points % this.#capacity) * WIDTH;
    let out = row;
    ring[out++] = atMs;
    const busy = performance.eventLoopUtilization(utilization, this.#utilization).utilization;
    ring[out++] = busy;
    ring[out++] = lateMs;
    const perSecond = 1000 / elapsedMs;
    const earlier = this.#counts;
    const isCounted = counts !== undefined && earlier !== undefined;
    ring[out++] = isCounted ? (counts.loopCount - earlier.loopCount) * perSecond : NaN;
    ring[out++] = isCounted ? (counts.events - earlier.events) * perSecond : NaN;
    ring[out++] = rate(ON_CPU);
    ring[out++] = rate(RUNNABLE);
    ring[out++] = rate(USER) + rate(SYSTEM);
    ring[out++] = now[RESIDENT]!;
    ring[out++] = (now[MINOR_FAULTS]! - before[MINOR_FAULTS]!) * perSecond;
    ring[out++] = (now[MAJOR_FAULTS]! - before[MAJOR_FAULTS]!) * perSecond;
    ring[out++] = heap.used_heap_size;
    ring[out++] = heap.heap_size_limit;
    ring[out++] = heap.external_memory;
    let host = 0;
    for (let i = 0; i < HOST_COUNT; i += 1) host += now[HOST_FIRST + i]! - before[HOST_FIRST + i]!;
    const share = (column: number) => (now[column]! - before[column]!) / host;
    const iowait = share(IOWAIT);
    const steal = share(STEAL);
    ring[out++] = 1 - share(IDLE) - iowait - steal;
    ring[out++] = steal;
    ring[out++] = iowait;
    ring[out++] = rate(THROTTLED);
    ring[out++] = now[CPU_SOME]!;
    ring[out++] = now[CPU_SOME + 1]!;
    ring[out++] = now[CPU_SOME + 2]!;
    const sinceSlowMs = atMs - this.#slowAtMs;
    if (sinceSlowMs >= SLOW_EVERY_MS) {
      this.#slow.read(ring, row + SLOW_AT, sinceSlowMs * 1e6);
      this.#slowAtMs = atMs;
      this.#slowReadings += 1;
    } else ring.fill(NaN, row + SLOW_AT, row + WIDTH);
    for (let i = 0; i < COLUMNS.length; i += 1) {
      if (Number.isFinite(ring[row + 1 + i])) this.#given[i] = 1;
    }
    this.#counts = counts;
    this.#utilization = utilization;
    this.#atMs = atMs;
    this.#points += 1;
    this.#now = before;
    this.#before = now;
    this.#anomalies?.add(
      { elapsedMs, lateMs, utilization: busy, heapUsedBytes: heap.used_heap_size },
      performance.now(),
    );
  }

  #watch(limitMs: number, { onBlocked, blockReporter }: MonitorOptions): Watchdog {
    return new Watchdog(limitMs, blockReporter, async ({ blockedMs, profile, resultId }) => {
      if (onBlocked === undefined) return;
      const [{ blockedSignals, blockedTrigger }, { wasProfiling }] = await Promise.all([
        import('./blocked-signals.js'),
        import('./session.js'),
      ]);
      // The watchdog tells of a block a moment after its end.
      const besideProfile = wasProfiling(blockedMs + limitMs);
      const signals = blockedSignals(blockedMs, profile, this.points(), besideProfile);
      if (signals === undefined) return;
      onBlocked({
        blockedMs,
        signals,
        trigger: blockedTrigger(blockedMs, limitMs),
        ...(resultId !== undefined && { resultId }),
      });
    });
  }
}

type OnBlock = (block: WatchdogMessage) => unknown;

/** The thread that watches the main one, and the count that shows it that the loop comes round. */
class Watchdog {
  readonly #beats = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(blockedMs: number, reporter: BlockReporter | undefined, onBlock: OnBlock) {
    const file = new URL('./watchdog-worker.js', import.meta.url);
    this.#worker = ownWorker(file, 'sysopt-watchdog', { beats: this.#beats, blockedMs, reporter });
    this.#worker.on('message', (block: WatchdogMessage) => void onBlock(block));
    // Without its watchdog the monitor goes on; there is nothing that the program could do about it.
    this.#worker.on('error', () => {});
    // After the listeners: the one for messages would keep the program alive again.
    this.#worker.unref();
  }

  beat(): void {
    Atomics.add(this.#beats, 0, 1);
  }

  close(): void {
    void this.#worker.terminate();
  }
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: describe(value),
    expected: `a number of milliseconds from ${least} to ${most}`,
  });
}
