// Which image is encoded, and the codes around its own. Plain mathematics: node runs it as it is, and tests hold it against torch.

import { nearestCode } from "../../lib/distances.js";
import { whole } from "../../lib/state.js";

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
