import { createServer } from 'node:http';
import { LRUCache } from 'lru-cache';
import driver from '../driver.cjs';

const fares = new LRUCache({ max: 4000 });
let misses = 0;

function compute(from, to) {
  misses += 1;
  const distance = Math.abs(from * 37 - to * 11) % 900;
  return {
    from,
    to,
    distance,
    classes: ['first', 'second', 'saver'].map((name, i) => ({
      name,
      cents: Math.round((distance * 14) / (i + 1)),
    })),
    note: `fare from ${from} to ${to} by way of ${(from + to) % 60}`.repeat(6),
  };
}

function fare(from, to) {
  const key = `${from}-${to}`;
  let known = fares.get(key);
  if (known === undefined) {
    known = compute(from, to);
    fares.set(key, known);
  }
  return known;
}

for (let i = 0; i < 1500; i += 1) fare(i % 90, i % 77);

let asked = 0;
const server = createServer((request, response) => {
  if (request.url === '/stats') return response.end(JSON.stringify({ size: fares.size, misses }));
  const rows = [];
  for (let i = 0; i < 8; i += 1) {
    asked += 1;
    rows.push(fare((asked * 7) % 211, (asked * 13) % 173));
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(rows));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 150, paths: ['/fares', '/fares', '/fares', '/stats'] });
