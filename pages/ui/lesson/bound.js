// "The bound you can see": q is dragged over the true posterior, and the parts of log p(x) move. Mounted by bound.py.

import { Bars } from "./bound_bars.js";
import { Climb } from "./bound_climb.js";
import { HTML } from "./bound_html.js";
import { LinePicture } from "./bound_line.js";
import { LineProblem, PlaneProblem } from "./bound_math.js";
import { PlanePicture } from "./bound_plane.js";
import { isDark, number } from "./bound_svg.js";
import { Trace } from "./bound_trace.js";
import { drawImage, unpack } from "./bound_wire.js";
import { aboutLine, doubts, sumOf, tellGaps } from "./bound_words.js";

export function mount(parent) {
  return new BoundView(parent.querySelector(".bound"));
}

class BoundView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((e) => [e.dataset.part, e]));
    const { part } = this;
    const moves = { change: (q) => this.take(q), settle: () => this.settle() };
    this.pictures = { image: new PlanePicture(part.plane, moves), line: new LinePicture(part.line, moves) };
    this.bars = new Bars(part.bars);
    this.trace = new Trace(part.trace);
    this.climb = new Climb();
    Object.assign(this, { mode: "image", problems: {}, q: {}, frame: 0 });
    part.modes.onclick = ({ target }) => target.dataset.mode && this.setMode(target.dataset.mode);
    part.views.onclick = ({ target }) => target.dataset.view && this.setView(target.dataset.view);
    part.optimise.onclick = () => this.optimise();
    part.encoder.onclick = () => this.jump(this.encoder);
    part.prior.onclick = () => this.jump(standard(this.problem));
    part.toBest.onclick = () => this.jump(this.climb.best.q);
  }

  get problem() {
    return this.problems[this.mode];
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    this.restyle();
    if (data.id !== this.id) this.load(data);
    this.schedule();
  }

  load(data) {
    this.id = data.id;
    this.encoder = data.encoder;
    this.problems = {
      image: new PlaneProblem(data.planes.map(unpack), data.log_evidence, data.error),
      line: new LineProblem(data.line),
    };
    this.q = { image: this.problems.image.keep(data.q ?? data.encoder), line: { mu: [-1], log_var: [0] } };
    this.reported = null;
    drawImage(this.part.image, data.image);
    this.part.name.textContent = data.name;
    this.part.label.textContent = data.label;
    this.part.model.textContent = aboutLine(this.problems.line);
    this.pictures.image.show(this.problems.image, data.encoder);
    this.pictures.line.show(this.problems.line);
    this.setMode(this.mode);
  }

  setMode(mode) {
    this.mode = mode;
    this.root.dataset.mode = mode;
    for (const button of this.part.modes.children) button.setAttribute("aria-pressed", button.dataset.mode === mode);
    const image = mode === "image";
    for (const name of ["plane", "views", "imageKey", "given", "encoder"]) this.part[name].hidden = !image;
    for (const name of ["line", "lineKey", "model"]) this.part[name].hidden = image;
    this.bars.clear();
    this.climb.clear();
    this.schedule();
    this.setView(this.pictures.image.view === "q" ? "near" : this.pictures.image.view);
  }

  setView(view) {
    for (const button of this.part.views.children) button.setAttribute("aria-pressed", button.dataset.view === view);
    this.part.shading.textContent = SHADING[view];
    this.pictures.image.look(view);
    this.schedule();
  }

  /** q was moved by hand: what an ascent found no longer belongs to it. */
  take(q) {
    this.q[this.mode] = this.problem.keep(q);
    this.forget();
    return this.q[this.mode];
  }

  forget() {
    this.climb.stop();
    this.schedule();
  }

  jump(q) {
    this.take(q);
    if (this.mode === "image") this.setView(this.pictures.image.fitsNear(q) ? "near" : "prior");
    this.settle();
  }

  optimise() {
    const { climb } = this;
    if (climb.running) climb.pause();
    else if (climb.paused) climb.resume();
    else climb.start(this.problem, this.q[this.mode], this.mode === "image" ? this.encoder : null);
    this.settle();
    this.schedule();
  }

  /** Tell Streamlit where q rests, once hand, keys and ascent are still. */
  settle() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      const q = this.q.image;
      const now = JSON.stringify(q);
      if (this.mode !== "image" || this.climb.running || now === this.reported) return;
      this.reported = now;
      this.setStateValue("q", { id: this.id, ...q });
    }, 300);
  }

  schedule() {
    this.frame ||= requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    this.frame = 0;
    if (!this.problem) return;
    const { climb, problem, part } = this;
    const wasRunning = climb.running;
    climb.work();
    if (climb.q) this.q[this.mode] = climb.q;
    const q = this.q[this.mode];
    const reading = climb.reading ?? problem.evaluate(q);
    this.pictures[this.mode].draw(q);
    this.bars.draw(reading, problem.logEvidence);
    this.write(q, reading);
    part.progress.hidden = !climb.trace;
    if (climb.trace) this.trace.draw(climb.trace, problem.logEvidence);
    tellGaps(part, climb, this.mode);
    part.optimise.textContent = climb.running ? "Pause" : climb.paused ? "Go on" : "Optimise q";
    this.root.dataset.climb = climb.state;
    if (wasRunning && !climb.running) this.settle();
    if (climb.busy) this.schedule();
  }

  write(q, reading) {
    const { part, problem } = this;
    const digits = this.mode === "image" ? 3 : 2;
    const list = (values) =>
      values.length > 1 ? `(${values.map((v) => number(v, digits)).join(", ")})` : number(values[0], digits);
    part.mu.value = list(q.mu);
    part.std.value = list(q.log_var.map((v) => Math.exp(0.5 * v)));
    part.check.textContent = sumOf(reading, problem.logEvidence);
    part.check.dataset.agrees = reading.agrees;
    const lines = doubts(reading, problem);
    part.doubts.hidden = !lines.length;
    part.doubts.textContent = lines.join(" ");
  }

  restyle() {
    const style = getComputedStyle(this.root);
    const background = style.getPropertyValue("--st-background-color").trim();
    if (background === this.background) return;
    this.background = background;
    this.root.classList.toggle("dark", isDark(background));
    const ink = getComputedStyle(this.root)
      .color.match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
    this.pictures.image.restyle(ink);
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    for (const picture of Object.values(this.pictures)) picture.destroy();
  }
}

const SHADING = {
  near: "",
  q: ", scaled to the highest point of this view",
  prior: "; paler: log p(x, z), fading over 200 nats",
};
const standard = ({ limits }) => ({ mu: limits.mu.map(() => 0), log_var: limits.mu.map(() => 0) });
