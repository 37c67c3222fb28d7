// A service with work of every kind that the samplers look at: JSON, files, timers, the pool, a worker, a downstream.
import { createServer, get, Agent } from 'node:http';
import { readFile } from 'node:fs';
import { pbkdf2 } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const own = fileURLToPath(import.meta.url);
const orders = Array.from({ length: 500 }, (_, id) => ({ id, price: id * 1.5, tags: ['a', 'b'] }));
const keepAlive = new Agent({ keepAlive: true, maxSockets: 8 });
const worker = new Worker(
  'const { parentPort } = require("node:worker_threads"); parentPort.on("message", (n) => { let s = 0; for (let i = 0; i < n; i += 1) s += Math.sqrt(i); parentPort.postMessage(s); });',
  { eval: true },
);

const downstream = createServer((_, response) => setTimeout(() => response.end('{"stock":1}'), 2));
const server = createServer((_, response) => {
  const body = JSON.stringify(JSON.parse(JSON.stringify(orders)).filter(({ id }) => id % 3 === 0));
  worker.postMessage(20_000);
  readFile(own, () => {
    get({ port: downstream.address().port, host: '127.0.0.1', agent: keepAlive }, (answer) => {
      answer.resume().on('end', () => pbkdf2('p', 's', 10, 16, 'sha1', () => response.end(body)));
    });
  });
});
downstream.listen(0, '127.0.0.1', () => {
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
});
