// The ELBO over the steps of the ascent, below the ceiling log p(x).

import { plain, ticks } from "../../lib/numbers.js";
import { set, svg } from "../../lib/svg.js";

const HEIGHT = 150,
  MARGIN = { left: 58, right: 10, top: 20, bottom: 34 };

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
    const span = Math.max(high - low, 1e-3),
      last = Math.max(20, values.length - 1);
    const x = (i) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * i) / last;
    const y = (v) => MARGIN.top + ((HEIGHT - MARGIN.top - MARGIN.bottom) * (high - v)) / span;
    set(this.svg, { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
    this.drawFrame(x, y, low, high, last);
    set(this.ceiling, { x1: x(0), x2: x(last), y1: y(logEvidence), y2: y(logEvidence) });
    set(this.name, { x: x(last), y: y(logEvidence) - 5 });
    set(this.line, { d: values.map((v, i) => `${i ? "L" : "M"} ${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join(" ") });
  }

  drawFrame(x, y, low, high, last) {
    const { frame } = this;
    frame.replaceChildren();
    svg("path", { class: "window", d: `M ${x(0)} ${y(high)} V ${y(low)} H ${x(last)}` }, frame);
    for (const v of ticks(low, high, 3))
      svg("text", { x: x(0) - 6, y: y(v) + 4, "text-anchor": "end", text: plain(v) }, frame);
    for (const v of ticks(0, last, 4))
      svg("text", { x: x(v), y: y(low) + 15, "text-anchor": "middle", text: plain(v) }, frame);
    svg(
      "text",
      { x: x(0) - 6, y: 12, "text-anchor": "start", transform: `translate(${6 - x(0)} 0)`, text: "ELBO, nats ↑" },
      frame,
    );
    svg("text", { x: x(last), y: y(low) + 30, "text-anchor": "end", text: "step of the ascent →" }, frame);
  }
}
