import { createServer } from 'node:http';
import driver from '../driver.cjs';

/** Counts calls by client, and never forgets one. */
class RateLimiter {
  windows = new Map();
  touch(client, now) {
    const hits = {
      client,
      first: now,
      stamps: [now],
      path: `/${client}/${now}`,
      note: 'seen '.repeat(20).split(' '),
    };
    this.windows.set(`${client}:${now}`, hits);
    return hits.stamps.length < 100;
  }
}

const limiter = new RateLimiter();
let clock = 0;
const server = createServer((_request, response) => {
  for (let i = 0; i < 20; i += 1) limiter.touch(`10.0.0.${i}`, (clock += 1));
  response.end('ok');
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 150 });
