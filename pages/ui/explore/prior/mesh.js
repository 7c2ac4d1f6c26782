// The sheet of decoded pictures, on its way from the plane of z (warp 0) to the space of images (warp 1), where its first
// two principal components are seen. Both are drawn to scale, each with axes of its own.

import { imagesOf } from "../shared/print.js";

const MARGIN = 1.16; // round the sheet
const EVERY = 2; // a picture at every second node: more would hide each other
const PICTURE = 0.058; // its side, of the canvas'
const PIXELS = 784,
  UNIT = 1 / (255 * Math.sqrt(PIXELS)); // of full scale, so that a length is a root mean square

/**
 * xs, ys: columns and rows of the grid in prior units, ys falling; pictures: Uint8Array; axes: picture_axes of the
 * package; stretch: of prior_math.js. Signs of axes are arbitrary: they are turned so that as little as can be flips over.
 */
export function meshOf({ xs, ys, pictures, axes, stretch }) {
  const n = xs.length,
    count = n * ys.length,
    { xy, kept } = onAxes(pictures, axes);
  const z = Array.from({ length: count }, (_, i) => [xs[i % n], ys[Math.floor(i / n)]]);
  const signs = [0, 1].map((k) => (z.reduce((sum, at, i) => sum + at[k] * xy[2 * i + k], 0) < 0 ? -1 : 1));
  const image = z.map((_, i) => [signs[0] * xy[2 * i], signs[1] * xy[2 * i + 1]]);
  const reach = (points) => MARGIN * Math.max(1e-6, ...points.flat().map(Math.abs));
  return { xs, ys, z, image, pictures, stretch, kept, reach: [reach(z), reach(image)] };
}

/**
 * Where pictures, Uint8Array count · 784 of grey levels, lie on two orthonormal axes (784 · 2): { xy: Float64Array
 * count · 2, kept }. Distances in xy are root mean squares over the pixels, of full scale; kept: the share of
 * the pictures' variance that lies on the axes, 0 where all pictures are the same.
 */
export function onAxes(pictures, axes) {
  const count = pictures.length / PIXELS,
    mean = new Float64Array(PIXELS),
    xy = new Float64Array(2 * count);
  for (let at = 0; at < pictures.length; at++) mean[at % PIXELS] += pictures[at] / count;
  let total = 0;
  for (let at = 0; at < pictures.length; at++) {
    const p = at % PIXELS,
      v = (pictures[at] - mean[p]) * UNIT,
      node = 2 * Math.floor(at / PIXELS);
    total += v * v;
    xy[node] += v * axes[2 * p];
    xy[node + 1] += v * axes[2 * p + 1];
  }
  const both = xy.reduce((sum, v) => sum + v * v, 0);
  return { xy, kept: total > 1e-12 ? Math.min(1, both / total) : 0 };
}

/** Where node i lies at warp w, in a square of `size`. */
export function placeAt({ z, image, reach }, i, w, size) {
  return [0, 1].map((k) => {
    const at = (1 - w) * (z[i][k] / reach[0]) + w * (image[i][k] / reach[1]);
    return (size / 2) * (1 + (k ? -at : at));
  });
}

/** Where a point of the plane lies at warp w, between the nodes around it; null off the sheet. */
export function placeOfPoint(mesh, [x, y], w, size) {
  const { xs, ys } = mesh,
    [c, s] = between(xs, x),
    [r, t] = ys.length > 1 ? between(ys, y) : [0, 0];
  if (c < 0 || r < 0) return null;
  const node = (dr, dc) => placeAt(mesh, Math.min(ys.length - 1, r + dr) * xs.length + c + dc, w, size);
  const [a, b, d, e] = [node(0, 0), node(0, 1), node(1, 0), node(1, 1)];
  return [0, 1].map((k) => (1 - t) * ((1 - s) * a[k] + s * b[k]) + t * ((1 - s) * d[k] + s * e[k]));
}

/** The step of a rising or falling list that a value lies in, and how far along: [-1, 0] outside. */
function between(list, v) {
  for (let k = 0; k + 1 < list.length; k++) {
    const share = (v - list[k]) / (list[k + 1] - list[k]);
    if (share >= 0 && share <= 1) return [k, share];
  }
  return [-1, 0];
}

/** The whole picture: axes, stretch, lines, pictures. names: of the plane's axes. */
export function drawMesh(ctx, size, mesh, { warp, heat, colours, names, px = 1 }) {
  ctx.fillStyle = colours.background;
  ctx.fillRect(0, 0, size, size);
  drawAxes(
    ctx,
    size,
    mesh.reach[0],
    names.map((name) => name && `${name}, prior σ`),
    Math.max(0, 1 - 2 * warp),
    colours,
    px,
  );
  drawAxes(
    ctx,
    size,
    mesh.reach[1],
    ["PC 1 of the pictures, RMS of full scale", "PC 2, RMS of full scale"],
    Math.max(0, 2 * warp - 1),
    colours,
    px,
  );
  const places = mesh.z.map((_, i) => placeAt(mesh, i, warp, size));
  if (heat) drawStretch(ctx, mesh, places, colours);
  drawLines(ctx, mesh, places, colours, px);
  drawPictures(ctx, size, mesh, places, colours);
}

function drawAxes(ctx, size, reach, [across, up], alpha, { grid, text }, px) {
  if (!alpha) return;
  const step = stepOf(reach),
    digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  Object.assign(ctx, {
    globalAlpha: alpha,
    strokeStyle: grid,
    fillStyle: text,
    lineWidth: px,
    font: `${12 * px}px sans-serif`,
  });
  for (let v = -Math.floor(reach / step) * step; v <= reach; v += step) {
    const at = (size / 2) * (1 + v / reach),
      label = v
        .toFixed(digits)
        .replace(/^-0(\.0*)?$/, "0")
        .replace("-", "−");
    line(ctx, [at, 0], [at, size]);
    line(ctx, [0, size - at], [size, size - at]);
    ctx.textAlign = "center";
    if (at > 24 * px && at < size - 24 * px) ctx.fillText(label, at, size - 4 * px);
    ctx.textAlign = "right";
    if (up && at > 34 * px && at < size - 24 * px) ctx.fillText(label, size - 4 * px, size - at + 4 * px);
  }
  ctx.textAlign = "left";
  ctx.fillText(`${across} →`, 5 * px, size - 20 * px);
  if (up) ctx.fillText(`${up} ↑`, 5 * px, 14 * px);
  ctx.globalAlpha = 1;
}

/** A step of 1, 2 or 5 times a power of ten that gives at most four ticks a side. */
function stepOf(reach) {
  const power = 10 ** Math.floor(Math.log10(reach));
  return [0.1, 0.2, 0.5, 1].map((m) => m * power).find((step) => reach / step <= 4.5) ?? power;
}

function line(ctx, from, to) {
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
}

/** Cells by how much their picture changes per prior unit: the strongest is the full colour. Each hides what it lies over. */
function drawStretch(ctx, { xs, stretch }, places, { primary, background }) {
  const n = xs.length,
    most = Math.max(1e-9, ...stretch);
  stretch.forEach((value, i) => {
    const at = Math.floor(i / (n - 1)) * n + (i % (n - 1));
    ctx.beginPath();
    for (const corner of [at, at + 1, at + n + 1, at + n]) ctx.lineTo(...places[corner]);
    for (const [colour, alpha] of [
      [background, 1],
      [primary, value / most],
    ]) {
      Object.assign(ctx, { fillStyle: colour, globalAlpha: alpha });
      ctx.fill();
    }
  });
  ctx.globalAlpha = 1;
}

function drawLines(ctx, { xs, ys }, places, { text }, px) {
  const n = xs.length;
  Object.assign(ctx, { strokeStyle: text, lineWidth: px, globalAlpha: 0.4 });
  ctx.beginPath();
  places.forEach((place, i) => (i % n ? ctx.lineTo(...place) : ctx.moveTo(...place)));
  for (let c = 0; c < n; c++)
    for (let r = 0; r < ys.length; r++) r ? ctx.lineTo(...places[r * n + c]) : ctx.moveTo(...places[c]);
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** The ink of the pictures in the colour of text, on no ground, so that the sheet shows through. */
function drawPictures(ctx, size, mesh, places, { text }) {
  const n = mesh.xs.length,
    side = PICTURE * size,
    ink = inkOf(mesh, text);
  for (let i = 0; i < places.length; i++) {
    const [r, c] = [Math.floor(i / n), i % n];
    if (r % EVERY || c % EVERY) continue;
    ctx.drawImage(ink, 28 * c, 28 * r, 28, 28, places[i][0] - side / 2, places[i][1] - side / 2, side, side);
  }
}

function inkOf(mesh, colour) {
  if (mesh.inkColour === colour) return mesh.ink;
  const canvas = imagesOf(mesh.pictures, mesh.xs.length),
    ctx = canvas.getContext("2d");
  const image = ctx.getImageData(0, 0, canvas.width, canvas.height);
  for (let p = 0; p < image.data.length; p += 4) image.data[p + 3] = image.data[p];
  ctx.putImageData(image, 0, 0);
  ctx.globalCompositeOperation = "source-in";
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  return Object.assign(mesh, { inkColour: colour, ink: canvas }).ink;
}
