/**
 * Optimised code that V8 throws away, counted over the window, and the functions that it belonged to.
 *
 * V8 tells of each deoptimisation in its trace events (`V8.DeoptimizeCode`, category `v8`), with the time and
 * nothing else; the CPU profile's nearest sample tells whose code was running then. One event's function is a
 * guess, that of most events is not.
 *
 * Rejected: `--trace-deopt`, which names the function and the reason, but writes a part of its text to the
 * program's own output even where it is redirected to a file (Node 20).
 */
import { unavailable } from '../../model/metric.js';
import type { Deoptimisation } from '../../model/signals.js';
import { HEADROOM_TO_START, headroomBytes } from '../headroom.js';
import type { InspectorSession } from '../inspector-session.js';
import type { Gathered, Sampler, SamplingWindow } from '../sampler.js';
import type { CpuProfileSampler, TimedFunction } from './cpu-profile.js';

/** Microseconds between an event and the sample that speaks for it. */
const NEAR_US = 10_000;
const ANSWER_MS = 1000;
const PARTS = 4;

interface TraceEvent {
  readonly name: string;
  readonly ts: number;
  readonly tid: number;
}

export class DeoptimisationSampler implements Sampler {
  readonly name = 'deoptimisations';
  readonly #session: InspectorSession;
  readonly #cpu: CpuProfileSampler;
  #isTracing = false;
  #isComplete = false;
  #startedUs = 0;
  #endedUs = 0;
  readonly #timesUs: number[] = [];
  readonly #onData = (params: unknown) => {
    for (const event of (params as { value: TraceEvent[] }).value)
      if (event.name === 'V8.DeoptimizeCode' && event.tid === process.pid) this.#timesUs.push(event.ts);
  };
  readonly #onComplete = () => {
    this.#isComplete = true;
  };

  constructor(session: InspectorSession, cpu: CpuProfileSampler) {
    this.#session = session;
    this.#cpu = cpu;
  }

  start({ type }: SamplingWindow): void {
    if (type !== 'cpu' || headroomBytes() < HEADROOM_TO_START) return;
    this.#session.on('NodeTracing.dataCollected', this.#onData);
    this.#session.on('NodeTracing.tracingComplete', this.#onComplete);
    try {
      this.#session.post('NodeTracing.start', { traceConfig: { includedCategories: ['v8'] } });
      this.#isTracing = true;
      this.#startedUs = nowUs();
    } catch {
      // A program that traces itself, or a worker, which cannot.
      this.#unsubscribe();
    }
  }

  stop(gathered: Gathered): void {
    if (!this.#isTracing) return;
    this.#endedUs = nowUs();
    gathered.missing(
      ['cpu.deoptimisations', 'cpu.deoptimisations.lasting'],
      unavailable('NO_ANSWER', 'V8’s trace events did not arrive in time.', 'Profile again.'),
    );
    this.#session.post('NodeTracing.stop');
  }

  async late(gathered: Gathered): Promise<void> {
    if (!this.#isTracing) return;
    this.#isTracing = false;
    const deadline = performance.now() + ANSWER_MS;
    while (!this.#isComplete && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    this.#unsubscribe();
    const timed = this.#cpu.takeTimed();
    if (!this.#isComplete) return;
    const spanUs = Math.max(1, this.#endedUs - this.#startedUs);
    const times = this.#timesUs
      .filter((at) => at >= this.#startedUs && at <= this.#endedUs)
      .sort((a, b) => a - b);
    gathered.set('cpu.deoptimisations', times.length / (spanUs / 1e6));
    const parts = new Array<number>(PARTS).fill(0);
    for (const at of times)
      parts[Math.min(PARTS - 1, Math.floor(((at - this.#startedUs) / spanUs) * PARTS))]! += 1;
    gathered.set('cpu.deoptimisations.lasting', Math.min(...parts) / (spanUs / PARTS / 1e6));
    gathered.deoptimisations = byFunction(times, timed);
  }

  #unsubscribe(): void {
    this.#session.off('NodeTracing.dataCollected', this.#onData);
    this.#session.off('NodeTracing.tracingComplete', this.#onComplete);
  }
}

/** V8's clock for trace events and samples: the kernel's monotonic one. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function byFunction(times: readonly number[], timed: readonly TimedFunction[]): Deoptimisation[] {
  const counts = new Map<string, Deoptimisation & { count: number }>();
  let at = 0;
  for (const time of times) {
    while (at + 1 < timed.length && Math.abs(timed[at + 1]!.atUs - time) <= Math.abs(timed[at]!.atUs - time))
      at += 1;
    const nearest = timed[at];
    if (nearest === undefined || Math.abs(nearest.atUs - time) > NEAR_US) continue;
    const { location } = nearest;
    const key = `${location.file}:${location.line}:${location.function}`;
    const found = counts.get(key);
    if (found === undefined) counts.set(key, { location, share: 0, count: 1 });
    else found.count += 1;
  }
  return [...counts.values()]
    .map((each) => ({ ...each, share: times.length === 0 ? 0 : each.count / times.length }))
    .sort((a, b) => b.count - a.count)
    .slice(0, 16);
}
