// What both parts of the Gaussians view stand on: its state, its bounds, and small helpers. `clean` touches no page: node
// runs it as it is.

import { fixed } from "../../lib/numbers.js";
import { bounded } from "../../lib/state.js";
import * as kl from "./kl.js";

export const SEED_MOST = 4294967295;
export const EDGE = 7; // the frames run from −7 to 7
export const BOUNDS = { mu: [-3, 3], std: [0.2, 2], distance: [0, 8], bump: [0.3, 1.5], log2Draws: [4, 16] };
export const STARTS = { left: { mu: -5, std: 1 }, right: { mu: 5, std: 1 } };

/** A whole state from whatever a link says. */
export function clean(raw) {
  const get = (name, bounds, fallback) => bounded(raw?.[name], bounds, fallback);
  return {
    q_mu: get("q_mu", BOUNDS.mu, 1.5),
    q_std: get("q_std", BOUNDS.std, 0.6),
    p_mu: get("p_mu", BOUNDS.mu, 0),
    p_std: get("p_std", BOUNDS.std, 1),
    shown: raw?.shown === "pq" ? "pq" : "qp",
    log2_draws: Math.round(get("log2_draws", BOUNDS.log2Draws, 10)),
    seed: Math.round(get("seed", [0, SEED_MOST], 0)),
    distance: get("distance", BOUNDS.distance, 4),
    left: get("left", BOUNDS.bump, 0.7),
    right: get("right", BOUNDS.bump, 0.7),
    start: ["right", "q"].includes(raw?.start) ? raw.start : "left",
  };
}

export const across = () => ({ from: -EDGE, to: EDGE, label: "z (std of N(0, 1))" });
export const density = (g) => (z) => Math.exp(kl.logNormal(g, z));
export const TOPS = [0.5, 0.75, 1, 1.5, 2.5]; // of the density axis: few, so that it seldom jumps

/** Says whether something is another than when last asked. */
export class News {
  is(something) {
    const text = JSON.stringify(something);
    const other = text !== this.before;
    this.before = text;
    return other;
  }
}

/** A number of nats with as many places as help. */
export function nats(v) {
  const size = Math.abs(v);
  return fixed(v, size >= 100 ? 1 : size >= 10 ? 2 : 3);
}
