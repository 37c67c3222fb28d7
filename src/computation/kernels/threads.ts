/**
 * Kernels on the pool of native threads. There is one for the process: every JavaScript thread uses the same, the first
 * call that wants it starts it, and it ends with the last of them.
 *
 * Blocking calls take any array: the calling thread takes part and nothing else can happen in it. Asynchronous calls take
 * shared memory only: an ArrayBuffer could be transferred and freed while native threads still read it, a
 * SharedArrayBuffer lives as long as the call holds it.
 */
import { types } from 'node:util';
import { fail } from '../../errors.js';
import { cpuLimits } from '../../host/limits.js';
import { loadNative } from '../../native/load.js';
import { requireInteger } from '../../memory/arguments.js';
import { requireOptions } from '../../options.js';
import type { Numbers } from './arguments.js';
import { FROM } from './break-even.js';

/** Numbers of `arrayReduce` and `arrayJob`. */
export const Operation = {
  sum: 0,
  sumCompensated: 1,
  min: 2,
  max: 3,
  moments: 4,
  argmin: 5,
  argmax: 6,
  dot: 7,
  scale: 8,
  axpy: 9,
  histogram: 10,
  groupSum: 11,
  runningSum: 12,
  sort: 13,
  argsort: 14,
} as const;

const MAX_THREADS = 64;

export interface ThreadOptions {
  /**
   * Threads to work on, the calling one among them where it waits: 1 to 64. By default 1, and for asynchronous calls as
   * many as this process has CPUs. Arrays of fewer than 2^17 values stay on one.
   */
  readonly threads?: number;
}

/** Names of options that a kernel takes. */
export type Known = Readonly<Record<string, true>>;
const THREADS_ALONE: Known = { threads: true };

/** An option that is misspelt would do nothing. @throws INVALID_ARGUMENT, naming it */
export function requireKnown(options: unknown, known: Known): void {
  // The usual case without a list of keys, which would cost more than the kernel on a short array.
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) {
    let areKnown = true;
    for (const key in options) areKnown &&= known[key] === true;
    if (areKnown) return;
  }
  requireOptions('options', options, known);
}

/** How many threads a call that waits uses. @throws INVALID_ARGUMENT */
export function threadsOf(
  options: ThreadOptions,
  length: number,
  kernel: keyof typeof FROM.threads,
  known = THREADS_ALONE,
): number {
  requireKnown(options, known);
  const { threads } = options;
  if (threads === undefined) return 1;
  requireInteger('threads', threads, 1, MAX_THREADS);
  return length < FROM.threads[kernel] || loadNative().kernels === undefined ? 1 : threads;
}

/** How many threads a call that does not wait uses. @throws INVALID_ARGUMENT */
export function asyncThreadsOf(options: ThreadOptions | undefined, known = THREADS_ALONE): number {
  if (options !== undefined) requireKnown(options, known);
  const threads = options?.threads;
  if (threads !== undefined) return requireInteger('threads', threads, 1, MAX_THREADS);
  return Math.min(MAX_THREADS, Math.max(1, Math.floor(cpuLimits().effectiveCpus)));
}

export function reduceOnThreads(
  operation: number,
  threads: number,
  values: Numbers,
  other?: Numbers,
  out?: Float64Array,
): number {
  const results = loadNative().kernels!.arrayJob(operation, threads, values, other ?? values);
  out?.set(results);
  return results[0]!;
}

/** @throws INVALID_ARGUMENT for memory that could go away while native threads use it. */
export function requireShared(name: string, array: ArrayBufferView): void {
  if (types.isSharedArrayBuffer(array.buffer)) return;
  throw fail('INVALID_ARGUMENT', {
    name,
    actual: 'an array over an ArrayBuffer',
    expected: 'an array over a SharedArrayBuffer, or call the function that waits',
  });
}
