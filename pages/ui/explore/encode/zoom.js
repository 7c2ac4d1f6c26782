// The neighbourhood of mu, enlarged: posteriors are often as small as a dot on the map. The window is as large for every
// image of a model, so that clouds compare.

import { ring, squareOf, words } from "../../lib/draw.js";
import { fixed } from "../../lib/numbers.js";
import { drawCloud } from "./cloud.js";

const WIDE = 3; // usual stds from mu to the edge
const SAMPLE = 200; // posteriors that say which std is usual
const CLOSE = 11; // CSS pixels: a pointer so close to a dot means it

export class Zoom {
  /** on: { over(i or null), choose(i) }: a sample's dot under the pointer */
  constructor(canvas, on) {
    this.canvas = canvas;
    this.on = on;
    this.dots = [];
    this.centre = null;
    this.at = null;
    canvas.onpointermove = (event) => this.over(this.dotAt(event));
    canvas.onpointerleave = () => this.over(null);
    canvas.onclick = (event) => {
      const i = this.dotAt(event);
      if (i !== null) on.choose(i);
    };
  }

  /** Half the side of the window in prior units, for a model and a plane: rounded up. */
  measure(found, plane) {
    const { count } = found.set,
      stride = Math.max(1, Math.floor(count / SAMPLE));
    const long = Array.from(
      { length: Math.floor(count / stride) },
      (_, k) => plane.ellipse(found.logVar(k * stride)).long,
    );
    this.reach = nice(WIDE * long.sort((a, b) => a - b)[Math.floor(long.length / 2)]);
  }

  /** view: of the map, whose codes and colours it shares; z: what is shown big. */
  draw({ colours, plane, codes }, labels, z, cloud) {
    const square = colours && squareOf(this.canvas);
    if (!square) return;
    const { ctx, side } = square,
      scale = side / (2 * this.reach),
      [a, b] = cloud.mu;
    /** @type {ToPixels} */
    const at = ([x, y]) => [side / 2 + (x - a) * scale, side / 2 - (y - b) * scale];
    drawCodes(ctx, at, side, codes, labels, colours);
    drawCloud(ctx, at, scale, colours, cloud);
    ring(ctx, at(plane.to(z)), 7, [colours.background, 4], [colours.text, 2]); // where the big picture is from
    this.drawAxes(ctx, side, cloud.mu, plane.labels, colours);
    this.dots = cloud.dots;
    this.centre = cloud.mu;
  }

  drawAxes(ctx, side, [a, b], [across, up], { text, background }) {
    const px = devicePixelRatio,
      pad = 4 * px,
      { reach } = this,
      digits = reach < 0.1 ? 3 : reach < 1 ? 2 : 1;
    const write = (said, x, y, align = "left") => {
      ctx.textAlign = align;
      words(ctx, said, [x, y], text, background);
    };
    ctx.font = `${12 * px}px sans-serif`;
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

function drawCodes(ctx, at, side, codes, labels, { classes, text }) {
  const size = 4 * devicePixelRatio;
  ctx.globalAlpha = 0.75;
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = at([codes[2 * i], codes[2 * i + 1]]);
    if (x < 0 || y < 0 || x > side || y > side) continue;
    ctx.fillStyle = classes[labels[i]] ?? text;
    ctx.fillRect(x - size / 2, y - size / 2, size, size);
  }
  ctx.globalAlpha = 1;
}

/** The next larger one of 1, 1.5, 2, 3, 5, 7.5, 10, 15, … and their tenths. */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((m) => m * power).find((m) => m >= value * (1 - 1e-9));
}
