// q(z | x) of the chosen point against the exact posterior, in a window of latent space.

import { line } from "../lib/draw.js";
import { FINE, densitiesOf, windowOf } from "./decoder.js";
import { paperOf } from "./paper.js";
import { rgbOf } from "../lib/theme.js";

/** @param {any} canvas @param {any} seen { decode, survey, sigma, x, logP, q: { mu, std } } @param {Colours} colours */
export function drawPosterior(canvas, { decode, survey, sigma, x, logP, q }, colours) {
  const ranges = windowOf(survey, decode.dims, sigma, x, q);
  const found = densitiesOf(decode, ranges, sigma, x, logP, q);
  if (decode.dims === 1) drawLines(canvas, ranges[0], found, colours);
  else drawCloud(canvas, ranges, found, q, colours);
}

function drawLines(canvas, range, { zs, posterior, q }, colours) {
  const top = [...posterior, ...q].reduce((a, b) => Math.max(a, b), 0);
  const up = { from: 0, to: 1.08 * top, label: "density" };
  const paper = paperOf(canvas, { ...range, label: "z, in std of the prior" }, up, colours);
  if (!paper) return;
  const { ctx, at } = paper;
  const places = (values) => Array.from(zs, (z, i) => at([z, values[i]]));
  paper.clip(() => {
    Object.assign(ctx, { fillStyle: colours.text, globalAlpha: 0.25 });
    ctx.beginPath();
    [at([range.from, 0]), ...places(posterior), at([range.to, 0])].forEach((place) => ctx.lineTo(...place));
    ctx.fill();
    ctx.globalAlpha = 1;
    line(ctx, places(posterior), [colours.text, 1.5]);
    line(ctx, places(q), [colours.kl, 3]);
  });
  paper.axes();
}

function drawCloud(canvas, ranges, { posterior }, { mu, std }, colours) {
  const wide = (canvas.clientWidth - 60) / (canvas.clientHeight - 42); // equal scales: more of z₁ is seen
  const middle = (ranges[0].from + ranges[0].to) / 2,
    half = (wide * (ranges[1].to - ranges[1].from)) / 2;
  const across = { from: middle - half, to: middle + half, label: "z₁, in std of the prior" };
  const paper = paperOf(canvas, across, { ...ranges[1], label: "z₂" }, colours);
  if (!paper) return;
  const { ctx, x, y } = paper,
    n = FINE[2];
  const small = new OffscreenCanvas(n, n),
    pen = small.getContext("2d"),
    image = pen.createImageData(n, n);
  const top = posterior.reduce((a, b) => Math.max(a, b), 0),
    rgb = rgbOf(colours.text);
  posterior.forEach((p, i) => {
    const [column, row] = [Math.floor(i / n), n - 1 - (i % n)];
    image.data.set([...rgb, 200 * (p / top)], 4 * (row * n + column));
  });
  pen.putImageData(image, 0, 0);
  paper.clip(() => {
    const [left, above] = [x(ranges[0].from), y(ranges[1].to)];
    ctx.drawImage(small, left, above, x(ranges[0].to) - left, y(ranges[1].from) - above);
    for (const size of [1, 2]) {
      ctx.beginPath();
      Object.assign(ctx, { strokeStyle: colours.kl, lineWidth: (size === 1 ? 3 : 2) * paper.px });
      ctx.ellipse(x(mu[0]), y(mu[1]), x(size * std[0]) - x(0), y(0) - y(size * std[1]), 0, 0, 2 * Math.PI);
      ctx.stroke();
    }
  });
  paper.axes();
}
