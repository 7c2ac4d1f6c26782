// What can be taken home of an encoded image: its pictures in one, and its posterior as a table.

import { columnsOf, csv } from "./csv.js";
import { imagesOf, paper } from "./print.js";

const SIDE = 168, SMALL = 84, GAP = 16, LINE = 22; // pixels
const COLUMNS = 8;

/** parts: [{ grey, lines: [text] }] side by side; samples: Uint8Array 16 * 784 or null; title, note: lines of text. */
export function encodePicture({ title, parts, samples, note, colours }) {
  const rows = samples ? samples.length / 784 / COLUMNS : 0, top = GAP + LINE + SIDE + 3 * LINE;
  const { canvas, ctx } = paper(2 * GAP + COLUMNS * SMALL, top + (rows ? rows * SMALL + 2 * LINE : 0) + GAP, colours);
  ctx.fillStyle = colours.text;
  ctx.font = "bold 15px sans-serif";
  ctx.fillText(title, GAP, GAP + 10);
  ctx.font = "14px sans-serif";
  parts.forEach(({ grey, lines }, k) => {
    const x = GAP + k * (SIDE + 2 * GAP);
    ctx.drawImage(imagesOf(grey, 1), x, GAP + LINE, SIDE, SIDE);
    lines.forEach((line, i) => ctx.fillText(line, x, GAP + LINE + SIDE + 18 + i * 18));
  });
  if (!rows) return canvas;
  ctx.fillText(note, GAP, top + 12);
  ctx.drawImage(imagesOf(samples, COLUMNS), GAP, top + LINE, COLUMNS * SMALL, rows * SMALL);
  return canvas;
}

/** Rows: mu, std and KL of each latent, then the samples. code: { mu, std, kl, zs } (the last three null for a plain autoencoder). */
export function encodeTable({ mu, std, kl, zs }, { image, seed, model }) {
  const about = [model, image, std ? seed : ""], dims = mu.length;
  const rows = [["mu", mu], ...(std ? [["std", std], ["KL (nats)", kl]] : [])];
  for (let at = 0; zs && at < zs.length; at += dims) rows.push([`sample ${at / dims + 1}`, zs.subarray(at, at + dims)]);
  return csv([["model", "image", "seed of eps", "what", ...columnsOf("z", dims)], ...rows.map(([what, values]) => [...about, what, ...values])]);
}
