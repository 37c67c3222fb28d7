import { isMainThread, Worker, workerData } from 'node:worker_threads';

function acquire(lock) {
  while (Atomics.compareExchange(lock, 0, 0, 1) !== 0) Atomics.wait(lock, 0, 1, 5);
}

function release(lock) {
  Atomics.store(lock, 0, 0);
  Atomics.notify(lock, 0, 1);
}

function addToTotal(cells, amount) {
  acquire(cells);
  // Far too much under the lock.
  for (let i = 0; i < 300_000; i += 1) cells[1] = (cells[1] + amount) | 0;
  release(cells);
}

if (isMainThread) {
  const shared = new SharedArrayBuffer(64);
  for (let i = 0; i < 4; i += 1) new Worker(new URL(import.meta.url), { workerData: shared });
  setInterval(() => {}, 1000);
} else {
  const cells = new Int32Array(workerData);
  setInterval(() => {
    for (let i = 0; i < 20; i += 1) addToTotal(cells, i);
  }, 0);
}
