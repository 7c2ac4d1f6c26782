// Arrows over the map.

import { disc, letter } from "./path_draw.js";

const HEAD = 9; // CSS pixels

/** Discs with a letter: [{ place, text }] */
export function drawMarks(ctx, marks, { text, background }) {
  const px = devicePixelRatio;
  ctx.font = `bold ${14 * px}px sans-serif`;
  ctx.textAlign = "center";
  for (const mark of marks) {
    disc(ctx, mark.place, 9 * px, text);
    letter(ctx, mark.text, mark.place, background);
  }
  ctx.textAlign = "left";
}

/** A line with a rim, so that it stands out from the codes. */
export function drawLine(ctx, from, to, colour, rim, width) {
  const px = devicePixelRatio;
  ctx.lineCap = "round";
  for (const [stroke, size] of [
    [rim, width + 2.5],
    [colour, width],
  ]) {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = size * px;
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
  }
  ctx.lineCap = "butt";
}

export function drawArrow(ctx, from, to, colour, rim, width = 3) {
  const px = devicePixelRatio,
    angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < px) return;
  drawLine(ctx, from, to, colour, rim, width);
  const head = Math.min(HEAD * px, length);
  const corner = (turn) => [to[0] - head * Math.cos(angle + turn), to[1] - head * Math.sin(angle + turn)];
  ctx.beginPath();
  ctx.moveTo(...to);
  ctx.lineTo(...corner(0.45));
  ctx.lineTo(...corner(-0.45));
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
}
