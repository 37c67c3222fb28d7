import { createServer } from 'node:http';
import driver from '../driver.cjs';

class TtlCache {
  #entries = new Map();
  set(key, value, ttlMs) {
    const known = this.#entries.get(key);
    if (known !== undefined) clearTimeout(known.timer);
    const timer = setTimeout(() => this.#entries.delete(key), ttlMs);
    timer.unref();
    this.#entries.set(key, { value, timer });
  }
  get(key) {
    return this.#entries.get(key)?.value;
  }
}
const cache = new TtlCache();
const touch = (user) => {
  for (let page = 0; page < 120; page += 1) cache.set(`${user}:${page}`, page, 1500 + ((page * 37) % 900));
};
let users = 0;
const server = createServer((_request, response) => {
  touch(`user-${(users += 1) % 400}`);
  response.end('ok');
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: Infinity, connections: 8 });
