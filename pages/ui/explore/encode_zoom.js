// The neighbourhood of mu, enlarged: posteriors are often as small as a dot on the map. The window is as large for every
// image of a model, so that clouds compare.

import { drawCloud } from "./encode_draw.js";
import { fixed } from "./numbers.js";

const WIDE = 3; // usual stds from mu to the edge
const SAMPLE = 200; // posteriors that say which std is usual
const CLOSE = 11; // CSS pixels: a pointer so close to a dot means it

export class Zoom {
  /** on: { over(i or null), choose(i) }: a sample's dot under the pointer */
  constructor(canvas, on) {
    Object.assign(this, { canvas, on, dots: [], centre: null, at: null });
    canvas.onpointermove = (event) => this.over(this.dotAt(event));
    canvas.onpointerleave = () => this.over(null);
    canvas.onclick = (event) => {
      const i = this.dotAt(event);
      if (i !== null) on.choose(i);
    };
  }

  /** Half the side of the window in prior units, for a model and a plane: rounded up. */
  measure(app) {
    const { set, view } = app,
      stride = Math.max(1, Math.floor(set.count / SAMPLE));
    const found = Array.from(
      { length: Math.floor(set.count / stride) },
      (_, k) => view.plane.ellipse(app.logVar(k * stride)).long,
    );
    this.reach = nice(WIDE * found.sort((a, b) => a - b)[Math.floor(found.length / 2)]);
  }

  draw({ colours, view, set, z }, cloud) {
    const { canvas, reach } = this,
      side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side || !colours) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const ctx = canvas.getContext("2d"),
      scale = side / (2 * reach),
      [a, b] = cloud.mu;
    const at = ([x, y]) => [side / 2 + (x - a) * scale, side / 2 - (y - b) * scale];
    ctx.clearRect(0, 0, side, side);
    drawCodes(ctx, at, side, view.codes, set.labels, colours);
    drawCloud(ctx, at, scale, colours, cloud);
    drawRing(ctx, at(view.plane.to(z)), colours);
    this.drawAxes(ctx, side, cloud.mu, view.plane.labels, colours);
    Object.assign(this, { dots: cloud.dots, centre: cloud.mu });
  }

  drawAxes(ctx, side, [a, b], [across, up], { text, background }) {
    const px = devicePixelRatio,
      pad = 4 * px,
      { reach } = this,
      digits = reach < 0.1 ? 3 : reach < 1 ? 2 : 1;
    const write = (words, x, y, align = "left") => {
      ctx.textAlign = align;
      ctx.strokeText(words, x, y);
      ctx.fillText(words, x, y);
    };
    Object.assign(ctx, {
      fillStyle: text,
      strokeStyle: background,
      lineWidth: 4 * px,
      lineJoin: "round",
      font: `${12 * px}px sans-serif`,
    });
    write(`${fixed(a - reach, digits)}  ${across} →`, pad, side - pad);
    write(fixed(a + reach, digits), side - pad, side - pad, "right");
    write(`${fixed(b + reach, digits)}${up && `  ${up} ↑`}`, pad, 13 * px);
    write(fixed(b - reach, digits), pad, side - 20 * px);
    ctx.textAlign = "left";
  }

  dotAt({ offsetX, offsetY }) {
    if (!this.centre) return null;
    const scale = this.canvas.clientWidth / (2 * this.reach),
      half = this.canvas.clientWidth / 2,
      [a, b] = this.centre;
    const far = this.dots.map(([x, y]) =>
      Math.hypot(half + (x - a) * scale - offsetX, half - (y - b) * scale - offsetY),
    );
    const least = Math.min(...far);
    return least < CLOSE ? far.indexOf(least) : null;
  }

  over(i) {
    if (i === this.at) return;
    this.at = i;
    this.on.over(i);
  }
}

function drawCodes(ctx, at, side, codes, labels, { classes }) {
  const size = 4 * devicePixelRatio;
  ctx.globalAlpha = 0.75;
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = at([codes[2 * i], codes[2 * i + 1]]);
    if (x < 0 || y < 0 || x > side || y > side) continue;
    ctx.fillStyle = classes[labels[i]];
    ctx.fillRect(x - size / 2, y - size / 2, size, size);
  }
  ctx.globalAlpha = 1;
}

/** Where the big picture is from. */
function drawRing(ctx, [x, y], { text, background }) {
  for (const [colour, width] of [
    [background, 4],
    [text, 2],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * devicePixelRatio;
    ctx.beginPath();
    ctx.arc(x, y, 7 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

/** The next larger one of 1, 1.5, 2, 3, 5, 7.5, 10, 15, … and their tenths. */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((m) => m * power).find((m) => m >= value * (1 - 1e-9));
}
