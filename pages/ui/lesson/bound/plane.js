// The latent plane: the true posterior as a heat map, the prior's circles, and q to be taken hold of.

import { draggable } from "../../lib/drag.js";
import { fixed, plain, ticks } from "../../lib/numbers.js";
import { onKeys } from "../../lib/keys.js";
import { set, svg } from "../../lib/svg.js";
import { axesOf, isFull } from "./gaussian.js";
import { handle, keyed, nameHandle, placeHandle } from "./handles.js";
import { degrees, endOf, keyedAxis, pulled, sideOf } from "./knobs.js";
import { isProjected } from "../../lib/scale.js";
import { Picture } from "./picture.js";

const MARGIN = { left: 2.9, right: 0.5, top: 1.5, bottom: 2.6 }; // rem
const ROWS = { usual: 18.5, projected: 11.5 }; // rem, of what stands above the picture and of its own axes
const DEPTH = 200; // nats below the top at which the landscape of the whole prior has faded
const PRIOR = { low: [-4, -4], size: 8 };

export class PlanePicture extends Picture {
  low = PRIOR.low; // the lower left corner of the window
  size = PRIOR.size; // its side
  angle = 0; // of the first axis of q

  constructor(root, moves) {
    const label = "latent plane: posterior p(z given x) in grey, q as ellipses of 1 and 2 standard deviations";
    super(root, moves, label, "bound-window");
    this.view = "near";
    this.side = 0;
    this.flip = [1, 1];
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    root.prepend(this.canvas);
    this.ellipses = [2, 1].map((k) => svg("ellipse", { class: `q q${k}` }, this.inside));
    this.hint = svg("text", { class: "hint", "text-anchor": "middle" }, this.svg);
    this.widths = [0, 1].map((d) => handle(this.svg, axisName({}, d), `width${d}`));
    this.centre = handle(this.svg, "centre of q: arrow keys move it, plus and minus change its widths", "centre");
    const start = () => ({ q: this.q, scale: this.scale });
    for (const node of [this.centre.group, this.ellipses[0]]) {
      draggable(node, {
        start,
        end: this.settle,
        move: ({ q, scale }, dx, dy) => this.moveTo(q, [dx / scale, -dy / scale]),
      });
    }
    this.widths.forEach((width, d) => {
      draggable(width.group, {
        start: () => ({ ...start(), axes: axesOf(this.q, this.angle) }),
        end: () => this.drop(),
        move: ({ q, scale, axes }, dx, dy) => {
          this.holding = true; // the knob keeps its side while it is held
          this.shape(pulled(q, axes, d, scale, this.flip[d], [dx, dy]));
        },
      });
      const act = (key, { shiftKey }) => this.hearAxis(d, key, shiftKey);
      onKeys(width.group, act, { shift: true });
    });
    this.hear(this.centre, null);
  }

  moveTo(q, by) {
    const inside = (v, d) => Math.min(this.low[d] + this.size, Math.max(this.low[d], v));
    this.change({ ...q, mu: q.mu.map((m, d) => inside(m + by[d], d)) });
  }

  shape({ q, angle }) {
    this.angle = angle;
    this.q = this.change(q);
  }

  hearAxis(d, key, shift) {
    if (!isFull(this.q)) return this.key(keyed(key, shift, this.q, this.step, d));
    const found = keyedAxis(key, shift, this.q, d, this.angle);
    if (!found) return false;
    this.shape(found);
    this.settle();
    return true;
  }

  get step() {
    return this.size / 100;
  }

  /** Another image: its problem, and its encoder's q, which the near view must contain. */
  show(problem, encoder) {
    this.problem = problem;
    this.encoder = encoder;
    this.q = null;
    this.near = windowAround(problem.extent(7), encoder);
    this.layout();
  }

  /** The view: "near" the posterior, around "q" as it is now, or the whole "prior". */
  look(view) {
    this.view = view;
    if (view === "q") this.close = around(this.q);
    this.layout();
  }

  /** Whether the near view shows q: its centre, and 2 std if they fit at all. */
  fitsNear({ mu, log_var }) {
    const { low, size } = this.near;
    return mu.every((m, d) => m >= low[d] && m <= low[d] + size && 4 * Math.exp(0.5 * log_var[d]) < size);
  }

  restyle(ink) {
    if (ink === this.ink) return;
    this.ink = ink;
    this.layout();
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width || !this.problem || !this.ink) return;
    this.measure(MARGIN);
    const most = innerHeight - this.rem * (isProjected() ? ROWS.projected : ROWS.usual);
    this.side = Math.min(width - this.margin.left - this.margin.right, Math.max(260, most));
    ({ low: this.low, size: this.size } = { near: this.near, q: this.close, prior: PRIOR }[this.view]);
    this.scale = this.side / this.size;
    const height = this.side + this.margin.top + this.margin.bottom;
    set(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    set(this.clip, { x: this.margin.left, y: this.margin.top, width: this.side, height: this.side });
    this.drawFrame();
    this.drawHeat();
    if (this.q) this.draw(this.q);
  }

  x(z1) {
    return this.margin.left + (z1 - this.low[0]) * this.scale;
  }

  y(z2) {
    return this.margin.top + this.side - (z2 - this.low[1]) * this.scale;
  }

  drawFrame() {
    const { frame, side, low, size, scale, margin, rem } = this;
    const bottom = margin.top + side,
      right = margin.left + side;
    frame.replaceChildren();
    const inside = svg("g", { "clip-path": "url(#bound-window)" }, frame);
    for (const sigma of [1, 2, 3]) {
      svg("circle", { class: "prior", cx: this.x(0), cy: this.y(0), r: sigma * scale }, inside);
      if (this.view === "prior")
        svg("text", { class: "sigma", x: this.x(0) + 4, y: this.y(sigma) - 4, text: `${sigma}σ` }, inside);
    }
    svg("rect", { class: "window", x: this.margin.left, y: this.margin.top, width: side, height: side }, frame);
    for (const v of ticks(low[0], low[0] + size, 5))
      svg("text", { x: this.x(v), y: bottom + rem, "text-anchor": "middle", text: plain(v) }, frame);
    for (const v of ticks(low[1], low[1] + size, 5))
      svg("text", { x: this.margin.left - 6, y: this.y(v) + 0.3 * rem, "text-anchor": "end", text: plain(v) }, frame);
    svg("text", { x: right, y: bottom + 2.2 * rem, "text-anchor": "end", text: "z₁ (prior std) →" }, frame);
    svg("text", { x: margin.left, y: margin.top - 0.4 * rem, text: "↑ z₂ (prior std)" }, frame);
    if (this.view === "prior") this.drawBox(inside);
  }

  /** Where the near view lies. */
  drawBox(parent) {
    const { low, size } = this.near;
    svg(
      "rect",
      {
        class: "box",
        x: this.x(low[0]),
        y: this.y(low[1] + size),
        width: size * this.scale,
        height: size * this.scale,
      },
      parent,
    );
  }

  /**
   * Ink in proportion to p(z given x), full at its peak; around q, full at the highest point of the view; over the
   * whole prior, where the posterior is a dot, log p(x, z) is shaded as well.
   * Coarse grids first, each finer one in its place; drawn only when the view changes.
   */
  drawHeat() {
    const { canvas, side, problem } = this;
    const top = this.view === "q" ? this.highest() : problem.top;
    const density = (v) => Math.min(1, Math.exp(v - top));
    const shade = this.view === "prior" ? (v) => Math.max(density(v), 0.5 * (1 - (top - v) / DEPTH)) : density;
    const px = devicePixelRatio;
    canvas.width = canvas.height = Math.round(side * px);
    Object.assign(canvas.style, {
      width: `${side}px`,
      height: `${side}px`,
      left: `${this.margin.left}px`,
      top: `${this.margin.top}px`,
    });
    const ctx = canvas.getContext("2d");
    ctx.scale(px, px);
    ctx.translate(-this.margin.left, -this.margin.top);
    for (let k = problem.planes.length - 1; k >= 0; k--) {
      const { low, high, step, n } = problem.planes[k];
      /** @type {[number, number, number, number]} */
      const place = [
        this.x(low[0] - step / 2),
        this.y(high[1] + step / 2),
        n * step * this.scale,
        n * step * this.scale,
      ];
      ctx.clearRect(...place);
      ctx.drawImage(paint(problem.planes[k], shade, this.ink), ...place);
    }
  }

  /** The highest value of log p(x, z) in the view. */
  highest() {
    const seen = (z, d) => z >= this.low[d] && z <= this.low[d] + this.size;
    let top = -Infinity;
    for (const plane of this.problem.planes) {
      plane.above(-Infinity, (k, ...z) => z.every(seen) && (top = Math.max(top, plane.values[k])));
    }
    return top;
  }

  /** q moved: only its own elements change. */
  draw(q) {
    this.q = q;
    if (!this.side) return;
    const axes = axesOf(q, this.angle),
      { stds, angle } = axes;
    this.angle = angle;
    const [cx, cy] = [this.x(q.mu[0]), this.y(q.mu[1])];
    const transform = `rotate(${(-angle * 180) / Math.PI} ${cx} ${cy})`;
    this.ellipses.forEach((node, i) =>
      set(node, { cx, cy, rx: (2 - i) * stds[0] * this.scale, ry: (2 - i) * stds[1] * this.scale, transform }),
    );
    // An ellipse that fills the view would keep a finger from scrolling the page.
    this.ellipses[0].style.pointerEvents = Math.max(...stds) * 4 * this.scale < this.side / 2 ? "auto" : "none";
    this.drawHandles(q, axes, [cx, cy]);
    const seen = q.mu.every((m, d) => m >= this.low[d] && m <= this.low[d] + this.size);
    for (const { group } of [this.centre, ...this.widths]) group.style.display = seen ? "" : "none";
    set(this.hint, {
      x: this.margin.left + this.side / 2,
      y: this.margin.top + this.side - 12,
      text: seen ? "" : "q lies outside this view: choose “around q”",
    });
  }

  drawHandles(q, axes, centre) {
    const room = {
      left: this.margin.left + 10,
      right: this.margin.left + this.side - 10,
      top: this.margin.top + 10,
      bottom: this.margin.top + this.side - 10,
    };
    if (!this.holding) this.flip = [0, 1].map((d) => sideOf(axes, d, this.scale, centre, room));
    this.widths.forEach((width, d) => {
      const [x, y] = endOf(axes, d, this.scale, this.flip[d]).map((v, k) => centre[k] + v);
      /** @type {Point} */
      const at = [Math.min(room.right, Math.max(room.left, x)), Math.min(room.bottom, Math.max(room.top, y))];
      const along = isFull(q) ? ` along ${plain(degrees(axes.angle + (d * Math.PI) / 2))}°` : "";
      nameHandle(width, axisName(q, d));
      placeHandle(width, at, centre, { now: axes.stds[d], text: `std ${axes.stds[d].toFixed(4)}${along}` });
    });
    const correlation = isFull(q) ? `, correlation ${fixed(q.rho, 3)}` : "";
    placeHandle(this.centre, centre, centre, {
      now: q.mu[0],
      text: `mu ${q.mu.map((m) => fixed(m, 3)).join(", ")}${correlation}`,
    });
  }
}

/** What a screen reader says of the knob on an axis of q. */
const axisName = (q, d) =>
  isFull(q)
    ? `${d ? "second" : "first"} axis of q: up and down arrow change its width, left and right turn it`
    : `width of q along z${"₁₂"[d]}`;

/** A square of 14 std of the wider dimension of q. */
function around({ mu, log_var }) {
  const size = 14 * Math.exp(0.5 * Math.max(...log_var));
  return { low: mu.map((m) => m - size / 2), size };
}

/** A square around what is visible of the posterior and 3 std of the encoder's q, with room to drag q about. */
function windowAround({ low, high }, { mu, log_var }) {
  const reach = log_var.map((v) => 3 * Math.exp(0.5 * v));
  const from = low.map((v, d) => Math.min(v, mu[d] - reach[d])),
    to = high.map((v, d) => Math.max(v, mu[d] + reach[d]));
  const size = 1.8 * Math.max(to[0] - from[0], to[1] - from[1]);
  return { low: from.map((v, d) => (v + to[d] - size) / 2), size };
}

/** A grid as ink: `shade` says how opaque a value of log p(x, z) is. */
function paint({ n, values }, shade, ink) {
  const picture = Object.assign(document.createElement("canvas"), { width: n, height: n });
  const ctx = picture.getContext("2d");
  const image = ctx.createImageData(n, n);
  const pixels = image.data;
  for (let k = 0; k < n * n; k++) {
    [pixels[4 * k], pixels[4 * k + 1], pixels[4 * k + 2]] = ink;
    pixels[4 * k + 3] = 255 * shade(values[k]);
  }
  ctx.putImageData(image, 0, 0);
  return picture;
}
