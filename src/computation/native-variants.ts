/**
 * The same computation by native kernels, as two more variants: on the calling thread, and with the pool of native threads
 * beside it. Where either pays is found like any other crossover.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { cpuLimits } from '../host/limits.js';
import type { AnyFunction, Variant } from './variants.js';

export interface NativeComputation {
  /**
   * Calls kernels with that many threads: `(threads, values) => kernels.sum(values, { threads })`. The arguments after the
   * first are those of the other variants.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments and result are the caller's
  readonly run: (threads: number, ...args: any[]) => unknown;
  /** Threads of the parallel form: 1 to 64, 1 for none. By default as many as this process has CPUs. */
  readonly threads?: number;
}

export const NATIVE_NAME = 'native';
export const NATIVE_PARALLEL_NAME = 'nativeParallel';

/** One variant, or two where there is more than one thread to work on. @throws INVALID_ARGUMENT */
export function nativeVariants<F extends AnyFunction>(native: NativeComputation): Variant<F>[] {
  requireOptions('native', native, { run: true, threads: true });
  const { run, threads } = native as Partial<NativeComputation>;
  if (typeof run !== 'function') {
    const expected = 'a function of a number of threads and the arguments of a call';
    throw fail('INVALID_ARGUMENT', { name: 'native.run', actual: describe(run), expected });
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 64)) {
    const expected = 'a number of threads from 1 to 64';
    throw fail('INVALID_ARGUMENT', { name: 'native.threads', actual: describe(threads), expected });
  }
  const variant = (name: string, count: number): Variant<F> => ({
    name,
    run: ((...args: unknown[]) => run(count, ...args)) as unknown as F,
    execution: 'native',
    threads: count,
  });
  const many = threads ?? Math.min(64, Math.floor(cpuLimits().effectiveCpus));
  const variants = [variant(NATIVE_NAME, 1)];
  if (many > 1) variants.push(variant(NATIVE_PARALLEL_NAME, many));
  return variants;
}
