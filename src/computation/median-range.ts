/**
 * Range of a median by the sign test: between the order statistics that lie `deviations` standard errors of a fair
 * coin's count from the middle. It assumes nothing of how the values are spread.
 *
 * @returns minus and plus infinity where the values are too few for so many deviations.
 */
export function medianRange(values: readonly number[], deviations: number): [number, number] {
  const sorted = Float64Array.from(values).sort();
  const outside = Math.floor((sorted.length - deviations * Math.sqrt(sorted.length)) / 2);
  if (outside < 0) return [-Infinity, Infinity];
  return [sorted[outside]!, sorted[sorted.length - 1 - outside]!];
}
