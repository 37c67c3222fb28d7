/** Declares a worker dead to the primitives that it shared, as soon as it is. */
import type { Worker } from 'node:worker_threads';
import { describe, fail } from '../../errors.js';

/** Any primitive of this folder. */
export interface Recoverable {
  recover(deadThreadId: number): unknown;
}

/**
 * Calls `recover` of each primitive when the worker ends, however it ends. A worker that ended in order holds nothing,
 * and then this only wakes a few threads in vain; a barrier, though, is broken by any worker that leaves.
 *
 * @returns a function that stops listening.
 * @throws INVALID_ARGUMENT
 *
 * @example
 * const worker = new Worker(file, { workerData: mutex.descriptor });
 * recoverOnExit(worker, [mutex, queue]);
 */
export function recoverOnExit(worker: Worker, primitives: readonly Recoverable[]): () => void {
  const given = worker as Partial<Worker> | undefined;
  if (typeof given?.once !== 'function' || typeof given.threadId !== 'number') {
    throw fail('INVALID_ARGUMENT', { name: 'worker', actual: describe(worker), expected: 'a Worker' });
  }
  const list: unknown = primitives;
  if (!Array.isArray(list)) throw refused('primitives', list);
  for (const [i, each] of (primitives as readonly (Partial<Recoverable> | undefined)[]).entries()) {
    if (typeof each?.recover !== 'function') throw refused(`primitives[${i}]`, each);
  }
  const { threadId } = worker;
  // Once it has ended, its id reads -1, and no event tells of its end any more.
  if (threadId < 0) {
    const expected =
      'one that runs; a thread that has ended is told to recover(threadId) by the id that it had';
    throw fail('INVALID_ARGUMENT', { name: 'worker', actual: 'a Worker that has ended', expected });
  }
  const onExit = () => {
    for (const primitive of primitives) primitive.recover(threadId);
  };
  worker.once('exit', onExit);
  return () => worker.off('exit', onExit);
}

function refused(name: string, value: unknown): Error {
  const expected = 'a list of primitives, or of others that have recover(threadId)';
  return fail('INVALID_ARGUMENT', { name, actual: describe(value), expected });
}
