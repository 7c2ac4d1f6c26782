// Drawing on a canvas. Places are pixels of the canvas; radii and widths are CSS pixels. A pen is [colour, width]: with
// several of them a line is drawn once with each, so that a broad one in the colour of the ground makes it stand out.

import { rem } from "./scale.js";

/** A square canvas made as large as it is on the page, and cleared: { ctx, side }; null while it is not on the page. */
export function squareOf(canvas) {
  const side = Math.round(canvas.clientWidth * devicePixelRatio);
  if (!side) return null;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const ctx = canvas.getContext("2d");
  ctx.clearRect(0, 0, side, side);
  return { ctx, side };
}

/** Letters of drawings, in CSS pixels: 13 of them, and more where those of the page are larger. */
export const letterSize = () => (13 / 17) * rem();

/** Stroke what trace() adds to the path, once with each pen. */
export function strokes(ctx, pens, trace) {
  for (const [colour, width] of pens) {
    Object.assign(ctx, { strokeStyle: colour, lineWidth: width * devicePixelRatio });
    ctx.beginPath();
    trace();
    ctx.stroke();
  }
}

/** A line through places. */
export function line(ctx, places, ...pens) {
  strokes(ctx, pens, () => places.forEach((place) => ctx.lineTo(...place)));
}

/** @param {CanvasRenderingContext2D} ctx @param {Numbers} centre */
export function ring(ctx, [x, y], radius, ...pens) {
  strokes(ctx, pens, () => ctx.arc(x, y, radius * devicePixelRatio, 0, 2 * Math.PI));
}

/**
 * An ellipse as plane.js gives it; scale: pixels of the canvas to one of its units.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Numbers} centre
 */
export function ellipse(ctx, [x, y], { long, short, angle }, scale, ...pens) {
  strokes(ctx, pens, () => ctx.ellipse(x, y, long * scale, short * scale, -angle, 0, 2 * Math.PI));
}

export function disc(ctx, place, radius, colour, ...pens) {
  ctx.beginPath();
  ctx.arc(...place, radius * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ring(ctx, place, radius, ...pens);
}

/** A shape with corners: stroked, then filled. */
export function shape(ctx, corners, colour, ...pens) {
  strokes(ctx, pens, () => (corners.forEach((corner) => ctx.lineTo(...corner)), ctx.closePath()));
  ctx.beginPath();
  corners.forEach((corner) => ctx.lineTo(...corner));
  ctx.fillStyle = colour;
  ctx.fill();
}

/** Discs with a letter in each: [{ place, text }]. */
export function badges(ctx, marks, { text, background }, radius = 9, size = 14) {
  const px = devicePixelRatio;
  ctx.font = `bold ${size * px}px sans-serif`;
  ctx.textAlign = "center";
  for (const mark of marks) {
    disc(ctx, mark.place, radius, text);
    ctx.fillStyle = background;
    ctx.fillText(mark.text, mark.place[0], mark.place[1] + 5 * px);
  }
  ctx.textAlign = "left";
}

export function arrow(ctx, from, to, colour, width) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy);
  if (length < 1) return;
  const head = Math.min(4 * width * devicePixelRatio, length);
  const [ux, uy] = [dx / length, dy / length];
  line(ctx, [from, [to[0] - 0.7 * head * ux, to[1] - 0.7 * head * uy]], [colour, width]);
  const side = (half) => [to[0] - head * (ux - half * uy), to[1] - head * (uy + half * ux)];
  shape(ctx, [to, side(0.5), side(-0.5)], colour);
}

/** Text with a rim, so that it stays readable over pictures and codes. */
export function words(ctx, text, [x, y], fill, rim, width = 4) {
  Object.assign(ctx, { fillStyle: fill, strokeStyle: rim, lineWidth: width * devicePixelRatio, lineJoin: "round" });
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}
