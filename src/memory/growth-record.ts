/**
 * How a pool grew: the most that one burst of demand asked for beyond what was there. Learning takes it as the step to
 * grow by, so that the next such burst costs one growth and not several, and no more memory than it needs.
 */

/** Growths this close together are one burst. */
const BURST_MS = 1_000;

export class GrowthRecord {
  growths = 0;
  private burstFrom = 0;
  private lastAtMs = -Infinity;
  private largest = 0;

  /** @param slots capacity before the growth, all of it in use */
  note(slots: number): void {
    const nowMs = performance.now();
    if (nowMs - this.lastAtMs > BURST_MS) {
      if (this.growths > 0) this.largest = Math.max(this.largest, slots - this.burstFrom);
      this.burstFrom = slots;
    }
    this.lastAtMs = nowMs;
    this.growths += 1;
  }

  /** Slots that the largest burst took beyond the capacity before it; 0 without growth. */
  largestBurst(highWater: number): number {
    if (this.growths === 0) return 0;
    return Math.max(this.largest, highWater - this.burstFrom);
  }
}
