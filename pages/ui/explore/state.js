// What is on the page, as a link says it: the view of the map, and a part for every way. Whatever comes in leaves whole and
// harmless: numbers within bounds, lists no longer than they may be.

import { list, whole } from "../lib/state.js";

const REACH = 100; // codes of a plain autoencoder may lie far out; no further, so that sums stay finite
const PINS = 8;

/**
 * limits: { dims, count: images of the map, tests: all test images, classes: 0 where there are none }
 * cleaners: { way: (raw, limits) => state }
 * @returns {Record<string, any>} a part for every way, and `view`
 */
export function cleanState(raw, limits, cleaners) {
  const state = { view: cleanView(raw?.view, limits) };
  for (const [way, clean] of Object.entries(cleaners)) state[way] = clean(raw?.[way] ?? {}, limits);
  return state;
}

function cleanView(raw, { dims }) {
  const pair = dims > 2 && Array.isArray(raw?.axes) && raw.axes.length === 2 && raw.axes[0] !== raw.axes[1];
  const axes = pair && raw.axes.every((d) => whole(d, dims)) ? raw.axes : "pca"; // of two latents: both, as they are
  return { axes, grid: raw?.grid === true, ellipses: raw?.ellipses === true, automatic: raw?.automatic === true };
}

/** The pad: what is pinned; in a link z, the page's own, stands with it. */
export function cleanPad(raw, limits) {
  return {
    z: cleanZ(raw.z, limits) ?? new Array(limits.dims).fill(0),
    pins: list(raw.pins, PINS)
      .map((z) => cleanZ(z, limits))
      .filter(Boolean),
  };
}

/** A z of the right length, to thousandths and within bounds; null for anything else. */
export function cleanZ(raw, { dims }) {
  if (!Array.isArray(raw) || raw.length !== dims || !raw.every((v) => typeof v === "number" && Number.isFinite(v)))
    return null;
  return raw.map((v) => Math.round(1000 * Math.max(-REACH, Math.min(REACH, v))) / 1000);
}
