// The one-dimensional model: densities of the prior, of the exact posterior and of q, which can be taken hold of.

import { draggable } from "../../lib/drag.js";
import { fixed, plain, ticks } from "../../lib/numbers.js";
import { set, svg } from "../../lib/svg.js";
import { handle, placeHandle } from "./handles.js";
import { Picture } from "./picture.js";

const MARGIN = { left: 2.6, right: 0.6, top: 1.5, bottom: 2.6 }; // rem
const REACH = 4,
  POINTS = 241,
  STALK = 26;

export class LinePicture extends Picture {
  constructor(root, moves) {
    super(root, moves, "densities over z: prior dashed, exact posterior grey, q in colour", "bound-line");
    this.flip = 1;
    this.curves = Object.fromEntries(
      ["posterior", "prior", "curve"].map((name) => [name, svg("path", { class: name }, this.inside)]),
    );
    this.width = handle(this.svg, "width of q", "width0");
    this.centre = handle(
      this.svg,
      "centre of q: left and right arrow move it, plus and minus change its width",
      "centre",
    );
    const start = () => ({ q: this.q, scale: this.scale });
    draggable(this.centre.group, {
      start,
      end: this.settle,
      move: ({ q, scale }, dx) => this.change({ mu: [q.mu[0] + dx / scale], log_var: q.log_var }),
    });
    draggable(this.width.group, {
      start,
      end: () => this.drop(),
      move: ({ q, scale }, dx) => this.widen(q, (dx * this.flip) / scale),
    });
    this.hear(this.centre, null);
    this.hear(this.width, 0);
  }

  widen({ mu, log_var }, by) {
    this.holding = true;
    this.change({ mu, log_var: [2 * Math.log(Math.max(1e-6, Math.exp(0.5 * log_var[0]) + by))] });
  }

  show(problem) {
    this.problem = problem;
    this.ceiling = 2 * peak(problem.posterior.log_var[0]);
    this.layout();
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width || !this.problem) return;
    this.measure(MARGIN);
    this.wide = Math.min(width, 31 * this.rem) - this.margin.left - this.margin.right;
    this.tall = Math.min(this.wide * 0.8, 20 * this.rem);
    this.scale = this.wide / (2 * REACH);
    const height = this.tall + this.margin.top + this.margin.bottom;
    set(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    set(this.clip, { x: this.margin.left, y: this.margin.top, width: this.wide, height: this.tall });
    this.drawFrame();
    set(this.curves.posterior, {
      d: `${this.path(this.problem.posterior)} L ${this.x(REACH)} ${this.y(0)} L ${this.x(-REACH)} ${this.y(0)} Z`,
    });
    set(this.curves.prior, { d: this.path({ mu: [0], log_var: [0] }) });
    if (this.q) this.draw(this.q);
  }

  x(z) {
    return this.margin.left + (z + REACH) * this.scale;
  }

  y(density) {
    return this.margin.top + this.tall * (1 - density / this.ceiling);
  }

  path({ mu, log_var }) {
    const std = Math.exp(0.5 * log_var[0]),
      top = peak(log_var[0]);
    // Points close together where the curve bends: around its own centre as well as over the whole axis.
    const zs = Array.from({ length: POINTS }, (_, i) => REACH * ((2 * i) / (POINTS - 1) - 1));
    for (let t = -4; t <= 4; t += 0.1) zs.push(mu[0] + std * t);
    zs.sort((a, b) => a - b);
    return zs
      .map(
        (z, i) =>
          `${i ? "L" : "M"} ${this.x(z).toFixed(1)} ${this.y(top * Math.exp(-0.5 * ((z - mu[0]) / std) ** 2)).toFixed(1)}`,
      )
      .join(" ");
  }

  drawFrame() {
    const { frame, margin, rem } = this;
    const bottom = this.margin.top + this.tall;
    frame.replaceChildren();
    svg(
      "rect",
      { class: "window", x: this.margin.left, y: this.margin.top, width: this.wide, height: this.tall },
      frame,
    );
    for (const v of ticks(-REACH, REACH, 8))
      svg("text", { x: this.x(v), y: bottom + rem, "text-anchor": "middle", text: plain(v) }, frame);
    for (const v of ticks(0, this.ceiling, 5))
      svg("text", { x: this.margin.left - 6, y: this.y(v) + 0.3 * rem, "text-anchor": "end", text: plain(v) }, frame);
    svg(
      "text",
      { x: margin.left + this.wide, y: bottom + 2.2 * rem, "text-anchor": "end", text: "z (prior std) →" },
      frame,
    );
    svg("text", { x: margin.left, y: margin.top - 0.4 * rem, text: "↑ density per unit of z" }, frame);
  }

  draw(q) {
    this.q = q;
    if (!this.wide) return;
    set(this.curves.curve, { d: this.path(q) });
    const std = Math.exp(0.5 * q.log_var[0]),
      top = peak(q.log_var[0]);
    const inside = (y) => Math.max(this.margin.top + 12, y);
    const x = this.x(q.mu[0]),
      height = inside(this.y(0.6065 * top));
    const reach = std * this.scale + STALK,
      edge = this.margin.left + this.wide - 10;
    if (!this.holding) this.flip = x + reach > edge ? -1 : 1;
    const knob = Math.min(edge, Math.max(this.margin.left + 10, x + this.flip * reach));
    placeHandle(this.width, [knob, height], [x, height], { now: std, text: `std ${std.toFixed(3)}` });
    placeHandle(this.centre, [x, inside(this.y(top))], [x, this.y(0)], {
      now: q.mu[0],
      text: `mu ${fixed(q.mu[0], 3)}`,
    });
  }
}

/** The height of a Gaussian's density. */
const peak = (log_var) => Math.exp(-0.5 * (log_var + Math.log(2 * Math.PI)));
