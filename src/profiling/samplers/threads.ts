import { unavailable } from '../../model/metric.js';
import type { MetricName } from '../../model/metric-catalogue.js';
import type { NativeContract } from '../../native/contract.js';
import { THREAD_COLUMNS } from '../../native/contract.js';
import type { Gathered, Sampler } from '../sampler.js';

const WIDTH = THREAD_COLUMNS.length;
const [TID, ON_CPU, RUNNABLE] = [
  THREAD_COLUMNS.indexOf('tid'),
  THREAD_COLUMNS.indexOf('onCpuNs'),
  THREAD_COLUMNS.indexOf('runnableNs'),
];
const MAX_THREADS = 512;
const METRICS: readonly MetricName[] = [
  'thread.main.onCpu',
  'thread.main.runnable',
  'thread.others.onCpu',
  'thread.others.runnable',
  'process.threads',
];

interface Times {
  readonly onCpuNs: number;
  readonly runnableNs: number;
}

/** On-CPU time and run-queue delay of every thread, the profiled one told apart. */
export class ThreadSampler implements Sampler {
  readonly name = 'threads';
  readonly #native: NativeContract;
  readonly #rows = new Float64Array(MAX_THREADS * WIDTH);
  #mainTid = 0;
  #start = new Map<number, Times>();
  #last: Times | undefined;
  #lastAtMs = 0;

  constructor(native: NativeContract) {
    this.#native = native;
  }

  start(): void {
    this.#mainTid = this.#native.currentThreadId();
    this.#start = this.#read();
    this.#last = this.#start.get(this.#mainTid);
    this.#lastAtMs = performance.now();
  }

  tick(values: Record<string, number>): void {
    const main = this.#read().get(this.#mainTid);
    const now = performance.now();
    const elapsedNs = (now - this.#lastAtMs) * 1e6;
    if (main !== undefined && this.#last !== undefined && elapsedNs > 0) {
      values['thread.main.onCpu'] = (main.onCpuNs - this.#last.onCpuNs) / elapsedNs;
      values['thread.main.runnable'] = (main.runnableNs - this.#last.runnableNs) / elapsedNs;
    }
    this.#last = main;
    this.#lastAtMs = now;
  }

  stop(gathered: Gathered): void {
    const end = this.#read();
    const main = end.get(this.#mainTid);
    if (main === undefined) {
      const { threadStatistics } = this.#native.capabilities();
      gathered.missing(
        METRICS,
        threadStatistics.available
          ? unavailable('THREAD_GONE', 'The profiled thread is not listed by the kernel.', 'Profile again.')
          : unavailable(threadStatistics.reason, threadStatistics.message, threadStatistics.remedy),
      );
      return;
    }
    const elapsedNs = gathered.elapsedMs * 1e6;
    const others = { onCpuNs: 0, runnableNs: 0 };
    const threads = [];
    for (const [tid, times] of end) {
      // A thread that began within the window began at zero.
      const start = this.#start.get(tid) ?? { onCpuNs: 0, runnableNs: 0 };
      const onCpuNs = Math.max(0, times.onCpuNs - start.onCpuNs);
      const runnableNs = Math.max(0, times.runnableNs - start.runnableNs);
      threads.push({
        tid,
        name: tid === this.#mainTid ? 'main' : this.#native.threadName(tid) || `thread ${tid}`,
        onCpuMs: onCpuNs / 1e6,
        runnableMs: runnableNs / 1e6,
      });
      if (tid === this.#mainTid) {
        gathered.set('thread.main.onCpu', onCpuNs / elapsedNs);
        gathered.set('thread.main.runnable', runnableNs / elapsedNs);
      } else {
        others.onCpuNs += onCpuNs;
        others.runnableNs += runnableNs;
      }
    }
    gathered.set('thread.others.onCpu', others.onCpuNs / elapsedNs);
    gathered.set('thread.others.runnable', others.runnableNs / elapsedNs);
    gathered.set('process.threads', end.size);
    gathered.threads = threads.sort((a, b) => b.onCpuMs - a.onCpuMs);
  }

  #read(): Map<number, Times> {
    const count = Math.min(this.#native.readThreads(this.#rows), MAX_THREADS);
    const threads = new Map<number, Times>();
    for (let row = 0; row < count; row += 1) {
      const tid = this.#rows[row * WIDTH + TID]!;
      const onCpuNs = this.#rows[row * WIDTH + ON_CPU]!;
      const runnableNs = this.#rows[row * WIDTH + RUNNABLE]!;
      if (Number.isFinite(tid) && Number.isFinite(onCpuNs)) {
        threads.set(tid, { onCpuNs, runnableNs: Number.isFinite(runnableNs) ? runnableNs : 0 });
      }
    }
    return threads;
  }
}
