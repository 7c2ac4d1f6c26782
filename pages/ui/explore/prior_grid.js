// The decoded grid at prior quantiles: every picture stands for the same share of the prior.

import { partsOf } from "../lesson/view.js";
import { columnsOf, csv } from "./csv.js";
import { handOn } from "./hand.js";
import { Latest } from "./latest.js";
import { fixed, percent } from "./numbers.js";
import { beyond, cellOf, quantiles } from "./prior_math.js";
import { nodes, notes, priorOf, rowsOf, slice } from "./prior_plane.js";
import { sheetPicture } from "./print.js";
import { Sheet } from "./sheet.js";

const HTML = `
<div class="beside">
  <div class="gridBox">
    <small class="up" data-part="up"></small>
    <div class="left" data-part="left"></div>
    <div data-part="sheet"></div>
    <div class="below" data-part="below"></div>
    <small class="across" data-part="across"></small>
  </div>
  <div class="way">
    <label>pictures a side <output data-part="count"></output><br><input type="range" data-part="n" min="8" max="16" step="1" aria-label="pictures a side"></label>
    <label>labels <select data-part="labels"><option value="quantile">quantiles</option><option value="z">z, in σ</option></select></label>
    <p data-part="note"></p>
  </div>
</div>`;

export class PriorGrid {
  constructor(app, root, change) {
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, decoder: new Latest(app, "prior grid"), held: handOn(part.n) });
    part.n.oninput = () => this.put({ ...this.state, n: Number(part.n.value) });
    part.n.onchange = () => change({ n: Number(part.n.value) });
    part.labels.onchange = () => change({ labels: part.labels.value });
    const z = (i) => this.zs.slice(i * app.set.dims, (i + 1) * app.set.dims);
    this.sheet = new Sheet(part.sheet, "the decoded grid at prior quantiles", {
      over: (i) => app.hover(z(i)),
      leave: () => app.hover(null),
      choose: (i) => app.point(z(i)),
    });
  }

  load() {
    this.asked = this.state = null;
  }

  /** What the hand holds stays with the hand. */
  show(state) {
    const held = this.state && this.held();
    this.put({ ...state, ...(held && { n: this.state.n }) });
  }

  put(state) {
    this.state = state;
    this.part.n.value = this.part.count.value = state.n;
    this.part.labels.value = state.labels;
    this.renew();
    this.tellAxes();
  }

  /** Decode again where the grid, the plane or what is held fixed has changed. */
  renew() {
    const {
        app,
        state: { n },
      } = this,
      { off, key } = slice(app),
      asked = `${n} ${key}`;
    if (asked === this.asked) return;
    const rows = rowsOf(app, n);
    Object.assign(this, { asked, n, ...nodes(app, n, off) });
    this.sheet.resize(n, n * rows);
    this.decoder.ask(this.zs, (pictures, from, to) => asked === this.asked && this.sheet.draw(pictures, from, to));
    this.tellAxes();
    this.moved(app.z);
  }

  tellAxes() {
    const { part, app } = this,
      labels = this.labels(),
      { plane } = app.view,
      rows = rowsOf(app, this.n);
    part.below.replaceChildren(...labels.map(span));
    part.left.replaceChildren(...(rows > 1 ? labels.toReversed() : [""]).map(span));
    const unit =
      this.state.labels === "z"
        ? "prior standard deviations"
        : app.about.model === "ae"
          ? "quantiles of N(0, I)"
          : "prior quantiles";
    part.across.textContent = `${plane.labels[0]}, ${unit} →`;
    part.up.textContent = plane.labels[1] ? `${plane.labels[1]}, ${unit} ↑` : "";
    part.note.textContent = `Every picture stands for the same share of ${priorOf(app)} in this plane, ${percent(1 / (this.n * rows))}: it is decoded at the middle of its share. ${notes(app)}`;
  }

  labels() {
    const { n } = this;
    return this.state.labels === "z"
      ? Array.from(quantiles(n), (v) => fixed(v, 1))
      : Array.from({ length: n }, (_, i) => `${Math.round((100 * (i + 0.5)) / n)}%`);
  }

  moved(z) {
    this.renew();
    const at = this.app.view.plane.to(z),
      rows = rowsOf(this.app, this.n);
    this.sheet.mark(beyond(at[0], this.n) || beyond(at[1], rows) ? null : cellOf(at, this.n, rows));
  }

  /** Where the pictures lie on the map. */
  draw(ctx, at, scale, { text }) {
    ctx.fillStyle = text;
    ctx.globalAlpha = 0.7;
    for (const point of this.xy) {
      const [x, y] = at(point),
        size = 3 * devicePixelRatio;
      ctx.fillRect(x - size / 2, y - size / 2, size, size);
    }
    ctx.globalAlpha = 1;
  }

  files() {
    return { png: () => this.png(), gif: null, csv: () => this.csv() };
  }

  /** Once every picture is there. */
  async png() {
    await this.decoder.rest();
    const {
        part,
        app: { colours },
      } = this,
      columns = this.labels();
    return sheetPicture({
      data: this.sheet.data,
      columns,
      rows: this.sheet.rows > 1 ? columns.toReversed() : [""],
      across: part.across.textContent,
      up: part.up.textContent,
      colours,
    });
  }

  csv() {
    const { dims } = this.app.set,
      { n } = this,
      { rows } = this.sheet;
    const head = ["row from the top", "column", "quantile across", "quantile up", ...columnsOf("z", dims)];
    const line = (_, i) => [
      Math.floor(i / n) + 1,
      (i % n) + 1,
      ((i % n) + 0.5) / n,
      (rows - 0.5 - Math.floor(i / n)) / rows,
      ...this.zs.subarray(i * dims, (i + 1) * dims),
    ];
    return csv([head, ...Array.from({ length: n * rows }, line)]);
  }
}

function span(words) {
  const element = document.createElement("span");
  element.textContent = words;
  return element;
}
