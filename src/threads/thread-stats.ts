/**
 * What the threads of a pool did with their lives, as the kernel's scheduler keeps it: on a CPU, ready for one that others
 * had, or waiting. Read when asked; costs a task nothing.
 */
import { THREAD_COLUMNS, type NativeContract } from '../native/contract.js';

export interface ThreadStats {
  /** As `top -H` shows it. */
  readonly name: string;
  /** The kernel's id of the thread; undefined while it starts, and where the system does not tell. */
  readonly tid?: number;
  /** Since the thread was started. */
  readonly livedMs: number;
  /** Times below are undefined where the kernel does not tell them (Linux does), and while a thread starts. */
  readonly onCpuMs?: number;
  /** Ready to run while others had the CPUs: more than a few per cent of `onCpuMs` means too many threads. */
  readonly runnableMs?: number;
  /** Neither: asleep without work, or waiting for a lock, memory or a file. */
  readonly blockedMs?: number;
}

/** What a pool knows of a thread. */
export interface LivingThread {
  readonly name: string;
  readonly tid: number | undefined;
  /** `performance.now()`. */
  readonly startedAt: number;
}

const WIDTH = THREAD_COLUMNS.length;
const TID = THREAD_COLUMNS.indexOf('tid');
const ON_CPU = THREAD_COLUMNS.indexOf('onCpuNs');
const RUNNABLE = THREAD_COLUMNS.indexOf('runnableNs');
/** Threads of a process besides those of the pool, to begin with: Node's own are about ten. */
const OTHERS = 32;

/** Costs some 10 µs for each thread of the process. Never throws. */
export function threadStats(
  living: Iterable<LivingThread>,
  native: () => Pick<NativeContract, 'readThreads'>,
  now = performance.now(),
): ThreadStats[] {
  const threads = [...living];
  const times = threads.length > 0 ? readTimes(threads.length + OTHERS, native) : new Map<number, Times>();
  return threads.map(({ name, tid, startedAt }) => {
    const livedMs = now - startedAt;
    const found = tid === undefined ? undefined : times.get(tid);
    return { name, ...(tid !== undefined && { tid }), livedMs, ...(found && inMs(found, livedMs)) };
  });
}

interface Times {
  readonly onCpuNs: number;
  readonly runnableNs: number;
}

function readTimes(expected: number, native: () => Pick<NativeContract, 'readThreads'>): Map<number, Times> {
  const times = new Map<number, Times>();
  try {
    const addon = native();
    let rows = expected;
    let figures = new Float64Array(rows * WIDTH);
    let count = addon.readThreads(figures);
    // There are more: once again, with some to spare for those that start meanwhile.
    if (count > rows) {
      rows = count + OTHERS;
      figures = new Float64Array(rows * WIDTH);
      count = Math.min(rows, addon.readThreads(figures));
    }
    for (let row = 0; row < count; row += 1) {
      const at = row * WIDTH;
      times.set(figures[at + TID]!, { onCpuNs: figures[at + ON_CPU]!, runnableNs: figures[at + RUNNABLE]! });
    }
  } catch {
    // The times stay undefined.
  }
  return times;
}

function inMs({ onCpuNs, runnableNs }: Times, livedMs: number): Partial<ThreadStats> {
  if (!Number.isFinite(onCpuNs)) return {};
  const onCpuMs = onCpuNs / 1e6;
  // Kernels without CONFIG_SCHED_INFO know no waiting for a CPU; what is not on one cannot be told apart then.
  if (!Number.isFinite(runnableNs)) return { onCpuMs };
  const runnableMs = runnableNs / 1e6;
  return { onCpuMs, runnableMs, blockedMs: Math.max(0, livedMs - onCpuMs - runnableMs) };
}
