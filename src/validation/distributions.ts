/** Quantiles of the normal and of Student's distribution. */

/** Quantile of the standard normal distribution, 0 < p < 1. Acklam's rational approximation, relative error below 1.2e-9. */
export function normalQuantile(p: number): number {
  const low = 0.02425;
  if (p < low) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - low) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  const numerator = horner(
    r,
    [
      -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2,
      -3.066479806614716e1, 2.506628277459239,
    ],
  );
  const denominator = horner(
    r,
    [
      -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
      -1.328068155288572e1, 1,
    ],
  );
  return (q * numerator) / denominator;
}

function tail(q: number): number {
  const numerator = horner(
    q,
    [
      -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
      2.938163982698783,
    ],
  );
  const denominator = horner(
    q,
    [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
  );
  return numerator / denominator;
}

function horner(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((value, coefficient) => value * x + coefficient, 0);
}

/**
 * Two-sided quantile of Student's distribution: the t that |T| exceeds with probability `alpha`. Degrees of
 * freedom may be fractional, from 1. Hill (1970), CACM algorithm 396; relative error below 1e-4 from two degrees
 * on for alpha from 0.001 to 0.5. Between one degree and two it is up to 5 % too large for alpha up to 0.1, so
 * intervals of two or three values come out a little too wide.
 */
export function studentQuantile(alpha: number, degrees: number): number {
  if (degrees <= 1) return 1 / Math.tan((alpha * Math.PI) / 2);
  if (Math.abs(degrees - 2) < 1e-9) return Math.sqrt(2 / (alpha * (2 - alpha)) - 2);
  const a = 1 / (degrees - 0.5);
  const b = 48 / (a * a);
  let c = ((20700 * a) / b - 98) * a * a - 16 * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * degrees;
  let y = (d * alpha) ** (2 / degrees);
  if (y > 0.05 + a) {
    const x = normalQuantile(alpha / 2);
    y = x * x;
    if (degrees < 5) c += 0.3 * (degrees - 4.5) * (x + 0.6);
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y * y);
  } else {
    y =
      ((1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) + 0.5 / (degrees + 4)) *
        y -
        1) *
        ((degrees + 1) / (degrees + 2)) +
      1 / y;
  }
  return Math.sqrt(degrees * y);
}
