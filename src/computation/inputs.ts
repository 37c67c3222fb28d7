/** Turns what a caller gave as inputs into size classes: calls of about one size that are measured together. */
import { getHeapStatistics } from 'node:v8';
import { describe, fail } from '../errors.js';
import { reasonOf } from './checked-call.js';
import type { Inputs } from './computation.js';
import type { SizeOf } from './size.js';

/** Arguments of one call. */
export type Arguments = readonly unknown[];

export interface SizeClass {
  /** Size that stands for the class: that of its middle input. */
  readonly size: number;
  /** Smallest and greatest size in it. */
  readonly minSize: number;
  readonly maxSize: number;
  readonly inputs: readonly Arguments[];
}

/** Sizes asked of a generator where the caller names none: a decade each, from what fits a line to a large batch. */
export const DEFAULT_SIZES: readonly number[] = [10, 100, 1_000, 10_000, 100_000];
/** More classes cost measuring time and find no more crossovers than there are variants. */
const MAX_CLASSES = 12;
/** Inputs of a class that are measured; more would only lengthen each round. */
const MAX_INPUTS_PER_CLASS = 16;

/**
 * Size classes in ascending order.
 *
 * @param warn told of sizes that are left out because their inputs do not fit in memory.
 * @throws INVALID_ARGUMENT where there is no input, or one whose size cannot be told; SUBJECT_THREW where the
 *   generator does.
 */
export function sizeClasses(
  inputs: Inputs | undefined,
  sizes: unknown,
  sizeOf: SizeOf,
  warn: (message: string) => void = () => undefined,
): SizeClass[] {
  const calls = typeof inputs === 'function' ? generated(inputs, sizes, warn) : listed(inputs, sizes);
  const bySize = new Map<number, Arguments[]>();
  for (const [i, args] of calls.entries()) {
    const size: unknown = sizeOfCall(sizeOf, args);
    if (typeof size !== 'number' || !Number.isFinite(size) || size < 0) {
      throw fail('INVALID_ARGUMENT', {
        name: `size of input ${i}`,
        actual: describe(size),
        expected: 'inputs that have a length or size, or a `size` function that gives a number from 0',
      });
    }
    const same = bySize.get(size);
    if (same) same.push(args);
    else bySize.set(size, [args]);
  }
  const distinct = [...bySize].sort(([a], [b]) => a - b).map(([size, ofSize]) => ({ size, ofSize }));
  return groupsOf(distinct, Math.min(distinct.length, MAX_CLASSES)).map((group) => {
    const all = group.flatMap(({ ofSize }) => ofSize);
    const step = Math.max(1, all.length / MAX_INPUTS_PER_CLASS);
    return {
      size: group[Math.floor(group.length / 2)]!.size,
      minSize: group[0]!.size,
      maxSize: group[group.length - 1]!.size,
      inputs: Array.from(
        { length: Math.min(all.length, MAX_INPUTS_PER_CLASS) },
        (_, i) => all[Math.floor(i * step)]!,
      ),
    };
  });
}

/** What the caller's `size` says of a call. @throws SUBJECT_THREW */
export function sizeOfCall(sizeOf: SizeOf, args: Arguments): number {
  try {
    return sizeOf(...args);
  } catch (cause) {
    throw fail('SUBJECT_THREW', { subject: 'size()', reason: reasonOf(cause) }, { cause });
  }
}

/** One call of a generated size. @throws SUBJECT_THREW; INVALID_ARGUMENT for a promise */
export function generate(inputs: (size: number) => unknown, size: number): Arguments {
  let made: unknown;
  try {
    made = inputs(size);
  } catch (cause) {
    throw fail('SUBJECT_THREW', { subject: `inputs(${size})`, reason: reasonOf(cause) }, { cause });
  }
  if (made instanceof Promise) {
    made.catch(() => undefined); // What it would have rejected with is not what is wrong.
    throw fail('INVALID_ARGUMENT', {
      name: `inputs(${size})`,
      actual: 'a promise',
      expected: 'a function that returns the input itself: load what it needs before',
    });
  }
  return argumentsOf(made);
}

/**
 * Generates smallest first and watches how much memory that takes, so that a size that would end the process is
 * left out instead: running out of heap cannot be caught.
 */
function generated(
  inputs: (size: number) => unknown,
  sizes: unknown,
  warn: (message: string) => void,
): Arguments[] {
  const wanted = sizes ?? DEFAULT_SIZES;
  const isSize = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
  const expected = 'sizes from 0, such as [10, 1000, 100000]';
  if (!Array.isArray(wanted) || wanted.length === 0) {
    const actual = Array.isArray(wanted) ? 'empty' : describe(sizes);
    throw fail('INVALID_ARGUMENT', { name: 'sizes', actual, expected });
  }
  const wrong = wanted.findIndex((value) => !isSize(value));
  if (wrong >= 0) {
    throw fail('INVALID_ARGUMENT', { name: `sizes[${wrong}]`, actual: describe(wanted[wrong]), expected });
  }
  const ascending = [...(wanted as number[])].sort((a, b) => a - b);
  const made: Arguments[] = [];
  let bytesPerUnit = 0;
  for (const size of ascending) {
    const predictedBytes = bytesPerUnit * size;
    const freeBytes = roomBytes();
    if (made.length > 0 && predictedBytes > freeBytes) {
      const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
      warn(
        `Sizes from ${size} on are left out: such an input would take about ${megabytes(predictedBytes)}, ` +
          `and ${megabytes(freeBytes)} can be spared.`,
      );
      break;
    }
    const before = usedBytes();
    try {
      made.push(generate(inputs, size));
    } catch (error) {
      if (made.length === 0 || !isOutOfMemory((error as Error).cause)) throw error;
      warn(`Sizes from ${size} on are left out: inputs(${size}) found no memory.`);
      break;
    }
    // Small inputs drown in what else is allocated; a collection in between makes the growth negative.
    const grown = usedBytes() - before;
    if (grown > TELLING_BYTES) bytesPerUnit = Math.max(bytesPerUnit, grown / Math.max(1, size));
  }
  return made;
}

/** Growth that is an input's own. */
const TELLING_BYTES = 256 * 1024;
/** Share of the free memory that one input may take: variants copy it, checks clone it. */
const INPUT_SHARE = 0.2;

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes that one input may take: of the heap's limit and of what the system or container has left. */
function roomBytes(): number {
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  return INPUT_SHARE * Math.min(limit - used, process.availableMemory());
}

/** V8 refuses lengths and buffers that cannot be had with a RangeError. */
function isOutOfMemory(cause: unknown): boolean {
  return (
    cause instanceof RangeError && /allocation failed|invalid .*length|out of memory/i.test(cause.message)
  );
}

function listed(inputs: unknown, sizes: unknown): Arguments[] {
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw fail('INVALID_ARGUMENT', {
      name: 'inputs',
      actual: inputs === undefined ? 'missing' : describe(inputs),
      expected: 'an array of inputs, or a function from a size to an input',
    });
  }
  if (sizes !== undefined) {
    const expected = 'nothing where inputs are an array: each has its own size';
    throw fail('INVALID_ARGUMENT', { name: 'sizes', actual: describe(sizes), expected });
  }
  return (inputs as unknown[]).map(argumentsOf);
}

/** One value is one argument; an object with `args` as its only key is a list of them. */
function argumentsOf(value: unknown): Arguments {
  if (typeof value === 'object' && value !== null && 'args' in value && Object.keys(value).length === 1) {
    if (Array.isArray(value.args)) return [...(value.args as unknown[])];
  }
  return [value];
}

/** Contiguous groups of about equal count. */
function groupsOf<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, i) =>
    items.slice(Math.floor((i * items.length) / count), Math.floor(((i + 1) * items.length) / count)),
  );
}
