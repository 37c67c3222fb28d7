/**
 * Three ways to find who spends most. They agree on every input; which is fastest depends on how many orders
 * there are for each customer, and that is for the optimizer to find out on the machine at hand.
 *
 * Input: `{ customers: Uint32Array, cents: Float64Array, limit }`, one entry an order in both arrays.
 * Output: `[{ customer, cents }]`, most first, ties by customer number.
 */

const byCents = (a, b) => b.cents - a.cents || a.customer - b.customer;

/** Totals in a Map, then sort everybody: what one writes first. */
export function sortAll({ customers, cents, limit }) {
  const totals = new Map();
  for (let i = 0; i < customers.length; i += 1) {
    totals.set(customers[i], (totals.get(customers[i]) ?? 0) + cents[i]);
  }
  return [...totals]
    .map(([customer, sum]) => ({ customer, cents: sum }))
    .sort(byCents)
    .slice(0, limit);
}

/** Totals in a Map, then keep the best `limit` in a short sorted list. */
export function keepBest({ customers, cents, limit }) {
  const totals = new Map();
  for (let i = 0; i < customers.length; i += 1) {
    totals.set(customers[i], (totals.get(customers[i]) ?? 0) + cents[i]);
  }
  return best(totals, limit);
}

/** Totals in an array indexed by customer number: no hashing, but memory for the highest number there is. */
export function denseTotals({ customers, cents, limit }) {
  let highest = -1;
  for (let i = 0; i < customers.length; i += 1) if (customers[i] > highest) highest = customers[i];
  const totals = new Float64Array(highest + 1);
  const seen = new Uint8Array(highest + 1);
  for (let i = 0; i < customers.length; i += 1) {
    totals[customers[i]] += cents[i];
    seen[customers[i]] = 1;
  }
  return best(present(totals, seen), limit);
}

function* present(totals, seen) {
  for (let customer = 0; customer < totals.length; customer += 1) {
    if (seen[customer]) yield [customer, totals[customer]];
  }
}

/** The `limit` greatest entries by insertion into a sorted list: cheap while `limit` is small. */
function best(entries, limit) {
  const list = [];
  for (const [customer, cents] of entries) {
    const entry = { customer, cents };
    if (list.length === limit && byCents(entry, list[limit - 1]) >= 0) continue;
    let at = list.length;
    while (at > 0 && byCents(entry, list[at - 1]) < 0) at -= 1;
    list.splice(at, 0, entry);
    if (list.length > limit) list.pop();
  }
  return list;
}
