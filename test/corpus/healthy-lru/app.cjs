'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
class Lru {
  #entries = new Map();
  constructor(limit) {
    this.limit = limit;
  }
  get(key, make) {
    let entry = this.#entries.get(key);
    if (entry === undefined) entry = make(key);
    else this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.limit) this.#entries.delete(this.#entries.keys().next().value);
    return entry;
  }
}
const lru = new Lru(5000);
const make = (key) => ({ key, body: `body of ${key} `.repeat(8), at: Date.now() });
let n = 0;
// Warm before it serves, as a service with a start-up phase is.
for (let i = 0; i < 20_000; i++) lru.get(`k${i % 6000}`, make);
const server = http
  .createServer((_request, response) => response.end(lru.get(`k${(n++ * 7) % 6000}`, make).body))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: 400 });
