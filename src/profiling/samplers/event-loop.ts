import { AsyncResource } from 'node:async_hooks';
import {
  monitorEventLoopDelay,
  performance,
  type EventLoopUtilization,
  type IntervalHistogram,
} from 'node:perf_hooks';
import { unavailable } from '../../model/metric.js';
import type { Gathered, Sampler } from '../sampler.js';

const RESOLUTION_MS = 10;
/** Listing resources walks all of them: once a second is enough to see a flood. */
const TICKS_PER_RESOURCE_COUNT = 10;

/** What libuv counts of the calling thread's loop, since it began. */
export interface LoopCounts {
  readonly loopCount: number;
  readonly events: number;
}

/** Undefined where this Node does not tell. */
export function loopCounts(): LoopCounts | undefined {
  return (performance.nodeTiming as { readonly uvMetricsInfo?: LoopCounts }).uvMetricsInfo;
}

export const NO_LOOP_COUNTS = unavailable(
  'NO_UV_METRICS',
  'This Node does not tell what libuv counts.',
  'Use Node 20.18, 22.8 or later.',
);

/** Loop utilisation, timer lateness, and how much the loop has pending. */
export class EventLoopSampler implements Sampler {
  readonly name = 'event loop';
  #start: EventLoopUtilization | undefined;
  #startCounts: LoopCounts | undefined;
  #last: EventLoopUtilization | undefined;
  #delay: IntervalHistogram | undefined;
  #ticks = 0;
  #timers = 0;
  #firstResource = 0;
  #requests = 0;

  start(): void {
    this.#start = this.#last = performance.eventLoopUtilization();
    this.#startCounts = loopCounts();
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#firstResource = nextResource();
  }

  tick(values: Record<string, number>): void {
    const now = performance.eventLoopUtilization();
    values['eventLoop.utilization'] = performance.eventLoopUtilization(now, this.#last).utilization;
    this.#last = now;
    if (this.#ticks++ % TICKS_PER_RESOURCE_COUNT === 0) this.#countResources();
  }

  stop(gathered: Gathered): void {
    gathered.set(
      'eventLoop.utilization',
      performance.eventLoopUtilization(performance.eventLoopUtilization(), this.#start).utilization,
    );
    this.#stopCounts(gathered);
    const delay = this.#delay!;
    delay.disable();
    // The histogram holds the time between two rounds of its own timer; lateness is what exceeds the timer.
    const late = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    if (delay.count > 0) {
      gathered.set('eventLoop.delay.p50', late(delay.percentile(50)));
      gathered.set('eventLoop.delay.p90', late(delay.percentile(90)));
      gathered.set('eventLoop.delay.p99', late(delay.percentile(99)));
      gathered.set('eventLoop.delay.max', late(delay.max));
    } else {
      // The loop never came round: the whole window was one block.
      for (const name of [
        'eventLoop.delay.p50',
        'eventLoop.delay.p90',
        'eventLoop.delay.p99',
        'eventLoop.delay.max',
      ] as const) {
        gathered.set(name, gathered.elapsedMs);
      }
    }
    this.#countResources();
    gathered.set(
      'eventLoop.resourcesCreated',
      (nextResource() - this.#firstResource) / (Math.max(1, gathered.elapsedMs) / 1000),
    );
    gathered.set('eventLoop.activeTimers', this.#timers);
    gathered.set('eventLoop.activeRequests', this.#requests);
  }

  #stopCounts(gathered: Gathered): void {
    const [from, to] = [this.#startCounts, loopCounts()];
    if (from === undefined || to === undefined) {
      gathered.missing(['eventLoop.iterations', 'eventLoop.events'], NO_LOOP_COUNTS);
      return;
    }
    const seconds = gathered.elapsedMs / 1000;
    gathered.set('eventLoop.iterations', (to.loopCount - from.loopCount) / seconds);
    gathered.set('eventLoop.events', (to.events - from.events) / seconds);
  }

  #countResources(): void {
    const resources = process.getActiveResourcesInfo();
    const timers = resources.filter((kind) => kind === 'Timeout' || kind === 'Immediate').length;
    this.#timers = Math.max(this.#timers, timers);
    this.#requests = Math.max(this.#requests, resources.length - timers);
  }
}

/** Node numbers its asynchronous resources: the number of a new one tells how many there were, at the cost of one. */
function nextResource(): number {
  const resource = new AsyncResource('SystemOptimizerCount', { requireManualDestroy: true });
  // For hooks of the program that keep a record of what lives.
  resource.emitDestroy();
  return resource.asyncId();
}
