// The plane of the map as the grid and the warp take it: through z, which is held fixed off the plane. What these
// functions take is one of the two: { found, view, place }.

import { short } from "../shared/numbers.js";
import { joined } from "../shared/rows.js";
import { quantileGrid } from "./math.js";

/** The part of z off the plane, and one key for model, plane and it: the same key gives the same pictures. */
export function slice({ found, view: { plane }, place }) {
  const off = plane.from([0, 0], place.rest).map((v) => Math.round(1e4 * v) / 1e4 + 0); // + 0: −0 is 0
  return { off, key: JSON.stringify([found.about.name, plane.labels, plane.pca, Array.from(off)]) };
}

/** A plain autoencoder was trained without a prior, and what is said of one would be false. */
export const YARDSTICK = "An autoencoder has no prior: N(0, I) is only a yardstick here, to compare with the VAE.";
export const priorOf = ({ found: { about } }) => (!about.posterior ? "N(0, I)" : "the prior");
const yardstick = ({ found: { about } }) => (!about.posterior ? YARDSTICK : "");

/** A plane of one latent is a line: one row. */
export const rowsOf = ({ found: { set } }, n) => (set.dims === 1 ? 1 : n);

/** Nodes of a grid at prior quantiles: { xy: [[x, y], …], zs: Float32Array n · rows · D } */
export function nodes(tab, n, off) {
  const { plane } = tab.view,
    xy = quantileGrid(n, rowsOf(tab, n));
  return { xy, zs: joined(xy.map((point) => plane.from(point, off))) };
}

/** What N(0, I) is to a plain autoencoder, what label is told, and what is held fixed off the plane, as sentences. */
export const notes = (tab) => [yardstick(tab), told(tab), held(tab)].filter(Boolean).join(" ");

/** Of a conditional model the whole grid is of one label. */
const told = ({ found: { about } }) =>
  about.labels ? `One label, every style: all are told ${about.classNames[about.label]}.` : "";

function held({ view: { plane }, place }) {
  const rest = plane.dims - 2;
  if (rest <= 0) return "";
  const what = plane.pca ? (rest === 1 ? "direction" : "directions") : rest === 1 ? "latent" : "latents";
  return `The plane is that of the map (${plane.labels.join(" and ")}); the other ${rest} ${what} of z stay as they are, ${short(plane.off(place.rest))} from 0.`;
}
