// What the encoder says of an image, in words. Numbers come in; tested under node.

import { fixed } from "../../lib/numbers.js";
import { manyOf, oneOf } from "../shared/classes.js";

const SHARE = 0.01; // of the test images: a code that lies further off than all but these is unlike them
const FIRST = 4; // latents that are written out

/** "12 of the 15 nearest codes are 3s, 2 are 5s, 1 is an 8."; "" without classes. counts: of classesOf. */
export function neighbourWords(counts, classNames) {
  if (!classNames.length) return "";
  const all = counts.reduce((sum, [, n]) => sum + n, 0);
  const are = ([label, n]) => (n === 1 ? `is ${oneOf(classNames[label])}` : `are ${manyOf(classNames[label])}`);
  const [first, ...others] = counts;
  const rest = others.map((other) => `, ${other[1]} ${are(other)}`).join("");
  return `${first[1]} of the ${all} nearest codes ${are(first)}${rest}.`;
}

/**
 * A sentence where mu is far from every code, or "". usual: distances of some test images' codes from their nearest
 * neighbours, smallest first.
 */
export function lonelyWords(distance, usual) {
  const further = usual.filter((v) => v >= distance).length;
  if (further > SHARE * usual.length) return "";
  const share = `${further || "none"} of ${usual.length} test images ${further === 1 ? "lies" : "lie"} as far from the nearest other code`;
  return `Unlike anything it has seen: mu is ${fixed(distance)} from the nearest code, and ${share}.`;
}

/** "mu = (0.31, −1.20, …)": the first of some numbers. */
export function vectorWords(name, values, digits = 2) {
  const shown = Array.from(values.slice(0, FIRST), (v) => fixed(v, digits)).join(", ");
  return `${name} = (${shown}${values.length > FIRST ? ", …" : ""})`;
}

export const nats = (value) => (value === null ? "" : `${fixed(value, 1)} nats`);

export const nllWords = (value) => (value === null ? "" : `nll ${nats(value)}`);

/** What the enlarged window shows; reach: half its side, map: half the map's side, both in prior units. */
export function windowWords(reach, map) {
  const short = (value) => String(Number(value.toPrecision(2)));
  return `Around mu, ${short(map / reach)} times the map: ${short(2 * reach)} prior σ wide. Ellipses of 1 and 2 std, 16 samples, codes.`;
}

const NLL = "nll is −log p(x | z), summed over the 784 pixels:";

/** What nll means in a model, and what it is not. about { likelihood, sigma, posterior } */
export function likelihoodWords({ likelihood, sigma, posterior }) {
  const known = Number.isFinite(sigma);
  const kind =
    likelihood === "bernoulli"
      ? "a Bernoulli for each"
      : known
        ? `a Gaussian of sigma ${fixed(sigma)} for each, a density that may be negative`
        : "";
  const unknown =
    likelihood === "gaussian-per-pixel"
      ? "The decoder gives each pixel a sigma of its own, which the browser does not compute, so nll is left out."
      : "The sigma of this model's Gaussian is not known here, so nll is left out.";
  const means = kind ? `${NLL} ${kind}.` : unknown;
  return !posterior ? means : `${means} Only with z from a sample is nll + KL an estimate of −ELBO; from mu it is not.`;
}
