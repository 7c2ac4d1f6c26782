// What the encoder says of an image, and what that costs, as numbers. Plain mathematics: node runs it as it is, and tests
// hold it against torch.

import { normals } from "../../lib/rng.js";

export const SAMPLES = 16;

/** Noise of a seed for all samples: torch.randn(16, D, generator=torch.Generator().manual_seed(seed)). */
export const noise = (seed, dims) => normals(seed, SAMPLES * dims);

/** std = exp(log_var / 2), D numbers. */
export const stdOf = (logVar) => Float32Array.from(logVar, (v) => Math.exp(v / 2));

/** z = mu + std · eps for every sample of eps: n · D (Kingma and Welling 2014, section 2.4). */
export function samplesOf(mu, std, eps) {
  const dims = mu.length;
  return Float32Array.from(eps, (e, i) => mu[i % dims] + std[i % dims] * e);
}

/** KL(N(mu_d, exp(log_var_d)) ‖ N(0, 1)) of every latent, nats; their sum is the KL of the image. */
export function klDims(mu, logVar) {
  return Float64Array.from(mu, (m, d) => 0.5 * (m * m + Math.expm1(logVar[d]) - logVar[d]));
}

export const total = (values) => values.reduce((a, b) => a + b, 0);

// xHat is float32: what it rounds to 0 or 1 counts as the last number before. Shipped models stay below these logits.
const BLACK = -103.3,
  WHITE = -17.3;

/**
 * −log p(x given z), nats, summed over the pixels; xHat: the decoder's mean image. about { likelihood, sigma }: null for a
 * Gaussian whose sigma is not known.
 */
export function nll(x, xHat, { likelihood, sigma }) {
  if (likelihood === "bernoulli") return bernoulli(x, xHat);
  return Number.isFinite(sigma) && sigma > 0 ? gaussian(x, xHat, sigma) : null;
}

function bernoulli(x, xHat) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] > 0) sum -= x[i] * Math.max(BLACK, Math.log(xHat[i]));
    if (x[i] < 1) sum -= (1 - x[i]) * Math.max(WHITE, Math.log1p(-xHat[i]));
  }
  return sum;
}

function gaussian(x, xHat, sigma) {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += (x[i] - xHat[i]) ** 2;
  return squares / (2 * sigma * sigma) + x.length * (Math.log(sigma) + 0.5 * Math.log(2 * Math.PI));
}
