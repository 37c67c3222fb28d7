import { serveUnderLoad } from '../load.js';

function query(id) {
  return new Promise((resolve) => {
    setTimeout(() => resolve({ id, price: id * 3 }), 12);
  });
}

async function priceAll(ids) {
  let sum = 0;
  for (const id of ids) {
    const row = await query(id);
    sum += row.price;
  }
  return sum;
}

serveUnderLoad(
  async (_request, response) => {
    response.end(String(await priceAll([1, 2, 3, 4, 5, 6, 7, 8])));
  },
  { ratePerSecond: 20, connections: 16 },
);
