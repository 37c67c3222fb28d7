/**
 * One profiling run of the calling thread: starts the samplers, owns the clock, and gathers what they found.
 *
 * The library's own frames, and the time before the window, are not part of the result. Nothing here opens a
 * port, starts a process or a thread, or touches what the program does.
 */
import { describe, fail } from '../errors.js';
import type { Progress } from '../events.js';
import { metricValue, type TimelinePoint } from '../model/metric.js';
import { MAX_PROFILE_MS, MIN_PROFILE_MS } from '../model/profiling-result.js';
import type { Signals } from '../model/signals.js';
import { ProfileType } from '../model/types.js';
import type { NativeContract } from '../native/contract.js';
import { loadNative } from '../native/load.js';
import { loadParser } from './source/parser.js';
import { Gathered, type Sampler, type SamplingWindow, type SlowSampler } from './sampler.js';
import { InspectorSession } from './inspector-session.js';
import { builtInSamplers } from './samplers/index.js';
import { RetainerSampler } from './samplers/retainers.js';
import { setBlockedShare } from './samplers/threads.js';
import { SourceIndex } from './source/source-index.js';

export interface ProfileOptions {
  /** Length of the window in milliseconds, 10 to 600,000. A loop that is blocked at its end lengthens it. */
  readonly durationMs: number;
  /** Distance of CPU samples in microseconds, 100 to 1,000,000. Default 2,500 for `cpu` and `thread`, else 5,000. */
  readonly samplingIntervalUs?: number;
  readonly signal?: AbortSignal;
  /** Called about twice a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Functions, operations and allocation sites to keep, hottest first. Default 100. */
  readonly maxFunctions?: number;
  /** Further sources of signals, beside the built-in ones. */
  readonly samplers?: readonly Sampler[];
  /** Keep V8's own profile in `Signals.rawProfile`. Default false. */
  readonly rawProfile?: boolean;
  /**
   * In a `memory` run, tell what the objects hang on that were made and are still kept at its end, by two heap snapshots. Each
   * stops the program for some seconds per 50 MB of heap. Default false.
   */
  readonly retainers?: boolean;
  /** Whether the run keeps the process alive until it ends. Default true; false in an agent. */
  readonly keepAlive?: boolean;
}

/**
 * The densest sampling that costs a busy service less than 3 % (npm run bench:overhead); where the profile stands
 * beside other figures, half of that.
 */
export const DEFAULT_INTERVAL_US: Readonly<Record<ProfileType, number>> = {
  cpu: 2500,
  thread: 2500,
  io: 5000,
  network: 5000,
  memory: 5000,
};
const TICK_MS = 100;
const TICKS_PER_PROGRESS = 5;
/** What other threads may take to answer at the end. */
const LATE_MS = 2000;
/** Ten minutes at ten points a second; a longer time line is thinned. */
const MAX_TIMELINE_POINTS = 6000;

/** Of the process: the agent has a copy of this module to itself, beside the one that the program may import. */
const RUNNING = Symbol.for('system-optimizer.profiling');
const ENDED = Symbol.for('system-optimizer.profiling-ended');
const state = globalThis as { [RUNNING]?: boolean; [ENDED]?: number };

/** Whether a run is under way in this process, by whomever it was started. */
export function isProfiling(): boolean {
  return state[RUNNING] === true;
}

/** Whether a run was under way at any time in the last `ms` milliseconds. */
export function wasProfiling(ms: number): boolean {
  return isProfiling() || performance.now() - (state[ENDED] ?? -Infinity) < ms;
}

/**
 * Profiles the calling thread for `durationMs`.
 *
 * @param type what to look at: `cpu`, `memory`, `io`, `network` or `thread`.
 * @returns the signals; rejects, never throws synchronously.
 * @throws InvalidArgumentError for figures outside their range, NotSupportedError for a second
 *   run at the same time and where Node has no inspector or may not use it, AbortedError after `signal`.
 *
 * @example
 * const signals = await gatherSignals('cpu', { durationMs: 5_000 });
 * signals.functions[0]; // hottest function, with file, line and share
 */
export async function gatherSignals(type: ProfileType, options: ProfileOptions): Promise<Signals> {
  return await startRun(type, options).finished;
}

/** A run that can be ended early, with what was gathered until then. */
export interface ProfileRun {
  readonly finished: Promise<Signals>;
  /** Ends the window now, synchronously; `finished` resolves with the same signals. For a process that exits. */
  end(): Signals;
  /** Ends the window now; `finished` resolves with the signals, as at the planned end. Does nothing at or after that. */
  conclude(): void;
  /** Whether the window is over, so that the signals are being put together or are complete. */
  readonly isEnding: boolean;
}

/**
 * Checks the arguments and starts a run. Synchronous, module loading included: in a program whose loop is
 * saturated every turn of the loop that this needed would delay the window by seconds.
 *
 * @internal
 */
export function startRun(type: ProfileType, options: ProfileOptions): ProfileRun {
  checkProfileOptions(type, options);
  if (options.signal?.aborted)
    throw fail('ABORTED', { what: 'The profile' }, { cause: options.signal.reason });
  if (isProfiling()) {
    throw fail('NOT_SUPPORTED', {
      what: 'A second profile at the same time',
      where: 'in one process',
      remedy: 'Wait for the first to end.',
    });
  }
  const native = loadNative();
  const session = openInspector();
  state[RUNNING] = true;
  try {
    const retainers =
      options.retainers === true ? new RetainerSampler(options.keepAlive !== false) : undefined;
    const samplers = [...builtInSamplers(native, session, retainers), ...(options.samplers ?? [])];
    return new Run(type, options, native, session, samplers, new SourceIndex(loadParser()));
  } catch (error) {
    state[RUNNING] = false;
    session.close();
    throw error;
  }
}

function openInspector(): InspectorSession {
  try {
    return new InspectorSession(process.getBuiltinModule('node:inspector'));
  } catch (error) {
    const isDenied = (error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
    throw fail(
      'NOT_SUPPORTED',
      isDenied
        ? {
            what: 'Profiling',
            where: 'under Node’s permission model, which denies the inspector to the program',
            remedy:
              'Add --allow-inspector where your Node has that flag (25, and 24 from 24.12 on), or profile a copy of the service that runs without --permission (--experimental-permission).',
          }
        : {
            what: 'Profiling',
            where: 'in a Node that was built without the inspector',
            remedy: 'Use an official build of Node.',
          },
      { cause: error },
    );
  }
}

/** What both ends of a connection check before any work begins. */
export function checkProfileOptions(type: ProfileType, options: ProfileOptions): void {
  const types: readonly string[] = Object.values(ProfileType);
  if (!types.includes(type)) {
    throw fail('INVALID_ARGUMENT', {
      name: 'type',
      actual: describe(type),
      expected: `one of ${types.join(', ')}`,
    });
  }
  checkRange('durationMs', options.durationMs, MIN_PROFILE_MS, MAX_PROFILE_MS, 'milliseconds');
  if (options.samplingIntervalUs !== undefined) {
    checkRange('samplingIntervalUs', options.samplingIntervalUs, 100, 1_000_000, 'microseconds');
  }
  if (options.retainers === true && type !== 'memory') {
    throw fail('INVALID_ARGUMENT', {
      name: 'retainers',
      actual: `true for a profile of type ${type}`,
      expected: 'a profile of type memory, the only one that looks at what is kept',
    });
  }
  if (options.maxFunctions !== undefined)
    checkRange('maxFunctions', options.maxFunctions, 1, 10_000, 'functions');
}

function checkRange(name: string, value: unknown, least: number, most: number, unit: string): void {
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: describe(value),
    expected: `a number of ${unit} from ${least} to ${most}`,
  });
}

class Run implements ProfileRun {
  readonly finished: Promise<Signals>;
  readonly #type: ProfileType;
  readonly #options: ProfileOptions;
  readonly #session: InspectorSession;
  readonly #samplers: readonly Sampler[];
  readonly #sources: SourceIndex;
  readonly #started: Sampler[] = [];
  readonly #warnings: string[] = [];
  readonly #timeline: TimelinePoint[] = [];
  readonly #startedAt: number;
  readonly #loopIsTrue: boolean;
  readonly #interval: NodeJS.Timeout;
  readonly #end: NodeJS.Timeout;
  readonly #onAbort = () => this.#abort();
  #resolve!: (signals: Signals) => void;
  #reject!: (error: unknown) => void;
  #signals: Signals | undefined;
  #gathered: Gathered | undefined;
  readonly #lateTimers = new Set<NodeJS.Timeout>();
  #ticks = 0;
  #timelineStride = 1;

  constructor(
    type: ProfileType,
    options: ProfileOptions,
    native: NativeContract,
    session: InspectorSession,
    samplers: readonly Sampler[],
    sources: SourceIndex,
  ) {
    this.#type = type;
    this.#options = options;
    this.#session = session;
    this.#samplers = samplers;
    this.#sources = sources;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // V8's sampling signal ends every poll of the loop, which then counts as busy; blocked, it waits its turn.
    this.#loopIsTrue = process.platform !== 'linux' || native.blockProfilerSignal();
    const window: SamplingWindow = {
      type,
      durationMs: options.durationMs,
      samplingIntervalUs: options.samplingIntervalUs ?? DEFAULT_INTERVAL_US[type],
      maxFunctions: options.maxFunctions ?? 100,
      sources,
      keepRawProfile: options.rawProfile === true,
    };
    for (const sampler of this.#samplers) {
      this.#guard(sampler, () => {
        sampler.start(window);
        this.#started.push(sampler);
      });
    }
    this.#startedAt = performance.now();
    this.#interval = setInterval(() => this.#tick(), TICK_MS);
    this.#end = setTimeout(() => void this.#conclude(), options.durationMs);
    if (options.keepAlive === false) {
      this.#interval.unref();
      this.#end.unref();
    }
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  end(): Signals {
    const elapsedMs = performance.now() - this.#startedAt;
    if (this.#signals === undefined && elapsedMs < this.#options.durationMs) {
      const of = `${Math.round(elapsedMs)} ms into a window of ${this.#options.durationMs} ms`;
      this.#warnings.unshift(`The program ended ${of}; this is what was gathered until then.`);
    }
    this.#settle();
    return this.#signals!;
  }

  conclude(): void {
    void this.#conclude();
  }

  get isEnding(): boolean {
    return this.#gathered !== undefined;
  }

  #tick(): void {
    const atMs = performance.now() - this.#startedAt;
    const values: Record<string, number> = {};
    for (const sampler of [...this.#started]) {
      if (sampler.tick !== undefined) this.#guard(sampler, () => sampler.tick!(values));
    }
    if (this.#ticks % this.#timelineStride === 0) this.#timeline.push({ atMs, values });
    if (this.#timeline.length >= MAX_TIMELINE_POINTS) this.#thinTimeline();
    this.#ticks += 1;
    if (this.#options.onProgress !== undefined && this.#ticks % TICKS_PER_PROGRESS === 0)
      this.#progress(atMs);
  }

  #progress(atMs: number): void {
    this.#options.onProgress!({
      stage: 'profile',
      fraction: Math.min(1, atMs / this.#options.durationMs),
      message: `Profiling ${this.#type} for ${Math.round(this.#options.durationMs / 100) / 10} s`,
    });
  }

  #thinTimeline(): void {
    this.#timeline.splice(0, this.#timeline.length, ...this.#timeline.filter((_, index) => index % 2 === 0));
    this.#timelineStride *= 2;
  }

  /** The planned end: samplers stop now, and those that need another thread's answer get a moment for it. */
  async #conclude(): Promise<void> {
    if (this.#gathered !== undefined) return;
    try {
      const gathered = this.#stopAll();
      const late = this.#started.filter((sampler) => sampler.late !== undefined);
      await Promise.all(late.map((sampler) => this.#guardLate(sampler, gathered)));
      this.#settle();
    } catch (error) {
      this.#reject(error);
    }
  }

  #settle(): void {
    if (this.#signals !== undefined) return;
    try {
      this.#signals = this.#finish(this.#stopAll());
      this.#resolve(this.#signals);
    } catch (error) {
      this.#reject(error);
      throw error;
    }
  }

  #abort(): void {
    if (this.#signals !== undefined) return;
    this.#signals = this.#finish(this.#stopAll());
    this.#reject(fail('ABORTED', { what: 'The profile' }, { cause: this.#options.signal?.reason }));
  }

  #stopAll(): Gathered {
    if (this.#gathered !== undefined) return this.#gathered;
    clearInterval(this.#interval);
    clearTimeout(this.#end);
    const gathered = (this.#gathered = new Gathered(performance.now() - this.#startedAt));
    // The last to start stops first, so that none measures the stopping of another.
    for (const sampler of this.#started.toReversed()) this.#guard(sampler, () => sampler.stop(gathered));
    return gathered;
  }

  #finish(gathered: Gathered): Signals {
    for (const timer of this.#lateTimers) clearTimeout(timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    // Also of those that failed: they may have begun.
    for (const sampler of this.#samplers) this.#guard(sampler, () => sampler.release?.());
    this.#session.close();
    state[RUNNING] = false;
    state[ENDED] = performance.now();
    this.#correctLoop(gathered);
    setBlockedShare(gathered);
    if (this.#sources.unparsed > 0) {
      gathered.warnings.push(
        `The source of ${this.#sources.unparsed === 1 ? 'a file' : `${this.#sources.unparsed} files`} was not looked at, because the heap is too near to its limit: functions are those that V8 names, without what it inlined.`,
      );
    }
    return {
      type: this.#type,
      durationMs: gathered.elapsedMs,
      metrics: gathered.metrics,
      timeline: this.#timeline,
      functions: gathered.functions,
      allocations: gathered.allocations,
      callTree: gathered.callTree,
      gc: gathered.gc,
      warnings: [...this.#warnings, ...gathered.warnings],
      operations: gathered.operations,
      threads: gathered.threads,
      ...(gathered.listeners === undefined ? {} : { listeners: gathered.listeners }),
      ...(gathered.deoptimisations === undefined ? {} : { deoptimisations: gathered.deoptimisations }),
      ...(gathered.nativeFunctions === undefined ? {} : { nativeFunctions: gathered.nativeFunctions }),
      ...(gathered.retainers === undefined ? {} : { retainers: gathered.retainers }),
      ...(gathered.activities === undefined ? {} : { activities: gathered.activities }),
      ...(gathered.threadProfiles.length === 0 ? {} : { threadProfiles: gathered.threadProfiles }),
      ...(gathered.rawProfile === undefined ? {} : { rawProfile: gathered.rawProfile }),
    };
  }

  /** Where the sampling signal could not be blocked, the profile's own idle samples tell the loop's utilisation. */
  #correctLoop(gathered: Gathered): void {
    if (this.#loopIsTrue) return;
    const busy = metricValue(gathered.metrics['cpu.busy.share']);
    if (busy !== undefined) gathered.set('eventLoop.utilization', busy);
    gathered.warnings.push(
      'The profiler’s signal wakes the event loop, because it cannot be blocked without the native addon: ' +
        'eventLoop.utilization is taken from the profile’s idle samples, and its time line is too high.',
    );
  }

  async #guardLate(sampler: Sampler | SlowSampler, gathered: Gathered): Promise<void> {
    const limitMs = 'lateMs' in sampler ? sampler.lateMs : LATE_MS;
    try {
      // Begun first: what it does before it awaits anything is no waiting.
      const answer = sampler.late!(gathered);
      await Promise.race([answer, this.#lateLimit(limitMs)]);
    } catch (error) {
      this.#warnings.push(`The sampler "${sampler.name}" gave no late answer: ${describeError(error)}`);
    }
  }

  #lateLimit(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (this.#options.keepAlive === false) timer.unref();
      this.#lateTimers.add(timer);
    });
  }

  #guard(sampler: Sampler, work: () => void): void {
    try {
      work();
    } catch (error) {
      const index = this.#started.indexOf(sampler);
      if (index >= 0) this.#started.splice(index, 1);
      this.#warnings.push(`The sampler "${sampler.name}" failed and was left out: ${describeError(error)}`);
    }
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
