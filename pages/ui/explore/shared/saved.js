// What can be taken home of a path: a sheet of film strips as one picture, frames of an animation, a table.

import { columnsOf, csv } from "../../lib/csv.js";
import { imageAt, imagesIn } from "../../lib/images.js";
import { imagesOf, paper } from "./print.js";

const SIDE = 84; // of a picture on the sheet, pixels
const LINE = 22,
  MARGIN = 12;

/** rows: [{ title, count, pictures: Uint8Array count * 784, texts: [under each] }] -> a canvas. */
export function sheet(rows, { background, text }) {
  const { canvas, ctx } = paper(
    2 * MARGIN + SIDE * Math.max(...rows.map((row) => row.count)),
    2 * MARGIN + rows.length * (SIDE + 2 * LINE),
    { background },
  );
  rows.forEach((row, r) => drawRow(ctx, row, MARGIN + r * (SIDE + 2 * LINE), text));
  return canvas;
}

function drawRow(ctx, { title, count, pictures, texts }, top, colour) {
  ctx.fillStyle = colour;
  ctx.font = "bold 15px sans-serif";
  ctx.fillText(title, MARGIN, top + 15);
  ctx.font = "13px sans-serif";
  ctx.textAlign = "center";
  for (let k = 0; k < count; k++) {
    const x = MARGIN + k * SIDE;
    ctx.drawImage(imagesOf(imageAt(pictures, k), 1), x, top + LINE, SIDE, SIDE);
    ctx.fillText(texts[k] ?? "", x + SIDE / 2, top + LINE + SIDE + 15);
  }
  ctx.textAlign = "left";
}

/** Pictures as frames of an animation, as files.js asks for it. */
export const filmOf = (frames, delayMs = 80) => ({ width: 28, height: 28, delayMs, frames });

/** The same there and back again; pictures: Uint8Array of all. */
export function thereAndBack(pictures) {
  const frames = imagesIn(pictures);
  return filmOf([...frames, ...frames.slice(1, -1).reverse()]);
}

/** A table as CSV, numbers as a program reads them; the column z is spread over z1 … zD. */
export function table(columns, dims, rows) {
  const spread = (name, all, one) => (name === "z" ? all : [one]);
  const head = columns.flatMap((name) => spread(name, columnsOf("z", dims), name));
  const short = (value) => (typeof value === "number" ? Number(value.toPrecision(7)) : (value ?? ""));
  return csv([
    head,
    ...rows.map((row) => columns.flatMap((name) => spread(name, Array.from(row.z, short), short(row[name])))),
  ]);
}
