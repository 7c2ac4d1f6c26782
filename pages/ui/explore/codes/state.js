// What is on the page, as a link says it: which code map, and what was changed in it. Pure.

import { list, whole } from "../../lib/state.js";

export const PLACES = 49;
const DRAWS = 20;

/**
 * { of, index, changes: [[place, code]] }: whole and harmless, whatever comes in. K: size of the codebook.
 * @param {any} raw
 * @param {number} K
 * @param {number} count images of the map
 */
export function cleanCodes(raw, K, count) {
  const kinds = { image: count, prior: DRAWS, uniform: DRAWS }; // from where a map may come, and how many there are
  const of = Object.hasOwn(kinds, raw?.of) ? raw.of : "image";
  const index = whole(raw?.index, kinds[of]) ? raw.index : 0;
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
