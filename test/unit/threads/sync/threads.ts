/** Starts workers of sync-worker.js and gathers what they say. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const FILE = fileURLToPath(new URL('../../../fixtures/threads/sync-worker.js', import.meta.url));

export function start(role: string, descriptors: object, more: object = {}): Worker {
  return new Worker(FILE, { workerData: { role, descriptors, ...more } });
}

/** The worker's result, once it is through. */
export async function resultOf(worker: Worker): Promise<any> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message) => {
      if (typeof message === 'object') resolve(message.result);
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the worker ended without a result')));
  });
}

export const messageOf = async (worker: Worker): Promise<unknown> => (await once(worker, 'message'))[0];
