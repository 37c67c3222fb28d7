/**
 * The data both versions of the service start from: a seeded order book, the same for the same seed.
 * ORDERS_COUNT and ORDERS_SEED change its size and mix.
 */
export const REGIONS = ['eu-west', 'eu-north', 'us-east', 'us-west', 'apac', 'latam'];
export const STATUSES = ['open', 'paid', 'shipped', 'returned'];
export const PRODUCTS = 400;
export const CUSTOMERS = 20_000;

const FIRST_DAY_MS = Date.UTC(2026, 0, 1);
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** Mulberry32: small, seedable, good enough for test data. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One order as numbers; the services make of it what they store. */
export function* generateOrders(
  count = Number(process.env.ORDERS_COUNT ?? 200_000),
  seed = Number(process.env.ORDERS_SEED ?? 1),
) {
  const random = randomFrom(seed);
  for (let id = 1; id <= count; id += 1) {
    // Squared: a few customers and products have most of the orders, as in life.
    yield {
      id,
      customer: Math.floor(random() ** 2 * CUSTOMERS),
      product: Math.floor(random() ** 2 * PRODUCTS),
      region: Math.floor(random() * REGIONS.length),
      status: Math.floor(random() * STATUSES.length),
      quantity: 1 + Math.floor(random() * 12),
      priceCents: 100 + Math.floor(random() ** 3 * 50_000),
      discount: Math.floor(random() * 4) * 0.05,
      createdAtMs: FIRST_DAY_MS + Math.floor(random() * YEAR_MS),
    };
  }
}
