// The quantile function of the standard normal distribution (Acklam's rational approximation, relative error 1e-9).

const A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const B = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
const C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const D = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];

const polynomial = (coefficients, x) => coefficients.reduce((sum, c) => sum * x + c, 0);

/** z with P(Z <= z) = p, for 0 < p < 1 */
export function normalQuantile(p) {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const t = Math.sqrt(-2 * Math.log(p));
    return polynomial(C, t) / polynomial(D, t);
  }
  const t = p - 0.5;
  return (t * polynomial(A, t * t)) / polynomial(B, t * t);
}
