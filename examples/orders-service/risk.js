/** The risk model of the service, as a task that can be split over threads. */

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

/** Scores orders `start` to `end` of the shared columns. */
export function scoreRange(start, end, { quantity, priceCents, discount, score }) {
  for (let i = start; i < end; i += 1) score[i] = riskScore(quantity[i], priceCents[i], discount[i]);
}

/** How many orders fall into each tenth. */
export function histogram(score, count) {
  const buckets = new Array(10).fill(0);
  for (let i = 0; i < count; i += 1) buckets[Math.min(9, Math.floor(score[i] * 10))] += 1;
  return buckets;
}
