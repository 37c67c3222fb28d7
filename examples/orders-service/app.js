/**
 * An order service as one finds it: it works, it has tests, and nobody has looked at where its time goes.
 *
 *   GET  /orders/:id                 one order
 *   GET  /customers/:id/orders       a customer's latest orders
 *   GET  /reports/revenue?region=…   revenue by product
 *   GET  /reports/top-customers      who spends most
 *   GET  /reports/risk               how risky the open book is
 *   POST /orders                     place an order
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { generateOrders, REGIONS, STATUSES } from './order-book.js';

const orders = [];
for (const row of generateOrders()) {
  orders.push({
    id: row.id,
    customer: `customer-${row.customer}`,
    product: `product-${row.product}`,
    region: REGIONS[row.region],
    status: STATUSES[row.status],
    quantity: row.quantity,
    priceCents: row.priceCents,
    discount: row.discount,
    createdAt: new Date(row.createdAtMs).toISOString(),
  });
}

function findOrder(id) {
  return orders[id - 1];
}

function latestOrders(customer, limit) {
  return orders
    .filter((order) => order.customer === customer)
    .sort((a, b) => new Date(b.createdAt) - new Date(a.createdAt) || b.id - a.id)
    .slice(0, limit);
}

function revenueByProduct(region) {
  const priced = orders
    .filter((order) => order.region === region && order.status !== 'returned')
    .map((order) => ({ ...order, total: order.quantity * order.priceCents * (1 - order.discount) }));
  const totals = {};
  for (const order of priced) {
    totals[order.product] = (totals[order.product] ?? 0) + order.total;
  }
  return Object.entries(totals)
    .map(([product, cents]) => ({ product, revenue: Math.round(cents) / 100 }))
    .sort((a, b) => b.revenue - a.revenue || (a.product < b.product ? -1 : 1));
}

function topCustomers(limit) {
  const spent = new Map();
  for (const order of orders) {
    const cents = order.quantity * order.priceCents;
    spent.set(order.customer, (spent.get(order.customer) ?? 0) + cents);
  }
  return [...spent]
    .map(([customer, cents]) => ({ customer, cents }))
    .sort((a, b) => b.cents - a.cents || (a.customer < b.customer ? -1 : 1))
    .slice(0, limit);
}

/** Chance that an order turns out bad, by a small logistic model refined in a few Newton steps. */
function riskScore(quantity, priceCents, discount) {
  const amount = Math.log1p(quantity * priceCents);
  let score = 0.5;
  for (let step = 0; step < 12; step += 1) {
    const margin = 0.35 * amount + 2.1 * discount - 3.6 * score;
    const p = 1 / (1 + Math.exp(-margin));
    score -= (score - p) / (1 + 3.6 * p * (1 - p));
  }
  return score;
}

function riskReport() {
  const buckets = new Array(10).fill(0);
  for (const order of orders) {
    const score = riskScore(order.quantity, order.priceCents, order.discount);
    buckets[Math.min(9, Math.floor(score * 10))] += 1;
  }
  return { orders: orders.length, buckets };
}

const COUPON = /^([A-Z]+[0-9]*)+$/;

function placeOrder(input) {
  const pricing = JSON.parse(readFileSync(new URL('./pricing.json', import.meta.url), 'utf8'));
  if (!Number.isInteger(input.quantity) || input.quantity < 1)
    throw new TypeError('quantity must be at least 1');
  if (!REGIONS.includes(input.region)) throw new TypeError('unknown region');
  if (input.coupon && !COUPON.test(input.coupon)) throw new TypeError('malformed coupon');
  const tier = pricing.tiers.findLast((step) => step.from <= input.quantity);
  const factor = tier.factor * (pricing.surcharges[input.region] ?? 1);
  // A quote: the book itself is filled by another system.
  return {
    customer: `customer-${input.customer}`,
    product: `product-${input.product}`,
    cents: Math.round(
      input.quantity * input.priceCents * factor * (1 - (pricing.coupons[input.coupon] ?? 0)),
    ),
    currency: pricing.currency,
  };
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://localhost');
    const [, collection, id, sub] = url.pathname.split('/');
    const limit = Number(url.searchParams.get('limit') ?? 10);
    if (request.method === 'POST' && collection === 'orders') {
      send(response, 201, placeOrder(await readJson(request)));
    } else if (collection === 'orders' && id) {
      const order = findOrder(Number(id));
      send(response, order ? 200 : 404, order ?? { error: `no order ${id}` });
    } else if (collection === 'customers' && sub === 'orders') {
      send(response, 200, latestOrders(`customer-${Number(id)}`, limit));
    } else if (collection === 'reports' && id === 'revenue') {
      send(response, 200, revenueByProduct(url.searchParams.get('region') ?? 'eu-west'));
    } else if (collection === 'reports' && id === 'top-customers') {
      send(response, 200, topCustomers(limit));
    } else if (collection === 'reports' && id === 'risk') {
      send(response, 200, riskReport());
    } else if (collection === 'health') {
      send(response, 200, { orders: orders.length });
    } else {
      send(response, 404, { error: 'no such page' });
    }
  } catch (error) {
    send(response, 400, { error: error.message });
  }
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`orders-service on ${server.address().port}, ${orders.length} orders`);
});
