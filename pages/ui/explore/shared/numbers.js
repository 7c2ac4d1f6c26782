// How the explorer writes its numbers.

import { fixed } from "../../lib/numbers.js";

/** A share as per cent: finer towards the ends. */
export function percent(share) {
  const value = 100 * share;
  if (value < 0.01) return "< 0.01%";
  if (value > 99.99) return "> 99.99%";
  return `${value.toFixed(value < 1 || value > 99 ? 2 : value < 10 || value > 90 ? 1 : 0)}%`;
}

/** How many test images are on the map of a model, as text. */
export const countOf = ({ set }) => set.count.toLocaleString("en");

/** A z as text: all of it for up to four latents, else the beginning. */
export function zText(z) {
  const shown = Array.from(z.slice(0, 4), (v) => fixed(v)).join(", ");
  return `(${shown}${z.length > 4 ? ", …" : ""})`;
}

export const rounded = (z) => Array.from(z, (v) => Math.round(v * 1000) / 1000);

/** A distance: two digits after the point, two significant ones when it is small, and nothing of a rounding error. */
export const short = (value) => (value >= 0.1 || value < 1e-5 ? fixed(value) : String(Number(value.toPrecision(2))));

/** What a model is called: by its folder when it ships, by its title when it is a visitor's run, whose id says nothing. */
export const modelName = ({ name, title, shipped }) => (shipped ? name : title);
