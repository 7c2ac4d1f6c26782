// The posterior on the map: mu, its ellipses of one and two standard deviations at true scale, and samples from it.

/** mu: [x, y]; ellipse: { long, short, angle } of one std, or null; dots: [[x, y]], all in prior units. */
export function drawCloud(ctx, at, scale, colours, { mu, ellipse, dots }) {
  const px = devicePixelRatio;
  if (ellipse)
    for (const sigma of [2, 1])
      drawEllipse(ctx, at(mu), ellipse, sigma * scale, colours, sigma === 2 ? [6 * px, 4 * px] : []);
  for (const dot of dots) circle(ctx, at(dot), 3.6 * px, colours.primary, colours.background, 1.2 * px);
  diamond(ctx, at(mu), 5.5 * px, colours, px);
}

function drawEllipse(ctx, [x, y], { long, short, angle }, unit, { background, primary }, dash) {
  for (const [colour, width] of [
    [background, 4.5],
    [primary, 2],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
    ctx.setLineDash(colour === primary ? dash : []);
    ctx.beginPath();
    ctx.ellipse(x, y, long * unit, short * unit, -angle, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function circle(ctx, [x, y], radius, fill, edge, width) {
  ctx.fillStyle = fill;
  ctx.strokeStyle = edge;
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}

function diamond(ctx, [x, y], size, { text, background }, px) {
  ctx.fillStyle = text;
  ctx.strokeStyle = background;
  ctx.lineWidth = 2 * px;
  ctx.beginPath();
  for (const [dx, dy] of [
    [0, -1],
    [1, 0],
    [0, 1],
    [-1, 0],
  ])
    ctx.lineTo(x + dx * size, y + dy * size);
  ctx.closePath();
  ctx.stroke();
  ctx.fill();
}
