/** Declares a worker dead to the primitives that it shared, as soon as it is. */
import type { Worker } from 'node:worker_threads';

/** Any primitive of this folder. */
export interface Recoverable {
  recover(deadThreadId: number): unknown;
}

/**
 * Calls `recover` of each primitive when the worker ends, however it ends. A worker that ended in order holds nothing,
 * and then this only wakes a few threads in vain; a barrier, though, is broken by any worker that leaves.
 *
 * @returns a function that stops listening.
 *
 * @example
 * const worker = new Worker(file, { workerData: mutex.descriptor });
 * recoverOnExit(worker, [mutex, queue]);
 */
export function recoverOnExit(worker: Worker, primitives: readonly Recoverable[]): () => void {
  // Once it has ended, its id reads -1.
  const { threadId } = worker;
  const onExit = () => {
    for (const primitive of primitives) primitive.recover(threadId);
  };
  worker.once('exit', onExit);
  return () => worker.off('exit', onExit);
}
