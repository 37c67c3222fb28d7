import { isMainThread, Worker, workerData } from 'node:worker_threads';

class SpinLock {
  #cell;
  constructor(buffer) {
    this.#cell = new Int32Array(buffer, 0, 1);
  }
  enter() {
    while (Atomics.compareExchange(this.#cell, 0, 0, 1) !== 0);
  }
  leave() {
    Atomics.store(this.#cell, 0, 0);
  }
}
if (isMainThread) {
  const shared = new SharedArrayBuffer(4096);
  for (let i = 0; i < 2; i += 1) new Worker(new URL(import.meta.url), { workerData: { shared } });
  setInterval(() => {}, 50);
} else {
  const lock = new SpinLock(workerData.shared);
  const seats = new Int32Array(workerData.shared, 64);
  const book = () => {
    for (let n = 0; n < 200; n += 1) {
      lock.enter();
      for (let at = 0; at < 900; at += 1) seats[at] = (seats[at] + at) % 9973;
      lock.leave();
    }
    setImmediate(book);
  };
  book();
}
