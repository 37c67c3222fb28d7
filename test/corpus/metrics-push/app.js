import { request } from 'node:http';
import { startDownstream } from '../downstream.js';

const port = await startDownstream({ delayMs: 2 });
const pending = [];
function push(point) {
  const sending = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/points',
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  sending.on('response', (response) => response.resume()).on('error', () => pending.push(point));
  sending.end(JSON.stringify(point));
}
setInterval(() => {
  const { heapUsed, rss } = process.memoryUsage();
  for (const [name, value] of Object.entries({ heapUsed, rss, uptime: process.uptime() }))
    push({ name, value });
}, 40);
