// The plane of x: log p(x) as shading, points, draws from the model, where the decoder puts z, and the chosen point.

import { disc, line, ring } from "../lib/draw.js";
import { plain } from "../lib/numbers.js";
import { latticeOf } from "./decoder.js";
import { paperOf } from "./paper.js";
import { rgbOf } from "../lib/theme.js";

const RANGE = 8; // nats that the shading spans
const LINES = 13; // of the decoded sheet, each way, from z = −3 to 3
const Z_END = 3;
const MARKS = [0, -1, 1, -2, 2, -3, 3]; // z that are written at the line, the first before those that come too near

/** @param {any} canvas @param {any} seen what is on show: { reach, train, test, picture, decode, chosen, q, shown } @param {Colours} colours */
export function drawScene(canvas, seen, colours) {
  const { reach, picture, shown } = seen;
  const axis = (label) => ({ from: -reach, to: reach, label, at: [-2, -1, 0, 1, 2] });
  const paper = paperOf(canvas, axis("x₁"), axis("x₂"), colours, [40, 40]);
  if (!paper) return null;
  paper.clip(() => {
    if (picture?.points_map && shown.map) shade(paper, picture.points_map, colours);
    dots(paper, seen.train, 1.3, colours.text, 0.4);
    if (picture?.points_samples && shown.samples) dots(paper, picture.points_samples, 1.7, colours.other0, 0.85);
    if (seen.decode && shown.decoder) drawSheet(paper, seen.decode, colours);
    dots(paper, seen.test, 2.4, colours.text, 0.9);
    if (seen.decode?.dims === 1 && shown.decoder) drawMarks(paper, seen.decode, colours);
    if (seen.q && seen.decode) drawQ(paper, seen.decode, seen.q, colours);
    if (seen.chosen !== null && seen.test) drawChosen(paper, seen.test, seen.chosen, colours);
  });
  paper.axes();
  return paper;
}

/** The ends of the shading, in nats. */
export function endsOf({ data }) {
  const top = data.reduce((a, b) => Math.max(a, b), -Infinity);
  return [top - RANGE, top];
}

function shade({ ctx, box }, map, colours) {
  const [rows, columns] = map.shape;
  const [low, high] = endsOf(map);
  const small = new OffscreenCanvas(columns, rows),
    pen = small.getContext("2d"),
    image = pen.createImageData(columns, rows);
  const [r, g, b] = rgbOf(colours.text);
  map.data.forEach((v, i) => {
    const share = Math.max(0, Math.min(1, (v - low) / (high - low)));
    image.data.set([r, g, b, 130 * share ** 1.5], 4 * i);
  });
  pen.putImageData(image, 0, 0);
  ctx.imageSmoothingEnabled = true;
  ctx.drawImage(small, box.left, box.top, box.right - box.left, box.bottom - box.top);
}

function dots({ ctx, px, at }, points, radius, colour, alpha) {
  if (!points) return;
  Object.assign(ctx, { fillStyle: colour, globalAlpha: alpha });
  for (let i = 0; i < points.shape[0]; i++) {
    ctx.beginPath();
    ctx.arc(...at(points.data.subarray(2 * i, 2 * i + 2)), radius * px, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

/** Places of the plane, n · 2, as pixels. */
function placesOf({ at }, decoded) {
  return Array.from({ length: decoded.length / 2 }, (_, i) => at(decoded.subarray(2 * i, 2 * i + 2)));
}

/** One latent: the line of x̂(z). Two: lines of equal z₁ and of equal z₂. */
function drawSheet(paper, decode, colours) {
  const { ctx } = paper,
    blue = colours.reconstruction;
  if (decode.dims === 1) {
    const places = placesOf(paper, decode(latticeOf([{ from: -Z_END, to: Z_END }], 601)));
    line(ctx, places, [colours.background, 5], [blue, 2.5]);
    return;
  }
  const end = { from: -Z_END, to: Z_END };
  for (let i = 0; i < LINES; i++) {
    const z = -Z_END + (2 * Z_END * i) / (LINES - 1),
      still = { from: z, to: z };
    ctx.globalAlpha = Math.abs(z) > 2 ? 0.35 : 0.8;
    for (const ranges of [
      [still, end],
      [end, still],
    ])
      line(ctx, placesOf(paper, decode(along(ranges, 121))), [blue, Math.abs(z) < 1e-9 ? 2.5 : 1.1]);
  }
  ctx.globalAlpha = 1;
}

/** Where the whole z lie on the line, as far as their numbers have room. */
function drawMarks(paper, decode, colours) {
  const { ctx, px } = paper,
    places = placesOf(paper, decode(Float64Array.from(MARKS)));
  Object.assign(ctx, { font: `bold ${12 * px}px sans-serif`, textAlign: "center" });
  const written = [];
  MARKS.forEach((z, i) => {
    const place = places[i];
    if (written.some((other) => Math.hypot(other[0] - place[0], other[1] - place[1]) < 19 * px)) return;
    written.push(place);
    disc(ctx, place, 8, colours.background, [colours.reconstruction, 1.5]);
    ctx.fillStyle = colours.reconstruction;
    ctx.fillText(plain(z), place[0], place[1] + 4 * px);
  });
  ctx.textAlign = "left";
}

/** n codes from the first ends of the ranges to the last. */
function along(ranges, n) {
  return Float64Array.from({ length: 2 * n }, (_, k) => {
    const { from, to } = ranges[k % 2];
    return from + ((to - from) * Math.floor(k / 2)) / (n - 1);
  });
}

/** q(z | x) where the decoder puts it: two std to either side, or the ellipses of one and two std. */
function drawQ(paper, decode, { mu, std }, colours) {
  if (decode.dims === 1) {
    const piece = latticeOf([{ from: mu[0] - 2 * std[0], to: mu[0] + 2 * std[0] }], 161);
    return line(paper.ctx, placesOf(paper, decode(piece)), [colours.kl, 5]);
  }
  for (const size of [1, 2]) {
    const round = Float64Array.from({ length: 2 * 91 }, (_, k) => {
      const turn = (2 * Math.PI * Math.floor(k / 2)) / 90;
      return mu[k % 2] + size * std[k % 2] * (k % 2 ? Math.sin(turn) : Math.cos(turn));
    });
    line(paper.ctx, placesOf(paper, decode(round)), [colours.background, 4], [colours.kl, 2]);
  }
}

function drawChosen({ ctx, at }, test, chosen, colours) {
  const place = at(test.data.subarray(2 * chosen, 2 * chosen + 2));
  disc(ctx, place, 4, colours.text, [colours.background, 2]);
  ring(ctx, place, 9, [colours.background, 5], [colours.text, 2.5]);
}
