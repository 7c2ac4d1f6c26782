// What can be taken home of a path: a sheet of film strips as one picture, frames of an animation, a table.

import { columnsOf, csv } from "./csv.js";

const SIDE = 84; // of a picture on the sheet, pixels
const LINE = 22,
  MARGIN = 12;

/** rows: [{ title, count, pictures: Uint8Array count * 784, texts: [under each] }] -> a canvas. */
export function sheet(rows, { background, text }) {
  const canvas = document.createElement("canvas");
  canvas.width = 2 * MARGIN + SIDE * Math.max(...rows.map((row) => row.count));
  canvas.height = 2 * MARGIN + rows.length * (SIDE + 2 * LINE);
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = background;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.imageSmoothingEnabled = false;
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
    ctx.drawImage(tile(pictures.subarray(784 * k, 784 * (k + 1))), x, top + LINE, SIDE, SIDE);
    ctx.fillText(texts[k] ?? "", x + SIDE / 2, top + LINE + SIDE + 15);
  }
  ctx.textAlign = "left";
}

function tile(grey) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  const image = new ImageData(28, 28);
  grey.forEach((value, p) => image.data.set([value, value, value, 255], 4 * p));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Grey frames of 28 by 28 out of pictures (Uint8Array n * 784), there and back again. */
export function animation(pictures, delayMs = 80) {
  const frames = Array.from(
    { length: pictures.length / 784 },
    (_, i) => new Uint8ClampedArray(pictures.subarray(784 * i, 784 * (i + 1))),
  );
  return { width: 28, height: 28, frames: [...frames, ...frames.slice(1, -1).reverse()], delayMs };
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
