// What the encoder says of an image, as numbers. Plain mathematics: node runs it as it is, and tests hold it against torch.

import { nearestCode } from "../../lib/distances.js";
import { normals } from "../../lib/rng.js";
import { whole } from "../../lib/state.js";

export const SAMPLES = 16;
export const NEAREST = 15; // codes that are asked for their classes

// ---- the state, and the picture in it

/**
 * The way's part of the state: which image, the seed of eps, and whether the big picture shows mu or the first sample.
 * number, digit (its label): of a picture that is a test image, but none of the map's; the server puts it in by its number.
 */
export function cleanEncode(raw, { count, tests, classes }) {
  const bytes = pictureOf(raw?.picture);
  return {
    of: raw?.of === "picture" ? "picture" : "test",
    image: whole(raw?.image, count) ? raw.image : 0,
    picture: bytes && textOf(bytes),
    number: bytes && whole(raw?.number, tests) ? raw.number : null,
    digit: whole(raw?.digit, classes) ? raw.digit : 0,
    seed: whole(raw?.seed, 2 ** 32) ? raw.seed : 0,
    shown: raw?.shown === "sample" ? "sample" : "mu",
  };
}

const BASE64 = /^[A-Za-z0-9+/]{1046}==$/; // of 784 bytes

/** The 784 grey levels of a picture in a link, as Uint8Array; null for anything else, and for one without ink. */
export function pictureOf(text) {
  if (typeof text !== "string" || !BASE64.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return bytes.some((v) => v > 0) ? bytes : null;
}

/** 784 bytes as text for a link. */
export const textOf = (bytes) => btoa(String.fromCharCode(...bytes));

/** Grey levels as a model takes them: in [0, 1], black or white for one that was trained on such. */
export function taken(greys, protocol) {
  if (protocol === "static") return redraw(greys);
  return Float32Array.from(greys, (v) => (protocol === "threshold" ? Number(v > 127) : v / 255));
}

/** One draw of an image, pixel by pixel: that of vae_core/data/protocols.py with the seed 0, bit for bit. */
export function redraw(greys) {
  const places = Uint32Array.from(greys, (_, i) => scramble(i + 1));
  let sum = 0; // below 2⁵⁰
  greys.forEach((v, i) => (sum += v * places[i]));
  const image = scramble(sum % 2 ** 32);
  return Float32Array.from(greys, (v, i) => Number((scramble(image ^ places[i]) >>> 8) * 255 < v * 2 ** 24));
}

function scramble(h) {
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

// ---- the posterior

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

// ---- the codes around

/** Indices of the codes nearest to z in all latents, nearest first; `except`: an image that is not asked. */
export function nearestCodes(z, mu, count = NEAREST, except = -1) {
  const dims = z.length,
    best = [];
  for (let i = 0, at = 0; at < mu.length; i++, at += dims) {
    const limit = best.length < count ? Infinity : best[count - 1].sum;
    let sum = 0;
    for (let d = 0; d < dims && sum < limit; d++) sum += (mu[at + d] - z[d]) ** 2;
    if (!(sum < limit) || i === except) continue;
    let k = Math.min(best.length, count - 1);
    for (; k > 0 && best[k - 1].sum > sum; k--) best[k] = best[k - 1];
    best[k] = { i, sum };
  }
  return best.map(({ i }) => i);
}

/** How many of some images are of which class: [[label, how many], …], most first. */
export function classesOf(images, labels) {
  const counts = new Map();
  for (const i of images) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** Distances of some codes from their nearest neighbours, smallest first: what distance is usual among test images. */
export function usualDistances(mu, dims, sample = 500) {
  const count = mu.length / dims,
    stride = Math.max(1, Math.floor(count / sample)),
    found = [];
  for (let i = 0; i < count && found.length < sample; i += stride)
    found.push(nearestCode(mu.subarray(i * dims, (i + 1) * dims), mu, i).distance);
  return Float64Array.from(found).sort();
}
