// The cloud q(z | x) on the plane: ellipses of 1 and 2 std at true scale, the sample z, and a ring that shows where to look.

import { disc, ellipse, ring, squareOf } from "../lib/draw.js";
import { cloudInPlane, ellipseOf } from "../lib/plane.js";

/** @type {{ shape: [number, number], data: number[] }} */
const IDENTITY = { shape: [2, 2], data: [1, 0, 0, 1] };
const RING = 14; // CSS pixels

/**
 * Draws into the canvas over the map; what is null is not known. Returns whether mu lies outside the frame, where the ring
 * stays on its edge.
 */
export function drawPlane(canvas, map, { background, primary, text, kl }, { mu, logVar, z }) {
  const square = squareOf(canvas);
  if (!square) return false;
  const { ctx, side } = square,
    scale = side / (2 * map.reach()),
    edge = RING * devicePixelRatio;
  const at = ([x, y]) => [side / 2 + x * scale, side / 2 - y * scale];
  const dot = () => z && disc(ctx, at(z), 3.5, text, [background, 1.5]);
  if (!mu) return (dot(), false);
  const inside = (v) => Math.max(edge, Math.min(side - edge, v));
  const centre = at(mu),
    [x, y] = centre.map(inside);
  const out = x !== centre[0] || y !== centre[1];
  for (const sigma of [2, 1])
    ellipse(ctx, centre, ellipseOf(cloudInPlane(logVar, IDENTITY)), sigma * scale, [background, 4.5], [kl, 2.5]);
  dot();
  ctx.setLineDash(out ? [4 * devicePixelRatio, 3 * devicePixelRatio] : []);
  ring(ctx, [x, y], RING, [background, 6], [out ? primary : text, 2.5]);
  ctx.setLineDash([]);
  return out;
}
