// Rows of pictures, one for each latent: decoded together, drawn one by one.

import { PIXELS } from "../../lib/images.js";

/** A function (pictures, to) that draws every row of `count` pictures once, as soon as its last one is there. */
export function rowByRow(count, draw) {
  let drawn = 0;
  return (pictures, to) => {
    for (; (drawn + 1) * count <= to; drawn++)
      draw(pictures.subarray(drawn * count * PIXELS, (drawn + 1) * count * PIXELS), drawn);
  };
}

/** How many latents say nothing, in words. */
export const inactiveWords = (count, { posterior }) =>
  `${count} inactive ${count === 1 ? "latent" : "latents"}: the variance of ${posterior ? "mu" : "the code"} is at most 0.01.`;

/** Codes side by side in one array, as Background.decode takes them. */
export function joined(codes) {
  const zs = new Float32Array(codes.length * (codes[0]?.length ?? 0));
  codes.forEach((code, i) => zs.set(code, i * code.length));
  return zs;
}

const SAME = 6e-4; // z in a link is rounded to thousandths

/** Which of the codes in an array z is; -1 for none. */
export function indexOf(z, zs) {
  for (let i = 0; i * z.length < zs.length; i++)
    if (z.every((v, d) => Math.abs(v - zs[i * z.length + d]) < SAME)) return i;
  return -1;
}
