import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import driver from '../driver.cjs';

/** Requests that wait for something now and then, and format a small answer. */
const server = createServer(async (request, response) => {
  if (request.url === '/wait') await sleep(4);
  const items = Array.from({ length: 12 }, (_, i) => ({ i, label: `item ${i}` }));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ items, at: Date.now() }));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 500, connections: 20, paths: ['/', '/wait', '/', '/list'] });
