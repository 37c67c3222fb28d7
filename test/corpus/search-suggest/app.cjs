'use strict';
const http = require('node:http');
const { drive } = require('../driver.cjs');
const words = Array.from({ length: 900 }, (_, i) => `${(i * 7919).toString(36)}${(i * 31).toString(36)}word`);
class Suggester {
  distance(a, b) {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const cost = a[i - 1] === b[j - 1] ? 0 : 1;
        next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + cost);
      }
      row = next;
    }
    return row[b.length];
  }
  suggest(word) {
    let best = Infinity;
    let found = '';
    for (const candidate of words) {
      const d = this.distance(word, candidate);
      if (d < best) [best, found] = [d, candidate];
    }
    return found;
  }
}
const suggester = new Suggester();
const server = http
  .createServer((request, response) => response.end(suggester.suggest(request.url)))
  .listen(0, '127.0.0.1');
drive(server, { ratePerSecond: Infinity, connections: 4, paths: ['/wrod', '/srvice', '/exmple'] });
