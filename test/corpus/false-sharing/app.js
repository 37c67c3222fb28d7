import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const THREADS = 2;
// Long enough for the kernel to give each thread a CPU of its own; short bursts may share one.
const ROUNDS = 3_000_000;

/** Each thread counts for itself, in a slot of its own; the slots lie `strideBytes` apart. */
export function countVisits({ strideBytes }) {
  const shared = new SharedArrayBuffer(THREADS * strideBytes + 256);
  const workers = Array.from({ length: THREADS }, (_, index) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { shared, at: 128 + index * strideBytes },
    });
    worker.unref();
    return worker;
  });
  return async () => {
    const done = workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)));
    for (const worker of workers) worker.postMessage('go');
    await Promise.all(done);
    return THREADS * ROUNDS;
  };
}

if (!isMainThread && workerData?.shared !== undefined) {
  const slot = new Int32Array(workerData.shared, workerData.at, 1);
  parentPort.on('message', () => {
    for (let i = 0; i < ROUNDS; i += 1) Atomics.add(slot, 0, 1);
    parentPort.postMessage(slot[0]);
  });
}
