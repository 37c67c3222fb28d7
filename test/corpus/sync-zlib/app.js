import { gzipSync } from 'node:zlib';
import { serveUnderLoad } from '../load.js';

const body = JSON.stringify(Array.from({ length: 40_000 }, (_, id) => ({ id, value: (id * 7919) % 1000 })));

async function compress() {
  await null;
  return gzipSync(body);
}

serveUnderLoad(async (_request, response) => response.end(await compress()), { ratePerSecond: 20 });
