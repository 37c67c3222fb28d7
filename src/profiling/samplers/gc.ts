import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { GcSummary } from '../../model/signals.js';
import { unavailable } from '../../model/metric.js';
import type { Gathered, Sampler } from '../sampler.js';
import { theilSenSlope } from '../slope.js';

const KINDS: Record<number, GcSummary['kind']> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'scavenge',
  // Named in later versions of V8; the value is stable.
  2: 'minor-mark-sweep',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'mark-sweep-compact',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak-callbacks',
};
const MAJOR: readonly GcSummary['kind'][] = ['mark-sweep-compact', 'incremental'];
/** Bounds memory over an hour of collections; percentiles of the first ones stand for all. */
const MAX_PAUSES = 100_000;
const FLOORS_FOR_SLOPE = 3;

/** Collections by kind, their pauses, and the heap that full collections leave behind. */
export class GcSampler implements Sampler {
  readonly name = 'garbage collector';
  #observer: PerformanceObserver | undefined;
  readonly #kinds = new Map<GcSummary['kind'], { count: number; totalMs: number; maxMs: number }>();
  readonly #pauses: number[] = [];
  readonly #floors: { atMs: number; value: number }[] = [];
  #startedAt = 0;
  #pauseMs = 0;

  start(): void {
    this.#startedAt = performance.now();
    this.#observer = new PerformanceObserver((list) => this.#count(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  tick(values: Record<string, number>): void {
    values['gc.pauseMs'] = this.#pauseMs;
    this.#pauseMs = 0;
  }

  stop(gathered: Gathered): void {
    this.#count(this.#observer!.takeRecords());
    this.#observer!.disconnect();
    gathered.gc = [...this.#kinds].map(([kind, totals]) => ({ kind, ...totals }));
    const total = (kinds: (kind: GcSummary['kind']) => boolean) =>
      gathered.gc.filter(({ kind }) => kinds(kind)).reduce((sum, { totalMs }) => sum + totalMs, 0);
    const seconds = gathered.elapsedMs / 1000;
    gathered.set('gc.share', total(() => true) / gathered.elapsedMs);
    gathered.set(
      'gc.minor.share',
      total((kind) => kind === 'scavenge' || kind === 'minor-mark-sweep') / gathered.elapsedMs,
    );
    gathered.set('gc.major.share', total((kind) => MAJOR.includes(kind)) / gathered.elapsedMs);
    gathered.set('gc.count', gathered.gc.reduce((sum, { count }) => sum + count, 0) / seconds);
    this.#pauses.sort((a, b) => a - b);
    gathered.set('gc.pause.max', this.#pauses.at(-1) ?? 0);
    gathered.set('gc.pause.p99', this.#pauses[Math.floor(this.#pauses.length * 0.99)] ?? 0);
    if (this.#floors.length >= FLOORS_FOR_SLOPE) {
      gathered.set('heap.floor.growth', theilSenSlope(this.#floors) * 1000);
    } else {
      gathered.missing(
        ['heap.floor.growth'],
        unavailable(
          'TOO_FEW_COLLECTIONS',
          `${tooFew(this.#floors.length)} into the window; a slope needs ${FLOORS_FOR_SLOPE}.`,
          'Profile for longer, or run a memory profile, which collects at both ends of the window.',
        ),
      );
    }
  }

  #count(entries: readonly PerformanceEntry[]): void {
    let collectedFully = false;
    for (const entry of entries) {
      if (entry.startTime < this.#startedAt) continue;
      const kind = KINDS[(entry as unknown as { detail: { kind: number } }).detail.kind];
      if (kind === undefined) continue;
      const totals = this.#kinds.get(kind) ?? { count: 0, totalMs: 0, maxMs: 0 };
      totals.count += 1;
      totals.totalMs += entry.duration;
      totals.maxMs = Math.max(totals.maxMs, entry.duration);
      this.#kinds.set(kind, totals);
      this.#pauseMs += entry.duration;
      if (this.#pauses.length < MAX_PAUSES) this.#pauses.push(entry.duration);
      collectedFully ||= kind === 'mark-sweep-compact';
    }
    if (collectedFully && this.#floors.length < MAX_PAUSES) {
      this.#floors.push({ atMs: performance.now(), value: getHeapStatistics().used_heap_size });
    }
  }
}

function tooFew(collections: number): string {
  if (collections === 0) return 'No full collection fell';
  return collections === 1 ? 'Only one full collection fell' : `Only ${collections} full collections fell`;
}
