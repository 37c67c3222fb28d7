/** Durations from a microsecond to minutes in quarter octaves: a percentile is right to about 9 %, in 480 bytes. */
const PER_OCTAVE = 4;
const BINS = 120;
const LEAST_MS = 0.001;

export class Latency {
  readonly #bins = new Float64Array(BINS);
  weight = 0;
  totalMs = 0;
  maxMs = 0;

  add(ms: number, weight = 1): void {
    const bin = ms <= LEAST_MS ? 0 : Math.floor(Math.log2(ms / LEAST_MS) * PER_OCTAVE) + 1;
    const at = Math.min(BINS - 1, bin);
    this.#bins[at] = this.#bins[at]! + weight;
    this.weight += weight;
    this.totalMs += ms * weight;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  merge(other: Latency): void {
    for (let bin = 0; bin < BINS; bin += 1) this.#bins[bin] = this.#bins[bin]! + other.#bins[bin]!;
    this.weight += other.weight;
    this.totalMs += other.totalMs;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  /** @param share 0.5 for the median. NaN where nothing was added. Never more than the greatest duration. */
  percentile(share: number): number {
    if (this.weight === 0) return NaN;
    let left = this.weight * share;
    for (let bin = 0; bin < BINS; bin += 1) {
      left -= this.#bins[bin]!;
      if (left <= 0) return Math.min(this.maxMs, LEAST_MS * 2 ** ((bin - 0.5) / PER_OCTAVE));
    }
    return this.maxMs;
  }
}
