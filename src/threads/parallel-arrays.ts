/**
 * Map, scan and sort over shared typed arrays, each as a few loops of `parallelFor`. Chunks depend on the length alone,
 * so results, sums of floats included, are the same whatever the threads and the schedule.
 *
 * Sources: scan as reduce, then scan (Blelloch, "Prefix sums and their applications", 1990); merging by merge path (Odeh,
 * Green et al., 2012), which cuts each merge into equal parts that need nothing of each other.
 */
import { describe, fail } from '../errors.js';
import {
  combine,
  mergeTask,
  NEUTRAL,
  neutralIn,
  scanTask,
  sortTask,
  totalTask,
  type MergeData,
  type ScanData,
  type ScanOperation,
  type SharedNumbers,
  type SortData,
} from './array-kernels.js';
import { integerWithin, oneOf } from './check.js';
import { requireOptions } from '../options.js';
import type { ParallelForOptions } from './loop-options.js';
import type { RangeFunction, Task } from './task.js';

/** Of a loop, what these hand through. */
type Passed = Partial<Pick<ParallelForOptions<unknown>, 'schedule' | 'threads' | 'signal'>>;

export interface ParallelMapOptions<
  Input extends SharedNumbers,
  Output extends SharedNumbers,
  Shared,
> extends Passed {
  /** Kernel `(start, end, { input, output, shared }) => void` that fills `output` from `start` to `end`. */
  readonly task: Task<
    RangeFunction<{ readonly input: Input; readonly output: Output; readonly shared: Shared }, unknown>
  >;
  readonly input: Input;
  /** Where results go, as long as `input`. By default a new shared array of the same type. */
  readonly output?: Output;
  readonly shared?: Shared;
  /** Least elements a chunk. */
  readonly grain?: number;
}

export interface ParallelScanOptions<Numbers extends SharedNumbers> extends Passed {
  readonly input: Numbers;
  /** Where results go, as long as `input`; may be `input` itself. By default a new shared array of the same type. */
  readonly output?: Numbers;
  /** `sum` by default. Sums are formed in double precision. */
  readonly operation?: ScanOperation;
  /** Whether an element's result leaves out the element itself. False by default. */
  readonly exclusive?: boolean;
}

export interface ParallelSortOptions<Numbers extends SharedNumbers> extends Passed {
  /** Sorted in place, ascending, as `TypedArray.prototype.sort` does without a comparator. */
  readonly values: Numbers;
}

/** `parallelFor` of the pool. */
type For = (options: ParallelForOptions<never>) => Promise<void>;

const OPERATIONS: readonly ScanOperation[] = ['sum', 'product', 'min', 'max'];
/** Elements a chunk of a scan: long against handing it out, short against a cache. */
const SCAN_CHUNK = 16_384;
/** Shorter arrays are sorted where they are: a merge pass costs more than it saves. */
const LEAST_SORT = 32_768;
const MERGE_STEP = 8_192;
/** Sorted runs to begin with; a power of two. More balance better over more threads, and cost merge passes. */
const SORT_RUNS = 8;

export async function parallelMap<I extends SharedNumbers, O extends SharedNumbers, S>(
  loop: For,
  options: ParallelMapOptions<I, O, S>,
): Promise<O> {
  const keys = ['task', 'input', 'output', 'shared', 'grain', 'schedule', 'threads', 'signal'];
  requireArrayOptions('parallelMap({ task, input })', options, keys);
  const { task, input, shared, grain } = options;
  sharedNumbers('input', input);
  const output = (options.output ?? sharedLike(input)) as O;
  sharedNumbers('output', output, input.length);
  requireApart(input, output);
  await loop({
    ...passed(options),
    task,
    range: [0, input.length],
    shared: { input, output, shared } as never,
    ...(grain !== undefined && { grain }),
  });
  return output;
}

export async function parallelScan<N extends SharedNumbers>(
  loop: For,
  options: ParallelScanOptions<N>,
): Promise<N> {
  const keys = ['input', 'output', 'operation', 'exclusive', 'schedule', 'threads', 'signal'];
  requireArrayOptions('parallelScan({ input })', options, keys);
  const { input, exclusive = false } = options;
  const operation = oneOf('operation', options.operation ?? 'sum', OPERATIONS);
  oneOf('exclusive', exclusive, [true, false] as never);
  sharedNumbers('input', input);
  const output = options.output ?? (sharedLike(input) as N);
  sharedNumbers('output', output, input.length);
  requireApart(input, output);
  const chunks = Math.ceil(input.length / SCAN_CHUNK);
  const totals = new Float64Array(new SharedArrayBuffer(chunks * 8));
  const shared: ScanData = { input, output, totals, chunk: SCAN_CHUNK, operation, exclusive };
  const range = [0, chunks] as const;
  if (chunks > 1) await loop({ ...passed(options), task: totalTask, range, shared: shared as never });
  // What the first element gets where it is left out itself.
  let before = exclusive ? neutralIn(output, operation) : NEUTRAL[operation];
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const total = totals[chunk]!;
    totals[chunk] = before;
    before = combine(operation, before, total);
  }
  await loop({ ...passed(options), task: scanTask, range, shared: shared as never });
  return output;
}

export async function parallelSort<N extends SharedNumbers>(
  loop: For,
  options: ParallelSortOptions<N>,
): Promise<N> {
  requireArrayOptions('parallelSort({ values })', options, ['values', 'schedule', 'threads', 'signal']);
  const { values } = options;
  sharedNumbers('values', values);
  const { length } = values;
  if (length < LEAST_SORT) {
    // One part, by the same way: whatever else was passed is checked, and a closed pool or an aborted signal counts.
    const whole: SortData = { values, chunk: Math.max(1, length) };
    await loop({
      ...passed(options),
      task: sortTask,
      range: [0, Math.min(1, length)],
      shared: whole as never,
    });
    return values;
  }
  // Whole steps of merging, so that no step reaches over two pairs.
  const chunk = Math.ceil(length / SORT_RUNS / MERGE_STEP) * MERGE_STEP;
  const sorting: SortData = { values, chunk };
  const chunks = Math.ceil(length / chunk);
  await loop({ ...passed(options), task: sortTask, range: [0, chunks], shared: sorting as never });
  let from: SharedNumbers = values;
  let to: SharedNumbers = sharedLike(values);
  const range = [0, Math.ceil(length / MERGE_STEP)] as const;
  for (let width = chunk; width < length; width *= 2) {
    const merging: MergeData = { from, to, width, step: MERGE_STEP };
    await loop({ ...passed(options), task: mergeTask, range, shared: merging as never });
    [from, to] = [to, from];
  }
  if (from !== values) values.set(from);
  return values;
}

function passed({ schedule, threads, signal }: Passed): Passed {
  return {
    ...(schedule !== undefined && { schedule }),
    ...(threads !== undefined && { threads }),
    ...(signal !== undefined && { signal }),
  };
}

/** Who passes the array itself is told how it is passed. @throws INVALID_ARGUMENT */
function requireArrayOptions(call: string, options: unknown, keys: readonly string[]): void {
  if (!ArrayBuffer.isView(options) && !Array.isArray(options)) {
    requireOptions('options', options, keys);
    return;
  }
  throw fail('INVALID_ARGUMENT', {
    name: 'options',
    actual: describe(options),
    expected: `an object with options, as in ${call}`,
  });
}

/**
 * What is read must not be written meanwhile by another thread, for another element: results would depend on who was first.
 *
 * @throws INVALID_ARGUMENT where arrays overlap without being the same.
 */
function requireApart(input: SharedNumbers, output: SharedNumbers): void {
  if (input.buffer !== output.buffer) return;
  const inputEnd = input.byteOffset + input.byteLength;
  const outputEnd = output.byteOffset + output.byteLength;
  if (inputEnd <= output.byteOffset || outputEnd <= input.byteOffset) return;
  const isSame =
    input.byteOffset === output.byteOffset && input.BYTES_PER_ELEMENT === output.BYTES_PER_ELEMENT;
  if (isSame) return;
  throw fail('INVALID_ARGUMENT', {
    name: 'output',
    actual: `in the same memory as input, from byte ${output.byteOffset} instead of ${input.byteOffset}`,
    expected: 'an array that does not overlap with input, or input itself',
  });
}

function sharedLike(values: SharedNumbers): SharedNumbers {
  const Numbers = values.constructor as new (buffer: SharedArrayBuffer) => SharedNumbers;
  return new Numbers(new SharedArrayBuffer(values.byteLength));
}

/** @throws INVALID_ARGUMENT */
function sharedNumbers(name: string, values: unknown, length?: number): asserts values is SharedNumbers {
  const isNumbers =
    ArrayBuffer.isView(values) &&
    !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array);
  if (!isNumbers || !(values.buffer instanceof SharedArrayBuffer)) {
    throw fail('INVALID_ARGUMENT', {
      name,
      actual: isNumbers ? `${describe(values)} over an ordinary ArrayBuffer` : describe(values),
      expected: 'a typed array of numbers over a SharedArrayBuffer',
    });
  }
  if (length !== undefined) integerWithin(`${name}.length`, (values as SharedNumbers).length, length, length);
}
