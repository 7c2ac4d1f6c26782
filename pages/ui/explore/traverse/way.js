// One latent at a time: every row moves one of them from −reach to reach and holds all others at the base.

import { handOn, make } from "../../lib/dom.js";
import { disc, line, shape } from "../../lib/draw.js";
import { drawImage } from "../../lib/images.js";
import { whole, within } from "../../lib/state.js";
import { imageName, imageOf } from "../shared/classes.js";
import { name } from "../shared/plane.js";
import { inactiveWords, joined, rowByRow } from "../shared/rows.js";
import { Way } from "../shared/way.js";
import { HTML } from "./html.js";
import { Row, bare, valueAt, valuesOf } from "./row.js";
import { traverseFiles } from "./save.js";
import { Sweep } from "./sweep.js";

const MANY = 6; // rows: more stand in two columns

export const cleanTraverse = (raw, { dims, count }) => {
  const steps = whole(raw?.steps, 14) && raw.steps >= 7 && raw.steps % 2 ? raw.steps : 9;
  return {
    from: whole(raw?.from, count) ? raw.from : raw?.from === "z" || dims <= 2 ? "z" : 0, // with many latents 0 is no usual place
    reach: Math.round(2 * within(raw?.reach, [1, 4], 3)) / 2,
    steps,
    latent: whole(raw?.latent, dims) ? raw.latent : null,
  };
};

export class TraverseWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    const { part } = this;
    this.rows = [];
    this.asked = null;
    this.made = null;
    this.held = handOn(part.reach);
    const set = page.change;
    part.reach.oninput = () => this.put({ ...this.state, reach: Number(part.reach.value) }); // nothing is told while it moves
    part.reach.onchange = () => set({ reach: Number(part.reach.value) });
    part.steps.onchange = () => set({ steps: Number(part.steps.value) });
    part.latent.onchange = () => set({ latent: Number(part.latent.value) });
    part.toZ.onclick = () => set({ from: "z" });
    part.index.onchange = () => this.type(part.index.valueAsNumber);
    part.index.onblur = () => this.state && this.tellBase();
    part.play.onclick = () => (this.sweep.going ? this.sweep.pause() : this.sweep.play());
    part.folded.ontoggle = () => this.renew();
    const tryOut = (value) => place.hover(this.with(this.latent, value));
    this.sweep = new Sweep({
      show: tryOut,
      rest: tryOut,
      told: (going) => this.tellPlay(going),
      reach: () => this.state.reach,
      steps: () => this.state.steps,
      wanted: () => !root.hidden && root.isConnected && page.ready,
    });
  }

  /** A number that was typed: the image of the map that has it or the next; one of no image gets a sentence. */
  type(number) {
    const { part } = this,
      { numbers, tests } = this.found.set,
      fits = whole(number, tests);
    part.index.setCustomValidity(fits ? "" : `Give a whole number from 0 to ${tests - 1}.`);
    part.index.reportValidity();
    if (fits) this.take(imageOf(number, numbers));
  }

  load(found) {
    const { part, place } = this,
      { set } = found;
    this.sweep.halt();
    this.found = found;
    this.state = null;
    this.asked = null;
    this.made = null;
    this.noun = found.posterior ? "mu" : "code";
    const on = {
      over: (d, k) => place.hover(this.with(d, valueAt(k, this.state))),
      leave: () => place.hover(null),
      choose: (d, k) => place.point(this.with(d, valueAt(k, this.state))),
      pick: (d) => this.page.change({ latent: d }),
    };
    this.rows = Array.from({ length: set.dims }, (_, d) => new Row(d, found, on)).sort((a, b) => b.share - a.share);
    const inactive = this.rows.filter((row) => !row.active);
    part.active.replaceChildren(...this.rows.filter((row) => row.active).map((row) => row.root));
    part.inactive.replaceChildren(...inactive.map((row) => row.root));
    part.all.classList.toggle("many", this.rows.length - inactive.length > MANY);
    part.folded.hidden = !inactive.length;
    part.summary.textContent = inactiveWords(inactive.length, found);
    part.latent.replaceChildren(...this.rows.map(({ d }) => new Option(name(d), d)));
    part.index.max = set.tests - 1; // not all of them need be on the map
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
    part.low.value = part.high.value = bare(reach);
    part.reach.value = reach;
    part.steps.value = steps;
    part.latent.value = this.latent;
    part.values.replaceChildren(...valuesOf(state).map((value) => make("span", { textContent: bare(value) })));
    this.tellBase();
    part.note.textContent = `Every row moves one latent from −${part.low.value} to ${part.high.value} prior standard deviations (σ); all others stay at the base. The figure is the difference of the two ends: root mean square over the pixels, of full scale.`;
    this.renew();
  }

  tellBase() {
    const {
        part,
        found,
        state: { from },
      } = this,
      image = from !== "z";
    part.toZ.setAttribute("aria-pressed", String(!image));
    part.image.hidden = !image;
    if (!part.index.matches(":focus")) part.index.value = image ? found.set.numbers[from] : ""; // else a number is being typed
    part.base.textContent = image ? `${this.noun} of ${imageName(from, found.set)}` : "z of the map";
    if (image) drawImage(part.image, found.image(from));
    part.image.setAttribute("aria-label", part.base.textContent);
  }

  /** The latent to move along: the first row where none is chosen. */
  get latent() {
    return this.state?.latent ?? this.rows[0].d;
  }

  get base() {
    return this.state.from === "z" ? this.place.rest : this.found.code(this.state.from);
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
    const asked = JSON.stringify([
      this.found.about.name,
      state.from,
      state.reach,
      state.steps,
      Array.from(base),
      rows.length,
    ]);
    if (asked !== this.asked) this.decode(rows, asked);
  }

  async decode(rows, asked) {
    const { state, base, found } = this,
      { steps } = state;
    const zs = rows.flatMap(({ d }) => valuesOf(state).map((value) => this.with(d, value)));
    this.asked = asked;
    this.made = { state, base: Float32Array.from(base) };
    for (const row of this.rows) row.change = null; // its pictures are of another base or reach
    const drawRow = rowByRow(steps, (pictures, r) => rows[r].draw(pictures));
    const draw = (pictures, _, to) => {
      if (asked !== this.asked) return;
      drawRow(pictures, to);
      const most = Math.max(...rows.map((row) => row.change ?? 0));
      for (const row of rows) row.compare(most);
    };
    await found.background.decode("traverse", joined(zs), draw).catch(() => null);
    this.page.refresh();
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
    this.place.point(this.found.code(i));
    this.page.change({ from: i });
  }

  /** The line of the chosen latent, through the base. */
  draw(ctx, at, scale, { primary, text, background }) {
    if (!this.state) return;
    const { plane } = this.view,
      px = devicePixelRatio;
    const points = valuesOf(this.state).map((value) => at(plane.to(this.with(this.latent, value))));
    line(ctx, points, [primary, 2.5]);
    for (const point of points) disc(ctx, point, 4, primary);
    const [x, y] = at(plane.to(this.base));
    const corners = [
      [x, y - 9 * px],
      [x + 8 * px, y + 6 * px],
      [x - 8 * px, y + 6 * px],
    ];
    shape(ctx, corners, text, [background, 2.5]);
  }

  // ---- files

  /** Rows whose pictures are not those of the base and reach on the page are left out. */
  files() {
    const { found, latent, state, made, page, noun } = this,
      rows = this.rows.filter((row) => row.change !== null);
    const along = (value) => this.with(latent, value);
    return rows.length ? traverseFiles(found, rows, { ...made, noun, along, now: state }, page.colours) : null;
  }

  destroy() {
    this.sweep.halt();
  }
}
