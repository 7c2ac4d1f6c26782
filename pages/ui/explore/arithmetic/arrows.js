// Arrows over the map.

import { line, shape } from "../../lib/draw.js";

const HEAD = 9; // CSS pixels

/** A line with a rim, so that it stands out from the codes. */
export function drawLine(ctx, from, to, colour, rim, width) {
  ctx.lineCap = "round";
  line(ctx, [from, to], [rim, width + 2.5], [colour, width]);
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
  shape(ctx, [to, corner(0.45), corner(-0.45)], colour);
}
