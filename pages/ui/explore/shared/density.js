// How usual a place of latent space is: to the prior, and to the codes. Plain mathematics, tested under node.

import { nearestCode } from "../../lib/distances.js";
import { normals } from "../../lib/rng.js";

/** P(|z| > r) for z ~ N(0, I) in D dimensions: the upper regularised incomplete gamma function Q(D/2, r²/2). */
export function chiSurvival(r, dims) {
  return upperGamma(dims / 2, (r * r) / 2);
}

/** Q(a, x) (Abramowitz and Stegun 1964, 6.5.29 and 6.5.31): a series below a + 1, a continued fraction above. */
export function upperGamma(a, x) {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 1000 && term > sum * 1e-15; n++) sum += term *= x / (a + n);
    return 1 - front * sum;
  }
  let b = x + 1 - a,
    c = 1e300,
    d = 1 / b,
    h = d; // Lentz's method
  for (let i = 1; i < 1000; i++) {
    const an = i * (a - i);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * h;
}

/** log Γ(a) for a = ½, 1, 1½ …: Γ(½) = √π, Γ(1) = 1, and Γ(a + 1) = a Γ(a). */
function logGamma(a) {
  let log = a % 1 ? Math.log(Math.PI) / 2 : 0;
  for (let k = a % 1 ? 0.5 : 1; k < a - 1e-9; k++) log += Math.log(k);
  return log;
}

/** The standard normal distribution function: which share of the prior lies below a coordinate. */
export function normalShare(z) {
  const tail = upperGamma(0.5, (z * z) / 2) / 2;
  return z > 0 ? 1 - tail : tail;
}

const SAMPLES = 400,
  SHARE = 0.95;

/**
 * How far a place may be from a code and still count as near one. With a posterior: as near as 95 of 100 samples of
 * q(z given x) are to another image's mu. Without: as near as 95 of 100 codes are to another one.
 * set: { mu, logVar | null, dims }, all codes in one array. In prior units.
 */
export function nearRadius({ mu, logVar, dims }) {
  const count = mu.length / dims,
    stride = Math.max(1, Math.floor(count / SAMPLES)),
    found = [];
  const eps = normals(0, Math.max(16, Math.ceil(count / stride) * dims));
  for (let i = 0, k = 0; i < count; i += stride, k += dims) {
    const z = Float32Array.from(
      { length: dims },
      (_, d) => mu[i * dims + d] + (logVar ? Math.exp(logVar[i * dims + d] / 2) * eps[k + d] : 0),
    );
    found.push(nearestCode(z, mu, i).distance);
  }
  return found.sort((a, b) => a - b)[Math.floor(SHARE * found.length)];
}

/** What nearRadius means, in words; `posterior`: whether the model has one. */
export const nearRule = (posterior) =>
  posterior
    ? "95 of 100 samples of q(z | x) have another image's mu so close"
    : "95 of 100 codes have another one so close";

const RARE = Math.exp(-4.5); // what lies beyond 3σ in the plane: 1.1 % of the prior
const MANY = 4; // latents: of more, draws lie in a shell around 0, and hardly ever near it

/**
 * "both", "prior" (no code is near), "code" (near a code, where the prior hardly is), "nowhere", or "inner".
 * further: share of the prior that lies further out; distance: of the nearest code; near: what counts as near.
 */
export function placeOf({ further, distance, near, dims }) {
  if (dims > MANY && further > 1 - RARE) return "inner";
  const [inside, close] = [further > RARE, distance <= near];
  return inside ? (close ? "both" : "prior") : close ? "code" : "nowhere";
}

const PLACES = {
  inner: (draws) => `Nearer to 0 than almost any ${draws[0]}: with many latents, ${draws[1]} lie in a shell around 0.`,
  both: (draws) => `${capital(draws[1])} fall here, and a code is near.`,
  prior: (draws) => `${capital(draws[1])} fall here, but no code is near.`,
  code: (draws) => `A code is near, but almost all ${draws[1]} fall nearer to 0.`,
  nowhere: (draws) => `Further out than almost all ${draws[1]}, and far from every code.`,
};
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** A place in words. A plain autoencoder has no prior: N(0, I) is only a yardstick there. */
export const placeText = (place, posterior) =>
  PLACES[place](posterior ? ["prior draw", "prior draws"] : ["draw from N(0, I)", "draws from N(0, I)"]);
