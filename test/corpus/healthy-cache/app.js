import { serveUnderLoad } from '../load.js';

const cache = new Map();
let next = 0;

function cached(key) {
  let value = cache.get(key);
  if (value === undefined) {
    value = { key, body: `value of ${key}` };
    cache.set(key, value);
    if (cache.size > 500) cache.delete(cache.keys().next().value);
  }
  return value;
}

serveUnderLoad((_request, response) => response.end(cached(`k${(next = (next + 1) % 3000)}`).body), {
  ratePerSecond: 300,
});
