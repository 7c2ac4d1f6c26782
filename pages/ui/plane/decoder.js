// The decoder of a run on points, from the layers that its picture holds, and the exact posterior of a point under it.
// Pure; runs under node. log p(x) comes from the server (vae_core/exact/points.py): here no integral is taken.

import { elu, linear, relu, tanh } from "../net/layers.js";

const ACTIVATIONS = { tanh, relu, elu };
const LOG_2PI = Math.log(2 * Math.PI);
const DEPTH = 7; // nats below its peak: what the window on a posterior shows
const REACH = 4.5; // of the prior, in its std, where a posterior is looked for
const COARSE = [0, 1801, 91]; // z along a side there, by the number of latents
export const FINE = [0, 401, 72]; // and in the window

/**
 * A function from codes, n · D, to places x̂ of the plane, n · 2.
 * @param {Tensors} arrays points_weight0 (out, in), points_bias0 (out, 1), ...
 * @param {string} activation between the layers
 * @returns {((zs: Numbers) => Float64Array) & { dims: number }}
 */
export function decoderOf(arrays, activation) {
  const layers = [],
    dims = arrays.points_weight0.shape[1];
  for (let i = 0; arrays[`points_weight${i}`]; i++) {
    const then = arrays[`points_weight${i + 1}`] ? ACTIVATIONS[activation] : undefined;
    layers.push(linear({ weight: arrays[`points_weight${i}`], bias: arrays[`points_bias${i}`] }, { then }));
  }
  const decode = (zs) => {
    const found = new Float64Array((2 * zs.length) / dims);
    for (let i = 0; i < zs.length / dims; i++) {
      const z = zs.slice(i * dims, (i + 1) * dims);
      found.set(
        layers.reduce((h, layer) => layer(h), z),
        2 * i,
      );
    }
    return found;
  };
  return Object.assign(decode, { dims });
}

/** (n^D · D) codes of a lattice with n along each side; of two latents the first changes slowest. @param {Span[]} ranges */
export function latticeOf(ranges, n) {
  const axes = ranges.map(({ from, to }) => Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1)));
  if (axes.length === 1) return Float64Array.from(axes[0]);
  return Float64Array.from(axes[0].flatMap((z1) => axes[1].flatMap((z2) => [z1, z2])));
}

/** log p(x, z) of a point at codes that are decoded, in nats. */
export function logJoints(zs, decoded, dims, sigma, [x1, x2]) {
  const constant = -2 * Math.log(sigma) - LOG_2PI - (dims / 2) * LOG_2PI;
  return Float64Array.from({ length: zs.length / dims }, (_, i) => {
    let square = 0;
    for (let d = 0; d < dims; d++) square += zs[i * dims + d] ** 2;
    const distance = (x1 - decoded[2 * i]) ** 2 + (x2 - decoded[2 * i + 1]) ** 2;
    return constant - square / 2 - distance / (2 * sigma ** 2);
  });
}

/** The coarse lattice of a decoder, for windowOf: one for all points. */
export function surveyOf(decode) {
  const { dims } = decode;
  const zs = latticeOf(Array(dims).fill({ from: -REACH, to: REACH }), COARSE[dims]);
  return { zs, decoded: decode(zs) };
}

/**
 * The part of latent space where a posterior or q is: a range for each latent, of the same length.
 * @param {{ zs: Float64Array, decoded: Float64Array }} survey
 * @returns {Span[]}
 */
export function windowOf({ zs, decoded }, dims, sigma, x, { mu, std }) {
  const log = logJoints(zs, decoded, dims, sigma, x);
  const peak = log.reduce((a, b) => Math.max(a, b), -Infinity);
  const margin = (2 * REACH) / (COARSE[dims] - 1);
  const ranges = Array.from({ length: dims }, (_, d) => ({ from: mu[d] - 3.5 * std[d], to: mu[d] + 3.5 * std[d] }));
  log.forEach((value, i) => {
    if (value < peak - DEPTH) return;
    ranges.forEach((range, d) => {
      range.from = Math.min(range.from, zs[i * dims + d] - margin);
      range.to = Math.max(range.to, zs[i * dims + d] + margin);
    });
  });
  const half = Math.max(...ranges.map(({ from, to }) => to - from)) / 2;
  return ranges.map(({ from, to }) => ({ from: (from + to) / 2 - half, to: (from + to) / 2 + half }));
}

/**
 * The densities p(z | x) and q(z | x) on a lattice of a window: { zs, posterior, q }, per unit of z.
 * @param {Span[]} ranges
 */
export function densitiesOf(decode, ranges, sigma, x, logP, { mu, std }) {
  const { dims } = decode;
  const zs = latticeOf(ranges, FINE[dims]);
  const posterior = logJoints(zs, decode(zs), dims, sigma, x).map((v) => Math.exp(v - logP));
  const q = posterior.map((_, i) => {
    let log = (-dims / 2) * LOG_2PI;
    for (let d = 0; d < dims; d++) log -= Math.log(std[d]) + ((zs[i * dims + d] - mu[d]) / std[d]) ** 2 / 2;
    return Math.exp(log);
  });
  return { zs, posterior, q };
}
