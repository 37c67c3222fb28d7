'use strict';
// Two workers lay out invoices in batches; the service takes orders and hands them over.
const http = require('node:http');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

function layOut(order) {
  let checksum = 0;
  for (let page = 0; page < 1000; page++) {
    for (let line = 0; line < 900; line++) checksum = (checksum * 33 + order.id * line + page) | 0;
  }
  return { id: order.id, checksum };
}

class WorkerPool {
  constructor(size) {
    this.idle = [];
    this.queue = [];
    this.done = 0;
    for (let i = 0; i < size; i++) {
      const worker = new Worker(__filename);
      worker.on('message', () => {
        this.done++;
        this.idle.push(worker);
        this.next();
      });
      this.idle.push(worker);
    }
  }

  submit(batch) {
    this.queue.push(batch);
    this.next();
  }

  next() {
    while (this.idle.length > 0 && this.queue.length > 0) this.idle.pop().postMessage(this.queue.shift());
  }
}

if (isMainThread) {
  const { drive } = require('../driver.cjs');
  const pool = new WorkerPool(2);
  let orders = [];
  let sequence = 0;
  const server = http.createServer((request, response) => {
    orders.push({ id: ++sequence, lines: [request.url, 'shipping'] });
    if (orders.length === 25) {
      pool.submit(orders);
      orders = [];
    }
    response.statusCode = 202;
    response.end(JSON.stringify({ id: sequence, laidOut: pool.done }));
  });
  server.listen(0, '127.0.0.1');
  drive(server, { ratePerSecond: 160, paths: ['/orders/a', '/orders/b'] });
} else {
  parentPort.on('message', (batch) => parentPort.postMessage(batch.map(layOut)));
}
