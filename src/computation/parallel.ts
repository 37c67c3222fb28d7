/**
 * The same computation as a loop over threads, as one more variant: below some size handing out chunks costs more
 * than it saves, and that size is found like any other crossover.
 */
import { describe, fail } from '../errors.js';
import { requireOptions } from '../options.js';
import { cpuLimits } from '../host/limits.js';
import type { RangeFunction, Task } from '../threads/task.js';
import type { ThreadPool } from '../threads/thread-pool.js';
import type { AnyFunction, Variant } from './variants.js';

/** How a call becomes a loop. `args` are those of the other variants. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- data and partial results are the caller's
export interface ParallelComputation<Shared = any, Part = any> {
  /** Kernel `(start, end, shared) => void`, or with `combine` `=> partial result`. */
  readonly task: Task<RangeFunction<Shared, Part>>;
  /** Iterations of a call. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  readonly range: (...args: any[]) => readonly [start: number, end: number];
  /** What the kernel gets: shared buffers are used in place, the rest is copied to each thread. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  readonly shared: (...args: any[]) => Shared;
  /** Combines partial results in the order of the range. */
  readonly combine?: (left: Part, right: Part) => Part;
  /** Leftmost operand, and the result of an empty range. */
  readonly initial?: Part;
  /** Makes the call's result of the combined one (undefined without `combine`) and the shared data. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  readonly result?: (combined: Part | undefined, shared: Shared, ...args: any[]) => unknown;
  /** At most this many threads; by default all of the machine. */
  readonly threads?: number;
}

export const PARALLEL_NAME = 'parallelFor';

const OPTION_KEYS: Readonly<Record<keyof ParallelComputation, true>> = {
  task: true,
  range: true,
  shared: true,
  combine: true,
  initial: true,
  result: true,
  threads: true,
};

/** Threads are started by the first call. @throws INVALID_ARGUMENT */
export function parallelVariant<F extends AnyFunction>(parallel: ParallelComputation): Variant<F> {
  requireOptions('parallel', parallel, OPTION_KEYS);
  const given = parallel as ParallelComputation<unknown, unknown>;
  const { task, range, shared, combine, initial, result, threads } = given;
  for (const [name, value] of Object.entries({ range, shared })) {
    if (typeof value === 'function') continue;
    const expected = 'a function of the arguments of a call';
    throw fail('INVALID_ARGUMENT', { name: `parallel.${name}`, actual: describe(value), expected });
  }
  for (const [name, value] of Object.entries({ combine, result })) {
    if (value === undefined || typeof value === 'function') continue;
    throw fail('INVALID_ARGUMENT', {
      name: `parallel.${name}`,
      actual: describe(value),
      expected: 'a function',
    });
  }
  if (typeof (task as Partial<Task> | undefined)?.export !== 'string') {
    const expected = 'a task made by defineTask(import.meta.url, exportName)';
    throw fail('INVALID_ARGUMENT', { name: 'parallel.task', actual: describe(task), expected });
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    const expected = 'a number of threads from 1';
    throw fail('INVALID_ARGUMENT', { name: 'parallel.threads', actual: describe(threads), expected });
  }
  // Threads are loaded where they are used: a service registers computations at its start.
  let pool: ThreadPool | undefined;
  const run = async (...args: unknown[]): Promise<unknown> => {
    pool ??= (await import('../threads/job.js')).poolFor('none');
    const data = shared(...args);
    const loop = { task, range: range(...args), shared: data, ...(threads !== undefined && { threads }) };
    let combined: unknown;
    if (combine === undefined) await pool.parallelFor(loop);
    else {
      const reduction = { ...loop, combine, ...(initial !== undefined && { initial }) };
      combined = await pool.parallelReduce(reduction);
    }
    return result === undefined ? combined : result(combined, data, ...args);
  };
  return {
    name: PARALLEL_NAME,
    run: run as unknown as F,
    execution: 'threads',
    // As a pool has it that is given no number: a limit of threads has to hold for it too.
    threads: threads ?? Math.max(1, Math.floor(cpuLimits().effectiveCpus)),
  };
}
