import { createServer } from 'node:http';
import { startDownstream } from '../downstream.js';
import driver from '../driver.cjs';

const ports = await Promise.all([10, 15, 20].map((delayMs) => startDownstream({ delayMs })));
const ask = async (port, path) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
const server = createServer(async (request, response) => {
  const [user, cart, news] = await Promise.all(ports.map((port, i) => ask(port, `/${i}`)));
  response.end(JSON.stringify({ user, cart, news, path: request.url }));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 60 });
