import { getHeapStatistics } from 'node:v8';
import { isAbsolute } from 'node:path';
import type { MetricName } from '../../model/metric-catalogue.js';
import { unavailable, type UnavailableMetric } from '../../model/metric.js';
import type { CodeLocation } from '../../model/finding.js';
import { FrameResolver } from '../cpu/frames.js';
import { summariseCpuProfile } from '../cpu/summary.js';
import type { RawCpuProfile } from '../cpu/raw.js';
import { HEADROOM_TO_READ, HEADROOM_TO_START, headroomBytes, noHeadroom } from '../headroom.js';
import { scriptsOf, type ScriptsById } from '../heap/lost-scripts.js';
import type { InspectorSession } from '../inspector-session.js';
import { learnExecutedScripts } from '../source/executed-scripts.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';

const METRICS: readonly MetricName[] = [
  'cpu.busy.share',
  'cpu.gc.share',
  'cpu.program.share',
  'cpu.user.share',
  'cpu.startup.share',
  'cpu.timers.share',
  'cpu.microtasks.share',
];

const WHAT = 'The CPU profile';

/** About 1.3 ms per MiB of small objects. */
export const MAX_HEAP_TO_WALK = 128 * 1024 ** 2;

/** The user's function that a sample found running. */
export interface TimedFunction {
  readonly atUs: number;
  readonly location: CodeLocation;
}

/** Functions by CPU time, through V8's sampling profiler. */
export class CpuProfileSampler implements Sampler {
  readonly name = 'CPU profile';
  readonly #session: InspectorSession;
  #window: SamplingWindow | undefined;
  #missing: UnavailableMetric | undefined;
  #profile: RawCpuProfile | undefined;
  /** Scripts that the profile met; known after `stop`. */
  scripts: ScriptsById = new Map();

  constructor(session: InspectorSession) {
    this.#session = session;
  }

  start(window: SamplingWindow): void {
    this.#window = window;
    const left = headroomBytes();
    if (left < HEADROOM_TO_START) {
      this.#missing = noHeadroom(WHAT, left);
      return;
    }
    this.#session.post('Profiler.enable');
    this.#dropOldCode();
    this.#session.post('Profiler.setSamplingInterval', { interval: window.samplingIntervalUs });
    this.#session.post('Profiler.start');
  }

  tick(): void {
    this.#giveUpWhereFull();
  }

  /** Without reading the profile out: that is what takes room. */
  #giveUpWhereFull(): void {
    if (this.#missing !== undefined) return;
    const left = headroomBytes();
    if (left >= HEADROOM_TO_READ) return;
    this.#missing = noHeadroom(WHAT, left);
    this.#session.post('Profiler.disable');
  }

  /**
   * Makes V8 compile its hot functions afresh, under the profiler's eyes. A loop that V8 entered optimised while it
   * ran (on-stack replacement) has code that no profiler finds when it starts later: its function would be missing
   * from every stack and its time would lie on the caller. Starting coverage discards all optimised code, which
   * costs one walk over the heap and a moment of recompilation, so it is done for small heaps alone.
   */
  #dropOldCode(): void {
    if (getHeapStatistics().used_heap_size > MAX_HEAP_TO_WALK) return;
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
    this.#session.post('Profiler.stopPreciseCoverage');
  }

  stop(gathered: Gathered): void {
    this.#giveUpWhereFull();
    if (this.#missing !== undefined) {
      gathered.missing([...METRICS, 'cpu.samples'], this.#missing);
      gathered.warnings.push(this.#missing.message);
      return;
    }
    const { type, sources, maxFunctions, keepRawProfile } = this.#window!;
    const { profile } = this.#session.post<{ profile: RawCpuProfile }>('Profiler.stop');
    this.#session.post('Profiler.disable');
    learnExecutedScripts(this.#session, profile, sources);
    this.#profile = profile;
    this.scripts = scriptsOf(profile);
    const summary = summariseCpuProfile(profile, sources, maxFunctions);
    gathered.functions = summary.functions;
    gathered.operations = summary.operations;
    for (const [name, value] of Object.entries(summary.metrics)) gathered.set(name as MetricName, value);
    if (summary.metrics['cpu.busy.share'] === undefined) {
      gathered.missing(
        METRICS,
        unavailable('NO_SAMPLES', 'The profiler took no sample in the window.', 'Profile for longer.'),
      );
    }
    if (type !== 'memory') {
      gathered.callTree = summary.callTree;
      if (keepRawProfile) gathered.rawProfile = profile;
    }
  }

  /** Who ran when: the user's innermost function of each sample that has one. Can be taken once, after `stop`. */
  takeTimed(): TimedFunction[] {
    const profile = this.#profile;
    this.#profile = undefined;
    if (profile === undefined) return [];
    const frames = new FrameResolver(this.#window!.sources);
    const parents = new Map<number, number>();
    const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
    for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
    const known = new Map<number, CodeLocation | null>();
    const innermost = (id: number | undefined): CodeLocation | null => {
      if (id === undefined) return null;
      let location = known.get(id);
      if (location === undefined) {
        const frame = frames.resolve(nodes.get(id)!.callFrame);
        // Code that the program compiles itself has no file, or one of a name made up for it.
        const isUser = (frame.origin === 'user' || frame.origin === 'dependency') && isAbsolute(frame.file);
        location = isUser ? frames.location(frame) : innermost(parents.get(id));
        known.set(id, location);
      }
      return location;
    };
    const timed: TimedFunction[] = [];
    let atUs = profile.startTime;
    for (const [index, sample] of (profile.samples ?? []).entries()) {
      atUs += profile.timeDeltas?.[index] ?? 0;
      const location = innermost(sample);
      if (location !== null) timed.push({ atUs, location });
    }
    return timed;
  }
}
