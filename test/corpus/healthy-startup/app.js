import { serveUnderLoad } from '../load.js';

function buildIndex() {
  const index = new Map();
  for (let i = 0; i < 400_000; i += 1) index.set(`key ${i}`, i);
  return index;
}

const index = buildIndex();
serveUnderLoad((_request, response) => response.end(String(index.get('key 7'))), { ratePerSecond: 100 });
