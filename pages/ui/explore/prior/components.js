// The first two principal components of some pictures, by subspace iteration: a few directions in the space of images are
// multiplied with the covariance again and again and kept orthonormal; they turn towards its largest axes (Rutishauser
// 1970, Numer. Math. 16:205-223). Tested under node against numpy's singular value decomposition.

import { PIXELS } from "../../lib/images.js";
import { normals } from "../../lib/rng.js";

const WIDTH = 8; // directions: the more, the faster the first two settle
const ROUNDS = 200;
const SETTLED = 1e-10; // relative change of the variances that ends it

/**
 * pictures: Uint8Array count · 784 of grey levels -> { xy: Float64Array count · 2, kept }. Distances in xy are root mean
 * squares over the pixels, in grey levels from 0 to 1; kept: the share of the pictures' variance that lies in the two, 0
 * where all pictures are the same.
 */
export function twoComponents(pictures) {
  const work = rounds(pictures);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** The same without a stutter: other work gets through between the rounds, of some milliseconds each. */
export async function twoComponentsLater(pictures) {
  const work = rounds(pictures);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function* rounds(pictures) {
  const x = centred(pictures),
    count = x.length / PIXELS,
    xy = new Float64Array(2 * count),
    total = dot(x, x);
  if (!(total > 1e-12)) return { xy, kept: 0 };
  let axes = orthonormal(start(Math.min(WIDTH, count)));
  let found,
    before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const scores = axes.map((axis) => times(x, axis));
    found = ritz(scores);
    if (Math.abs(found.both - before) <= SETTLED * found.both) break;
    before = found.both;
    axes = orthonormal(scores.map((score) => back(x, score)));
    yield;
  }
  found.first.forEach((score, k) => score.forEach((v, i) => (xy[2 * i + k] = v)));
  return { xy, kept: Math.min(1, found.both / total) };
}

/** The pictures less their mean, scaled so that a length is a root mean square in grey levels from 0 to 1. */
function centred(pictures) {
  const count = pictures.length / PIXELS,
    mean = new Float64Array(PIXELS),
    unit = 1 / (255 * Math.sqrt(PIXELS));
  for (let at = 0; at < pictures.length; at++) mean[at % PIXELS] += pictures[at] / count;
  return Float64Array.from(pictures, (v, at) => (v - mean[at % PIXELS]) * unit);
}

function start(width) {
  const values = normals(0, width * PIXELS);
  return Array.from({ length: width }, (_, k) => values.slice(k * PIXELS, (k + 1) * PIXELS));
}

/** X a: one number a picture. */
function times(x, axis) {
  const result = new Float64Array(x.length / PIXELS);
  for (let i = 0, at = 0; i < result.length; i++) {
    let sum = 0;
    for (let p = 0; p < PIXELS; p++) sum += x[at++] * axis[p];
    result[i] = sum;
  }
  return result;
}

/** Xᵀ s: a direction again. */
function back(x, score) {
  const result = new Float64Array(PIXELS);
  for (let i = 0, at = 0; i < score.length; i++) {
    const s = score[i];
    for (let p = 0; p < PIXELS; p++) result[p] += x[at++] * s;
  }
  return result;
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Gram and Schmidt; directions that depend on those before are left out. */
function orthonormal(vectors) {
  const result = [];
  for (const vector of vectors) {
    const size = Math.sqrt(dot(vector, vector));
    for (let twice = 0; twice < 2; twice++) {
      for (const other of result) {
        const part = dot(vector, other);
        for (let i = 0; i < vector.length; i++) vector[i] -= part * other[i];
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    if (length > 1e-9 * size) result.push(vector.map((v) => v / length));
  }
  return result;
}

/** The best two scores within the span of these: { first: [score, score], both: their sum of squares }. */
function ritz(scores) {
  const { values, vectors } = eigen(scores.map((a) => Array.from(scores, (b) => dot(a, b))));
  const order = values
    .map((_, k) => k)
    .sort((a, b) => values[b] - values[a])
    .slice(0, 2);
  const mixed = (k) => scores[0].map((_, i) => scores.reduce((sum, score, j) => sum + score[i] * vectors[j][k], 0));
  return { first: order.map(mixed), both: order.reduce((sum, k) => sum + values[k], 0) };
}

/** Of a small symmetric matrix, by Jacobi's rotations: vectors[j][k] is entry j of the k-th. */
export function eigen(matrix) {
  const n = matrix.length,
    a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((_, j) => Number(i === j)));
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, p, q);
  }
  return { values: a.map((row, i) => row[i]), vectors };
}

function rotate(a, vectors, p, q) {
  if (Math.abs(a[p][q]) < 1e-300) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1),
    s = t * c;
  for (const row of [...a, ...vectors]) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  [a[p], a[q]] = [a[p].map((v, i) => c * v - s * a[q][i]), a[p].map((v, i) => s * v + c * a[q][i])];
}
