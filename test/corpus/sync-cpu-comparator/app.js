import { serveUnderLoad } from '../load.js';

const products = Array.from({ length: 60_000 }, (_, i) => ({
  name: `product ${(i * 7919) % 60_000}`,
  sold: (i * 31) % 997,
}));

function bestSellers() {
  return [...products].sort((a, b) => b.sold - a.sold || (a.name < b.name ? -1 : 1)).slice(0, 20);
}

serveUnderLoad((_request, response) => response.end(JSON.stringify(bestSellers())), { ratePerSecond: 15 });
