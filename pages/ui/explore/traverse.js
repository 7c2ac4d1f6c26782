// One latent at a time: every row moves one of them from −reach to reach and holds all others at the base.

import { partsOf } from "../lesson/view.js";
import { drawImages } from "../live/pictures.js";
import { columnsOf, csv } from "./csv.js";
import { handOn } from "./hand.js";
import { name } from "./plane.js";
import { sheetPicture } from "./print.js";
import { whole, within } from "./state.js";
import { plain, Row, valueAt } from "./traverse_row.js";
import { Sweep, toAndFro } from "./traverse_sweep.js";

const MANY = 6; // rows: more stand in two columns
const FRAMES = 48; // of the animation that is saved, to and fro

const HTML = `
<div class="row">
  <label>from −<output data-part="low"></output> to <output data-part="high"></output> σ <input type="range" data-part="reach" min="1" max="4" step="0.5" aria-label="reach, in prior standard deviations"></label>
  <label>pictures <select data-part="steps" aria-label="pictures in a row"><option>7</option><option>9</option><option>11</option><option>13</option></select></label>
  <label>move along <select data-part="latent" aria-label="latent to move along"></select></label>
  <button data-part="play" aria-pressed="false">▶ Play</button>
</div>
<div class="row">
  <canvas class="images small" data-part="image" width="28" height="28" role="img" hidden></canvas>
  <span>Base ▲: <b data-part="base"></b></span>
  <button data-part="toZ">Use z</button>
  <label>test image <input type="number" data-part="index" min="0" step="1"></label>
  <small>A code on the map is a test image: click it.</small>
</div>
<div class="latents" data-part="all">
  <div class="latent head"><span></span><div class="values" data-part="values"></div><small>ends differ by</small></div>
  <div data-part="active" class="latents"></div>
  <details data-part="folded"><summary data-part="summary"></summary><div data-part="inactive" class="latents"></div></details>
</div>
<p data-part="note"></p>`;

export const cleanTraverse = (raw, { dims, count }) => {
  const steps = whole(raw?.steps, 14) && raw.steps >= 7 && raw.steps % 2 ? raw.steps : 9;
  return {
    from: whole(raw?.from, count) ? raw.from : raw?.from === "z" || dims <= 2 ? "z" : 0, // with many latents 0 is no usual place
    reach: Math.round(2 * within(raw?.reach, [1, 4], 3)) / 2,
    steps,
    latent: whole(raw?.latent, dims) ? raw.latent : null,
  };
};

export class TraverseWay {
  constructor(app, root) {
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, rows: [], asked: null, made: null, held: handOn(part.reach) });
    const set = (partial) => app.change("traverse", partial);
    part.reach.oninput = () => this.put({ ...this.state, reach: Number(part.reach.value) }); // nothing is told while it moves
    part.reach.onchange = () => set({ reach: Number(part.reach.value) });
    part.steps.onchange = () => set({ steps: Number(part.steps.value) });
    part.latent.onchange = () => set({ latent: Number(part.latent.value) });
    part.toZ.onclick = () => set({ from: "z" });
    part.index.onchange = () => this.type(part.index.valueAsNumber);
    part.index.onblur = () => this.state && this.tellBase();
    part.play.onclick = () => (this.sweep.going ? this.sweep.pause() : this.sweep.play());
    part.folded.ontoggle = () => this.renew();
    this.sweep = new Sweep({
      show: (value) => app.hover(this.with(this.latent, value)),
      rest: (value) => app.hover(this.with(this.latent, value)),
      told: (going) => this.tellPlay(going),
      reach: () => this.state.reach,
      steps: () => this.state.steps,
      wanted: () => !root.hidden && root.isConnected && Boolean(app.model),
    });
  }

  /** A number that was typed; one that no image has gets a sentence beside the field. */
  type(index) {
    const { part, app } = this,
      fits = whole(index, app.set.count);
    part.index.setCustomValidity(fits ? "" : `Give a whole number from 0 to ${app.set.count - 1}.`);
    part.index.reportValidity();
    if (fits) this.take(index);
  }

  load() {
    const { app, part } = this,
      { set } = app;
    this.sweep.halt();
    Object.assign(this, { state: null, asked: null, made: null, noun: set.logVar ? "mu" : "code" });
    const on = {
      over: (d, k) => app.hover(this.with(d, valueAt(k, this.state))),
      leave: () => app.hover(null),
      choose: (d, k) => app.point(this.with(d, valueAt(k, this.state))),
      pick: (d) => app.change("traverse", { latent: d }),
    };
    this.rows = Array.from({ length: set.dims }, (_, d) => new Row(d, app, on)).sort((a, b) => b.share - a.share);
    const inactive = this.rows.filter((row) => !row.active);
    part.active.replaceChildren(...this.rows.filter((row) => row.active).map((row) => row.root));
    part.inactive.replaceChildren(...inactive.map((row) => row.root));
    part.all.classList.toggle("many", this.rows.length - inactive.length > MANY);
    part.folded.hidden = !inactive.length;
    part.summary.textContent = `${inactive.length} inactive ${inactive.length === 1 ? "latent" : "latents"}: the variance of ${set.logVar ? "mu" : "the code"} is at most 0.01.`;
    part.latent.replaceChildren(...this.rows.map(({ d }) => new Option(name(d), d)));
    part.index.max = set.count - 1;
    part.index.setAttribute("aria-label", `number of the test image whose ${this.noun} is the base`);
  }

  /** What the hand holds stays with the hand. */
  show(state) {
    const held = this.state && this.held();
    this.put({ ...state, ...(held && { reach: this.state.reach }) });
  }

  put(state) {
    this.state = state;
    const { part } = this,
      { reach, steps } = state;
    part.low.value = part.high.value = plain(reach);
    part.reach.value = reach;
    part.steps.value = steps;
    part.latent.value = this.latent;
    part.values.replaceChildren(...Array.from({ length: steps }, (_, k) => text("span", plain(valueAt(k, state)))));
    this.tellBase();
    part.note.textContent = `Every row moves one latent from −${part.low.value} to ${part.high.value} prior standard deviations (σ); all others stay at the base. The figure is the difference of the two ends: root mean square over the pixels, in grey levels from 0 to 1.`;
    this.renew();
  }

  tellBase() {
    const {
        part,
        app,
        state: { from },
      } = this,
      image = from !== "z";
    part.toZ.setAttribute("aria-pressed", String(!image));
    part.image.hidden = !image;
    if (!part.index.matches(":focus")) part.index.value = image ? from : ""; // else a number is being typed
    part.base.textContent = image ? `${this.noun} of test image ${from}, a ${app.set.labels[from]}` : "z of the map";
    if (image) drawImages(part.image, { shape: [1, 28, 28], data: app.image(from) }, 1);
    part.image.setAttribute("aria-label", part.base.textContent);
  }

  /** The latent to move along: the first row where none is chosen. */
  get latent() {
    return this.state?.latent ?? this.rows[0].d;
  }

  get base() {
    return this.state.from === "z" ? this.app.state.pad.z : this.app.code(this.state.from);
  }

  with(d, value) {
    return Float32Array.from(this.base, (v, i) => (i === d ? value : v));
  }

  // ---- the pictures

  /** z has moved, or is being tried out: only where it rests counts. */
  moved() {
    if (this.state) this.renew();
  }

  /** Decode the rows that are on the page, where something has changed. */
  renew() {
    const { state, base } = this,
      rows = this.rows.filter((row) => row.active || this.part.folded.open);
    for (const row of this.rows) row.show(state, base[row.d], row.d === this.latent);
    const asked = JSON.stringify([this.app.name, state.from, state.reach, state.steps, Array.from(base), rows.length]);
    if (asked !== this.asked) this.decode(rows, asked);
  }

  async decode(rows, asked) {
    const { state, base } = this,
      { steps } = state,
      n = this.app.set.dims,
      zs = new Float32Array(rows.length * steps * n);
    rows.forEach(({ d }, r) => {
      for (let k = 0; k < steps; k++) zs.set(this.with(d, valueAt(k, state)), (r * steps + k) * n);
    });
    Object.assign(this, { asked, made: { state, base: Float32Array.from(base) } });
    for (const row of this.rows) row.change = null; // its pictures are of another base or reach
    let drawn = 0;
    const draw = (pictures, to) => {
      if (asked !== this.asked) return;
      for (; (drawn + 1) * steps <= to; drawn++)
        rows[drawn].draw(pictures.subarray(drawn * steps * 784, (drawn + 1) * steps * 784));
      const most = Math.max(...rows.map((row) => row.change ?? 0));
      for (const row of rows) row.compare(most);
    };
    await this.app.background.decode("traverse", zs, (pictures, from, to) => draw(pictures, to)).catch(() => null);
    this.app.files.refresh();
  }

  tellPlay(on) {
    this.part.play.textContent = on ? "❚❚ Pause" : "▶ Play";
    this.part.play.setAttribute("aria-pressed", String(on));
  }

  // ---- the map

  /** A code is an image whose mu becomes the base. */
  press(xy, code) {
    if (code < 0) return false;
    this.take(code);
    return true;
  }

  take(i) {
    this.app.point(this.app.code(i));
    this.app.change("traverse", { from: i });
  }

  /** The line of the chosen latent, through the base. */
  draw(ctx, at, scale, { primary, text: ink, background }) {
    if (!this.state) return;
    const {
        latent,
        base,
        state: { steps },
      } = this,
      { plane } = this.app.view,
      px = devicePixelRatio;
    const points = Array.from({ length: steps }, (_, k) => at(plane.to(this.with(latent, valueAt(k, this.state)))));
    ctx.strokeStyle = ctx.fillStyle = primary;
    ctx.lineWidth = 2.5 * px;
    ctx.beginPath();
    points.forEach((point, k) => (k ? ctx.lineTo(...point) : ctx.moveTo(...point)));
    ctx.stroke();
    for (const point of points) dot(ctx, point, 4 * px);
    const [x, y] = at(plane.to(base));
    ctx.fillStyle = ink;
    ctx.strokeStyle = background;
    ctx.beginPath();
    ctx.moveTo(x, y - 9 * px);
    ctx.lineTo(x + 8 * px, y + 6 * px);
    ctx.lineTo(x - 8 * px, y + 6 * px);
    ctx.closePath();
    ctx.stroke();
    ctx.fill();
  }

  restyle() {}

  // ---- files

  /** Rows whose pictures are not those of the base and reach on the page are left out. */
  files() {
    const rows = this.rows.filter((row) => row.change !== null);
    return rows.length
      ? { png: () => this.png(rows), gif: () => this.gif(), csv: () => this.csv(rows) }
      : { png: null, gif: null, csv: null };
  }

  png(rows) {
    const {
      made: { state },
      app: { colours },
    } = this;
    const data = new Uint8Array(rows.length * state.steps * 784);
    rows.forEach((row, r) => data.set(row.sheet.data, r * row.sheet.data.length));
    const columns = Array.from({ length: state.steps }, (_, k) => plain(valueAt(k, state)));
    const left = rows.map((row) => `${name(row.d)} · ${row.figure.value}`);
    return sheetPicture({
      data,
      columns,
      rows: left,
      across: "the latent, in prior standard deviations",
      up: "latent · its ends differ by (RMS grey level a pixel)",
      colours,
    });
  }

  gif() {
    const { latent, state, app } = this,
      zs = new Float32Array(FRAMES * app.set.dims);
    for (let k = 0; k < FRAMES; k++)
      zs.set(this.with(latent, toAndFro((4 * state.reach * k) / FRAMES - state.reach, state.reach)), k * app.set.dims);
    return app.background.decode("film", zs).then(
      (data) =>
        data && {
          width: 28,
          height: 28,
          delayMs: 80,
          frames: Array.from({ length: FRAMES }, (_, k) => data.subarray(784 * k, 784 * (k + 1))),
        },
    );
  }

  csv(rows) {
    const {
        app: { set },
        made: { base, state },
      } = this,
      from = state.from === "z" ? "z" : `${this.noun} of test image ${state.from}`;
    const head = [
      "latent",
      set.klDims ? "KL (nats per image)" : "variance of the code",
      "active",
      "base",
      "from (prior std)",
      "to (prior std)",
      "difference of the ends (RMS grey level a pixel)",
      "base is",
      ...columnsOf("base z", set.dims),
    ];
    return csv([
      head,
      ...rows.map((row) => [
        row.d + 1,
        row.share,
        row.active ? 1 : 0,
        base[row.d],
        -state.reach,
        state.reach,
        row.change,
        from,
        ...base,
      ]),
    ]);
  }

  destroy() {
    this.sweep.halt();
  }
}

function text(tag, words) {
  const element = document.createElement(tag);
  element.textContent = words;
  return element;
}

function dot(ctx, [x, y], radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}
