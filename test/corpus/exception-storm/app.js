import { serveUnderLoad } from '../load.js';

const known = new Map([['a', 1]]);

function lookUp(key) {
  const value = known.get(key);
  if (value === undefined) {
    throw new Error(`no value for ${key}`);
  }
  return value;
}

function sumOf(keys) {
  let sum = 0;
  for (const key of keys) {
    try {
      sum += lookUp(key);
    } catch {
      sum += 1;
    }
  }
  return sum;
}

const keys = Array.from({ length: 1200 }, (_, i) => `key ${i}`);
serveUnderLoad((_request, response) => response.end(String(sumOf(keys))), { ratePerSecond: 30 });
