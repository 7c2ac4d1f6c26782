// What can be taken home of an encoded image: its pictures in one, its samples one after the other, its posterior as a table.

import { columnsOf, csv } from "../../lib/csv.js";
import { greys, imagesIn } from "../../lib/images.js";
import { imagesOf, paper } from "../shared/print.js";
import { SAMPLES, total } from "../shared/posterior.js";
import { filmOf } from "../shared/saved.js";
import { nats, nllWords } from "./words.js";

const SIDE = 168,
  SMALL = 84,
  GAP = 16,
  LINE = 22; // pixels
const COLUMNS = 8;

/** code: of the way Encode; samples: Uint8Array 16 · 784, or null while they are decoded and where there are none. */
export function encodeFiles(found, code, samples, { title, seed, colours }) {
  const waits = code.zs && !samples;
  return {
    png: waits ? null : () => encodePicture(found, code, samples, { title, seed, colours }),
    gif: samples && (() => filmOf(imagesIn(samples), 250)),
    csv: () => encodeTable(code, { title, seed, model: found.about.name }),
  };
}

function picturesOf({ model }, code) {
  const part = (values, ...lines) => ({ grey: greys(values), lines });
  const parts = [part(code.x, "x"), part(model.decode(code.mu), "from mu", nllWords(code.nllMu))];
  const first = () => model.decode(code.zs.subarray(0, code.mu.length));
  return code.zs
    ? [...parts, part(first(), "from a sample", nllWords(code.nllSample), `KL ${nats(total(code.kl))}`)]
    : parts;
}

function encodePicture(found, code, samples, { title, seed, colours }) {
  const { about } = found,
    rows = samples ? SAMPLES / COLUMNS : 0,
    top = GAP + LINE + SIDE + 3 * LINE;
  const { canvas, ctx } = paper(2 * GAP + COLUMNS * SMALL, top + (rows ? rows * SMALL + LINE : 0) + GAP, colours);
  ctx.fillStyle = colours.text;
  ctx.font = "bold 15px sans-serif";
  ctx.fillText(`${about.name}${!about.posterior ? " (autoencoder)" : ""}: ${title}`, GAP, GAP + 10);
  ctx.font = "14px sans-serif";
  picturesOf(found, code).forEach(({ grey, lines }, k) => {
    const x = GAP + k * (SIDE + 2 * GAP),
      y = GAP + LINE;
    ctx.drawImage(imagesOf(grey, 1), x, y, SIDE, SIDE);
    lines.forEach((line, i) => ctx.fillText(line, x, y + SIDE + 18 * (i + 1)));
  });
  if (!rows) return canvas;
  ctx.fillText(`${SAMPLES} samples, each “from a sample”, eps of seed ${seed}`, GAP, top + 14);
  ctx.drawImage(imagesOf(samples, COLUMNS), GAP, top + LINE, COLUMNS * SMALL, rows * SMALL);
  return canvas;
}

/** Rows: mu, std and KL of each latent, then the samples; a plain autoencoder has mu alone. */
export function encodeTable({ mu, std, kl, zs }, { title, seed, model }) {
  const about = [model, title, std ? seed : ""],
    dims = mu.length;
  const rows = [
    ["mu", mu],
    ...(std
      ? [
          ["std", std],
          ["KL (nats)", kl],
        ]
      : []),
  ];
  for (let at = 0; zs && at < zs.length; at += dims) rows.push([`sample ${at / dims + 1}`, zs.subarray(at, at + dims)]);
  return csv([
    ["model", "image", "seed of eps", "what", ...columnsOf("z", dims)],
    ...rows.map(([what, values]) => [...about, what, ...values]),
  ]);
}
