/**
 * Loops over the records of an array that are compiled for its order: what `array.compileLoop` and
 * `array.compileReduce` return.
 *
 * Records are visited in runs of `RUN` by one call each. V8 then optimises a function that is called often, rather than
 * one loop that is entered in its middle and left with a deoptimisation, and a sum becomes an object once a run.
 */
import { describe, fail } from '../../errors.js';
import { requireInteger } from '../arguments.js';
import type { AccessorOf, Fields } from './field-types.js';
import { requireMemory, type CursorHost } from './accessor-runtime.js';
import type { IndexList, LoopKernels } from './loop-kernels.js';

export type { IndexList } from './loop-kernels.js';

/** Records of a call. A multiple of a block; some microseconds of work. */
const RUN = 4096;
/** Records that a loop visits before it gets kernels for its array alone. */
const OWN_KERNELS_AFTER = 2 ** 17;

/** What the function of a compiled loop sees of a record: its fields, and where it is. */
export type LoopRecord<F extends Fields> = AccessorOf<F> & { readonly index: number };

/** A context may be left out only where the function takes none, or one that may be undefined. */
type Context<C> = undefined extends C ? [context?: C] : [context: C];

/**
 * A compiled loop (`Result` is `void`) or reducer. Errors that the function throws come through; what was written to
 * the records before stays.
 */
export interface RecordLoop<C, Result = void> {
  /**
   * Visits all records in order.
   * @throws CLOSED after `array.close()`, or that of its region; INVALID_ARGUMENT without a context that the function reads
   */
  (...context: Context<C>): Result;
  /**
   * Visits records `start` to `end - 1`, as one thread of several does.
   * @throws INVALID_ARGUMENT for a range outside of the array, CLOSED
   */
  range(start: number, end: number, ...context: Context<C>): Result;
  /**
   * Visits the records of these indices, in their order; one that is there twice is visited twice. For the first few
   * of a list, such as the result of `filterIndex`, pass `indices.subarray(0, found)`.
   * @throws INVALID_ARGUMENT at an index outside of the array: those before it have been visited; CLOSED
   */
  at(indices: IndexList, ...context: Context<C>): Result;
  /** False where it runs over a cursor, with the same results: several times slower. */
  readonly compiled: boolean;
  /** Why it is not compiled; undefined where it is. */
  readonly reason: string | undefined;
}

export interface LoopOptions {
  /**
   * What to do with a function that cannot be compiled: `throw` (default) LOOP_NOT_COMPILABLE, or run it over a
   * `cursor`, as tools that rewrite functions for code coverage need.
   */
  readonly otherwise?: 'throw' | 'cursor';
}

/** @internal */
export function bindLoop<C, Result>(
  array: CursorHost,
  shared: LoopKernels,
  initial: unknown,
): RecordLoop<C, Result> {
  let kernels = shared;
  let visited = 0;
  /** Before each run of `count` records. */
  const next = (count: number): void => {
    requireMemory(array);
    visited += count;
    if (visited < OWN_KERNELS_AFTER || kernels !== shared) return;
    kernels = shared.forArray?.(array) ?? shared;
    visited = 0;
  };
  const rangeOf = (start: number, end: number, context: unknown): unknown => {
    let value = initial;
    let from = start;
    do {
      const to = Math.min(end, from + RUN);
      next(to - from);
      value = kernels.range(array, from, to, context, value);
      from = to;
    } while (from < end);
    return value;
  };
  const atOf = (indices: IndexList, context: unknown): unknown => {
    const { length } = indices;
    let value = initial;
    let from = 0;
    do {
      const to = Math.min(length, from + RUN);
      next(to - from);
      value = kernels.at(array, indices, from, to, context, value);
      from = to;
    } while (from < length);
    return value;
  };
  const mayLackContext = (context: unknown): context is undefined | null =>
    (context === undefined || context === null) && shared.takesContext;
  const range = (start: number, end: number, context: unknown): unknown =>
    mayLackContext(context)
      ? explained(() => rangeOf(start, end, context), context)
      : rangeOf(start, end, context);
  const all = (context?: unknown) => range(0, array.length, context);
  return Object.assign(all, {
    range: (start: number, end: number, context?: unknown) => {
      if (!array.closed) {
        requireInteger('start', start, 0, array.length);
        requireInteger('end', end, start, array.length);
      }
      return range(start, end, context);
    },
    at: (indices: IndexList, context?: unknown) => {
      if (!(indices instanceof Uint32Array) && !(indices instanceof Int32Array)) {
        throw fail('INVALID_ARGUMENT', {
          name: 'indices',
          actual: describe(indices),
          expected: 'a Uint32Array or an Int32Array',
        });
      }
      return mayLackContext(context)
        ? explained(() => atOf(indices, context), context)
        : atOf(indices, context);
    },
    compiled: shared.compiled,
    reason: shared.reason,
  }) as unknown as RecordLoop<C, Result>;
}

/**
 * Runs a loop without a context whose function has a parameter for one, which may be right. What V8 says where it is not
 * names neither the loop nor the context.
 *
 * @throws INVALID_ARGUMENT instead of V8's TypeError about a property of nothing
 */
function explained(run: () => unknown, context: undefined | null): unknown {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof TypeError) || !/ (of|is) '?(undefined|null)\b/.test(error.message)) throw error;
    throw fail(
      'INVALID_ARGUMENT',
      {
        name: "the loop's context",
        actual: `${describe(context)}, and its function reads it (${error.message})`,
        expected: 'what the function takes beside the record: loop(context), loop.range(start, end, context)',
      },
      { cause: error },
    );
  }
}
