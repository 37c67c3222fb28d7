// Prices a book of options by simulation, a worker for each desk.
import { createServer } from 'node:http';
import { Worker } from 'node:worker_threads';

const DESKS = [
  'rates',
  'credit',
  'equity',
  'fx',
  'metals',
  'energy',
  'power',
  'gas',
  'grain',
  'carbon',
  'exotics',
];
const prices = new Map();

for (const desk of DESKS) {
  const worker = new Worker(new URL('./desk.mjs', import.meta.url), {
    workerData: { desk, strike: 90 + desk.length },
  });
  worker.on('message', ({ price, batch }) => prices.set(desk, { price, batch, at: Date.now() }));
  worker.on('error', (error) => console.error(desk, error.message));
}

createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(Object.fromEntries(prices)));
}).listen(0, '127.0.0.1');
setInterval(() => console.log(`${prices.size} of ${DESKS.length} desks priced`), 1000);
