/** Most points that the slope looks at: the number of pairs grows with the square. */
const MAX_POINTS = 200;

/**
 * Median of the slopes of all pairs of points (Theil and Sen), in value per millisecond: a few collections that
 * came early or late do not turn it, as they would a least-squares line. 0 for fewer than two points.
 */
export function theilSenSlope(points: readonly { readonly atMs: number; readonly value: number }[]): number {
  const step = Math.max(1, Math.ceil(points.length / MAX_POINTS));
  const kept = points.filter((_, index) => index % step === 0);
  const slopes: number[] = [];
  for (let i = 0; i < kept.length; i += 1) {
    for (let j = i + 1; j < kept.length; j += 1) {
      const elapsed = kept[j]!.atMs - kept[i]!.atMs;
      if (elapsed > 0) slopes.push((kept[j]!.value - kept[i]!.value) / elapsed);
    }
  }
  slopes.sort((a, b) => a - b);
  if (slopes.length === 0) return 0;
  const middle = slopes.length >> 1;
  return slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2;
}

/** Least value of each of `segments` equal parts of the points, with the time at which it was seen. */
export function segmentMinima(
  points: readonly { readonly atMs: number; readonly value: number }[],
  segments: number,
): { atMs: number; value: number }[] {
  const size = Math.max(1, Math.ceil(points.length / segments));
  const minima: { atMs: number; value: number }[] = [];
  for (let from = 0; from < points.length; from += size) {
    minima.push(
      points.slice(from, from + size).reduce((least, next) => (next.value < least.value ? next : least)),
    );
  }
  return minima;
}
