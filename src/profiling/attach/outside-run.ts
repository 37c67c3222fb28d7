/**
 * A profile of another process that loads nothing into it: its CPU and heap profiles and its workers through the
 * inspector, threads, memory and descriptors from `/proc`, the host from our own samplers. The way for a program whose
 * loop is blocked, which could not run an agent of ours, and for one that may not load our files.
 *
 * What only code inside the program can see is missing, and said to be: operations by call site, timer lateness, the
 * pool's queue, collections by kind.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fail } from '../../errors.js';
import type { MetricName } from '../../model/metric-catalogue.js';
import { metricValue, unavailable, type TimelinePoint, type UnavailableMetric } from '../../model/metric.js';
import type { Signals } from '../../model/signals.js';
import type { ProfileType } from '../../model/types.js';
import { loadNative } from '../../native/load.js';
import type { RawCpuProfile, RawHeapProfile } from '../cpu/raw.js';
import { summariseCpuProfile } from '../cpu/summary.js';
import { HEADROOM_TO_START, headroomExpression, noHeadroom } from '../headroom.js';
import { summariseHeapProfile } from '../heap/summary.js';
import { Gathered, type Sampler, type SamplingWindow } from '../sampler.js';
import { HostSampler } from '../samplers/host.js';
import { KernelIoSampler } from '../samplers/kernel-io.js';
import { NATIVE_METRICS } from '../samplers/native-code.js';
import { setBlockedShare } from '../samplers/threads.js';
import { TickReading } from '../samplers/tick-reading.js';
import { WorkerSampler } from '../samplers/workers.js';
import { MAX_HEAP_TO_WALK } from '../samplers/cpu-profile.js';
import { DEFAULT_INTERVAL_US, type ProfileOptions } from '../session.js';
import { loadParser } from '../source/parser.js';
import { SourceIndex } from '../source/source-index.js';
import { ProcessFilesSampler, sharesControlGroup, sharesFiles } from './process-files.js';
import type { RemoteInspector } from './remote-inspector.js';

const TICK_MS = 100;
const TICKS_PER_HEAP = 5;
const TICKS_PER_PROGRESS = 5;
/** What the program may take to hand over its profiles: V8 serialises them on its main thread. */
const ANSWER_MS = 20_000;
/** Sparse for a CPU run, where it only has to name who feeds the collector. */
const HEAP_INTERVAL_BYTES = { cpu: 512 * 1024, memory: 32 * 1024 } as const;

const INSIDE_ONLY = unavailable(
  'NOT_FROM_OUTSIDE',
  'Only code inside the program can see this, and none was loaded into it.',
  'Profile with the agent inside: without --no-agent, or with sysopt profile -- node app.js.',
);
const NOT_SEEN: readonly MetricName[] = [
  ...(['eventLoop.delay.p50', 'eventLoop.delay.p90', 'eventLoop.delay.p99', 'eventLoop.delay.max'] as const),
  ...(['io.fs.operations', 'network.http.requests', 'network.server.requests'] as const),
  ...(['pool.queue.wait.p99', 'gc.share', 'gc.pause.max', 'external.growth'] as const),
];
const OWN_GROUP_ONLY: readonly MetricName[] = [
  ...(['cgroup.cpu.throttledPeriods', 'cgroup.cpu.throttled', 'cgroup.memory.used'] as const),
  ...(['cgroup.cpu.quota', 'cgroup.memory.limit'] as const),
];

export type OutsideOptions = Pick<
  ProfileOptions,
  'durationMs' | 'samplingIntervalUs' | 'maxFunctions' | 'rawProfile' | 'signal' | 'onProgress'
>;

/**
 * @returns the signals; where the process ended in the middle, what was gathered until then, with a warning: after
 *   an exit the profiles too, after a kill the kernel's figures alone.
 * @throws AbortedError after `signal`; TargetError (`AGENT_FAILED`) where the inspector refuses to profile.
 */
export async function profileFromOutside(
  pid: number,
  inspector: RemoteInspector,
  type: ProfileType,
  options: OutsideOptions,
): Promise<Signals> {
  return new OutsideRun(pid, inspector, type, options).run();
}

class OutsideRun {
  readonly #pid: number;
  readonly #inspector: RemoteInspector;
  readonly #type: ProfileType;
  readonly #options: OutsideOptions;
  readonly #workers: WorkerSampler;
  readonly #samplers: readonly Sampler[];
  readonly #window: SamplingWindow;
  readonly #timeline: TimelinePoint[] = [];
  readonly #warnings: string[] = [];
  readonly #heap: { atMs: number; usedSize: number }[] = [];
  /** Why V8 is not asked for profiles. */
  #full: UnavailableMetric | undefined;
  #startedAt = 0;

  constructor(pid: number, inspector: RemoteInspector, type: ProfileType, options: OutsideOptions) {
    this.#pid = pid;
    this.#inspector = inspector;
    this.#type = type;
    this.#options = options;
    const native = loadNative();
    const reading = new TickReading(native);
    this.#workers = new WorkerSampler({
      // Its commands are answered by notifications; what the connection's end does to them, `late` notices.
      post: <T>(method: string, params: Record<string, unknown> = {}) => {
        inspector.post(method, params).catch(() => {});
        return undefined as T;
      },
      on: (method, listener) => inspector.on(method, listener),
      off: (method, listener) => inspector.off(method, listener),
    });
    this.#samplers = [
      new HostSampler(native, reading),
      new KernelIoSampler(`/proc/${pid}`),
      this.#workers,
      new ProcessFilesSampler(pid, this.#workers.threads),
    ];
    this.#window = {
      type,
      durationMs: options.durationMs,
      samplingIntervalUs: options.samplingIntervalUs ?? DEFAULT_INTERVAL_US[type],
      maxFunctions: options.maxFunctions ?? 100,
      sources: new SourceIndex(loadParser()),
      keepRawProfile: options.rawProfile === true,
    };
    if (!sharesFiles(pid)) {
      this.#warnings.push(
        'The program sees other files than sysopt, as in a container: places are those of V8’s own frames, without the source.',
      );
    }
  }

  async run(): Promise<Signals> {
    const { signal } = this.#options;
    const post = <T>(method: string, params: object = {}) => this.#inspector.post<T>(method, params);
    const exiting = new Promise<void>((resolve) =>
      this.#inspector.on('NodeRuntime.waitingForDisconnect', () => resolve()),
    );
    const abort = () => fail('ABORTED', { what: 'The profile' }, { cause: signal?.reason });
    try {
      // Lets a program that exits wait for its profile to be fetched, which takes it milliseconds.
      const started = post('NodeRuntime.notifyWhenWaitingForDisconnect', { enabled: true })
        .catch(() => {})
        .then(() => this.#startProfilers());
      await this.#answered(started);
    } catch (error) {
      if (signal?.aborted) throw abort();
      throw fail('AGENT_FAILED', {
        pid: this.#pid,
        reason: `its inspector answered: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
    for (const sampler of this.#samplers) sampler.start(this.#window);
    this.#startedAt = performance.now();
    const ended = await this.#tickUntil(Promise.race([exiting, this.#inspector.closed]));
    const gathered = new Gathered(performance.now() - this.#startedAt);
    try {
      // After an abort nothing is waited for: the profilers end with the connection.
      const isProfiled = signal?.aborted !== true && this.#full === undefined;
      const profiles = isProfiled ? await this.#stopProfilers() : undefined;
      for (const sampler of this.#samplers.toReversed()) sampler.stop(gathered);
      if (signal?.aborted) throw abort();
      if (this.#full !== undefined) {
        gathered.missing(['cpu.samples', 'cpu.busy.share', 'heap.allocation.rate'], this.#full);
        gathered.warnings.push(this.#full.message);
      } else if (profiles === undefined) {
        gathered.warnings.push(
          'The process was gone before it handed its profiles over: there are the kernel’s figures alone, no functions.',
        );
      } else {
        await this.#workers.late(gathered);
        this.#setProfiles(gathered, profiles);
      }
    } finally {
      this.#workers.release();
      // A program that waits for its debugger to leave goes on.
      if (ended) await this.#inspector.close();
    }
    if (ended) {
      this.#warnings.unshift(
        `The program ended ${Math.round(gathered.elapsedMs)} ms into a window of ${this.#options.durationMs} ms; this is what was gathered until then.`,
      );
    }
    return this.#signals(gathered);
  }

  /**
   * Waits for what V8 answers between two steps of the program, which one in native code may not come to.
   *
   * @throws Error after `ANSWER_MS`; AbortError after the run's signal.
   */
  async #answered<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#options;
    work.catch(() => {});
    const timeout = new AbortController();
    const silent = delay(ANSWER_MS, undefined, {
      signal: AbortSignal.any([timeout.signal, ...(signal ? [signal] : [])]),
    }).then(() => {
      throw new Error(`nothing for ${ANSWER_MS / 1000} s, as of a main thread in native code.`);
    });
    silent.catch(() => {});
    try {
      return await Promise.race([work, silent]);
    } finally {
      timeout.abort();
    }
  }

  async #startProfilers(): Promise<void> {
    const post = <T>(method: string, params: object = {}) => this.#inspector.post<T>(method, params);
    this.#keepHeap(await post<HeapUsage>('Runtime.getHeapUsage'));
    // V8 makes tables for all functions when it begins to profile, in the program's heap.
    const left = await this.#inspector
      .evaluate<number>(headroomExpression('(process.getBuiltinModule ?? require)'))
      .catch(() => Infinity);
    if (left < HEADROOM_TO_START) {
      this.#full = noHeadroom('CPU and allocation profile', left);
      return;
    }
    await post('HeapProfiler.enable');
    await post('HeapProfiler.startSampling', {
      samplingInterval: HEAP_INTERVAL_BYTES[this.#type === 'memory' ? 'memory' : 'cpu'],
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await post('Profiler.enable');
    await post('Profiler.setSamplingInterval', { interval: this.#window.samplingIntervalUs });
    await post('Profiler.start');
    const { usedSize } = this.#heap[0]!;
    if (usedSize <= MAX_HEAP_TO_WALK) {
      // Discards code that was optimised before: V8 cannot name a loop in it (see samplers/cpu-profile.ts). Under the
      // profiler's eyes: between two commands a loop that spins for long is optimised again.
      await post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
      await post('Profiler.stopPreciseCoverage');
    }
  }

  /** @returns whether the program ended before the window did. */
  async #tickUntil(programEnds: Promise<void>): Promise<boolean> {
    const { durationMs, signal, onProgress } = this.#options;
    let ended = false;
    programEnds.then(() => (ended = true)).catch(() => {});
    for (let tick = 1; !ended && signal?.aborted !== true; tick += 1) {
      const leftMs = this.#startedAt + durationMs - performance.now();
      if (leftMs <= 0) return false;
      await Promise.race([
        delay(Math.min(TICK_MS, leftMs), undefined, { signal }).catch(() => {}),
        programEnds,
      ]);
      const atMs = performance.now() - this.#startedAt;
      const values: Record<string, number> = {};
      for (const sampler of this.#samplers) sampler.tick?.(values);
      const used = this.#heap.at(-1);
      if (used !== undefined) values['heap.used'] = used.usedSize;
      this.#timeline.push({ atMs, values });
      if (tick % TICKS_PER_HEAP === 0) {
        // Not awaited: a program in native code answers when it comes back.
        this.#inspector.post<HeapUsage>('Runtime.getHeapUsage').then(
          (usage) => this.#keepHeap(usage),
          () => {},
        );
      }
      if (tick % TICKS_PER_PROGRESS === 0) {
        onProgress?.({
          stage: 'profile',
          fraction: Math.min(1, atMs / durationMs),
          message: `Profiling ${this.#type} for ${Math.round(durationMs / 100) / 10} s`,
        });
      }
    }
    return ended;
  }

  #keepHeap({ usedSize }: HeapUsage): void {
    this.#heap.push({ atMs: performance.now(), usedSize });
  }

  /** @returns undefined where the program does not hand them over any more. */
  async #stopProfilers(): Promise<Profiles | undefined> {
    const stopped = (async (): Promise<Profiles> => {
      const { profile: cpu } = await this.#inspector.post<{ profile: RawCpuProfile }>('Profiler.stop');
      const { profile: churn } = await this.#inspector.post<{ profile: RawHeapProfile }>(
        'HeapProfiler.stopSampling',
      );
      return { cpu, churn };
    })();
    return this.#answered(stopped).catch(() => undefined);
  }

  #setProfiles(gathered: Gathered, { cpu, churn }: Profiles): void {
    const { sources, maxFunctions, keepRawProfile, type } = this.#window;
    const summary = summariseCpuProfile(cpu, sources, maxFunctions);
    gathered.functions = summary.functions;
    gathered.operations = summary.operations;
    for (const [name, value] of Object.entries(summary.metrics)) gathered.set(name as MetricName, value);
    const heap = summariseHeapProfile({ churn, live: undefined, scale: 1, sources, maxSites: maxFunctions });
    gathered.allocations = heap.sites;
    gathered.set('heap.allocation.rate', heap.allocatedBytes / (gathered.elapsedMs / 1000));
    gathered.callTree = type === 'memory' ? heap.callTree : summary.callTree;
    if (keepRawProfile) gathered.rawProfile = type === 'memory' ? churn : cpu;
    // The profiler's signal wakes a loop that polls, and it cannot be blocked from here; idle samples are true.
    const busy = metricValue(gathered.metrics['cpu.busy.share']);
    if (busy !== undefined) gathered.set('eventLoop.utilization', busy);
  }

  #signals(gathered: Gathered): Signals {
    const last = this.#heap.at(-1);
    if (last !== undefined) gathered.set('heap.used', last.usedSize);
    gathered.missing(
      [...NOT_SEEN, ...(this.#type === 'cpu' ? NATIVE_METRICS : [])].filter(
        (name) => gathered.metrics[name] === undefined,
      ),
      INSIDE_ONLY,
    );
    if (!sharesControlGroup(this.#pid)) {
      gathered.missing(
        OWN_GROUP_ONLY,
        unavailable(
          'OTHER_CONTROL_GROUP',
          'The program belongs to another control group than sysopt.',
          'Run sysopt in the same container or service.',
        ),
      );
    }
    // That sampler took off our own CPU time; the program's is no neighbour's either.
    const others = metricValue(gathered.metrics['host.cpu.others']);
    const own = metricValue(gathered.metrics['process.cpu.total']);
    if (others !== undefined && own !== undefined) gathered.set('host.cpu.others', Math.max(0, others - own));
    setBlockedShare(gathered);
    return {
      type: this.#type,
      durationMs: gathered.elapsedMs,
      metrics: gathered.metrics,
      timeline: this.#timeline,
      functions: gathered.functions,
      allocations: gathered.allocations,
      callTree: gathered.callTree,
      gc: [],
      warnings: [...this.#warnings, ...gathered.warnings],
      operations: gathered.operations,
      threads: gathered.threads,
      ...(gathered.threadProfiles.length === 0 ? {} : { threadProfiles: gathered.threadProfiles }),
      ...(gathered.rawProfile === undefined ? {} : { rawProfile: gathered.rawProfile }),
    };
  }
}

interface HeapUsage {
  readonly usedSize: number;
  readonly totalSize: number;
}

interface Profiles {
  readonly cpu: RawCpuProfile;
  readonly churn: RawHeapProfile;
}
