// KL divergences of one-dimensional densities: closed forms, quadrature, Monte Carlo and fits. All in nats.
//
// KL(q‖p) = ∫ q(z) log(q(z)/p(z)) dz >= 0. A Gaussian is { mu, std }; a mixture is a list of { weight, mu, std } whose
// weights sum to one. Nothing here touches the page: node runs it as it is.

const LOG_2PI = Math.log(2 * Math.PI);

/** log N(z; mu, std²). */
export function logNormal({ mu, std }, z) {
  const eps = (z - mu) / std;
  return -0.5 * (eps * eps + LOG_2PI) - Math.log(std);
}

/** log of the density of a mixture, without underflow far from every part. A loop: fits call it a million times. */
export function logMixture(parts, z) {
  let most = -Infinity,
    sum = 0;
  for (const part of parts) {
    const log = Math.log(part.weight) + logNormal(part, z);
    if (log > most) {
      sum = sum * Math.exp(most - log) + 1;
      most = log;
    } else sum += Math.exp(log - most);
  }
  return most + Math.log(sum);
}

/** KL(N(q.mu, q.std²) ‖ N(p.mu, p.std²)) in closed form. */
export function klNormal(q, p) {
  const ratio = q.std / p.std;
  const shift = (q.mu - p.mu) / p.std;
  return 0.5 * (shift * shift + ratio * ratio - 1) - Math.log(ratio);
}

/** KL(N(mu, std²) ‖ N(0, 1)) = ½ (mu² + sigma² − 1 − log sigma²), term by term (Kingma and Welling 2014, appendix B). */
export function priorTerms({ mu, std }) {
  const terms = { muSquared: mu * mu, variance: std * std, one: -1, minusLogVar: -2 * Math.log(std) };
  return { ...terms, kl: 0.5 * (terms.muSquared + terms.variance + terms.one + terms.minusLogVar) };
}

/** The trapezoid rule with n intervals. For smooth f that vanishes at both ends its error falls faster than any power of n. */
export function trapezoid(f, from, to, n) {
  const width = (to - from) / n;
  let sum = 0.5 * (f(from) + f(to));
  for (let i = 1; i < n; i++) sum += f(from + i * width);
  return sum * width;
}

/** z → q log(q/p), from two log densities; 0 where q is 0. */
export function integrand(logQ, logP) {
  return (z) => {
    const log = logQ(z);
    const q = Math.exp(log);
    return q === 0 ? 0 : q * (log - logP(z));
  };
}

const REACH = 10; // standard deviations to either side: what lies beyond is below 1e-20
const INTERVALS = 8000;

/** [from, to] outside of which no listed Gaussian has any mass to speak of. */
export function support(gaussians) {
  return [
    Math.min(...gaussians.map((g) => g.mu - REACH * g.std)),
    Math.max(...gaussians.map((g) => g.mu + REACH * g.std)),
  ];
}

/**
 * The area under q log(q/p), split by sign: { positive, negative, kl }, kl = positive − negative.
 * @param {(z: number) => number} logQ its log density
 * @param {(z: number) => number} logP
 * @param {number[]} range from, to: where q has its mass
 */
export function areas(logQ, logP, [from, to]) {
  const f = integrand(logQ, logP);
  const positive = trapezoid((z) => Math.max(0, f(z)), from, to, INTERVALS);
  const negative = trapezoid((z) => Math.max(0, -f(z)), from, to, INTERVALS);
  return { positive, negative, kl: positive - negative };
}

/**
 * KL(q‖p) as the mean of log q(z) − log p(z) over z = mu + std·eps, with the standard error of that mean.
 * @param eps draws from N(0, 1)
 */
export function monteCarlo(q, p, eps) {
  const logRatio = (e) => logNormal(q, q.mu + q.std * e) - logNormal(p, q.mu + q.std * e);
  const first = logRatio(eps[0]); // sums of differences from one value lose no digits
  let sum = 0,
    squares = 0;
  for (const e of eps) {
    const d = logRatio(e) - first;
    sum += d;
    squares += d * d;
  }
  const n = eps.length;
  const variance = Math.max(0, squares - (sum * sum) / n) / (n - 1);
  return { mean: first + sum / n, standardError: Math.sqrt(variance / n), draws: n };
}

export const BELIEVABLE = 3; // standard errors: a right estimate lies further away about once in 370 draws

/** How many standard errors an estimate lies from the exact value, and whether that is believable. */
export function judge({ mean, standardError }, exact) {
  const off = Math.abs(mean - exact);
  const rounding = 1e-12 * (1 + Math.abs(exact));
  const distance = off <= rounding ? 0 : off / standardError;
  return { distance, agrees: distance <= BELIEVABLE };
}

/** The Gaussian with the mean and variance of the mixture. It minimises KL(p‖q) over Gaussians q (Bishop 2006, 10.7). */
export function fitForward(parts) {
  const mu = parts.reduce((sum, part) => sum + part.weight * part.mu, 0);
  const variance = parts.reduce((sum, part) => sum + part.weight * (part.std ** 2 + (part.mu - mu) ** 2), 0);
  return { mu, std: Math.sqrt(variance) };
}

/** KL(q‖p) and KL(p‖q) of a Gaussian q and a mixture p by quadrature: { reverse, forward }. */
export function bothKls(q, parts) {
  const logQ = (z) => logNormal(q, z);
  const logP = (z) => logMixture(parts, z);
  const reverse = trapezoid(integrand(logQ, logP), ...support([q]), INTERVALS);
  const forward = trapezoid(integrand(logP, logQ), ...support(parts), INTERVALS);
  return { reverse, forward };
}

const NODES = Array.from({ length: 257 }, (_, i) => (i - 128) / 16); // eps from −8 to 8
const PHI = NODES.map((e) => Math.exp(-0.5 * (e * e + LOG_2PI)) / 16);

/**
 * KL(q‖p) of a Gaussian q and a mixture p, and its derivatives: { value, mu, logStd }. The grid is one of eps, with
 * z = mu + std·eps: the reparameterisation of a VAE, where draws take the place of the grid. Written out in loops: a
 * descent under a moving pointer calls it a thousand times a frame.
 */
export function reverseKl(q, parts) {
  const known = parts.map(({ weight, mu, std }) => ({
    mu,
    precision: 1 / (std * std),
    log: Math.log(weight / std) - 0.5 * LOG_2PI,
  }));
  const logs = new Float64Array(parts.length);
  let value = -0.5 * (LOG_2PI + 1) - Math.log(q.std),
    mu = 0,
    logStd = -1;
  for (let i = 0; i < NODES.length; i++) {
    const z = q.mu + q.std * NODES[i];
    let most = -Infinity,
      sum = 0,
      pull = 0;
    for (let k = 0; k < known.length; k++) {
      logs[k] = known[k].log - 0.5 * known[k].precision * (z - known[k].mu) ** 2;
      if (logs[k] > most) most = logs[k];
    }
    for (let k = 0; k < known.length; k++) {
      const share = Math.exp(logs[k] - most);
      sum += share;
      pull -= share * known[k].precision * (z - known[k].mu);
    }
    const slope = (PHI[i] * pull) / sum; // of log p(z), weighted by q(z)
    value -= PHI[i] * (most + Math.log(sum));
    mu -= slope;
    logStd -= slope * q.std * NODES[i];
  }
  return { value, mu, logStd };
}

const RATE = 0.25; // of the first step; it grows while steps succeed
const LONGEST = 0.25; // a step never exceeds this: it walks down into the nearest valley and leaps over no ridge
const STILL = 1e-6; // length of the gradient at which the descent ends
export const MOST_STEPS = 1000;

/**
 * One step of gradient descent on KL(q‖p), with mu measured in q's own standard deviations and the width as log std.
 * It is halved until the divergence falls; null when nothing lower is found.
 */
function downhill({ q, kl, rate }, parts) {
  const [mu, logStd] = [q.std * kl.mu, kl.logStd];
  const length = Math.hypot(mu, logStd);
  if (length < STILL) return null;
  for (rate = Math.min(rate, LONGEST / length); rate > 1e-6; rate /= 2) {
    const next = { mu: q.mu - rate * q.std * mu, std: q.std * Math.exp(-rate * logStd) };
    const there = reverseKl(next, parts);
    if (there.value < kl.value) return { q: next, kl: there, rate: 1.3 * rate };
  }
  return null;
}

/** Minimise KL(q‖p) from a start: every q on the way, the start first. It ends in the local minimum below the start. */
export function fitReverse(parts, start) {
  const q = { mu: start.mu, std: start.std };
  const way = [q];
  let at = { q, kl: reverseKl(q, parts), rate: RATE };
  while ((at = downhill(at, parts)) && way.length <= MOST_STEPS) way.push(at.q);
  return way;
}

/** The indices of the parts whose mean lies within two standard deviations of q's: which bumps q covers. */
export function covered(q, parts) {
  return parts.flatMap((part, i) => (Math.abs(part.mu - q.mu) <= 2 * q.std ? [i] : []));
}
