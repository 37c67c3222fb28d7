import { serveUnderLoad } from '../load.js';

const text = JSON.stringify(
  Array.from({ length: 30_000 }, (_, id) => ({ id, name: `item ${id}`, tags: ['a', 'b', 'c'] })),
);

function loadCatalogue() {
  return JSON.parse(text);
}

function findItem(id) {
  return loadCatalogue().find((item) => item.id === id);
}

serveUnderLoad((_request, response) => response.end(findItem(29_000).name), { ratePerSecond: 12 });
