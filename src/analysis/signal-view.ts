import type { Evidence } from '../model/finding.js';
import type { MetricName } from '../model/metric-catalogue.js';
import { METRIC_CATALOGUE } from '../model/metric-catalogue.js';
import { metricValue } from '../model/metric.js';
import type { AllocationSite, OperationCost, OperationKind, Signals } from '../model/signals.js';

/** An operation with the shares that rules hold against thresholds. */
export interface HotOperation {
  readonly operation: OperationCost;
  /** Milliseconds outside module loading. */
  readonly activeMs: number;
  /** Share of the loop's time that it takes, idle included; time in which the thread waited for a CPU is left out. */
  readonly loopShare: number;
  /** `activeMs` over busy time outside module loading. */
  readonly busyShare: number;
  /**
   * Stretch of samples that chance alone makes of short calls; 0 where the loop rests between its tasks. In a full
   * loop one request follows another, and an operation that takes a fifth of each is met several times in a row.
   */
  readonly chanceRunMs: number;
}

/** Beyond this part of busy time, loading is the program: a script that does its work while it is evaluated. */
const STARTUP_IS_THE_PROGRAM = 0.5;

/** Busy share of the loop from which on tasks follow one another without a pause that would tell them apart. */
const FULL_LOOP = 0.75;
/** How often chance may make a stretch as long as that in a window. */
const CHANCE = 0.005;

/** Some of busy time ran, or there would be no samples. */
const MOST_WAITING = 0.95;

/** What rules ask of the signals, computed once. */
export class SignalView {
  readonly signals: Signals;
  /** Greatest first. */
  readonly operations: readonly HotOperation[];
  /** Busy milliseconds outside module loading. */
  readonly busyMs: number;
  /** Sampled milliseconds, idle ones included. */
  readonly sampledMs: number;
  /**
   * Part of busy time in which the thread waited for a CPU that others used. Samples tell time by the clock on
   * the wall; on a crowded host a short function looks long by them, and that is not the program's fault.
   */
  readonly waitingShare: number;
  readonly #allBusyMs: number;
  readonly #busy: number;
  /** Part of the loop's time, waits for a CPU left out, in which the thread ran or stood in a blocking call. */
  readonly #ran: number;

  constructor(signals: Signals) {
    this.signals = signals;
    const operations = signals.operations ?? [];
    const first = operations.find(({ share }) => share > 0);
    const allBusyMs = first === undefined ? 0 : first.totalMs / first.share;
    const startup = this.value('cpu.startup.share') ?? 0;
    const countsStartup = startup > STARTUP_IS_THE_PROGRAM;
    const busy = this.value('cpu.busy.share') ?? 0;
    this.busyMs = countsStartup ? allBusyMs : allBusyMs * (1 - startup);
    this.sampledMs = busy > 0 ? allBusyMs / busy : signals.durationMs;
    this.waitingShare = waitingShareOf(
      busy > 0 ? busy : (this.value('eventLoop.utilization') ?? 0),
      this.value('thread.main.runnable') ?? 0,
      this.value('thread.main.onCpu') ?? 0,
    );
    this.#allBusyMs = allBusyMs;
    this.#busy = busy;
    this.#ran = ranShare(this, busy, this.waitingShare);
    this.operations = operations
      .map((operation) => {
        const activeMs = countsStartup ? operation.totalMs : operation.totalMs - operation.startupMs;
        return {
          operation,
          activeMs,
          loopShare: this.loopShareOf(activeMs),
          busyShare: this.busyMs === 0 ? 0 : activeMs / this.busyMs,
          chanceRunMs: this.chanceRunOf(operation.totalMs),
        };
      })
      .sort((a, b) => b.activeMs - a.activeMs);
  }

  /** Share of the loop's time that sampled busy time takes, without the waits for a CPU in either. */
  loopShareOf(busyMs: number): number {
    return this.#allBusyMs === 0 ? 0 : this.loopShareOfBusy(busyMs / this.#allBusyMs);
  }

  /** The same for a share of busy time, also of Node's own code, where no operation of the program was sampled. */
  loopShareOfBusy(share: number): number {
    return share * this.#ran;
  }

  /**
   * Milliseconds of the stretch of samples that chance alone makes of this much time in short calls; 0 in a loop that is
   * less busy than `denseFrom`, because it rests between its tasks.
   */
  chanceRunOf(totalMs: number, denseFrom = FULL_LOOP): number {
    // Under load from many connections samples see as little as two thirds of what the kernel's clock does.
    const samples = Math.max(this.#busy, this.#ran) < denseFrom ? 0 : (this.value('cpu.samples') ?? 0);
    if (samples === 0 || this.#allBusyMs === 0) return 0;
    return chanceRun(samples, totalMs / this.#allBusyMs) * (this.#allBusyMs / samples);
  }

  /** A metric's value; undefined where it could not be measured. Custom metrics are found too. */
  value(name: string): number | undefined {
    return metricValue(this.signals.metrics[name]);
  }

  ofKind(...kinds: readonly OperationKind[]): readonly HotOperation[] {
    return this.operations.filter(({ operation }) => kinds.includes(operation.kind));
  }

  /** The user's allocation sites, greatest first by what they allocated or by what of it is live. */
  userAllocations(by: 'allocatedBytes' | 'liveBytes'): readonly AllocationSite[] {
    return this.signals.allocations
      .filter(({ origin }) => origin === 'user' || origin === 'dependency')
      .toSorted((a, b) => (b[by] ?? 0) - (a[by] ?? 0));
  }

  /** Evidence from a catalogued metric; empty where it could not be measured. */
  evidence(name: MetricName, statement: (value: number) => string, threshold?: number): Evidence[] {
    const value = this.value(name);
    if (value === undefined) return [];
    return [
      {
        metric: name,
        value,
        unit: METRIC_CATALOGUE[name].unit,
        ...(threshold === undefined ? {} : { threshold }),
        statement: statement(value),
      },
    ];
  }
}

/**
 * Length in samples that the longest run of an operation with this share of them exceeds by chance in one of 200
 * windows, if each sample is independent of the one before: n (1 − p) runs begin, and p^L of them are that long.
 */
function chanceRun(samples: number, share: number): number {
  const p = Math.min(0.99, Math.max(0.001, share));
  return Math.max(0, Math.log((samples * (1 - p)) / CHANCE) / Math.log(1 / p));
}

/**
 * Busy time over all time, without waits for a CPU in either: as samples tell, or as the kernel does where that is more.
 * On a crowded host the thread that samples runs mostly while this one sleeps, so that samples miss half of a program of
 * short tasks. The kernel's clock misses nothing but what blocks without a CPU, which samples see.
 */
function ranShare(view: SignalView, busy: number, waiting: number): number {
  const ran = Math.max(busy * (1 - waiting), view.value('thread.main.onCpu') ?? 0);
  return Math.min(1, ran / Math.max(0.01, 1 - busy * waiting));
}

/**
 * The part of `busy` time in which the thread was ready and had no CPU. All three are shares of the window.
 *
 * Not all runnable time lies in busy time: a thread that is woken waits for a CPU while its loop still counts as
 * idle, and with short tasks on a crowded host that is most of it. Time on a CPU is known exactly and is busy, so
 * what the thread missed is no more than busy less on-CPU time. Without that bound a program that ran for 7 % of
 * the window and waited for 17 % would seem never to have run. Taking on-CPU over busy time alone would count
 * sleeping in a synchronous call as waiting for a CPU, and hide what blocks the loop.
 */
function waitingShareOf(busy: number, runnable: number, onCpu: number): number {
  if (busy <= 0) return 0;
  return Math.min(MOST_WAITING, Math.min(runnable, Math.max(0, busy - onCpu)) / busy);
}
