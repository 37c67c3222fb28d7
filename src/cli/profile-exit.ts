/** What a verb waits for while a program runs that may end first. */
import { setTimeout as delay } from 'node:timers/promises';
import { fail, OptimizerError } from '../errors.js';
import type { Program } from '../host/program.js';

/**
 * Waits for a promise, but not longer than the program runs (and `graceMs` for what it leaves behind).
 *
 * @throws TARGET_EXITED with the program's last output; ABORTED.
 */
export async function orExit<T>(
  program: Program,
  work: Promise<T>,
  when: string,
  signal: AbortSignal,
  { graceMs = 0 } = {},
): Promise<T> {
  const exited = (how: string) => fail('TARGET_EXITED', { how, when, output: program.output() || '(none)' });
  let settled = false;
  const ended = program.exited.then(async ({ how }) => {
    if (!settled && graceMs > 0) await delay(graceMs);
    throw exited(how);
  });
  ended.catch(() => {});
  try {
    return await Promise.race([work, ended]);
  } catch (error) {
    signal.throwIfAborted();
    // The agent's connection closes a moment before the exit of its process is seen.
    const lost = error instanceof OptimizerError && error.code === 'TARGET_EXITED';
    if (lost && program.exit === undefined) await Promise.race([program.exited, delay(500)]);
    if (lost && program.exit !== undefined) throw exited(program.exit.how);
    throw error;
  } finally {
    settled = true;
    work.catch(() => {});
  }
}
