'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');

class OutOfStock extends Error {
  constructor(sku) {
    super(`no ${sku} left`);
    this.sku = sku;
  }
}
const stock = new Map(Array.from({ length: 200 }, (_, i) => [`sku-${i * 9}`, i]));
const take = (sku) => {
  const left = stock.get(sku);
  if (left === undefined) throw new OutOfStock(sku);
  return left;
};
function available(skus) {
  return skus.filter((sku) => {
    try {
      return take(sku) >= 0;
    } catch (error) {
      if (error instanceof OutOfStock) return false;
      throw error;
    }
  });
}
const all = Array.from({ length: 800 }, (_, i) => `sku-${i}`);
const server = http
  .createServer((_request, response) => response.end(String(available(all).length)))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 120 });
