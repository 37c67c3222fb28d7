/**
 * What the threads of a pool did with their lives, as the kernel's scheduler keeps it: on a CPU, ready for one that others
 * had, or waiting. Read when asked; costs a task nothing.
 */
import type { NativeContract } from '../native/contract.js';
import { eachThread, threadRows } from '../native/thread-rows.js';

export interface ThreadStats {
  /** `top -H` shows 15 bytes of it, the number at its end included. */
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
    let rows = threadRows(expected);
    let listed = addon.readThreads(rows);
    // There are more: once again, with some to spare for those that start meanwhile.
    if (listed > expected) {
      rows = threadRows(listed + OTHERS);
      listed = addon.readThreads(rows);
    }
    eachThread(rows, listed, (tid, onCpuNs, runnableNs) => times.set(tid, { onCpuNs, runnableNs }));
  } catch {
    // The times stay undefined.
  }
  return times;
}

function inMs({ onCpuNs, runnableNs }: Times, livedMs: number): Partial<ThreadStats> {
  const onCpuMs = onCpuNs / 1e6;
  // Kernels without CONFIG_SCHED_INFO know no waiting for a CPU; what is not on one cannot be told apart then.
  if (!Number.isFinite(runnableNs)) return { onCpuMs };
  const runnableMs = runnableNs / 1e6;
  return { onCpuMs, runnableMs, blockedMs: Math.max(0, livedMs - onCpuMs - runnableMs) };
}
