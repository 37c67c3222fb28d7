/**
 * How a job's speed grows with its threads: a fit of the universal scalability law (Gunther, "A Simple Capacity Model of
 * Massively Parallel Transaction Systems", 1993; "Guerrilla Capacity Planning", 2007),
 *
 *   C(N) = N / (1 + σ·(N − 1) + κ·N·(N − 1))
 *
 * C(N) is the speed with N threads over that with one; σ is contention (what only one at a time can do), κ is coherency (what
 * each pair has to settle between them). With κ above zero there is a number of threads, N* = √((1 − σ) / κ), beyond which
 * more threads make it slower.
 *
 * Method: N / C − 1 is linear in σ and κ, so least squares give both in closed form, weighted by (C / N)², which makes
 * the errors relative to each speed; neither may be negative (a job that scales better than by its threads gets 0 and 0).
 * Rejected: iterative non-linear fitting, which minimises nearly the same and may fail to converge; Amdahl's law alone,
 * which has no N*.
 */

export interface SpeedAtThreads {
  /** 1 or more. */
  readonly threads: number;
  /** Speed over that of one thread, above 0. */
  readonly speedup: number;
}

export type ScalabilityFit =
  | {
      readonly available: true;
      /** σ, 0 or more: share of the work that does not run in parallel, e.g. 0.05 for 5 %. */
      readonly contention: number;
      /** κ, 0 or more: cost of each pair of threads, as a share of the work. */
      readonly coherency: number;
      /** N*: threads beyond which it gets slower, 1 or more, not rounded; null where the law has no such number. */
      readonly peakThreads: number | null;
      /** Root mean square of the relative errors of the law, e.g. 0.05 for 5 %. */
      readonly relativeError: number;
      readonly points: readonly (SpeedAtThreads & {
        /** What the law gives. */
        readonly fitted: number;
      })[];
    }
  | {
      readonly available: false;
      readonly reason: 'TOO_FEW_THREAD_COUNTS';
      readonly message: string;
      readonly remedy: string;
      readonly points: readonly SpeedAtThreads[];
    };

/** Two unknowns, and one thread tells nothing of them: with fewer counts any speeds would fit. */
export const LEAST_COUNTS = 4;

/**
 * Costs microseconds. Points of the same thread count are all used; those that are no positive numbers are left out.
 *
 * @example
 * fitScalability([{ threads: 1, speedup: 1 }, { threads: 2, speedup: 1.9 }, { threads: 4, speedup: 3.4 }, { threads: 8, speedup: 5.2 }]);
 * // { available: true, contention: 0.04…, coherency: 0.006…, peakThreads: 12.…, … }
 */
export function fitScalability(given: readonly SpeedAtThreads[]): ScalabilityFit {
  const points = given.filter(
    ({ threads, speedup }) =>
      Number.isFinite(threads) && threads >= 1 && Number.isFinite(speedup) && speedup > 0,
  );
  const counts = new Set(points.map(({ threads }) => threads)).size;
  if (counts < LEAST_COUNTS) {
    return {
      available: false,
      reason: 'TOO_FEW_THREAD_COUNTS',
      message: `Measured at ${counts} thread counts; the law takes at least ${LEAST_COUNTS}.`,
      remedy: 'Run on a machine, and with maxThreads, of at least 4 CPUs.',
      points,
    };
  }
  const { contention, coherency } = leastSquares(points);
  const law = (threads: number) =>
    threads / (1 + contention * (threads - 1) + coherency * threads * (threads - 1));
  const fitted = points.map((point) => ({ ...point, fitted: law(point.threads) }));
  const squares = fitted.reduce((sum, { speedup, fitted: by }) => sum + (by / speedup - 1) ** 2, 0);
  return {
    available: true,
    contention,
    coherency,
    peakThreads: coherency > 0 ? Math.max(1, Math.sqrt(Math.max(0, 1 - contention) / coherency)) : null,
    relativeError: Math.sqrt(squares / fitted.length),
    points: fitted,
  };
}

/** The σ and κ, both 0 or more, of least weighted squares of N / C − 1 = σ·(N − 1) + κ·N·(N − 1). */
function leastSquares(points: readonly SpeedAtThreads[]): { contention: number; coherency: number } {
  let [xx, xz, zz, xy, zy] = [0, 0, 0, 0, 0];
  for (const { threads, speedup } of points) {
    const weight = (speedup / threads) ** 2;
    const x = threads - 1;
    const z = threads * x;
    const y = threads / speedup - 1;
    xx += weight * x * x;
    xz += weight * x * z;
    zz += weight * z * z;
    xy += weight * x * y;
    zy += weight * z * y;
  }
  const determinant = xx * zz - xz * xz;
  const contention = (xy * zz - zy * xz) / determinant;
  const coherency = (zy * xx - xy * xz) / determinant;
  if (contention >= 0 && coherency >= 0) return { contention, coherency };
  // The best point with neither negative lies on an edge: of the two edges the one that fits better.
  const alone = { contention: Math.max(0, xy / xx), coherency: Math.max(0, zy / zz) };
  const gain = { contention: alone.contention * xy, coherency: alone.coherency * zy };
  return gain.contention >= gain.coherency
    ? { contention: alone.contention, coherency: 0 }
    : { contention: 0, coherency: alone.coherency };
}

/** A law that misses the measured speeds by more than this says nothing of where they peak. */
const TRUSTED_ERROR = 0.1;
/** Thread counts this far beyond N* are tried still: near its peak the law is flat, and N* is an estimate. */
const BEYOND_PEAK = 1.5;

/**
 * Thread counts that are worth trying: without those far beyond N*, and with N* itself (rounded). As they were where no
 * trustworthy law is to be had, or it has no peak.
 *
 * @param counts ascending, each 2 or more.
 * @param most greatest count that may be added.
 */
export function worthwhileCounts(counts: readonly number[], law: ScalabilityFit, most: number): number[] {
  if (!law.available || law.peakThreads === null || law.relativeError > TRUSTED_ERROR) return [...counts];
  const peak = law.peakThreads;
  const kept = counts.filter((count, index) => index === 0 || count <= peak * BEYOND_PEAK);
  const nearest = Math.round(peak);
  if (nearest >= 2 && nearest <= most) kept.push(nearest);
  return [...new Set(kept)].sort((a, b) => a - b);
}
