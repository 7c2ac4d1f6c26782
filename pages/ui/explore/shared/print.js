// Pictures to save: what is on the page once more in one canvas, with its axes.

import { make } from "../../lib/dom.js";
import { PIXELS, drawImages } from "../../lib/images.js";

const FONT = "sans-serif";

/** A canvas on the page's ground, and its 2-D context; willReadFrequently: its pixels are asked for again and again. */
export function paper(width, height, { background }, willReadFrequently = false) {
  const canvas = make("canvas", { width: Math.ceil(width), height: Math.ceil(height) });
  const ctx = canvas.getContext("2d", { willReadFrequently });
  ctx.fillStyle = background;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.imageSmoothingEnabled = false;
  return { canvas, ctx };
}

/**
 * A sheet of pictures with labels at its columns and rows. data: Uint8Array of all pictures, row by row; columns, rows:
 * the labels; across, up: what the labels are.
 */
export function sheetPicture({ data, columns, rows, across, up, colours, side = 56 }) {
  const left = 16 + Math.max(...rows.map((label) => 8 * label.length)),
    top = 26,
    bottom = 46;
  const [width, height] = [columns.length * side, rows.length * side];
  const { canvas, ctx } = paper(left + Math.max(width, 8 * across.length) + 12, top + height + bottom, colours);
  ctx.drawImage(imagesOf(data, columns.length), left, top, width, height);
  ctx.fillStyle = colours.text;
  ctx.font = `14px ${FONT}`;
  ctx.fillText(up, 8, 18);
  ctx.fillText(across, left, top + height + 38);
  ctx.textAlign = "center";
  columns.forEach((label, k) => ctx.fillText(label, left + (k + 0.5) * side, top + height + 17));
  ctx.textAlign = "right";
  rows.forEach((label, k) => ctx.fillText(label, left - 8, top + (k + 0.5) * side + 5));
  return canvas;
}

/** Canvases of one height side by side, with a line of text below each. */
export function sideBySide(parts, colours, height = 640) {
  const widths = parts.map(({ canvas }) => (height * canvas.width) / canvas.height),
    gap = 16;
  const { canvas, ctx } = paper(gap + widths.reduce((sum, w) => sum + w + gap, 0), height + 3 * gap + 8, colours);
  let x = gap;
  parts.forEach((part, i) => {
    ctx.imageSmoothingEnabled = part.canvas.width > 200;
    for (const layer of [part.canvas, ...(part.over ?? [])]) ctx.drawImage(layer, x, gap, widths[i], height);
    ctx.fillStyle = colours.text;
    ctx.font = `16px ${FONT}`;
    ctx.fillText(part.text, x, gap + height + 24);
    x += widths[i] + gap;
  });
  return canvas;
}

/** Images of one array in a canvas of their own. */
export function imagesOf(data, columns) {
  const canvas = make("canvas");
  drawImages(canvas, { shape: [data.length / PIXELS], data }, columns);
  return canvas;
}
