import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { Gathered, Sampler } from '../sampler.js';
import type { TickReading } from './tick-reading.js';
import { segmentMinima, theilSenSlope } from '../slope.js';

const SEGMENTS = 8;
/** An hour at ten a second would be 36,000 points; beyond this, every second one is dropped. */
const MAX_POINTS = 4096;

interface HeapPoint {
  readonly atMs: number;
  readonly value: number;
}

/** Size of the heap and of what it holds outside, over time. */
export class HeapSampler implements Sampler {
  readonly name = 'heap';
  readonly #reading: TickReading;
  #used: HeapPoint[] = [];
  #external: HeapPoint[] = [];
  #rss: HeapPoint[] = [];
  #stride = 1;
  #ticks = 0;

  constructor(reading: TickReading) {
    this.#reading = reading;
  }

  start(): void {
    this.#keep(this.#measure());
  }

  tick(values: Record<string, number>): void {
    const now = this.#measure();
    values['heap.used'] = now.used;
    values['external.used'] = now.external;
    values['process.rss'] = now.rss;
    this.#ticks += 1;
    if (this.#ticks % this.#stride === 0) this.#keep(now);
  }

  stop(gathered: Gathered): void {
    this.#keep(this.#measure());
    const statistics = getHeapStatistics();
    const memory = process.memoryUsage();
    gathered.set('heap.used', statistics.used_heap_size);
    gathered.set('heap.total', statistics.total_heap_size);
    gathered.set('heap.limit', statistics.heap_size_limit);
    gathered.set('heap.contexts.detached', statistics.number_of_detached_contexts);
    const lastThird = this.#used.slice(-Math.ceil(this.#used.length / 3));
    const floor = Math.min(...lastThird.map(({ value }) => value));
    gathered.set('heap.floor', floor);
    gathered.set('heap.floor.share', floor / statistics.heap_size_limit);
    gathered.set('external.used', memory.external);
    gathered.set('external.arrayBuffers', memory.arrayBuffers);
    gathered.set('external.growth', theilSenSlope(segmentMinima(this.#external, SEGMENTS)) * 1000);
    gathered.set('process.rss', memory.rss);
    gathered.set('process.rss.growth', theilSenSlope(segmentMinima(this.#rss, SEGMENTS)) * 1000);

    const spaces = new Map(
      getHeapSpaceStatistics().map((space) => [space.space_name, space.space_used_size]),
    );
    const used = (...names: string[]) => names.reduce((sum, name) => sum + (spaces.get(name) ?? 0), 0);
    gathered.set('heap.space.new', used('new_space', 'new_large_object_space'));
    gathered.set('heap.space.old', used('old_space', 'map_space', 'shared_space'));
    gathered.set('heap.space.code', used('code_space', 'code_large_object_space'));
    gathered.set('heap.space.large', used('large_object_space', 'shared_large_object_space'));
  }

  #measure() {
    // Not process.memoryUsage(): its resident size costs thirty times as much as the rest.
    const { used_heap_size: used, external_memory: external } = getHeapStatistics();
    const rss = this.#reading.read().residentBytes;
    return {
      atMs: performance.now(),
      used,
      external,
      rss: Number.isFinite(rss) ? rss : process.memoryUsage.rss(),
    };
  }

  #keep({ atMs, used, external, rss }: { atMs: number; used: number; external: number; rss: number }): void {
    this.#used.push({ atMs, value: used });
    this.#external.push({ atMs, value: external });
    this.#rss.push({ atMs, value: rss });
    if (this.#used.length < MAX_POINTS) return;
    const thin = (points: HeapPoint[]) => points.filter((_, index) => index % 2 === 0);
    [this.#used, this.#external, this.#rss] = [thin(this.#used), thin(this.#external), thin(this.#rss)];
    this.#stride *= 2;
  }
}
