'use strict';
const http = require('node:http');
const net = require('node:net');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

// A small store over TCP: a line asked, a line answered.
if (!isMainThread) {
  net
    .createServer((socket) => {
      socket.setEncoding('utf8').on('data', (text) => {
        for (const line of text.split('\n').filter(Boolean)) setTimeout(() => socket.write(`${line}=4\n`), 8);
      });
    })
    .listen(0, '127.0.0.1', function () {
      parentPort.postMessage(this.address().port);
    });
} else {
  const { drive } = require('../driver.cjs');
  class Store {
    constructor(port) {
      this.waiting = [];
      this.socket = net.connect(port, '127.0.0.1');
      this.socket.setEncoding('utf8').on('data', (text) => {
        for (const line of text.split('\n').filter(Boolean)) this.waiting.shift()?.(line);
      });
    }
    read(key) {
      return new Promise((resolve) => {
        this.waiting.push(resolve);
        this.socket.write(`${key}\n`);
      });
    }
  }
  const priceBasket = async (store, skus) => {
    const prices = [];
    for (const sku of skus) prices.push(await store.read(`price:${sku}`));
    return prices;
  };
  new Worker(__filename).once('message', (port) => {
    const store = new Store(port);
    const server = http
      .createServer((_request, response) => {
        void priceBasket(store, [1, 2, 3, 4, 5, 6]).then((prices) => response.end(prices.join()));
      })
      .listen(0, '127.0.0.1');
    drive(server, { ratePerSecond: 15 });
  });
}
