// What the prior's grid, its draws and the warp are computed with. Plain mathematics, tested under node against torch and
// numpy. Pictures are grey levels from 0 to 255, 784 each, side by side in one array; differences of pictures are given
// as the root of the mean square over the pixels, of full scale.

import { apart } from "../../lib/distances.js";
import { PIXELS } from "../../lib/images.js";
import { normalQuantile } from "../../lib/normal.js";
import { normals } from "../../lib/rng.js";
import { normalShare } from "../shared/density.js";

/** n values of z at which the prior's distribution function is (i + ½) / n: equal shares of the prior. */
export const quantiles = (n) => Float32Array.from({ length: n }, (_, i) => normalQuantile((i + 0.5) / n));

/** Points of the plane at prior quantiles as a picture lies: y falls from row to row, x rises. [[x, y], …], n · rows. */
export function quantileGrid(n, rows = n) {
  const x = quantiles(n),
    y = quantiles(rows);
  return Array.from({ length: n * rows }, (_, i) => [x[i % n], y[rows - 1 - Math.floor(i / n)]]);
}

/** Whether a coordinate lies further out than the outermost picture of a row of n, by more than one step. */
export function beyond(v, n) {
  const q = quantiles(n);
  return n > 1 && Math.abs(v) > 2 * q[n - 1] - q[n - 2];
}

/** Which cell of that grid a point lies in: every cell has the same share of the prior. */
export function cellOf([x, y], n, rows = n) {
  const cell = (v, count) => Math.min(count - 1, Math.floor(count * normalShare(v)));
  return (rows - 1 - cell(y, rows)) * n + cell(x, n);
}

/** z = temperature · eps of `count` draws; eps as torch.randn(count, dims) has it with this seed on the CPU. */
export function draws(seed, count, dims, temperature) {
  return Float32Array.from(
    normals(seed, Math.max(16, count * dims)).subarray(0, count * dims),
    (eps) => temperature * Math.fround(eps),
  );
}

/** The mean square distance of two different ones among the pictures, as a root: how much they vary. */
export function variety(pictures) {
  const count = pictures.length / PIXELS;
  let sum = 0;
  for (let p = 0; p < PIXELS; p++) {
    let [first, second] = [0, 0];
    for (let at = p; at < pictures.length; at += PIXELS) {
      first += pictures[at];
      second += pictures[at] ** 2;
    }
    sum += Math.max(0, second - (first * first) / count);
  }
  return Math.sqrt((2 * sum) / Math.max(1, count - 1) / PIXELS) / 255;
}

/**
 * The decoder's local speed between the nodes of a grid: how much the picture changes per prior unit, for every cell the
 * root mean square over its four sides. xs, ys: where columns and rows lie, in prior units.
 * -> Float32Array (rows − 1) · (columns − 1), of full scale per prior unit.
 */
export function stretches(pictures, xs, ys) {
  const [columns, rows] = [xs.length, ys.length];
  const side = (i, j, length) => (apart(pictures, i, j) / Math.abs(length)) ** 2;
  const across = (r, c) => side(r * columns + c, r * columns + c + 1, xs[c + 1] - xs[c]);
  const down = (r, c) => side(r * columns + c, (r + 1) * columns + c, ys[r + 1] - ys[r]);
  const level = Array.from({ length: rows }, (_, r) =>
    Float64Array.from({ length: columns - 1 }, (_, c) => across(r, c)),
  );
  const upright = Array.from({ length: rows - 1 }, (_, r) =>
    Float64Array.from({ length: columns }, (_, c) => down(r, c)),
  );
  return Float32Array.from({ length: (rows - 1) * (columns - 1) }, (_, i) => {
    const r = Math.floor(i / (columns - 1)),
      c = i % (columns - 1);
    return Math.sqrt((level[r][c] + level[r + 1][c] + upright[r][c] + upright[r][c + 1]) / 4);
  });
}
