/** Errors of loops, the same wherever their kernel ran. */
import { fail } from '../errors.js';
import { packError } from './error-transfer.js';
import { taskLabel, type Task } from './task.js';

/** A kernel threw, in a worker or on the caller. */
export function kernelError(task: Task, start: number, end: number, cause: unknown): Error {
  const wire = packError(cause);
  return fail(
    'TASK_THREW',
    {
      task: taskLabel(task),
      where: ` for range [${start}, ${end})`,
      reason: wire.kind === 'error' ? wire.message : String(wire.value),
    },
    { cause },
  );
}

export function aborted(task: Task, signal: AbortSignal | undefined): Error {
  return fail('ABORTED', { what: taskLabel(task) }, { cause: signal?.reason as unknown });
}
