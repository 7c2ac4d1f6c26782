// What can be saved of the arithmetic: strips as a picture, an animation, codes with what was measured as a table. All
// of it is made when it is asked for.

import { fixed } from "../../lib/numbers.js";
import { sheet, table, thereAndBack } from "../shared/saved.js";
import { measure } from "./attributes.js";
import { ATTRIBUTES, STRENGTHS, alongAll, codeOf, labelsOf, strengths } from "./math.js";
import { sumWords } from "./words.js";

const FRAMES = 48; // of the animation, one way
const DISTANCES = ["distance_to_nearest_code", "near_radius"];

/** Of the class means. */
export function meansFiles(found, colours) {
  const { about, set } = found,
    labels = labelsOf(set);
  const means = () => labels.map((label) => found.greys(codeOf(label, set)));
  const strip = () => ({
    title: `${about.title}: class means, decoded`,
    count: labels.length,
    pictures: Uint8Array.from(means().flatMap((picture) => Array.from(picture))),
    texts: set.classNames,
  });
  const rows = () =>
    means().map((picture, k) => ({ class: set.classNames[k], z: codeOf(labels[k], set), ...measure(picture) }));
  return {
    png: () => sheet([strip()], colours),
    gif: null,
    csv: () => table(["class", "z", ...ATTRIBUTES], set.dims, rows()),
  };
}

/** Of a plan; pictures: of the strip; cells: what stands under them; rows(): the records of the table. */
export function planFiles(found, state, plan, { pictures, cells, rows }, colours) {
  const title = `${found.about.title}: ${sumWords(found, state)}`;
  const texts = STRENGTHS.map((strength, k) => `${fixed(strength, 1)}×: ${cells[k]}`);
  return {
    png: () => sheet([{ title, count: STRENGTHS.length, pictures, texts }], colours),
    gif: async () => {
      const frames = await found.background.decode("saved strengths", alongAll(plan, strengths(FRAMES)));
      return frames && thereAndBack(frames); // null: another model has come meanwhile
    },
    csv: () => table(["strength", "z", ...ATTRIBUTES, ...DISTANCES], found.set.dims, rows()),
  };
}
