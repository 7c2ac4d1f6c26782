// What can be saved of the traversal: its rows as a picture, the chosen latent as an animation, the base as a table.

import { columnsOf, csv } from "../../lib/csv.js";
import { PIXELS, imagesIn } from "../../lib/images.js";
import { imageName } from "../shared/classes.js";
import { name } from "../shared/plane.js";
import { sheetPicture } from "../shared/print.js";
import { joined } from "../shared/rows.js";
import { filmOf } from "../shared/saved.js";
import { bare, valuesOf } from "./row.js";
import { toAndFro } from "./sweep.js";

const FRAMES = 48; // of the animation, to and fro

/**
 * rows: those whose pictures are of `state` and `base`; noun: "mu" or "code"; along(value): z on the chosen latent, `now`
 * being the state that is on the page. All of it is made when it is asked for.
 */
export function traverseFiles(found, rows, { state, base, noun, along, now }, colours) {
  return {
    png: () => picture(rows, state, colours),
    gif: async () => {
      const ways = Array.from({ length: FRAMES }, (_, k) =>
        toAndFro((4 * now.reach * k) / FRAMES - now.reach, now.reach),
      );
      const data = await found.background.decode("film", joined(ways.map(along)));
      return data && filmOf(imagesIn(data));
    },
    csv: () =>
      table(found.set, rows, state, base, state.from === "z" ? "z" : `${noun} of ${imageName(state.from, found.set)}`),
  };
}

function picture(rows, state, colours) {
  const data = new Uint8Array(rows.length * state.steps * PIXELS);
  rows.forEach((row, r) => data.set(row.sheet.data, r * row.sheet.data.length));
  return sheetPicture({
    data,
    columns: valuesOf(state).map(bare),
    rows: rows.map((row) => `${name(row.d)} · ${row.figure.value}`),
    across: "the latent, in prior standard deviations",
    up: "latent · its ends differ by (RMS of full scale)",
    colours,
  });
}

function table({ klDims, dims }, rows, { reach }, base, from) {
  const head = [
    "latent",
    klDims ? "KL (nats per image)" : "variance of the code",
    "active",
    "base",
    "from (prior std)",
    "to (prior std)",
    "difference of the ends (RMS of full scale)",
    "base is",
    ...columnsOf("base z", dims),
  ];
  const line = ({ d, share, active, change }) => [
    d + 1,
    share,
    Number(active),
    base[d],
    -reach,
    reach,
    change,
    from,
    ...base,
  ];
  return csv([head, ...rows.map(line)]);
}
