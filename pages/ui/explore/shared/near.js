// How far a place is from the nearest code, in near radii of its model: what is far in one model is near in another.

import { fixed } from "../../lib/numbers.js";
import { nearRule } from "./density.js";

const LEAST = 1e-9; // of a radius: codes that all lie in one place have none
const MOST = 99; // near radii that are still written as a number

/** The near radius of a model, see density.js. */
export const radiusOf = ({ near }) => Math.max(LEAST, near);

/** A distance over the radius, as text. */
export function ratioText(ratio) {
  return ratio > MOST ? `> ${MOST}` : fixed(ratio, ratio < 9.995 ? 2 : 0);
}

/** No code is near. */
export const isFar = (ratio) => ratio > 1;

/** What a strip has of it, in words: ratios of its pictures. */
export function farWords(ratios) {
  const count = ratios.filter(isFar).length;
  return count ? `${count} of ${ratios.length} pictures in a gap` : "no gap";
}

/** The rule of a model's radius, in words. */
export const ruleOf = ({ posterior }) => nearRule(posterior);
