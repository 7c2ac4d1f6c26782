// The ELBO over the steps of the ascent, below the ceiling log p(x).

import { plain, ticks } from "../../lib/numbers.js";
import { set, svg } from "../../lib/svg.js";
import { rem, scaled } from "../../lib/scale.js";

const HEIGHT = 8.4,
  MARGIN = { left: 3.6, right: 0.6, top: 1.3, bottom: 2.3 }; // rem

export class Trace {
  constructor(root) {
    this.root = root;
    this.svg = svg("svg", { role: "img", "aria-label": "the ELBO over the steps of the ascent" }, root);
    this.frame = svg("g", { class: "frame" }, this.svg);
    this.ceiling = svg("line", { class: "ceiling" }, this.svg);
    this.name = svg("text", { "text-anchor": "end", text: "log p(x)" }, this.svg);
    this.line = svg("path", { class: "trace" }, this.svg);
  }

  draw(values, logEvidence) {
    const width = this.root.clientWidth;
    if (!width) return;
    const low = values[0],
      high = Math.max(logEvidence, ...values);
    const unit = rem();
    const [height, margin] = [HEIGHT * unit, scaled(MARGIN, unit)];
    const span = Math.max(high - low, 1e-3),
      last = Math.max(20, values.length - 1);
    const x = (i) => margin.left + ((width - margin.left - margin.right) * i) / last;
    const y = (v) => margin.top + ((height - margin.top - margin.bottom) * (high - v)) / span;
    set(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    this.drawFrame(x, y, low, high, last, unit);
    set(this.ceiling, { x1: x(0), x2: x(last), y1: y(logEvidence), y2: y(logEvidence) });
    set(this.name, { x: x(last), y: y(logEvidence) - 5 });
    set(this.line, { d: values.map((v, i) => `${i ? "L" : "M"} ${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join(" ") });
  }

  drawFrame(x, y, low, high, last, unit) {
    const { frame } = this;
    frame.replaceChildren();
    svg("path", { class: "window", d: `M ${x(0)} ${y(high)} V ${y(low)} H ${x(last)}` }, frame);
    for (const v of ticks(low, high, 3))
      svg("text", { x: x(0) - 6, y: y(v) + 4, "text-anchor": "end", text: plain(v) }, frame);
    for (const v of ticks(0, last, 4))
      svg("text", { x: x(v), y: y(low) + unit, "text-anchor": "middle", text: plain(v) }, frame);
    svg("text", { x: 0, y: 0.8 * unit, text: "↑ ELBO, nats" }, frame);
    svg("text", { x: x(last), y: y(low) + 2 * unit, "text-anchor": "end", text: "step →" }, frame);
  }
}
