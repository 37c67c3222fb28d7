// A read-through cache in front of a slow store: full after the first seconds.
import { createServer } from 'node:http';
import { setTimeout as later } from 'node:timers/promises';
import driver from '../driver.cjs';

const cache = new Map();
async function load(key) {
  await later(5);
  return { key, at: Date.now(), body: 'x'.repeat(200) };
}
async function cached(key) {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = await load(key);
  cache.set(key, value);
  return value;
}
const server = createServer(async (request, response) => {
  response.end((await cached(`${request.url}${Math.floor(Math.random() * 300)}`)).body);
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 600, paths: ['/a', '/b', '/c'] });
