// A small SVG plot for things that move: axes with labels, named marks, handles to drag, and a canvas for many points.
//
//   const plot = new Plot(host, { x: { from: -4, to: 4, label: "z (prior std)" }, y: {...}, label: "what it shows",
//                                 height: 13, equal: false, draw: () => {...} });
//
// host      an empty element of the page. The plot takes its whole width and follows it; `height` is in rem.
//           With `equal`, one unit is as long upwards as across, and the height follows from the width.
// draw      called after every change of size; draw the marks there. Call plot.refresh() to have it called yourself.
// label     what a screen reader says of the picture. Every axis needs a label with its unit.
//
// plot.px(x), plot.py(y)      CSS pixels inside the plot of a value; plot.at(event) is the value [x, y] under a pointer.
// plot.range({ x, y })        another { from, to, label } for an axis: redraws the axes, not the marks.
// plot.line(name, points, className), plot.area(...)   a path through [[x, y], ...], an area between it and y = 0.
// plot.text(name, [x, y], text, className)             a word beside a point; an empty text hides it.
// plot.ring(name, [x, y], radius, className)           a circle with the radius in units of the axes (equal axes).
//           Marks are known by name: drawn again they move, and those that are made first lie below. Points outside
//           the frame are cut off. Colours and widths come from CSS: `.lesson svg .<className>`.
// plot.handle(name, options), plot.place(name, [x, y], values)   see there: something to take hold of.
// plot.canvas()               a cleared 2-D context in CSS pixels under the marks, clipped to the frame.
// plot.destroy()              stops following the size.
//
// Light and dark: colours are CSS variables (--st-* of Streamlit, --term-* and --class-* of palette.py).
// Nothing here touches the page when it is imported.

import { onResize } from "../lib/dom.js";
import { draggable } from "../lib/drag.js";
import { onKeys } from "../lib/keys.js";
import { plain, ticks } from "../lib/numbers.js";
import { set, svg } from "../lib/svg.js";
import { rem, scaled } from "../lib/scale.js";

// In rem, so that all of it follows the letters of the page.
const MARGIN = { left: 2.8, right: 0.7, top: 1.8, bottom: 2.8 };
const NARROW = 15.5; // below, the plot has less margin and denser ticks
const NARROW_MARGIN = { left: 1.8, right: 0.4, top: 1.6, bottom: 2.8 };
const TOUCH = 16; // half the width of what a finger can hit

export class Plot {
  constructor(host, { x, y, label, height = 13, equal = false, draw = () => {} }) {
    this.host = host;
    this.x = x;
    this.y = y;
    this.height = height;
    this.equal = equal;
    this.draw = draw;
    this.marks = new Map();
    this.width = 0;
    host.classList.add("plot");
    this.surface = host.appendChild(document.createElement("canvas"));
    this.surface.setAttribute("aria-hidden", "true"); // the svg over it has the name
    this.svg = host.appendChild(svg("svg", { role: "group", "aria-label": label }));
    this.axes = this.svg.appendChild(svg("g", { class: "axes", "aria-hidden": "true" }));
    this.inside = this.svg.appendChild(svg("svg", { class: "inside", overflow: "hidden", "aria-hidden": "true" }));
    this.handles = this.svg.appendChild(svg("g", {}));
    this.observer = onResize(host, () => this.resize());
    this.resize();
  }

  resize() {
    const width = this.host.clientWidth;
    if (width === this.width || !width) return;
    this.width = width;
    this.layOut();
    this.refresh();
  }

  refresh() {
    if (this.width) this.draw();
  }

  /** @param {{ x?: Axis, y?: Axis }} axes */
  range({ x, y }) {
    const same = (now, next) => Object.entries(next ?? {}).every(([name, value]) => now[name] === value);
    if (same(this.x, x) && same(this.y, y)) return;
    Object.assign(this.x, x);
    Object.assign(this.y, y);
    if (this.width) this.layOut();
  }

  /** Find the frame's place and draw the axes. */
  layOut() {
    this.rem = rem();
    const narrow = this.width < NARROW * this.rem;
    const margin = scaled(narrow ? NARROW_MARGIN : MARGIN, this.rem);
    const width = this.width - margin.left - margin.right;
    const tall = this.equal
      ? (width * (this.y.to - this.y.from)) / (this.x.to - this.x.from)
      : this.height * this.rem - margin.top - margin.bottom;
    this.frame = { left: margin.left, top: margin.top, width, height: tall };
    const height = tall + margin.top + margin.bottom;
    set(this.svg, { width: this.width, height });
    const { left, top } = this.frame;
    set(this.inside, { x: left, y: top, width, height: tall, viewBox: `${left} ${top} ${width} ${tall}` });
    const px = devicePixelRatio;
    Object.assign(this.surface, { width: Math.round(this.width * px), height: Math.round(height * px) });
    this.drawAxes(narrow);
  }

  drawAxes(narrow) {
    const { left, top, width, height } = this.frame;
    const unit = this.rem;
    const [right, bottom] = [left + width, top + height];
    const across = ticks(this.x.from, this.x.to, width / (unit * (narrow ? 1.9 : 3.5))).flatMap((v) => [
      svg("line", { x1: this.px(v), x2: this.px(v), y1: top, y2: bottom, class: v === 0 ? "zero" : "grid" }),
      svg("text", { text: plain(v), x: this.px(v), y: bottom + 1.05 * unit, "text-anchor": "middle" }),
    ]);
    const up = ticks(this.y.from, this.y.to, height / (1.9 * unit)).flatMap((v) => [
      svg("line", { x1: left, x2: right, y1: this.py(v), y2: this.py(v), class: v === 0 ? "zero" : "grid" }),
      svg("text", { text: plain(v), x: left - 6, y: this.py(v) + 0.28 * unit, "text-anchor": "end" }),
    ]);
    const names = [
      svg("text", {
        text: `${this.x.label} →`,
        x: right,
        y: bottom + 2.25 * unit,
        "text-anchor": "end",
        class: "name",
      }),
      svg("text", { text: `↑ ${this.y.label}`, x: 2, y: unit, class: "name" }),
    ];
    this.axes.replaceChildren(...across, ...up, ...names);
  }

  px(x) {
    return this.frame.left + ((x - this.x.from) / (this.x.to - this.x.from)) * this.frame.width;
  }

  py(y) {
    return this.frame.top + ((this.y.to - y) / (this.y.to - this.y.from)) * this.frame.height;
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left - this.frame.left) / this.frame.width;
    const y = (event.clientY - box.top - this.frame.top) / this.frame.height;
    return [this.x.from + x * (this.x.to - this.x.from), this.y.to - y * (this.y.to - this.y.from)];
  }

  /** The mark of a name, made when first asked for. */
  mark(name, tag, className) {
    if (!this.marks.has(name)) this.marks.set(name, this.inside.appendChild(svg(tag, {})));
    return set(this.marks.get(name), { class: className });
  }

  line(name, points, className) {
    return set(this.mark(name, "path", className), { d: this.path(points) });
  }

  area(name, points, className) {
    const base = this.py(0).toFixed(1);
    const [first, last] = [this.px(points[0][0]).toFixed(1), this.px(points.at(-1)[0]).toFixed(1)];
    return set(this.mark(name, "path", className), { d: `${this.path(points)}L${last},${base}L${first},${base}Z` });
  }

  path(points) {
    return points.map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(1)},${this.py(y).toFixed(1)}`).join("");
  }

  /**
   * @param {string} name
   * @param {Numbers} place
   * @param {string} text
   * @param {string} className
   */
  text(name, [x, y], text, className) {
    const mark = set(this.mark(name, "text", className), { x: this.px(x), y: this.py(y) });
    mark.textContent = text;
    return mark;
  }

  /**
   * @param {string} name
   * @param {Numbers} place
   * @param {number} radius
   * @param {string} className
   */
  ring(name, [x, y], radius, className) {
    return set(this.mark(name, "circle", className), {
      cx: this.px(x),
      cy: this.py(y),
      r: this.px(radius) - this.px(0),
    });
  }

  /**
   * A handle that pointer and keyboard move. Options: className; label, its name for a screen reader; start(), whose
   * value is the origin of a drag; drag(dx, dy, origin), the way since then in units of the axes; key(steps, fine, up):
   * arrows ±1, page keys ±10, fine with Shift, up for all but ← and →; end(), once it rests. `focusable: false` for a
   * twin of another handle.
   * @param {string} name
   * @param {Moves & { className: string, label: string, focusable?: boolean }} options
   */
  handle(name, { className, label, focusable = true, ...moves }) {
    const g = svg("g", { class: `handle ${className}`, role: "slider", "aria-label": label, "aria-valuenow": 0 });
    if (focusable) g.setAttribute("tabindex", "0");
    else g.setAttribute("aria-hidden", "true");
    g.append(svg("circle", { class: "touch", r: TOUCH }), svg("circle", { class: "knob", r: 7 }));
    this.handles.append(g);
    this.marks.set(name, g);
    this.grab(g, moves);
    if (focusable) steer(g, moves);
    return g;
  }

  /**
   * Put a handle at a place; now, min, max and text are what a screen reader says of it.
   * @param {string} name
   * @param {Numbers} at
   * @param {{ now: number, min: number, max: number, text: string }} says
   */
  place(name, [x, y], { now, min, max, text }) {
    const values = { "aria-valuenow": now, "aria-valuemin": min, "aria-valuemax": max, "aria-valuetext": text };
    return set(this.marks.get(name), { transform: `translate(${this.px(x)} ${this.py(y)})`, ...values });
  }

  /**
   * Make any element of the plot draggable, with start, drag and end as for a handle.
   * @param {SVGElement} target
   * @param {Moves} moves
   */
  grab(target, { start = () => null, drag, end = () => {} }) {
    const across = (px) => (px * (this.x.to - this.x.from)) / this.frame.width;
    const up = (px) => (px * (this.y.from - this.y.to)) / this.frame.height;
    draggable(target, { start, move: (origin, dx, dy) => drag(across(dx), up(dy), origin), end });
  }

  canvas() {
    const context = this.surface.getContext("2d");
    const { left, top, width, height } = this.frame;
    context.reset();
    context.scale(devicePixelRatio, devicePixelRatio);
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    return context;
  }

  destroy() {
    this.observer.disconnect();
  }
}

const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
const REST = 400; // ms after the last key

/**
 * @param {SVGElement} target
 * @param {Moves} moves
 */
function steer(target, { key, end = () => {} }) {
  let timer = null;
  const act = (name, { shiftKey }) => {
    const steps = KEYS[name];
    if (!steps) return false;
    key(steps, shiftKey, !/Left|Right/.test(name));
    clearTimeout(timer);
    timer = setTimeout(end, REST);
    return true;
  };
  onKeys(target, act, { shift: true });
}

/** [[x, f(x)], ...] at n + 1 equally spaced places. */
export function sample(f, from, to, n = 240) {
  return Array.from({ length: n + 1 }, (_, i) => from + ((to - from) * i) / n).map((x) => [x, f(x)]);
}
