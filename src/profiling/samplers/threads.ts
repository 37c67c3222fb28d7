import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { metricValue, unavailable } from '../../model/metric.js';
import type { MetricName } from '../../model/metric-catalogue.js';
import type { ThreadCost, ThreadRole } from '../../model/signals.js';
import type { NativeContract } from '../../native/contract.js';
import { eachThread, threadRows } from '../../native/thread-rows.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';
import { ThreadLanes, type ThreadTotals } from './thread-lanes.js';
import type { TickReading } from './tick-reading.js';

const MAX_THREADS = 512;
/** The kernel's long form of a thread's schedule is a file to open, format and parse: with more threads it is left out. */
const MAX_DETAILED = 128;
/** Threads are listed for their lanes twice a second: that opens a file for each. */
const TICKS_PER_STEP = 5;
/** V8's thread that takes the samples. One that began with this run is ours, and no part of the program. */
const PROFILER_THREAD = 'v8:ProfEvntProc';
/** Share of the window from which a thread counts as busy. */
const BUSY = 0.5;
export const THREAD_METRICS: readonly MetricName[] = [
  ...([
    'thread.main.onCpu',
    'thread.main.runnable',
    'thread.others.onCpu',
    'thread.others.runnable',
  ] as const),
  ...(['thread.workers.onCpu', 'thread.workers.runnable', 'thread.workers', 'thread.pool.onCpu'] as const),
  ...(['thread.runtime.onCpu', 'thread.busy', 'thread.demand', 'process.threads'] as const),
];
const DETAILS: readonly MetricName[] = [
  'thread.migrations',
  'thread.switches.voluntary',
  'thread.switches.involuntary',
];

interface Times {
  readonly onCpuNs: number;
  readonly runnableNs: number;
}

interface Detail {
  readonly migrations: number;
  readonly voluntary: number;
  readonly involuntary: number;
}

/** What others know of the threads: which are libuv's pool, which run workers. */
export interface KnownThreads {
  readonly pool: ReadonlySet<number>;
  readonly workers: ReadonlyMap<number, string>;
  /** Workers that did not tell their thread. */
  readonly unnamedWorkers: () => number;
}

/** On-CPU time and run-queue delay of every thread, the profiled one, workers, libuv's pool and helpers told apart. */
export class ThreadSampler implements Sampler {
  readonly name = 'threads';
  readonly #native: NativeContract;
  readonly #known: KnownThreads;
  readonly #rows = threadRows(MAX_THREADS);
  readonly #reading: TickReading;
  #mainTid = 0;
  #start = new Map<number, Times>();
  #startDetails = new Map<number, Detail>();
  #last: Times | undefined;
  #lastAtMs = 0;
  #startedAtMs = 0;
  #isDetailed = false;
  readonly #lanes = new ThreadLanes();
  #stepAtMs = 0;
  #ticks = 0;

  constructor(native: NativeContract, reading: TickReading, known: KnownThreads) {
    this.#native = native;
    this.#reading = reading;
    this.#known = known;
  }

  start({ type }: SamplingWindow): void {
    this.#mainTid = this.#native.currentThreadId();
    this.#isDetailed = type === 'thread';
    this.#start = this.#read();
    if (this.#isDetailed) this.#startDetails = details(this.#start.keys());
    this.#last = this.#readMain();
    this.#lanes.begin(totalsOf(this.#start));
    this.#startedAtMs = this.#lastAtMs = this.#stepAtMs = performance.now();
  }

  tick(values: Record<string, number>): void {
    const main = this.#readMain();
    const now = performance.now();
    const elapsedNs = (now - this.#lastAtMs) * 1e6;
    if (main !== undefined && this.#last !== undefined && elapsedNs > 0) {
      values['thread.main.onCpu'] = (main.onCpuNs - this.#last.onCpuNs) / elapsedNs;
      values['thread.main.runnable'] = (main.runnableNs - this.#last.runnableNs) / elapsedNs;
    }
    this.#last = main;
    this.#lastAtMs = now;
    if (++this.#ticks % TICKS_PER_STEP === 0) this.#step(this.#read(), now);
  }

  #step(threads: ReadonlyMap<number, Times>, now: number): void {
    this.#lanes.step(totalsOf(threads), now - this.#stepAtMs);
    this.#stepAtMs = now;
  }

  stop(gathered: Gathered): void {
    const end = this.#read();
    if (!end.has(this.#mainTid)) {
      const { threadStatistics } = this.#native.capabilities();
      gathered.missing(
        THREAD_METRICS,
        threadStatistics.available
          ? unavailable('THREAD_GONE', 'The profiled thread is not listed by the kernel.', 'Profile again.')
          : unavailable(threadStatistics.reason, threadStatistics.message, threadStatistics.remedy),
      );
      return;
    }
    const now = performance.now();
    const elapsedMs = now - this.#startedAtMs;
    // A rest too short for a share of its own is left out.
    if (now - this.#stepAtMs > 50) this.#step(end, now);
    const unnamed = this.#unnamedWorkers(end.keys());
    const endDetails = this.#isDetailed ? details(end.keys()) : new Map<number, Detail>();
    const program = [...end].filter(
      ([tid]) => this.#start.has(tid) || this.#native.threadName(tid) !== PROFILER_THREAD,
    );
    const threads = program.map(([tid, times]) => {
      const role = this.#role(tid, unnamed);
      return this.#cost(tid, role, times, elapsedMs, endDetails.get(tid));
    });
    setThreadShares(gathered, threads, elapsedMs);
    if (this.#isDetailed) setDetails(gathered, threads);
    gathered.threads = threads.sort((a, b) => b.onCpuMs - a.onCpuMs);
  }

  #role(tid: number, unnamed: ReadonlySet<number>): ThreadRole {
    if (tid === this.#mainTid) return 'main';
    if (this.#known.pool.has(tid)) return 'pool';
    if (this.#known.workers.has(tid) || unnamed.has(tid)) return 'worker';
    return /^libuv-worker/.test(this.#native.threadName(tid)) ? 'pool' : 'runtime';
  }

  /** Workers that did not answer are the youngest of the threads that nobody knows: helpers come first. */
  #unnamedWorkers(tids: Iterable<number>): Set<number> {
    const unknown = [...tids].filter(
      (tid) =>
        tid !== this.#mainTid &&
        !this.#known.pool.has(tid) &&
        !this.#known.workers.has(tid) &&
        /^(node|WorkerThread|MainThread)/i.test(this.#native.threadName(tid)),
    );
    return new Set(unknown.sort((a, b) => b - a).slice(0, this.#known.unnamedWorkers()));
  }

  #cost(
    tid: number,
    role: ThreadRole,
    end: Times,
    elapsedMs: number,
    detail: Detail | undefined,
  ): ThreadCost {
    // A thread that began within the window began at zero.
    const start = this.#start.get(tid) ?? { onCpuNs: 0, runnableNs: 0 };
    const onCpuMs = Math.max(0, end.onCpuNs - start.onCpuNs) / 1e6;
    const runnableMs = Math.max(0, end.runnableNs - start.runnableNs) / 1e6;
    const lane = this.#lanes.of(tid);
    const before = this.#startDetails.get(tid) ?? { migrations: 0, voluntary: 0, involuntary: 0 };
    return {
      tid,
      name: this.#label(tid, role),
      onCpuMs,
      runnableMs,
      role,
      blockedMs: Math.max(0, elapsedMs - onCpuMs - runnableMs),
      ...(lane === undefined ? {} : { lane }),
      ...(detail === undefined
        ? {}
        : {
            migrations: detail.migrations - before.migrations,
            voluntarySwitches: detail.voluntary - before.voluntary,
            involuntarySwitches: detail.involuntary - before.involuntary,
          }),
    };
  }

  #label(tid: number, role: ThreadRole): string {
    if (role === 'main') return 'main';
    const worker = this.#known.workers.get(tid);
    if (worker !== undefined) return worker;
    const name = this.#native.threadName(tid) || `thread ${tid}`;
    return role === 'runtime' ? name : `${role} ${tid}`;
  }

  #readMain(): Times | undefined {
    const { onCpuNs, runnableNs } = this.#reading.read();
    return Number.isFinite(onCpuNs) ? { onCpuNs, runnableNs } : undefined;
  }

  #read(): Map<number, Times> {
    const threads = new Map<number, Times>();
    eachThread(this.#rows, this.#native.readThreads(this.#rows), (tid, onCpuNs, runnableNs) => {
      threads.set(tid, { onCpuNs, runnableNs: Number.isFinite(runnableNs) ? runnableNs : 0 });
    });
    return threads;
  }
}

/** The metrics of threads that are sums over them. */
export function setThreadShares(gathered: Gathered, threads: readonly ThreadCost[], elapsedMs: number): void {
  const sum = (key: 'onCpuMs' | 'runnableMs', isOf: (role: ThreadRole) => boolean) =>
    threads.filter(({ role }) => isOf(role!)).reduce((total, thread) => total + thread[key], 0) / elapsedMs;
  const is = (wanted: ThreadRole) => (role: ThreadRole) => role === wanted;
  gathered.set('thread.main.onCpu', sum('onCpuMs', is('main')));
  gathered.set('thread.main.runnable', sum('runnableMs', is('main')));
  gathered.set(
    'thread.others.onCpu',
    sum('onCpuMs', (role) => role !== 'main'),
  );
  gathered.set(
    'thread.others.runnable',
    sum('runnableMs', (role) => role !== 'main'),
  );
  gathered.set('thread.workers', threads.filter(({ role }) => role === 'worker').length);
  gathered.set('thread.workers.onCpu', sum('onCpuMs', is('worker')));
  gathered.set('thread.workers.runnable', sum('runnableMs', is('worker')));
  gathered.set('thread.pool.onCpu', sum('onCpuMs', is('pool')));
  gathered.set('thread.runtime.onCpu', sum('onCpuMs', is('runtime')));
  const wanted = ({ onCpuMs, runnableMs }: ThreadCost) => (onCpuMs + runnableMs) / elapsedMs;
  gathered.set('thread.busy', threads.filter((thread) => wanted(thread) >= BUSY).length);
  const demand = threads.reduce((total, thread) => total + wanted(thread), 0);
  gathered.set('thread.demand', demand / availableParallelism());
  gathered.set('process.threads', threads.length);
}

/** The main thread's time in which it had work and neither ran nor was ready to: `eventLoop.utilization` less both. */
export function setBlockedShare(gathered: Gathered): void {
  const value = (name: MetricName) => metricValue(gathered.metrics[name]);
  const loop = value('eventLoop.utilization');
  const onCpu = value('thread.main.onCpu');
  const runnable = value('thread.main.runnable');
  if (loop !== undefined && onCpu !== undefined && runnable !== undefined) {
    gathered.set('thread.main.blocked', Math.max(0, loop - onCpu - runnable));
    return;
  }
  gathered.missing(
    ['thread.main.blocked'],
    unavailable(
      'NO_THREAD_TIMES',
      'The thread’s on-CPU and run-queue times are not known, so blocking cannot be told from running.',
      'Run on Linux with the native addon.',
    ),
  );
}

function totalsOf(threads: ReadonlyMap<number, Times>): Map<number, ThreadTotals> {
  return new Map(
    [...threads].map(([tid, { onCpuNs, runnableNs }]) => [
      tid,
      { onCpuMs: onCpuNs / 1e6, runnableMs: runnableNs / 1e6 },
    ]),
  );
}

function setDetails(gathered: Gathered, threads: readonly ThreadCost[]): void {
  const seconds = gathered.elapsedMs / 1000;
  const known = threads.filter(({ migrations }) => migrations !== undefined && Number.isFinite(migrations));
  if (known.length === 0) {
    gathered.missing(
      DETAILS,
      unavailable(
        'NO_SCHED_DETAIL',
        'This kernel gives no /proc/self/task/<tid>/sched.',
        'Use a kernel built with CONFIG_SCHED_DEBUG.',
      ),
    );
    return;
  }
  const rate = (key: 'migrations' | 'voluntarySwitches' | 'involuntarySwitches') =>
    known.reduce((sum, thread) => sum + Math.max(0, thread[key]!), 0) / seconds;
  gathered.set('thread.migrations', rate('migrations'));
  gathered.set('thread.switches.voluntary', rate('voluntarySwitches'));
  gathered.set('thread.switches.involuntary', rate('involuntarySwitches'));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The thread is gone, or the kernel does not give the file.
    return '';
  }
}

function details(tids: Iterable<number>): Map<number, Detail> {
  const found = new Map<number, Detail>();
  for (const tid of [...tids].slice(0, MAX_DETAILED)) {
    const text = textOf(`/proc/self/task/${tid}/sched`);
    const figure = (key: string) => Number(new RegExp(`^${key}\\s*:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? NaN);
    const migrations = figure('se\\.nr_migrations');
    if (!Number.isFinite(migrations)) continue;
    found.set(tid, {
      migrations,
      voluntary: figure('nr_voluntary_switches'),
      involuntary: figure('nr_involuntary_switches'),
    });
  }
  return found;
}
