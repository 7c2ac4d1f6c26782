// A code map to click on: its places in the colours of their codes, with the number of each.

import { cellAfter, cellUnder } from "../../lib/images.js";
import { colourOfCode } from "../../lib/code_maps.js";

const SIDE = 7,
  CELL = 40;

/** The place that an arrow key leads to, or null for another key. @param {number} place @param {string} key */
export const placeAfter = (place, key) => cellAfter(place, key, SIDE, SIDE);

/** The place under a pointer. */
export const placeUnder = (event) => cellUnder(event, SIDE, SIDE);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} codes
 * @param {number} chosen place with a frame
 * @param {Set<number>} changes places with a dot
 */
export function drawMap(canvas, codes, chosen, changes) {
  const ctx = canvas.getContext("2d");
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  codes.forEach((code, place) => {
    const x = (place % SIDE) * CELL,
      y = Math.floor(place / SIDE) * CELL;
    ctx.fillStyle = colourOfCode(code);
    ctx.fillRect(x, y, CELL, CELL);
    ctx.fillStyle = "#000";
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = 3;
    ctx.font = `${changes.has(place) ? "bold " : ""}15px sans-serif`;
    const text = changes.has(place) ? `${code}*` : `${code}`;
    ctx.strokeText(text, x + CELL / 2, y + CELL / 2);
    ctx.fillText(text, x + CELL / 2, y + CELL / 2);
  });
  frame(ctx, chosen, "#fff", 5);
  frame(ctx, chosen, "#000", 2);
}

function frame(ctx, place, colour, width) {
  Object.assign(ctx, { strokeStyle: colour, lineWidth: width });
  ctx.strokeRect((place % SIDE) * CELL + 2.5, Math.floor(place / SIDE) * CELL + 2.5, CELL - 5, CELL - 5);
}
