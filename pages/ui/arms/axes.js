// Axes that all arms share.

import { niceAbove } from "../lib/numbers.js";

const EARLY = 20; // the first steps are far above what follows; the axis is fitted to the rest

/** The axes that hold all arms: the last step, and the highest value of a term after the first steps. */
export function sharedAxes(histories, term) {
  const last = Math.max(
    1,
    ...histories.map(({ train, test }) => Math.max(train.step.at(-1) ?? 0, test.step.at(-1) ?? 0)),
  );
  const early = last > 3 * EARLY ? EARLY : -1;
  let top = 0;
  for (const { train, test } of histories) {
    for (const table of [train, test]) {
      for (let i = 0; i < table.step.length; i++)
        if (table.step[i] > early && table[term][i] > top) top = table[term][i];
    }
  }
  return { last, top: top || 1 };
}

/** The top of the axis that holds the bars of all pictures. */
export const sharedTop = (pictures) => niceAbove(Math.max(0.1, ...pictures.flatMap((p) => Array.from(p.kl_dims.data))));
