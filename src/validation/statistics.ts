/** Ordinary statistics of small samples. Every function expects finite numbers and at least one of them. */

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Sample standard deviation (n − 1); 0 for a single value. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

/** Quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Median absolute deviation, scaled so that it estimates the standard deviation of normal data. */
export function medianDeviation(values: readonly number[]): number {
  const centre = median(values);
  return 1.4826 * median(values.map((value) => Math.abs(value - centre)));
}

/**
 * Whether a sample falls into two separate groups: cut at the widest gap of its middle 96 %, each group holds
 * at least a fifth of the values, and the gap between the groups' medians is six times their own spread.
 */
export function isBimodal(values: readonly number[]): boolean {
  if (values.length < 20) return false;
  const sorted = Float64Array.from(values).sort();
  const edge = Math.ceil(sorted.length / 5);
  let cut = edge;
  for (let i = edge; i < sorted.length - edge; i += 1) {
    if (sorted[i]! - sorted[i - 1]! > sorted[cut]! - sorted[cut - 1]!) cut = i;
  }
  const lower = [...sorted.subarray(0, cut)];
  const upper = [...sorted.subarray(cut)];
  const spread = Math.max(medianDeviation(lower), medianDeviation(upper));
  return median(upper) - median(lower) > 6 * spread;
}
