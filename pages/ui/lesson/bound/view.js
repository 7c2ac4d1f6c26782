// "The bound you can see": q is dragged over the true posterior, and the parts of log p(x) move. Mounted by view.py.

import { choices, everyFrame, partsOf, press } from "../../lib/dom.js";
import { drawImage } from "../../lib/images.js";
import { fixed } from "../../lib/numbers.js";
import { followTheme } from "../../lib/theme.js";
import { Bars } from "./bars.js";
import { Climb } from "./climb.js";
import { fullCovariance, isFull, meanField, stdsOf } from "./gaussian.js";
import { isProjected } from "../../lib/scale.js";
import { HTML } from "./html.js";
import { LinePicture } from "./line.js";
import { LineProblem } from "./conjugate.js";
import { PlaneProblem } from "./math.js";
import { PlanePicture } from "./plane.js";
import { Trace } from "./trace.js";
import { bytes, unpack } from "./wire.js";
import { HOW, aboutFamily, aboutLine, doubts, sumOf, tellGaps } from "./words.js";

export default class BoundView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    const { part } = this;
    const moves = { change: (q) => this.take(q), settle: () => this.settle() };
    this.pictures = { image: new PlanePicture(part.plane, moves), line: new LinePicture(part.line, moves) };
    this.bars = new Bars(part.bars);
    this.trace = new Trace(part.trace);
    this.climb = new Climb();
    this.mode = "image";
    this.family = "meanField";
    this.problems = {};
    this.q = {};
    this.ask = everyFrame(() => this.redraw());
    choices(part.modes, "mode", (mode) => this.setMode(mode));
    choices(part.views, "view", (view) => this.setView(view));
    choices(part.families, "family", (family) => this.setFamily(family));
    part.optimise.onclick = () => this.optimise();
    part.encoder.onclick = () => this.jump(this.encoder);
    part.prior.onclick = () => this.jump(standard(this.problem));
    part.toBest.onclick = () => this.jump(this.climb.own.q);
  }

  get problem() {
    return this.problems[this.mode];
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    if (followTheme(this.root)) this.restyle();
    if (data.id !== this.id) this.load(data);
    this.ask();
  }

  load(data) {
    this.id = data.id;
    this.encoder = data.encoder;
    this.problems = {
      image: new PlaneProblem(data.planes.map(unpack), data.log_evidence, data.error),
      line: new LineProblem(data.line),
    };
    if (data.q) this.family = isFull(data.q) ? "full" : "meanField";
    this.q = { image: this.inFamily(data.q ?? data.encoder), line: { mu: [-1], log_var: [0] } };
    this.reported = null;
    drawImage(this.part.image, bytes(data.image));
    this.part.image.setAttribute("aria-label", `x: ${data.label}, ${data.name}`);
    this.part.model.textContent = aboutLine(this.problems.line);
    this.pictures.image.show(this.problems.image, data.encoder);
    this.pictures.line.show(this.problems.line);
    this.setMode(this.mode);
    this.tellFamily();
    if (!data.q && this.family === "full") this.settle(); // the next image in the family of the last: the link says so
  }

  setMode(mode) {
    this.mode = mode;
    this.root.dataset.mode = mode;
    press(this.part.modes, "mode", mode);
    const image = mode === "image";
    for (const name of ["plane", "views", "imageKey", "image", "encoder", "families"]) this.part[name].hidden = !image;
    for (const name of ["line", "lineKey", "model"]) this.part[name].hidden = image;
    this.bars.clear();
    this.climb.clear();
    this.tellFamily();
    this.ask();
    this.setView(this.pictures.image.view === "q" ? "near" : this.pictures.image.view);
  }

  setView(view) {
    press(this.part.views, "view", view);
    this.part.shading.textContent = SHADING[view];
    this.pictures.image.look(view);
    this.ask();
  }

  /** Mean-field, or of full covariance: q keeps its place and its widths. */
  setFamily(family) {
    this.family = family;
    this.tellFamily();
    this.jump(this.q.image);
  }

  tellFamily() {
    const full = this.mode === "image" && this.family === "full";
    press(this.part.families, "family", this.family);
    this.root.dataset.family = full ? "full" : "meanField";
    this.part.how.textContent = full ? HOW.full : HOW.meanField;
    for (const name of ["correlation", "choice"]) this.part[name].hidden = !full;
    this.ask();
  }

  /** The nearest q within the limits of the image, of the family that is chosen. */
  inFamily(q) {
    return this.problems.image.keep(this.family === "full" ? fullCovariance(q) : meanField(q));
  }

  /** q was moved by hand: what an ascent found no longer belongs to it. */
  take(q) {
    this.q[this.mode] = this.mode === "image" ? this.inFamily(q) : this.problem.keep(q);
    this.forget();
    return this.q[this.mode];
  }

  forget() {
    this.climb.stop();
    this.ask();
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
    this.ask();
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

  redraw() {
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
    part.pay.hidden = Boolean(climb.trace) || !part.choice.hidden; // the ascent takes its place: nothing else moves
    this.root.toggleAttribute("data-projected", isProjected());
    if (climb.trace) this.trace.draw(climb.trace, problem.logEvidence);
    tellGaps(part, climb);
    part.optimise.textContent = climb.running ? "Pause" : climb.paused ? "Go on" : "Optimise q";
    this.root.dataset.climb = climb.state;
    if (wasRunning && !climb.running) this.settle();
    if (climb.busy) this.ask();
  }

  write(q, reading) {
    const { part, problem } = this;
    const digits = this.mode === "image" ? 3 : 2;
    const list = (values) =>
      values.length > 1 ? `(${values.map((v) => fixed(v, digits)).join(", ")})` : fixed(values[0], digits);
    part.mu.value = list(q.mu);
    part.std.value = list(stdsOf(q));
    if (isFull(q)) part.rho.value = fixed(q.rho, 3);
    part.choice.textContent = aboutFamily(reading);
    part.check.textContent = sumOf(reading, problem.logEvidence);
    part.check.dataset.agrees = reading.agrees;
    const lines = doubts(reading, problem);
    part.doubts.hidden = !lines.length;
    part.doubts.textContent = lines.join(" ");
  }

  restyle() {
    const { color } = getComputedStyle(this.root);
    this.pictures.image.restyle(
      color
        .match(/[\d.]+/g)
        .slice(0, 3)
        .map(Number),
    );
  }

  destroy() {
    this.ask.cancel();
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
