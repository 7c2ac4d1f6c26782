// What is on the page, as a link says it: which code map, and what was changed in it. Pure.

import { list, whole } from "../../lib/state.js";

export const PLACES = 49;
/** From where a map may come, and how many there are. */
export const KINDS = { image: 5000, prior: 20, uniform: 20 };

/**
 * { of, index, changes: [[place, code]] }: whole and harmless, whatever comes in. K: size of the codebook.
 * @param {any} raw
 * @param {number} K
 */
export function cleanCodes(raw, K) {
  const of = Object.hasOwn(KINDS, raw?.of) ? raw.of : "image";
  const index = whole(raw?.index, KINDS[of]) ? raw.index : 0;
  const fits = (change) =>
    Array.isArray(change) && change.length === 2 && whole(change[0], PLACES) && whole(change[1], K);
  const changes = list(raw?.changes, PLACES).filter(fits);
  return { of, index, changes };
}

/** A code map with the changes in it. @param {ArrayLike<number>} map @param {[number, number][]} changes */
export function changed(map, changes) {
  const codes = Array.from(map);
  for (const [place, code] of changes) codes[place] = code;
  return codes;
}

/** The changes with one more: the last at a place counts, and one that changes nothing is none. */
export function withChange(changes, map, place, code) {
  const others = changes.filter(([other]) => other !== place);
  return map[place] === code ? others : [...others, [place, code]];
}
