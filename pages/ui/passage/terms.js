// The two terms and their sum: as figures, and as curves over the steps of the film with the present moment on them.

import { disc, line } from "../lib/draw.js";
import { format, stepText } from "../lib/numbers.js";

const NAMES = ["reconstruction", "kl", "total"];

export class Terms {
  /** film: [[step, nll, kl]], means over the test images of the map. */
  constructor(part, film) {
    this.part = part;
    this.rows = film.map(([step, nll, kl]) => ({ step, reconstruction: nll, kl, total: nll + kl }));
  }

  restyle(colours) {
    this.colours = colours;
  }

  /** Figures of one image or, at a step of the film, the means over all. values: { nll, kl } or null. */
  show(values, step) {
    const row = step === null ? null : this.rows.find((r) => r.step === step);
    const figures = row ?? (values && { reconstruction: values.nll, kl: values.kl, total: values.nll + values.kl });
    for (const name of NAMES) this.part[name].value = figures ? format(figures[name]) : "–";
    this.part.whose.textContent = row
      ? `Both terms and the curves: means over 5,000 test images at ${stepText(step)} of this model's training.`
      : "The curves: means over 5,000 test images while it learned.";
    for (const name of NAMES) this.draw(name, row ?? this.rows.at(-1));
  }

  /** The curve over the kept steps, which lie closer at the beginning; the dot is the moment. */
  draw(name, now) {
    const canvas = this.part[`${name}Curve`],
      { rows, colours } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((v) => Math.round(v * devicePixelRatio));
    if (!width || !colours || rows.length < 2) return;
    Object.assign(canvas, { width, height });
    const ctx = canvas.getContext("2d"),
      px = devicePixelRatio,
      pad = 7 * px;
    const values = rows.map((row) => row[name]),
      [low, high] = [Math.min(...values), Math.max(...values)];
    const at = (i) => [
      pad + ((width - 2 * pad) * i) / (rows.length - 1),
      height - pad - ((height - 2 * pad) * (values[i] - low)) / (high - low || 1),
    ];
    line(
      ctx,
      rows.map((_, i) => at(i)),
      [colours[name], 3],
    );
    const i = rows.indexOf(now);
    disc(ctx, at(i), 6, colours[name], [colours.background, 2]);
  }
}

/** What is shown, in words. */
export const passageText = (part) =>
  `${part.moment.textContent}: z = ${`${part.z.value} ${part.place.textContent}`.trim()}; reconstruction ${part.reconstruction.value} + KL ${part.kl.value} = −ELBO ${part.total.value} nats.`;
