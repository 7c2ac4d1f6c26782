// The posterior on the map: mu, its ellipses of one and two standard deviations at true scale, and samples from it.

import { disc, ellipse, shape } from "../../lib/draw.js";

/** mu: [x, y]; ellipse: { long, short, angle } of one std, or null; dots: [[x, y]], all in prior units. */
export function drawCloud(ctx, at, scale, { background, primary, text }, { mu, ellipse: cloud, dots }) {
  const px = devicePixelRatio,
    [x, y] = at(mu),
    tip = 5.5 * px;
  for (const sigma of cloud ? [2, 1] : []) {
    ellipse(ctx, [x, y], cloud, sigma * scale, [background, 4.5]);
    ctx.setLineDash(sigma === 2 ? [6 * px, 4 * px] : []);
    ellipse(ctx, [x, y], cloud, sigma * scale, [primary, 2]);
    ctx.setLineDash([]);
  }
  for (const dot of dots) disc(ctx, at(dot), 3.6, primary, [background, 1.2]);
  const corners = [
    [x, y - tip],
    [x + tip, y],
    [x, y + tip],
    [x - tip, y],
  ];
  shape(ctx, corners, text, [background, 2]);
}
