import { Worker } from 'node:worker_threads';

/**
 * A thread of this library's in a profiled program. It runs our file alone: neither the program's flags nor an agent in
 * NODE_OPTIONS belong into it, nor is the program's input read.
 */
export function ownWorker(file: URL, name: string, workerData: unknown): Worker {
  return new Worker(file, { workerData, name, execArgv: [], env: {}, stdin: false });
}
