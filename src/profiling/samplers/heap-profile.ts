import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { collectFully } from '../collect.js';
import { unavailable, type UnavailableMetric } from '../../model/metric.js';
import { summariseHeapProfile, type HeapSummary } from '../heap/summary.js';
import { HEADROOM_TO_READ, HEADROOM_TO_START, headroomBytes, noHeadroom } from '../headroom.js';
import { withScripts } from '../heap/lost-scripts.js';
import type { RawHeapProfile } from '../cpu/raw.js';
import type { InspectorSession } from '../inspector-session.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';
import type { CpuProfileSampler } from './cpu-profile.js';

const WHAT = 'The allocation profile';

/** Sparse for a CPU run, where it only has to name who feeds the collector; dense for a memory run. */
const INTERVAL_BYTES = { cpu: 512 * 1024, memory: 32 * 1024 } as const;
/** Live objects are found by some of them in the samples; slow leaks of small objects need more samples than churn. */
const LIVE_SAMPLES_PER_SECOND = 2000;
const LEAST_INTERVAL_BYTES = 2048;
/** Part of a memory run in which collected objects are kept in the profile; the rest keeps live ones alone. */
const CHURN_PART = 0.4;
/** A full collection of a larger heap would stop the service for too long. */
const MAX_HEAP_TO_COLLECT = 1024 ** 3;
/** V8 gives up after a few collections in a row that free too little near the limit; ours must not be among them. */
const MAX_OF_LIMIT = 0.4;

/**
 * Allocation by function, through V8's sampling heap profiler.
 *
 * V8 keeps either all sampled objects or the live ones, and one profile at a time, so a memory run has two
 * parts: churn first, then retention. It collects the whole heap at both ends of each: what grew in between is
 * what the program keeps, not what the collector had not come to yet.
 */
export class HeapProfileSampler implements Sampler {
  readonly name = 'heap profile';
  readonly #session: InspectorSession;
  readonly #cpu: Pick<CpuProfileSampler, 'scripts'>;
  #window: SamplingWindow | undefined;
  #missing: UnavailableMetric | undefined;
  #startedAt = 0;
  #slack = { bytes: 0, ofBytes: 0 };
  #churn: { profile: RawHeapProfile; elapsedMs: number } | undefined;
  /** After the collections at the start, between the parts and at the end. */
  readonly #floors: Floor[] = [];

  /** @param cpu stops first, and knows the scripts that are gone by then. */
  constructor(session: InspectorSession, cpu: Pick<CpuProfileSampler, 'scripts'>) {
    this.#session = session;
    this.#cpu = cpu;
  }

  start(window: SamplingWindow): void {
    this.#window = window;
    this.#slack = oldGenerationSlack();
    const left = headroomBytes();
    if (left < HEADROOM_TO_START) {
      this.#missing = noHeadroom(WHAT, left);
      return;
    }
    this.#session.post('HeapProfiler.enable');
    if (window.type === 'memory') this.#collect();
    this.#startedAt = performance.now();
    this.#startSampling(true, window.type === 'memory' ? INTERVAL_BYTES.memory : INTERVAL_BYTES.cpu);
  }

  tick(): void {
    this.#giveUpWhereFull();
    if (this.#missing !== undefined) return;
    if (this.#window!.type !== 'memory' || this.#churn !== undefined) return;
    if (performance.now() - this.#startedAt >= this.#window!.durationMs * CHURN_PART) this.#endChurn();
  }

  /** Without reading the profile out: that is what takes room. */
  #giveUpWhereFull(): void {
    if (this.#missing !== undefined) return;
    const left = headroomBytes();
    if (left >= HEADROOM_TO_READ) return;
    this.#missing = noHeadroom(WHAT, left);
    this.#churn = undefined;
    this.#session.post('HeapProfiler.disable');
  }

  stop(gathered: Gathered): void {
    gathered.set('heap.slack', this.#slack.bytes);
    gathered.set('heap.slack.share', this.#slack.bytes / Math.max(1, this.#slack.ofBytes));
    this.#giveUpWhereFull();
    if (this.#missing !== undefined) {
      gathered.missing(['heap.allocation.rate', 'heap.live.growth', 'external.live.growth'], this.#missing);
      gathered.warnings.push(this.#missing.message);
      return;
    }
    const { type, sources, maxFunctions, keepRawProfile } = this.#window!;
    const isMemory = type === 'memory';
    let live: RawHeapProfile | undefined;
    if (this.#churn === undefined) this.#endChurn();
    else {
      this.#growth(gathered);
      live = this.#stopSampling();
    }
    const { profile, elapsedMs } = this.#churn!;
    const summary: HeapSummary = summariseHeapProfile({
      churn: this.#named(profile),
      live: live && this.#named(live),
      scale: gathered.elapsedMs / Math.max(1, elapsedMs),
      sources,
      maxSites: maxFunctions,
    });
    gathered.allocations = summary.sites;
    gathered.set('heap.allocation.rate', summary.allocatedBytes / (gathered.elapsedMs / 1000));
    if (isMemory) {
      gathered.callTree = summary.callTree;
      if (keepRawProfile) gathered.rawProfile = profile;
      if (live === undefined)
        gathered.warnings.push('The run was too short to tell live objects from collected ones.');
    }
  }

  /** Not before: V8 forgets the ids of objects then, by which the retainers tell old from new. */
  release(): void {
    this.#session.post('HeapProfiler.disable');
  }

  #startSampling(includeCollected: boolean, samplingInterval: number): void {
    this.#session.post('HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: includeCollected,
      includeObjectsCollectedByMinorGC: includeCollected,
    });
  }

  #stopSampling(): RawHeapProfile {
    return this.#session.post<{ profile: RawHeapProfile }>('HeapProfiler.stopSampling').profile;
  }

  #named(profile: RawHeapProfile): RawHeapProfile {
    return { ...profile, head: withScripts(profile.head, this.#cpu.scripts) };
  }

  #endChurn(): void {
    const profile = this.#stopSampling();
    const elapsedMs = performance.now() - this.#startedAt;
    this.#churn = { profile, elapsedMs };
    if (this.#window!.type === 'memory') {
      this.#collect();
      const bytesPerSecond = (sampledBytes(profile.head) / Math.max(1, elapsedMs)) * 1000;
      const interval = Math.round(bytesPerSecond / LIVE_SAMPLES_PER_SECOND);
      this.#startSampling(false, Math.max(LEAST_INTERVAL_BYTES, Math.min(INTERVAL_BYTES.memory, interval)));
    }
  }

  /** The lesser growth of the two parts: what a program fills while it warms up stops growing. */
  #growth(gathered: Gathered): void {
    this.#collect();
    const [start, middle, end] = this.#floors;
    if (start === undefined || middle === undefined || end === undefined) {
      gathered.missing(
        ['heap.live.growth', 'external.live.growth'],
        unavailable(
          'HEAP_TOO_LARGE',
          'The heap is larger than 1 GiB or than two fifths of its limit, where full collections would harm the program.',
          'Read heap.floor.growth over a longer window instead.',
        ),
      );
      return;
    }
    const growth = (key: 'heap' | 'external') =>
      Math.min(perSecond(start, middle, key), perSecond(middle, end, key));
    gathered.set('heap.live.growth', growth('heap'));
    gathered.set('external.live.growth', growth('external'));
  }

  /** Does nothing where the heap is too large to collect, or too near its limit. */
  #collect(): void {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    if (used > MAX_HEAP_TO_COLLECT || used > limit * MAX_OF_LIMIT) return;
    collectFully();
    const { heapUsed, external } = process.memoryUsage();
    this.#floors.push({ atMs: performance.now(), heap: heapUsed, external });
  }
}

/** Before this run's own full collections, which move objects together and so mend what is looked for. */
function oldGenerationSlack(): { bytes: number; ofBytes: number } {
  const old = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space');
  if (old === undefined) return { bytes: 0, ofBytes: 0 };
  return { bytes: old.physical_space_size - old.space_used_size, ofBytes: old.physical_space_size };
}

function sampledBytes({ selfSize, children }: RawHeapProfile['head']): number {
  return children.reduce((sum, child) => sum + sampledBytes(child), selfSize);
}

interface Floor {
  readonly atMs: number;
  readonly heap: number;
  readonly external: number;
}

function perSecond(from: Floor, to: Floor, key: 'heap' | 'external'): number {
  return ((to[key] - from[key]) / Math.max(1, to.atMs - from.atMs)) * 1000;
}
