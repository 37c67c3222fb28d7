/** Runs a loop on the calling thread, unit by unit or in one go, with the errors that workers give. */
import type { KernelCall } from './kernel.js';
import { asInteger } from './loop-control.js';
import { kernelError } from './loop-errors.js';
import type { Task } from './task.js';

export interface CallerLoop {
  readonly task: Task;
  readonly kernel: KernelCall;
  readonly start: number;
  readonly end: number;
  readonly unit: number;
  /** Where partial results go, by unit; undefined where none are wanted. */
  readonly partials: unknown[] | undefined;
}

export function iterationOf(
  { start, end, unit }: Pick<CallerLoop, 'start' | 'end' | 'unit'>,
  index: number,
): number {
  const at = start + index * unit;
  return asInteger(at < end ? at : end);
}

/** Runs units `first` to `last` (excluded). @throws TASK_THREW with the range that threw. */
export function runUnits(loop: CallerLoop, first: number, last: number): void {
  if (loop.partials === undefined) {
    callUnits(loop, first, last);
    return;
  }
  for (let unit = first; unit < last; unit += 1) loop.partials[unit] = callUnits(loop, unit, unit + 1);
}

/** One call of the kernel, for units `first` to `last` (excluded). @throws TASK_THREW with the range that threw. */
export function callUnits(loop: CallerLoop, first: number, last: number): unknown {
  const { task, kernel } = loop;
  const start = iterationOf(loop, first);
  const end = iterationOf(loop, last);
  try {
    return kernel.run(start, end);
  } catch (error) {
    throw kernelError(task, start, end, error, kernel.shared);
  }
}
