// The plane of the map as the grid and the warp take it: through z, which is held fixed off the plane.

import { short } from "./numbers.js";
import { quantileGrid } from "./prior_math.js";

/** The part of z off the plane, and one key for model, plane and it: the same key gives the same pictures. */
export function slice({ name, view: { plane }, state }) {
  const off = plane.from([0, 0], state.pad.z).map((v) => Math.round(1e4 * v) / 1e4 + 0); // + 0: −0 is 0
  return { off, key: JSON.stringify([name, plane.labels, plane.pca, Array.from(off)]) };
}

/** A plain autoencoder was trained without a prior, and what is said of one would be false. */
export const YARDSTICK = "A plain autoencoder has no prior: N(0, I) is only a yardstick here, to compare with the VAE.";
export const priorOf = ({ about }) => (about.model === "ae" ? "N(0, I)" : "the prior");
const yardstick = ({ about }) => (about.model === "ae" ? YARDSTICK : "");

/** A plane of one latent is a line: one row. */
export const rowsOf = ({ set: { dims } }, n) => (dims === 1 ? 1 : n);

/** Nodes of a grid at prior quantiles: { xy: [[x, y], …], zs: Float32Array n · rows · D } */
export function nodes(app, n, off) {
  const { plane } = app.view,
    xy = quantileGrid(n, rowsOf(app, n)),
    zs = new Float32Array(xy.length * plane.dims);
  xy.forEach((point, i) => zs.set(plane.from(point, off), i * plane.dims));
  return { xy, zs };
}

/** What N(0, I) is to a plain autoencoder and what is held fixed off the plane, as sentences. */
export const notes = (app) => [yardstick(app), held(app)].filter(Boolean).join(" ");

function held({ view: { plane }, state }) {
  const rest = plane.dims - 2;
  if (rest <= 0) return "";
  const what = plane.pca ? (rest === 1 ? "direction" : "directions") : rest === 1 ? "latent" : "latents";
  return `The plane is that of the map (${plane.labels.join(" and ")}); the other ${rest} ${what} of z stay as they are, ${short(plane.off(state.pad.z))} from 0.`;
}
