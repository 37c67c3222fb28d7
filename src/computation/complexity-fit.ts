/**
 * How a cost grows with size: a least-squares fit of a + b·g(n) for g of 1, log n, n, n log n, n² and n³, with
 * errors taken relative to each point, so that the small sizes count as much as the large.
 */

export const COMPLEXITIES = ['1', 'log n', 'n', 'n log n', 'n²', 'n³'] as const;
export type Complexity = (typeof COMPLEXITIES)[number];

export interface ComplexityFit {
  readonly complexity: Complexity;
  /** Cost that does not depend on size, in the unit of the costs. */
  readonly overhead: number;
  /** Factor of g(n), in the same unit. */
  readonly coefficient: number;
  /** Root mean square of the relative errors of the fit, e.g. 0.05 for 5 %. */
  readonly relativeError: number;
  /** Other classes that fit nearly as well: the sizes measured do not tell them apart. */
  readonly alsoPlausible: readonly Complexity[];
  /** Their coefficients. */
  readonly alternatives: readonly {
    readonly complexity: Complexity;
    readonly overhead: number;
    readonly coefficient: number;
  }[];
}

export interface CostAtSize {
  readonly size: number;
  readonly cost: number;
}

const GROWTH: Readonly<Record<Complexity, (n: number) => number>> = {
  '1': () => 0,
  'log n': (n) => Math.log2(n + 1),
  n: (n) => n,
  'n log n': (n) => n * Math.log2(n + 1),
  'n²': (n) => n ** 2,
  'n³': (n) => n ** 3,
};
const MIN_POINTS = 4;
/** The greatest size must be this many times the smallest, or growth cannot be told from noise. */
const MIN_SPAN = 8;
/** A class with more to fit must beat the simpler ones by this factor. */
const PARSIMONY = 1.25;

/**
 * The class that fits best, the simplest of those that fit about as well; null where there are fewer than four
 * sizes or they span less than a factor of eight.
 *
 * @example
 * fitComplexity([{ size: 10, cost: 50 }, { size: 100, cost: 470 }, { size: 1000, cost: 4_600 }, { size: 5000, cost: 23_000 }]);
 * // { complexity: 'n', overhead: …, coefficient: 4.6, … }
 */
export function fitComplexity(points: readonly CostAtSize[]): ComplexityFit | null {
  const usable = points.filter(({ size, cost }) => size > 0 && cost > 0);
  const sizes = usable.map(({ size }) => size);
  if (new Set(sizes).size < MIN_POINTS || Math.max(...sizes) < MIN_SPAN * Math.min(...sizes)) return null;
  const fits = COMPLEXITIES.map((complexity) => ({ complexity, ...fitOne(usable, GROWTH[complexity]) }));
  const least = Math.min(...fits.map(({ relativeError }) => relativeError));
  // Noise below one per cent tells nothing.
  const limit = Math.max(least * PARSIMONY, least + 0.01);
  const plausible = fits.filter(({ relativeError }) => relativeError <= limit);
  const [chosen, ...others] = plausible;
  return {
    ...chosen!,
    alsoPlausible: others.map(({ complexity }) => complexity),
    alternatives: others.map(({ complexity, overhead, coefficient }) => ({
      complexity,
      overhead,
      coefficient,
    })),
  };
}

/** What a fit says of a size, with the range that its error and the other plausible classes leave. */
export function predictCost(
  { complexity, overhead, coefficient, relativeError, alternatives }: ComplexityFit,
  size: number,
): { readonly value: number; readonly low: number; readonly high: number } {
  const value = overhead + coefficient * GROWTH[complexity](size);
  const values = [
    value,
    ...alternatives.map((other) => other.overhead + other.coefficient * GROWTH[other.complexity](size)),
  ];
  return {
    value,
    low: Math.min(...values) * (1 - Math.min(0.9, 2 * relativeError)),
    high: Math.max(...values) * (1 + 2 * relativeError),
  };
}

/** Weighted least squares of a + b·g with a, b ≥ 0; weights 1/cost². */
function fitOne(points: readonly CostAtSize[], growth: (n: number) => number) {
  let [s, sg, sgg, sy, sgy] = [0, 0, 0, 0, 0];
  for (const { size, cost } of points) {
    const g = growth(size);
    const w = 1 / cost ** 2;
    s += w;
    sg += w * g;
    sgg += w * g * g;
    sy += w * cost;
    sgy += w * g * cost;
  }
  const determinant = s * sgg - sg * sg;
  let coefficient = determinant > 0 ? (s * sgy - sg * sy) / determinant : 0;
  let overhead = (sy - coefficient * sg) / s;
  if (coefficient < 0) [coefficient, overhead] = [0, sy / s];
  if (overhead < 0) [overhead, coefficient] = [0, sgg > 0 ? sgy / sgg : 0];
  const squares = points.map(
    ({ size, cost }) => ((overhead + coefficient * growth(size) - cost) / cost) ** 2,
  );
  const relativeError = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / points.length);
  return { overhead, coefficient, relativeError };
}
