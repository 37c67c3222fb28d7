import type { Severity } from '../model/finding.js';

const AT_THRESHOLD = 0.55;
const CERTAIN = 0.98;
/** Evidence this many times its threshold leaves no doubt. */
const CLEAR_FACTOR = 4;

/**
 * Confidence from how far the evidence lies above its threshold: 0.55 at it, 0.98 at four times and beyond, even
 * steps per factor between. A threshold is where half of the cases are still healthy, hence not 0.5 below it.
 */
export function confidenceAbove(value: number, threshold: number): number {
  if (!(threshold > 0) || value <= threshold) return AT_THRESHOLD;
  const distance = Math.min(1, Math.log(value / threshold) / Math.log(CLEAR_FACTOR));
  return AT_THRESHOLD + (CERTAIN - AT_THRESHOLD) * distance;
}

/** Severity of something that holds the event loop: by the share of time it takes and by its longest stretch. */
export function loopSeverity(share: number, longestMs: number): Severity {
  if (share >= 0.7 || longestMs >= 1000) return 'critical';
  if (share >= 0.3 || longestMs >= 150) return 'high';
  if (share >= 0.08 || longestMs >= 40) return 'medium';
  return 'low';
}
