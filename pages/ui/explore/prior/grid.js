// The decoded grid at prior quantiles: every picture stands for the same share of the prior.

import { columnsOf, csv } from "../../lib/csv.js";
import { handOn, make } from "../../lib/dom.js";
import { fixed } from "../../lib/numbers.js";
import { rowAt } from "../shared/found.js";
import { Latest } from "../shared/latest.js";
import { percent } from "../shared/numbers.js";
import { sheetPicture } from "../shared/print.js";
import { Sheet } from "../shared/sheet.js";
import { Way } from "../shared/way.js";
import { beyond, cellOf, quantiles } from "./math.js";
import { nodes, notes, priorOf, rowsOf, slice } from "./slice.js";

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

export class PriorGrid extends Way {
  /** @type {Float32Array} the codes of the pictures, n · rows · D */
  zs;

  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    const { part } = this,
      { change } = page;
    this.decoder = new Latest("prior grid");
    this.held = handOn(part.n);
    part.n.oninput = () => this.put({ ...this.state, n: Number(part.n.value) });
    part.n.onchange = () => change({ n: Number(part.n.value) });
    part.labels.onchange = () => change({ labels: part.labels.value });
    const z = (i) => rowAt(this.zs, i, this.found.set.dims).slice();
    this.sheet = new Sheet(part.sheet, "the decoded grid at prior quantiles", {
      over: (i) => place.hover(z(i)),
      leave: () => place.hover(null),
      choose: (i) => place.point(z(i)),
    });
  }

  load(found) {
    this.found = found;
    this.asked = null;
    this.state = null;
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
    const { n } = this.state,
      { off, key } = slice(this),
      asked = `${n} ${key}`;
    if (asked === this.asked) return;
    const { xy, zs } = nodes(this, n, off);
    this.asked = asked;
    this.n = n;
    this.xy = xy;
    this.zs = zs;
    this.sheet.resize(n, n * rowsOf(this, n));
    const draw = (pictures, from, to) => asked === this.asked && this.sheet.draw(pictures, from, to);
    this.decoder.ask(this.found, this.zs, draw);
    this.tellAxes();
    this.moved(this.place.z);
  }

  tellAxes() {
    const { part } = this,
      labels = this.labels(),
      { plane } = this.view,
      rows = rowsOf(this, this.n);
    const spans = (texts) => texts.map((textContent) => make("span", { textContent }));
    part.below.replaceChildren(...spans(labels));
    part.left.replaceChildren(...spans(rows > 1 ? labels.toReversed() : [""]));
    const unit =
      this.state.labels === "z"
        ? "prior standard deviations"
        : !this.found.about.posterior
          ? "quantiles of N(0, I)"
          : "prior quantiles";
    part.across.textContent = `${plane.labels[0]}, ${unit} →`;
    part.up.textContent = plane.labels[1] ? `${plane.labels[1]}, ${unit} ↑` : "";
    part.note.textContent = `Every picture stands for the same share of ${priorOf(this)} in this plane, ${percent(1 / (this.n * rows))}: it is decoded at the middle of its share. ${notes(this)}`;
  }

  labels() {
    const { n } = this;
    return this.state.labels === "z"
      ? Array.from(quantiles(n), (v) => fixed(v, 1))
      : Array.from({ length: n }, (_, i) => `${Math.round((100 * (i + 0.5)) / n)}%`);
  }

  moved(z) {
    this.renew();
    const at = this.view.plane.to(z),
      rows = rowsOf(this, this.n);
    this.sheet.mark(beyond(at[0], this.n) || beyond(at[1], rows) ? null : cellOf(at, this.n, rows));
  }

  /** Where the pictures lie on the map. */
  draw(ctx, at, scale, { text }) {
    const size = 3 * devicePixelRatio;
    Object.assign(ctx, { fillStyle: text, globalAlpha: 0.7 });
    for (const point of this.xy) {
      const [x, y] = at(point);
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
    const { part, page } = this,
      columns = this.labels();
    return sheetPicture({
      data: this.sheet.data,
      columns,
      rows: this.sheet.rows > 1 ? columns.toReversed() : [""],
      across: part.across.textContent,
      up: part.up.textContent,
      colours: page.colours,
    });
  }

  csv() {
    const { dims } = this.found.set,
      { n } = this,
      { rows } = this.sheet;
    const head = ["row from the top", "column", "quantile across", "quantile up", ...columnsOf("z", dims)];
    const line = (_, i) => [
      Math.floor(i / n) + 1,
      (i % n) + 1,
      ((i % n) + 0.5) / n,
      (rows - 0.5 - Math.floor(i / n)) / rows,
      ...rowAt(this.zs, i, dims),
    ];
    return csv([head, ...Array.from({ length: n * rows }, line)]);
  }
}
