import { serveUnderLoad } from '../load.js';

const orders = Array.from({ length: 40_000 }, (_, i) => ({
  id: i,
  customer: (i * 7919) % 600,
  total: (i * 31) % 997,
}));

function rankCustomers() {
  const totals = [];
  for (const order of orders) {
    let entry;
    for (const candidate of totals) {
      if (candidate.customer === order.customer) {
        entry = candidate;
        break;
      }
    }
    if (entry === undefined) totals.push({ customer: order.customer, total: order.total });
    else entry.total += order.total;
  }
  return totals.sort((a, b) => b.total - a.total).slice(0, 10);
}

serveUnderLoad(
  (request, response) => {
    response.end(request.url === '/report' ? JSON.stringify(rankCustomers()) : 'ok');
  },
  { ratePerSecond: 60, paths: ['/', '/', '/', '/report', '/', '/'] },
);
