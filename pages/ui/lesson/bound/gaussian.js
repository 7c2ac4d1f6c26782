// A Gaussian q over the latents, q = { mu: [..], log_var: [..], rho }. Without rho it is mean-field: its dimensions are
// independent. With rho, the correlation of its two dimensions, its covariance is full. Pure; runs under node.

const MOST_RHO = 0.9995; // an ellipse 63 times as long as wide

export const isFull = ({ rho }) => rho !== undefined;

/** The mean-field q with the same mu and widths. */
export const meanField = ({ mu, log_var }) => ({ mu, log_var });

/** The same q in the family of full covariances. */
export const fullCovariance = ({ mu, log_var, rho = 0 }) => ({ mu, log_var, rho });

/** The std of each dimension by itself. */
export const stdsOf = ({ log_var }) => log_var.map((v) => Math.exp(0.5 * v));

/** L, lower triangular and its rows as lists, with covariance L Lᵀ: z = mu + L eps draws from q. */
export function factorOf(q) {
  const std = stdsOf(q);
  if (std.length === 1) return [[std[0]]];
  const { rho = 0 } = q;
  return [
    [std[0], 0],
    [rho * std[1], Math.sqrt(1 - rho * rho) * std[1]],
  ];
}

/** log det of the covariance. */
export const logDetOf = ({ log_var, rho = 0 }) => log_var.reduce((sum, v) => sum + v, Math.log1p(-rho * rho));

/** KL(q ‖ N(0, I)) = ½ (tr Σ + muᵀmu − D − log det Σ) (Kingma and Welling 2014, appendix B, is the mean-field case). */
export function klToPrior(q) {
  const { mu, log_var, rho = 0 } = q;
  return mu.reduce(
    (sum, m, d) => sum + 0.5 * (m * m + Math.expm1(log_var[d]) - log_var[d]),
    -0.5 * Math.log1p(-rho * rho),
  );
}

/** KL(q ‖ p) of Gaussians with independent dimensions. */
export function klOfGaussians(q, p) {
  return q.mu.reduce((sum, m, d) => {
    const ratio = q.log_var[d] - p.log_var[d];
    return sum + 0.5 * (Math.expm1(ratio) - ratio + (m - p.mu[d]) ** 2 / Math.exp(p.log_var[d]));
  }, 0);
}

/**
 * q moved in its own units: mu by L a, and L to L T with T = [[exp(b₁/2), 0], [shear, exp(b₂/2)]].
 * A mean-field q stays one: its log_var moves by b and nothing shears.
 */
export function movedBy(q, { mu: a, log_var: b, shear }) {
  const L = factorOf(q);
  const mu = q.mu.map((m, d) => m + L[d].reduce((sum, l, k) => sum + l * a[k], 0));
  if (!isFull(q)) return { mu, log_var: q.log_var.map((v, d) => v + b[d]) };
  const [first, second] = b.map((v) => Math.exp(0.5 * v));
  return { mu, ...ofFactor([L[0][0] * first, L[1][0] * first + L[1][1] * shear, L[1][1] * second]) };
}

const ofFactor = ([a, b, c]) => ({
  log_var: [2 * Math.log(a), 2 * Math.log(Math.hypot(b, c))],
  rho: b / Math.hypot(b, c),
});

/** Add the slope of −KL(q ‖ N(0, I)) along the movements of movedBy. */
export function withPrior(slope, q) {
  const L = factorOf(q);
  const dot = (i, j) => L.reduce((sum, row) => sum + row[i] * row[j], 0);
  return {
    mu: slope.mu.map((v, d) => v - L.reduce((sum, row, k) => sum + row[d] * q.mu[k], 0)),
    log_var: slope.log_var.map((v, d) => v - 0.5 * (dot(d, d) - 1)),
    shear: isFull(q) ? slope.shear - dot(0, 1) : 0,
  };
}

/**
 * The principal axes of q: the angle of the first, counted from z₁ towards z₂, and the std along both. Of the four
 * angles that say the same, the one nearest to `near`; a circle has any, so it has `near` itself.
 */
export function axesOf(q, near = 0) {
  const std = stdsOf(q);
  if (!isFull(q)) return { angle: 0, stds: std };
  const [a, c] = std.map((s) => s * s),
    b = q.rho * std[0] * std[1];
  const apart = Math.hypot((a - c) / 2, b);
  if (apart < 1e-9 * (a + c)) return { angle: near, stds: std };
  const long = (a + c) / 2 + apart;
  const stds = [Math.sqrt(long), Math.exp(0.5 * logDetOf(q)) / Math.sqrt(long)];
  const angle = 0.5 * Math.atan2(2 * b, a - c);
  const quarters = Math.round((near - angle) / (Math.PI / 2));
  return { angle: angle + (quarters * Math.PI) / 2, stds: quarters % 2 ? stds.reverse() : stds };
}

/** The q with these principal axes. */
export function ofAxes(mu, { angle, stds }) {
  const [first, second] = stds.map((s) => s * s);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const a = first * c * c + second * s * s,
    b = first * s * s + second * c * c;
  return { mu, log_var: [Math.log(a), Math.log(b)], rho: ((first - second) * c * s) / Math.sqrt(a * b) };
}

const clamp = (v, [low, high]) => Math.min(high, Math.max(low, v));

/** The nearest q within the limits. */
export function within(q, limits) {
  const kept = {
    mu: q.mu.map((m, d) => clamp(m, limits.mu[d])),
    log_var: q.log_var.map((v) => clamp(v, limits.log_var)),
  };
  return isFull(q) ? { ...kept, rho: clamp(q.rho, [-MOST_RHO, MOST_RHO]) } : kept;
}
