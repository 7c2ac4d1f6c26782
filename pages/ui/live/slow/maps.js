// The two maps of a slow step: the whole plane of the prior, and a close-up of one image's cloud.

import { onResize } from "../../lib/dom.js";
import { arrow, disc, ellipse, line, ring, squareOf } from "../../lib/draw.js";
import { LatentMap } from "../../lib/map.js";

/** All shown codes of the batch as dots, the chosen one ringed; after the update, where they went. */
export class PlaneOfBatch extends LatentMap {
  showBatch(arrays, dims, chosen, stage) {
    this.arrays = arrays;
    this.dims = dims;
    this.chosen = chosen;
    this.stage = stage;
    this.show(
      arrays,
      dims.map((d) => `mu${d + 1}`),
    );
  }

  drawCodes(ctx, side, at) {
    const { mu, mu_after: after } = this.arrays;
    const [count, width] = mu.shape;
    /** @type {(codes: Tensor, i: number) => Point} */
    const spot = ({ data }, i) => [at(data[i * width + this.dims[0]]), at(-data[i * width + this.dims[1]])];
    const { text } = this.colours;
    for (let i = 0; i < count; i++) {
      const from = spot(mu, i);
      ctx.globalAlpha = i === this.chosen ? 1 : 0.45;
      disc(ctx, from, i === this.chosen ? 4 : 2.5, text);
      if (this.stage === 6) line(ctx, [from, spot(after, i)], [text, 1.5]);
    }
    ctx.globalAlpha = 1;
    ring(ctx, spot(mu, this.chosen), 9, [text, 2]);
  }
}

/** One cloud at true scale around its mean: ellipses, the sample, and the pulls of both terms. */
export class CloseUp {
  constructor(canvas) {
    this.canvas = canvas;
    this.observer = onResize(canvas, () => this.draw());
  }

  restyle(colours) {
    this.colours = colours;
    this.draw();
  }

  show(cloud, stage) {
    this.cloud = cloud;
    this.stage = stage;
    this.draw();
  }

  draw() {
    const { canvas, cloud, colours, stage } = this,
      square = cloud && colours && squareOf(canvas);
    if (!square) return;
    const { ctx, side } = square;
    const far = cloud.z.map((z, d) => Math.abs(z - cloud.mu[d]));
    this.half = 1.25 * Math.max(2 * Math.max(...cloud.std), ...(stage >= 2 ? far : [0]), 0.01); // half the side, in prior units
    const scale = side / (2 * this.half);
    const at = ([a, b]) => [side / 2 + (a - cloud.mu[0]) * scale, side / 2 - (b - cloud.mu[1]) * scale];
    this.drawFrame(ctx, side, scale);
    this.drawCloud(ctx, at, scale);
    if (stage >= 2 && stage !== 5) this.drawSample(ctx, at);
    if (stage === 5) this.drawPulls(ctx, at, side);
    if (stage === 6) arrow(ctx, at(cloud.mu), at(cloud.after), colours.total, 3);
  }

  drawFrame(ctx, side, scale) {
    const px = devicePixelRatio;
    ctx.fillStyle = this.colours.text;
    ctx.font = `${13 * px}px sans-serif`;
    ctx.fillText(`${this.cloud.axes[0]} →`, 5 * px, side - 7 * px);
    ctx.fillText(`${this.cloud.axes[1]} ↑`, 5 * px, 17 * px);
    const unit = niceBelow(this.half);
    const end = side - 8 * px;
    line(
      ctx,
      [
        [end - unit * scale, side - 20 * px],
        [end, side - 20 * px],
      ],
      [this.colours.text, 2],
    );
    ctx.textAlign = "right";
    ctx.fillText(`${unit} of the prior's std`, end, side - 5 * px);
    ctx.textAlign = "left";
  }

  drawCloud(ctx, at, scale) {
    const { mu, std } = this.cloud;
    const { text } = this.colours,
      px = devicePixelRatio;
    for (const times of [1, 2]) {
      ctx.globalAlpha = times === 1 ? 0.9 : 0.45;
      ellipse(ctx, at(mu), { long: times * std[0], short: times * std[1], angle: 0 }, scale, [text, 2]);
    }
    ctx.globalAlpha = 1;
    disc(ctx, at(mu), 4, text);
    ctx.fillText("mu", at(mu)[0] + 7 * px, at(mu)[1] + 15 * px);
  }

  drawSample(ctx, at) {
    const { mu, z } = this.cloud;
    const px = devicePixelRatio;
    arrow(ctx, at(mu), at(z), this.colours.text, 2);
    ctx.fillText("z", at(z)[0] + 6 * px, at(z)[1] - 6 * px);
  }

  /** The pulls on mu share one scale; so do those on the two log variances, drawn at the ends of the axes. */
  drawPulls(ctx, at, side) {
    const { mu, std, nllMu, klMu, nllWidth, klWidth } = this.cloud;
    const { reconstruction, kl } = this.colours;
    const px = devicePixelRatio;
    const scaled = (pulls, share) => (share * side) / Math.max(...pulls.flat().map(Math.abs), 1e-9);
    /** @type {(from: Numbers, by: Numbers, k: number) => Point} */
    const move = ([x, y], [a, b], k) => [x + k * a, y - k * b];
    const k = scaled([nllMu, klMu], 0.4);
    arrow(ctx, at(mu), move(at(mu), nllMu, k), reconstruction, 4);
    arrow(ctx, at(mu), move(at(mu), klMu, k), kl, 4);
    const w = scaled([nllWidth, klWidth], 0.2);
    for (const d of [0, 1]) {
      const along = d === 0 ? [1, 0] : [0, 1];
      const end = at([mu[0] + along[0] * std[0], mu[1] + along[1] * std[1]]);
      const beside = [end[0] + (d ? 7 * px : 0), end[1] + (d ? 0 : 7 * px)];
      const pull = (from, by, colour) =>
        arrow(
          ctx,
          from,
          move(
            from,
            along.map((v) => v * by),
            w,
          ),
          colour,
          2.5,
        );
      pull(end, nllWidth[d], reconstruction);
      pull(beside, klWidth[d], kl);
    }
  }

  destroy() {
    this.observer.disconnect();
  }
}

/** The largest of 1, 2, 5 times a power of ten that is not above v. */
function niceBelow(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return Number(([5, 2, 1].find((m) => m * power <= v) * power).toPrecision(1));
}
