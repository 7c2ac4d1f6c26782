// Directions in latent space and what is added where. Pure; runs under node.

import { whole, within } from "../../lib/state.js";
import { imageName, meanOf } from "../shared/classes.js";
import { rowAt } from "../shared/found.js";

export const ATTRIBUTES = ["slant", "thickness", "size", "width"];
export const REACH = 2; // of the strength, either way
export const STRENGTHS = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]; // of the strip
const MODES = ["attribute", "means", "difference"];

/**
 * The way's part of the state. image: the test image that is changed. a, b, c: z = c + strength * (b − a), each the number
 * of a test image, or as a text of its label the mean of a class.
 */
export function cleanArithmetic(raw, { count, classes }) {
  const isLabel = (value) => typeof value === "string" && /^\d{1,3}$/.test(value) && whole(Number(value), classes);
  const slot = (value, fallback) => (whole(value, count) || isLabel(value) ? value : fallback % count);
  return {
    mode: MODES.includes(raw?.mode) && (classes || raw.mode !== "means") ? raw.mode : "attribute",
    image: whole(raw?.image, count) ? raw.image : 0,
    attribute: ATTRIBUTES.includes(raw?.attribute) ? raw.attribute : "slant",
    strength: Math.round(100 * within(raw?.strength, [-REACH, REACH], 1)) / 100,
    a: slot(raw?.a, 0),
    b: slot(raw?.b, 5),
    c: slot(raw?.c, 12),
  };
}

/** Slots of the class means. */
export const labelsOf = ({ classNames }) => classNames.map((_, label) => String(label));

export const isMean = (slot) => typeof slot === "string";

/** The code of a slot: mu of a test image, or the mean of mu over a class. */
export function codeOf(slot, { mu, classMeans, dims }) {
  return isMean(slot) ? rowAt(classMeans, Number(slot), dims) : rowAt(mu, slot, dims);
}

/** "test image 4832, a 4" or "mean of the 4s". */
export function named(slot, set) {
  return isMean(slot) ? meanOf(set.classNames[slot]) : imageName(slot, set);
}

/** { start, vector } of a state: what is shown is start + strength * vector. Null for the class means. */
export function planOf(state, set) {
  const { mode, image, attribute, a, b, c } = state;
  if (mode === "means") return null;
  if (mode === "difference") return { start: codeOf(c, set), vector: minus(codeOf(b, set), codeOf(a, set)) };
  return { start: codeOf(image, set), vector: rowAt(set.attributeVectors, ATTRIBUTES.indexOf(attribute), set.dims) };
}

export function minus(b, a) {
  return Float32Array.from(b, (value, d) => value - a[d]);
}

/** start + strength * vector. */
export function along({ start, vector }, strength) {
  return Float32Array.from(start, (value, d) => value + strength * vector[d]);
}

/** The same at every strength: one array, code by code. */
export function alongAll(plan, strengths) {
  const dims = plan.start.length,
    zs = new Float32Array(strengths.length * dims);
  strengths.forEach((strength, i) => zs.set(along(plan, strength), i * dims));
  return zs;
}

export const lengthOf = (v) => Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));

/** `n` strengths from one end to the other. */
export const strengths = (n) => Array.from({ length: n }, (_, i) => REACH * ((2 * i) / (n - 1) - 1));
