import { createServer } from 'node:http';
import driver from '../driver.cjs';

const memoise = (compute) => {
  const known = new Map();
  return (key) => {
    let entry = known.get(key);
    if (entry === undefined) {
      entry = { value: compute(key), hits: new Array(50).fill(0) };
      known.set(key, entry);
    }
    return entry.value;
  };
};
const route = memoise((url) => url.split('?')[0].split('/').filter(Boolean));
let n = 0;
const server = createServer((request, response) => {
  // Every query string is another key.
  const found = Array.from({ length: 10 }, () => route(`${request.url}?n=${(n += 1)}`));
  response.end(String(found.length));
}).listen(0, '127.0.0.1');
driver.drive(server, { ratePerSecond: 150, paths: ['/users/1', '/orders/4'] });
