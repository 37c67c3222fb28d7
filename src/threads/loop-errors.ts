/** Errors of loops, the same wherever their kernel ran. */
import { describe, fail } from '../errors.js';
import { packError, type WireError } from './error-transfer.js';
import { taskLabel, type Task } from './task.js';

const READ_ONLY = /read only property|not extensible|Cannot delete property/;

/** A kernel threw, in a worker or on the caller, given this `shared`. */
export function kernelError(task: Task, start: number, end: number, cause: unknown, shared: unknown): Error {
  const wire = packError(cause);
  return fail(
    'TASK_THREW',
    {
      task: taskLabel(task),
      where: ` for range [${start}, ${end})`,
      reason: `${wire.kind === 'error' ? wire.message : textOf(wire.value)}${hintFor(wire, shared)}`,
    },
    { cause },
  );
}

/** A text as it is, and of an object what it is. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : describe(value);
}

/** What the kernel's error may come from, which it cannot know. */
function hintFor(wire: WireError, shared: unknown): string {
  if (wire.kind !== 'error' || !wire.classes.includes('TypeError')) return '';
  if (shared === undefined) return ' (the loop was given no `shared`)';
  if (!READ_ONLY.test(wire.message)) return '';
  return ' (a thread’s copies of the plain objects and arrays in `shared` are read-only: what is written to them would be lost; write to typed arrays over a SharedArrayBuffer)';
}

export function aborted(task: Task, signal: AbortSignal | undefined): Error {
  return fail('ABORTED', { what: taskLabel(task) }, { cause: signal?.reason as unknown });
}
