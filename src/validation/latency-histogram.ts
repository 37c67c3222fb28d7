/**
 * Latencies in buckets that grow by a fifth of a percent, so that quantiles over millions of requests cost a
 * few kilobytes. (HDR histograms as the load generator keeps them count whole milliseconds: too coarse to see
 * a service change from 0.4 to 0.5 ms.)
 */
const GROWTH = Math.log(1.002);
/** One microsecond and below share the first bucket, ten minutes and above the last. */
const LOWEST_MS = 0.001;
const BUCKETS = Math.ceil(Math.log(600_000 / LOWEST_MS) / GROWTH) + 1;

export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** @param latencyMs 0 or more. */
  add(latencyMs: number): void {
    const bucket = Math.round(Math.log(Math.max(latencyMs, LOWEST_MS) / LOWEST_MS) / GROWTH);
    this.#counts[Math.min(bucket, BUCKETS - 1)]! += 1;
    this.#count += 1;
    if (latencyMs > this.#maxMs) this.#maxMs = latencyMs;
  }

  /** Latency that a share (0 to 1) of requests did not exceed, within 0.1 %. NaN while there is none. */
  quantile(share: number): number {
    if (this.#count === 0) return NaN;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    let bucket = 0;
    for (; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) break;
    }
    return Math.min(LOWEST_MS * Math.exp(bucket * GROWTH), this.#maxMs);
  }
}
