/**
 * What the service lets the optimizer choose: how its order records are laid out, how the best customers are
 * found, and how the risk model is split over threads. `sysopt optimize --subjects` measures these on the machine
 * at hand; `app-optimized.js` runs with what won.
 */
import { computation, defineTask, f64, job, struct, u16, u32, u8, workload } from 'system-optimizer';
import { generateOrders, PRODUCTS, REGIONS } from './order-book.js';

/** One order, in the order in which somebody wrote the fields down. */
export const Order = struct('Order', {
  region: u8,
  customer: u32,
  status: u8,
  product: u16,
  discount: f64,
  quantity: u8,
  priceCents: u32,
  id: u32,
  createdAtMs: f64,
});

/** Fills a record array of any layout with the order book. */
export function loadOrders(OrderType) {
  const rows = [...generateOrders()];
  const orders = OrderType.array(rows.length);
  orders.fromObjects(rows);
  return orders;
}

const RETURNED = 3;

/** Revenue by product of one region, in cents: the scan that the revenue report spends its time in. */
export function revenueOf(orders, region, totals = new Float64Array(PRODUCTS)) {
  totals.fill(0);
  const order = orders.cursor();
  for (let i = 0; i < orders.length; i += 1) {
    order.index = i;
    if (order.region === region && order.status !== RETURNED) {
      totals[order.product] += order.quantity * order.priceCents * (1 - order.discount);
    }
  }
  return totals;
}

/** Workload of the record layout: the revenue report of every region over the real order book. */
export function revenueScan(OrderType) {
  const orders = loadOrders(OrderType);
  let region = 0;
  return () => {
    region = (region + 1) % REGIONS.length;
    return revenueOf(orders, region);
  };
}

export const revenueReport = workload({
  name: 'revenue report',
  subject: 'Order',
  module: import.meta.url,
  export: 'revenueScan',
});

/** Orders as the inputs of `topCustomers`, cut to a size. */
export function spendingOf(size) {
  const customers = new Uint32Array(size);
  const cents = new Float64Array(size);
  let i = 0;
  for (const row of generateOrders(size)) {
    customers[i] = row.customer;
    cents[i] = row.quantity * row.priceCents;
    i += 1;
  }
  return { customers, cents, limit: 10 };
}

export const topCustomers = computation({
  name: 'top-customers',
  variants: {
    module: new URL('./top-customers.js', import.meta.url),
    exports: ['sortAll', 'keepBest', 'denseTotals'],
  },
  size: ({ customers }) => customers.length,
  inputs: spendingOf,
  sizes: [300, 10_000, 200_000],
});

function sharedColumns() {
  const rows = [...generateOrders()];
  const column = (Type) => new Type(new SharedArrayBuffer(rows.length * Type.BYTES_PER_ELEMENT));
  const columns = {
    quantity: column(Uint8Array),
    priceCents: column(Uint32Array),
    discount: column(Float64Array),
    score: column(Float64Array),
  };
  rows.forEach((row, i) => {
    columns.quantity[i] = row.quantity;
    columns.priceCents[i] = row.priceCents;
    columns.discount[i] = row.discount;
  });
  return columns;
}

const columns = sharedColumns();

export const riskScores = job({
  name: 'risk-scores',
  task: defineTask(new URL('./risk.js', import.meta.url), 'scoreRange'),
  range: [0, columns.score.length],
  shared: columns,
});

/** Called by `sysopt optimize --subjects subjects.js`, and by the service. */
export default function register(optimizer) {
  for (const subject of [Order, revenueReport, topCustomers, riskScores]) optimizer.register(subject);
}
