import { isMainThread, Worker, workerData } from 'node:worker_threads';

class Mutex {
  #state;
  constructor(buffer) {
    this.#state = new Int32Array(buffer, 0, 1);
  }
  lock() {
    for (;;) {
      if (Atomics.compareExchange(this.#state, 0, 0, 1) === 0) return;
      Atomics.store(this.#state, 0, 2);
      Atomics.wait(this.#state, 0, 2);
    }
  }
  unlock() {
    Atomics.store(this.#state, 0, 0);
    Atomics.notify(this.#state, 0);
  }
}

if (isMainThread) {
  const shared = new SharedArrayBuffer(4096);
  for (let i = 0; i < 6; i += 1) new Worker(new URL(import.meta.url), { workerData: shared });
  setInterval(() => {}, 500);
} else {
  const mutex = new Mutex(workerData);
  const balances = new Float64Array(workerData, 64, 256);
  for (;;) {
    mutex.lock();
    // Whoever has the ledger writes it to its slow medium before the others may have it.
    for (let i = 0; i < 20_000; i += 1) balances[i & 255] += 1;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
    mutex.unlock();
  }
}
