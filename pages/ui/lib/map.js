// The latent map: mu of test images, on equal-aspect axes in units of the prior's standard deviation.
// What lies under the codes and over them is another's: under(ctx, side) and over(ctx, at, scale), where they are set.

import { onResize } from "./dom.js";
import { letterSize, line, ring, squareOf, words } from "./draw.js";
import { plain } from "./numbers.js";

export const NO_CLASS = 255; // the label of images without classes, as in vae_core/inspect/snapshot.py
const REACH = 4; // the fixed axes run from -4 to 4

export class LatentMap {
  /** @type {(ctx: CanvasRenderingContext2D, side: number) => void} */
  under;
  /** @type {(ctx: CanvasRenderingContext2D, at: (v: number) => number, scale: number) => void} */
  over;

  constructor(canvas, note) {
    this.canvas = canvas;
    this.note = note;
    this.automatic = false;
    this.snapshot = null;
    this.alpha = 0.75;
    this.axes = ["mu₁", "mu₂"];
    this.observer = onResize(canvas, () => this.draw());
  }

  restyle(colours) {
    this.colours = colours;
    this.draw();
  }

  show(snapshot, axes) {
    this.snapshot = snapshot;
    this.axes = axes;
    this.draw();
  }

  /** Mark a point of the plane, or none. */
  mark(point) {
    this.point = point;
    this.draw();
  }

  setAutomatic(on) {
    this.automatic = on;
    this.draw();
  }

  /** Half the side of the square that is shown. */
  reach() {
    if (!this.automatic || !this.snapshot) return REACH;
    const { data } = this.snapshot.xy;
    let furthest = 0;
    for (const v of data) furthest = Math.max(furthest, Math.abs(v));
    return Math.max(1.05 * furthest * this.snapshot.xyUnit, 1e-3);
  }

  /** The point of the plane under a pointer on the map, or on a canvas that covers it. */
  place({ offsetX, offsetY, currentTarget }) {
    const side = currentTarget.clientWidth,
      reach = this.reach();
    return [((2 * offsetX) / side - 1) * reach, (1 - (2 * offsetY) / side) * reach];
  }

  draw() {
    const { canvas, colours } = this,
      square = colours && squareOf(canvas);
    if (!square) return;
    const { ctx, side } = square;
    const reach = this.reach();
    const scale = side / (2 * reach);
    const at = (v) => side / 2 + v * scale;
    this.under?.(ctx, side);
    this.drawFrame(ctx, side, reach, at, scale);
    if (this.snapshot) this.drawCodes(ctx, side, at);
    this.over?.(ctx, at, scale);
    if (this.point) ring(ctx, [at(this.point[0]), at(-this.point[1])], 9, [colours.text, 2.5]);
  }

  drawFrame(ctx, side, reach, at, scale) {
    const px = (devicePixelRatio * letterSize()) / 13;
    Object.assign(ctx, { fillStyle: this.colours.text, font: `${13 * px}px sans-serif` });
    line(
      ctx,
      [
        [at(0), 0],
        [at(0), side],
      ],
      [this.colours.grid, 1],
    );
    line(
      ctx,
      [
        [0, at(0)],
        [side, at(0)],
      ],
      [this.colours.grid, 1],
    );
    for (const sigma of [1, 2, 3]) {
      Object.assign(ctx, { globalAlpha: 0.6 }).setLineDash([5 * px, 4 * px]);
      ring(ctx, [at(0), at(0)], (sigma * scale) / devicePixelRatio, [this.colours.text, 1]);
      ctx.globalAlpha = 1;
      ctx.setLineDash([]);
      if (sigma * scale > 14 * px) this.write(ctx, `${sigma}σ`, at(0) + 3 * px, at(-sigma) - 3 * px);
    }
    ctx.textAlign = "right";
    for (const v of ticks(reach)) {
      this.write(ctx, plain(v), at(v) - 2 * px, side - 5 * px);
      if (v !== 0) this.write(ctx, plain(v), side - 4 * px, at(-v) + 4 * px);
    }
    ctx.textAlign = "left";
    const [across, up] = this.axes;
    this.write(ctx, `${across} →`, 5 * px, side - 22 * px);
    if (up) this.write(ctx, `${up} ↑`, 5 * px, 17 * px);
  }

  write(ctx, text, x, y) {
    words(ctx, text, [x, y], this.colours.text, this.colours.background, 3);
  }

  drawCodes(ctx, side, at) {
    const { xy, xyUnit, labels, classNames } = this.snapshot;
    const px = (devicePixelRatio * letterSize()) / 13;
    const size = Math.max(1.6, side / 260);
    const sums = Array.from({ length: 10 }, () => [0, 0, 0]);
    const groups = labels.data[0] === NO_CLASS ? [NO_CLASS] : sums.keys();
    let outside = 0;
    ctx.globalAlpha = this.alpha;
    for (const digit of groups) {
      ctx.fillStyle = this.colours.classes[digit] ?? this.colours.text;
      for (let i = 0; i < labels.data.length; i++) {
        if (labels.data[i] !== digit) continue;
        const x = xy.data[2 * i] * xyUnit,
          y = xy.data[2 * i + 1] * xyUnit;
        const left = at(x),
          top = at(-y);
        if (left < 0 || left > side || top < 0 || top > side) outside++;
        else ctx.fillRect(left - size / 2, top - size / 2, size, size);
        const sum = sums[digit];
        if (!sum) continue;
        sum[0] += x;
        sum[1] += y;
        sum[2]++;
      }
    }
    ctx.globalAlpha = 1;
    ctx.textAlign = "center";
    const named = [...sums.keys()].filter((digit) => sums[digit][2]);
    const places = named.map((digit) => {
      const [x, y, n] = sums[digit];
      return /** @type {Point} */ ([at(x / n), at(-y / n) + 6 * px]);
    });
    if (named.length > 2 && isOneSpot(places, 10 * px)) {
      const [x, y] = places[0]; // their names would cover one another; this stands between 1 sigma and the axis' name
      ctx.font = `bold ${13 * px}px sans-serif`;
      this.write(ctx, `all ${named.length} classes`, x, y + side / (2 * this.reach()) + 8 * px);
    } else {
      ctx.font = `bold ${17 * px}px sans-serif`;
      named.forEach((digit, i) => {
        words(ctx, classNames?.[digit] ?? digit, places[i], this.colours.classes[digit], this.colours.background);
      });
    }
    ctx.textAlign = "left";
    this.note.textContent = outside
      ? `${outside.toLocaleString("en")} of ${labels.data.length.toLocaleString("en")} codes lie outside the frame.`
      : "";
  }

  destroy() {
    this.observer.disconnect();
  }
}

/** Whether all places lie within so many pixels of one another, across and up. */
export const isOneSpot = (places, size) =>
  [0, 1].every((axis) => {
    const along = places.map((place) => place[axis]);
    return Math.max(...along) - Math.min(...along) < size;
  });

function ticks(reach) {
  const step =
    [1, 2, 5].map((m) => m * 10 ** Math.floor(Math.log10(reach / 2))).find((s) => reach / s <= 5) ?? reach / 2;
  const result = [];
  for (let v = -Math.floor(reach / step) * step; v <= reach; v += step) if (Math.abs(v) < 0.999 * reach) result.push(v);
  return result;
}
