// The plane of the map as the grid and the warp take it: through z, which is held fixed off the plane.

import { fixed } from "./numbers.js";
import { quantileGrid } from "./prior_math.js";

/** The part of z off the plane, and one key for model, plane and it: the same key gives the same pictures. */
export function slice({ name, view: { plane }, state }) {
  const off = plane.from([0, 0], state.pad.z).map((v) => Math.round(1e4 * v) / 1e4 + 0); // + 0: −0 is 0
  return { off, key: JSON.stringify([name, plane.labels, plane.pca, Array.from(off)]) };
}

/** A plane of one latent is a line: one row. */
export const rowsOf = ({ set: { dims } }, n) => (dims === 1 ? 1 : n);

/** Nodes of a grid at prior quantiles: { xy: [[x, y], …], zs: Float32Array n · rows · D } */
export function nodes(app, n, off) {
  const { plane } = app.view, xy = quantileGrid(n, rowsOf(app, n)), zs = new Float32Array(xy.length * plane.dims);
  xy.forEach((point, i) => zs.set(plane.from(point, off), i * plane.dims));
  return { xy, zs };
}

/** What is held fixed, as a sentence. */
export function held({ view: { plane }, state }) {
  const rest = plane.dims - 2;
  if (rest <= 0) return "";
  const what = plane.pca ? (rest === 1 ? "direction" : "directions") : rest === 1 ? "latent" : "latents";
  return `The plane is that of the map (${plane.labels.join(" and ")}); the other ${rest} ${what} of z stay as they are, ${fixed(plane.off(state.pad.z))} from 0.`;
}
