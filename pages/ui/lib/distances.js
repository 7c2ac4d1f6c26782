// How far pictures and codes lie apart. A difference of pictures is the root of the mean square over the pixels, of
// full scale. Runs under node.

import { PIXELS } from "./images.js";

/** Root mean square a pixel of a sum of squares of grey levels from 0 to 255. */
export const rmsOf = (sum) => Math.sqrt(sum / PIXELS) / 255;

/** Sum of squared differences of an image and a picture, given up once it exceeds a limit. */
export function difference(images, start, grey, limit) {
  let sum = 0;
  for (let p = 0; p < PIXELS && sum < limit;) {
    for (const end = p + 56; p < end; p++) {
      const d = images[start + p] - grey[p];
      sum += d * d;
    }
  }
  return sum;
}

/**
 * The image nearest to a picture: { index, distance }. images: Uint8Array of many; grey: 784 levels from 0 to 255.
 * A generator that yields after so many images, so that long work can be done in slices; the result is returned.
 */
export function* seekImage(images, grey, every = Infinity) {
  let [index, least] = [-1, Infinity];
  for (let i = 0; i * PIXELS < images.length; i++) {
    const sum = difference(images, i * PIXELS, grey, least);
    if (sum < least) [index, least] = [i, sum];
    if (i % every === every - 1) yield;
  }
  return { index, distance: rmsOf(least) };
}

/** The same at once. */
export const nearestImage = (images, grey) => seekImage(images, grey).next().value;

/** How far two pictures of one array are apart. */
export function apart(pictures, i, j) {
  let sum = 0;
  for (let p = 0, a = i * PIXELS, b = j * PIXELS; p < PIXELS; p++) sum += (pictures[a + p] - pictures[b + p]) ** 2;
  return rmsOf(sum);
}

/** The code nearest to z in all dimensions: { index, distance }; mu is (count, D) in one array. */
export function nearestCode(z, mu, except = -1) {
  const dims = z.length;
  let [index, least] = [-1, Infinity];
  for (let i = 0, at = 0; at < mu.length; i++, at += dims) {
    let sum = 0;
    for (let d = 0; d < dims && sum < least; d++) sum += (mu[at + d] - z[d]) ** 2;
    if (sum < least && i !== except) [index, least] = [i, sum];
  }
  return { index, distance: Math.sqrt(least) };
}
