// What is added to what, in words.

import { fixed } from "../../lib/numbers.js";
import { countOf, short } from "../shared/numbers.js";
import { ATTRIBUTES, lengthOf, named } from "./math.js";

const chosen = ({ about }, { attribute }) => about.attributes[ATTRIBUTES.indexOf(attribute)];

/** "slant in degrees" */
export function nounOf(found, state) {
  const { label, unit } = chosen(found, state);
  return `${label.toLowerCase()} in ${unit}`;
}

/** What the page says below; plan: null for the class means. */
export function noteOf(found, state, plan) {
  const { set, about } = found,
    [mu, unit] = !about.posterior ? ["the code", ""] : ["mu", " prior standard deviations"];
  if (!plan)
    return `The mean of ${mu} over those of the ${countOf(found)} test images that are of a class, decoded: a place, and no test image. Press one to send z there.`;
  const length = `Its length: ${short(lengthOf(plan.vector))}${unit}.`;
  if (state.mode === "difference")
    return `The vector b − a: from ${named(state.a, set)} to ${named(state.b, set)}. ${length}`;
  const { label, low, high, unit: of } = chosen(found, state),
    value = (v) => `${fixed(v, 1)} ${of}`;
  return `The ${label.toLowerCase()} vector: the mean of ${mu} over the third of the ${countOf(found)} test images that measure most (${value(high)} on average), minus the mean over the third that measure least (${value(low)}). ${length} Strength 1 adds all of it.`;
}

/** The sum that a saved strip shows. */
export function sumWords(found, state) {
  const { set } = found,
    { mode, image, a, b, c } = state;
  return mode === "attribute"
    ? `${named(image, set)} + strength × ${chosen(found, state).label.toLowerCase()} vector (under each: ${nounOf(found, state)})`
    : `${named(c, set)} + strength × (${named(b, set)} − ${named(a, set)}) (under each: distance to the nearest code, in near radii)`;
}
