/**
 * The same service as app.js, after a person changed its code and with what the optimizer chose:
 *
 * - by a person: records in a struct array instead of objects, customers indexed, prices read once, and the three
 *   subjects of subjects.js used where the reports were computed;
 * - by the tool: which layout the records have, which variant finds the top customers, how the risk model is split.
 *   With an empty store (ORDERS_STORAGE) the service runs with none of these choices.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { SystemOptimizer } from 'system-optimizer';
import { PRODUCTS, REGIONS, STATUSES } from './order-book.js';
import { histogram } from './risk.js';
import register, { loadOrders, Order, revenueOf, riskScores, topCustomers } from './subjects.js';

const optimizer = new SystemOptimizer({ storagePath: process.env.ORDERS_STORAGE ?? 'data/optimization' });
register(optimizer);

const orders = loadOrders(Order);
const spending = { customers: new Uint32Array(orders.length), cents: new Float64Array(orders.length) };
const ordersOf = new Map();
const cursor = orders.cursor();
for (let i = 0; i < orders.length; i += 1) {
  cursor.index = i;
  spending.customers[i] = cursor.customer;
  spending.cents[i] = cursor.quantity * cursor.priceCents;
  const list = ordersOf.get(cursor.customer);
  if (list) list.push(i);
  else ordersOf.set(cursor.customer, [i]);
}

/** A record as the service shows it. */
function present(index) {
  cursor.index = index;
  return {
    id: cursor.id,
    customer: `customer-${cursor.customer}`,
    product: `product-${cursor.product}`,
    region: REGIONS[cursor.region],
    status: STATUSES[cursor.status],
    quantity: cursor.quantity,
    priceCents: cursor.priceCents,
    discount: cursor.discount,
    createdAt: new Date(cursor.createdAtMs).toISOString(),
  };
}

function latestOrders(customer, limit) {
  const created = (index) => {
    cursor.index = index;
    return cursor.createdAtMs;
  };
  return (ordersOf.get(customer) ?? [])
    .toSorted((a, b) => created(b) - created(a) || b - a)
    .slice(0, limit)
    .map(present);
}

const totals = new Float64Array(PRODUCTS);

function revenueByProduct(region) {
  revenueOf(orders, REGIONS.indexOf(region), totals);
  const revenue = [];
  for (let product = 0; product < PRODUCTS; product += 1) {
    if (totals[product] > 0)
      revenue.push({ product: `product-${product}`, revenue: Math.round(totals[product]) / 100 });
  }
  return revenue.sort((a, b) => b.revenue - a.revenue || (a.product < b.product ? -1 : 1));
}

function bestCustomers(limit) {
  return topCustomers
    .dispatch({ ...spending, limit })
    .map(({ customer, cents }) => ({ customer: `customer-${customer}`, cents }));
}

async function riskReport() {
  await riskScores.run();
  return { orders: orders.length, buckets: histogram(riskScores.options.shared.score, orders.length) };
}

const COUPON = /^[A-Z][A-Z0-9]*$/;
const pricing = JSON.parse(readFileSync(new URL('./pricing.json', import.meta.url), 'utf8'));

function placeOrder(input) {
  if (!Number.isInteger(input.quantity) || input.quantity < 1)
    throw new TypeError('quantity must be at least 1');
  if (!REGIONS.includes(input.region)) throw new TypeError('unknown region');
  if (input.coupon && !COUPON.test(input.coupon)) throw new TypeError('malformed coupon');
  const tier = pricing.tiers.findLast((step) => step.from <= input.quantity);
  const factor = tier.factor * (pricing.surcharges[input.region] ?? 1);
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
      const known = Number(id) >= 1 && Number(id) <= orders.length;
      send(response, known ? 200 : 404, known ? present(Number(id) - 1) : { error: `no order ${id}` });
    } else if (collection === 'customers' && sub === 'orders') {
      send(response, 200, latestOrders(Number(id), limit));
    } else if (collection === 'reports' && id === 'revenue') {
      send(response, 200, revenueByProduct(url.searchParams.get('region') ?? 'eu-west'));
    } else if (collection === 'reports' && id === 'top-customers') {
      send(response, 200, bestCustomers(limit));
    } else if (collection === 'reports' && id === 'risk') {
      send(response, 200, await riskReport());
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
