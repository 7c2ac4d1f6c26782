// How a gradient gets through a draw. Left z is drawn from N(mu, std²): another mu is another draw, and no slope leads
// back. Right eps is drawn once, outside: z = mu + std · eps moves along, and the slope of log p(x | z) goes through.
// Mounted by chance.py. The functions above the class touch no page: node runs them as they are.

import { everyFrame, quietPartsOf } from "../lib/dom.js";
import { fixed } from "../lib/numbers.js";
import { normals } from "../lib/rng.js";
import { set, svg } from "../lib/svg.js";
import { followTheme } from "../lib/theme.js";
import { rem } from "../lib/scale.js";

const BLOCK = 16; // normals at a time

/** The eps of draw `count` of a seed: draw 0 is the first of torch.randn. */
export const epsOf = (seed, count) => normals(seed, BLOCK * (1 + Math.floor(count / BLOCK)))[count];

/** log p(x | z) of a slice and its slope there, between the points of its grid. */
export function valueAt({ low, high, values }, z) {
  const step = (high - low) / (values.length - 1);
  const at = Math.min(values.length - 2, Math.max(0, Math.floor((z - low) / step)));
  const slope = (values[at + 1] - values[at]) / step;
  return { value: values[at] + slope * (z - low - at * step), slope };
}

/** Both graphs: mu and std, the eps of either, and what follows; the gradient is that of the right one. */
export function graphs(slice, { mu, std }, drawn, kept) {
  const of = (eps) => ({ eps, z: mu + std * eps, ...valueAt(slice, mu + std * eps) });
  const right = of(kept);
  return { left: of(drawn), right: { ...right, ofMu: right.slope, ofStd: right.slope * kept } };
}

// Places in rem, so that all of it follows the letters of the page.
const WIDE = 24.6,
  TALL = 20.3,
  PANEL = 11.8, // of either graph
  TOP = 1.9, // of the nodes mu, std and eps
  Z = [6.9, 12.6], // of the node z: from, to
  END = 15; // of the node log p(x | z)
const REACH = 3.4; // the axis of z, in std of the encoder, to either side
const SPAN = { mu: 2, std: [0.5, 1.6] }; // of the sliders, in std of the encoder

const HTML = `
<div class="chance">
  <svg role="img" data-part="drawing" aria-label="Two computational graphs. Left: mu and std lead to a random node z, and the gradient of log p(x given z) stops there. Right: eps is drawn outside, z is mu plus std times eps, and the gradient goes through to mu and std."></svg>
  <label>mu <input type="range" min="-1" max="1" step="0.01" data-part="mu"></label>
  <label>std <input type="range" min="-1" max="1" step="0.01" data-part="std"></label>
</div>`;

export default class ChanceView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = quietPartsOf(root);
    this.count = 0; // of draws on the left
    this.ask = everyFrame(() => this.draw());
    for (const name of ["mu", "std"]) {
      this.part[name].value = 0;
      this.part[name].oninput = () => (this.count++, this.ask());
    }
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(root);
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data }) {
    followTheme(this.root);
    if (data.seed !== this.data?.seed) this.count = 0;
    this.data = data;
    this.ask();
  }

  /** q as the sliders say: the encoder's in their middle. */
  get q() {
    const { mu, std } = this.data;
    const [least, most] = SPAN.std;
    const [across, wide] = [Number(this.part.mu.value), Number(this.part.std.value)];
    return { mu: mu + SPAN.mu * across * std, std: std * (wide < 0 ? 1 + wide * (1 - least) : 1 + wide * (most - 1)) };
  }

  layOut() {
    if (rem() === this.rem) return;
    this.rem = rem();
    const { drawing } = this.part;
    const [width, height] = [WIDE * this.rem, TALL * this.rem];
    set(drawing, { width, height, viewBox: `0 0 ${width} ${height}` });
    drawing.replaceChildren();
    this.marks = { left: this.graph(0, "z is drawn", false), right: this.graph(WIDE - PANEL, "z is computed", true) };
    this.ask();
  }

  /** What of a graph never moves, and the marks that do. `open`: whether the gradient goes through. */
  graph(x, title, open) {
    const at = (v) => v * this.rem;
    const { drawing } = this.part;
    this.text(x + PANEL / 2, 1.1, title, "title");
    /** @type {Parts} */
    const marks = { x, ...this.inputs(x, open) };
    this.box(x + 0.1, Z[0], PANEL - 0.2, Z[1] - Z[0], open ? "node" : "random");
    this.text(x + PANEL / 2, Z[0] + 1.2, open ? "z = mu + std · eps" : "z ~ N(mu, std²)");
    if (!open) this.die(x + PANEL - 1.5, Z[0] + 0.3);
    svg("path", { d: `M${at(x + 0.6)} ${at(Z[1] - 0.6)}h${at(PANEL - 1.2)}`, class: "ground" }, drawing);
    marks.bell = svg("path", { class: "bell" }, drawing);
    marks.dot = svg("circle", { class: "dot", r: at(0.42), cy: at(Z[1] - 0.6) }, drawing);
    this.arrow([x + 4.4, Z[1] + 0.1], [x + 4.4, END - 0.1]);
    this.arrow([x + 7.4, END - 0.1], [x + 7.4, Z[1] + (open ? 0.1 : 0.75)], "back");
    if (!open) svg("path", { class: "stop", d: `M${at(x + 6.3)} ${at(Z[1] + 0.6)}h${at(2.2)}` }, drawing);
    this.box(x + 0.9, END, PANEL - 1.8, 1.9, "node");
    marks.value = this.text(x + PANEL / 2, END + 1.3, "");
    const kind = open ? "slope" : "none";
    marks.ofMu = this.text(x + PANEL / 2, TALL - 2, "no gradient", kind);
    marks.ofStd = this.text(x + PANEL / 2, TALL - 0.6, "for mu and std", kind);
    return marks;
  }

  /** The nodes that lead to z, and the gradient that comes back to them. */
  inputs(x, open) {
    /** @type {Parts} */
    const marks = {};
    for (const [name, off] of Object.entries({ mu: 0.1, std: 3.9 })) {
      const from = x + off;
      this.box(from, TOP, 3.4, 2.7, "node");
      this.text(from + 1.7, TOP + 1.1, name);
      marks[name] = this.text(from + 1.7, TOP + 2.3, "");
      this.arrow([from + 1.1, TOP + 2.8], [from + 1.1, Z[0] - 0.1]);
      if (open) this.arrow([from + 2.3, Z[0] - 0.1], [from + 2.3, TOP + 2.8], "back");
    }
    if (!open) return marks;
    const [cx, cy, r] = [x + 10, TOP + 1.35, 1.6].map((v) => v * this.rem);
    svg("circle", { cx, cy, r, class: "random" }, this.part.drawing);
    this.text(x + 10, TOP + 1.1, "eps");
    this.arrow([x + 10, TOP + 3.05], [x + 10, Z[0] - 0.1]);
    this.die(x + 8.2, TOP + 3.1);
    return { ...marks, eps: this.text(x + 10, TOP + 2.2, "") };
  }

  text(x, y, text, kind = "") {
    return svg("text", { x: x * this.rem, y: y * this.rem, text, class: kind }, this.part.drawing);
  }

  box(x, y, width, height, kind) {
    const at = (v) => v * this.rem;
    const place = { x: at(x), y: at(y), width: at(width), height: at(height), rx: at(0.4) };
    svg("rect", { ...place, class: kind }, this.part.drawing);
  }

  arrow([x1, y1], [x2, y2], kind = "") {
    const at = (v) => v * this.rem;
    const { drawing } = this.part;
    const up = Math.sign(y2 - y1);
    svg("path", { class: `way ${kind}`, d: `M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2 - 0.4 * up)}` }, drawing);
    const head = `M${at(x2)} ${at(y2)}L${at(x2 - 0.35)} ${at(y2 - 0.6 * up)}H${at(x2 + 0.35)}Z`;
    svg("path", { class: `head ${kind}`, d: head }, drawing);
  }

  /** A die that shows five. */
  die(x, y) {
    const at = (v) => v * this.rem;
    const { drawing } = this.part;
    svg("rect", { class: "die", x: at(x), y: at(y), width: at(1.2), height: at(1.2), rx: at(0.25) }, drawing);
    for (const [dx, dy] of [
      [0.3, 0.3],
      [0.9, 0.3],
      [0.6, 0.6],
      [0.3, 0.9],
      [0.9, 0.9],
    ])
      svg("circle", { class: "pip", cx: at(x + dx), cy: at(y + dy), r: at(0.12) }, drawing);
  }

  draw() {
    if (!this.data || !this.marks) return;
    const { q, data } = this;
    const { left, right } = graphs(data, q, epsOf(data.seed, this.count), epsOf(data.seed, 0));
    for (const [name, now] of Object.entries({ left, right })) {
      const marks = this.marks[name];
      set(marks.mu, { text: fixed(q.mu) });
      set(marks.std, { text: fixed(q.std) });
      set(marks.value, { text: `log p(x | z) ${fixed(now.value, 1)}` });
      set(marks.bell, { d: this.bell(marks.x, q) });
      set(marks.dot, { cx: this.across(marks.x, now.z) });
    }
    set(this.marks.right.eps, { text: fixed(right.eps) });
    set(this.marks.right.ofMu, { text: `gradient for mu ${fixed(right.ofMu, 1)}` });
    set(this.marks.right.ofStd, { text: `gradient for std ${fixed(right.ofStd, 1)}` });
  }

  /** Where a z lies on the axis of a graph; what is off it stays at its end. */
  across(x, z) {
    const half = PANEL / 2 - 0.8;
    const part = (z - this.data.mu) / (REACH * this.data.std);
    return this.rem * (x + PANEL / 2 + half * Math.min(1, Math.max(-1, part)));
  }

  /** The density of q, as high as the narrowest q allows. */
  bell(x, q) {
    const [low, tall] = [Z[1] - 0.6, 3.6 * SPAN.std[0]];
    const points = Array.from({ length: 81 }, (_, i) => this.data.mu + REACH * this.data.std * (i / 40 - 1));
    return points
      .map((z, i) => {
        const height = (tall * this.data.std * Math.exp(-0.5 * ((z - q.mu) / q.std) ** 2)) / q.std;
        return `${i ? "L" : "M"}${this.across(x, z).toFixed(1)} ${(this.rem * (low - height)).toFixed(1)}`;
      })
      .join("");
  }

  destroy() {
    this.ask.cancel();
    this.observer.disconnect();
  }
}
