'use strict';
// Four pickers reserve stock in one shared table; the table is guarded by one latch.
const { Worker, isMainThread, workerData, parentPort } = require('node:worker_threads');

const BINS = 4096;

class Latch {
  constructor(words) {
    this.words = words;
  }

  take() {
    while (Atomics.compareExchange(this.words, 0, 0, 1) !== 0) Atomics.wait(this.words, 0, 1);
  }

  give() {
    Atomics.store(this.words, 0, 0);
    Atomics.notify(this.words, 0, 1);
  }
}

class StockTable {
  constructor(memory) {
    this.latch = new Latch(new Int32Array(memory, 0, 1));
    this.bins = new Int32Array(memory, 64);
  }

  reserve(order) {
    this.latch.take();
    try {
      let left = order.quantity;
      for (let pass = 0; pass < 6; pass++) {
        for (let bin = 0; bin < BINS && left > 0; bin++) {
          if (this.bins[bin] > (bin * order.id) % 7) {
            this.bins[bin]--;
            left--;
          }
        }
      }
      for (let bin = 0; bin < BINS; bin++) if (this.bins[bin] < 3) this.bins[bin] += 5;
      return order.quantity - left;
    } finally {
      this.latch.give();
    }
  }
}

function pick() {
  const table = new StockTable(workerData.memory);
  let reserved = 0;
  for (let id = 1; ; id++) {
    reserved += table.reserve({ id, quantity: 6000 + (id % 50) });
    let label = 0;
    for (let i = 0; i < 1500; i++) label = (label * 31 + i) | 0;
    if (id % 2000 === 0) parentPort.postMessage({ picker: workerData.picker, reserved, label });
  }
}

if (isMainThread) {
  const memory = new SharedArrayBuffer(64 + BINS * 4);
  new Int32Array(memory, 64).fill(10);
  const reserved = [0, 0, 0, 0];
  for (let picker = 0; picker < reserved.length; picker++) {
    new Worker(__filename, { workerData: { memory, picker } }).on('message', (done) => {
      reserved[done.picker] = done.reserved;
    });
  }
  setInterval(() => console.log('reserved', reserved.join(' ')), 2000);
} else pick();
