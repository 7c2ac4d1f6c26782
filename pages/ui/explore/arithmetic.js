// Arithmetic with codes: attributes are directions, and so is the difference of any two codes.

import { partsOf } from "../lesson/view.js";
import { greys } from "../net/model.js";
import { nearestCode } from "./density.js";
import { handOn } from "./hand.js";
import { measure } from "./moments.js";
import { fixed, modelName, short } from "./numbers.js";
import { Film } from "./path_film.js";
import { figure } from "./path_half.js";
import { isHole, radiusOf, ratioText, ruleOf } from "./path_near.js";
import { animation, sheet, table } from "./path_sheet.js";
import { drawArrow, drawLine, drawMarks } from "./vector_draw.js";
import {
  along,
  alongAll,
  ATTRIBUTES,
  clean,
  codeOf,
  lengthOf,
  named,
  planOf,
  REACH,
  STRENGTHS,
  strengths,
} from "./vector_math.js";
import { AttributePanel, greysOf, MeansPanel, meanWords, SlotsPanel } from "./vector_panels.js";
import { Measures } from "./vector_table.js";

export { clean };

const DIGITS = Array.from("0123456789"); // slots of the class means
const FRAMES = 48; // of the animation that can be saved, one way

const HTML = `
<div class="row" role="group" aria-label="what is added">
  <button data-mode="attribute">Attribute vectors</button>
  <button data-mode="means">Class means</button>
  <button data-mode="difference">Difference of two</button>
</div>
<div class="choice" data-part="attribute"></div>
<div class="choice" data-part="means"></div>
<div class="choice three" data-part="difference"></div>
<div class="along" data-part="along">
  <div class="scroll"><div class="inner" data-part="inner">
    <section class="lane"><p class="title"><b>Strength −2 to 2</b> <span data-part="under"></span></p><div data-part="film"></div></section>
    <div class="seek"><input type="range" min="${-REACH}" max="${REACH}" step="0.01" data-part="strength" aria-label="strength"></div>
  </div></div>
  <div class="both">
    <div class="now"><h4>Strength <output data-part="value"></output> <button data-part="none">To 0</button></h4><div class="figures" data-part="figures"></div></div>
    <table data-part="table"></table>
  </div>
</div>
<p><small data-part="note"></small></p>`;

export class ArithmeticWay {
  constructor(app, root) {
    root.classList.add("paths");
    root.innerHTML = HTML;
    const part = partsOf(root),
      change = (partial) => this.change(partial);
    Object.assign(this, { app, root, part, plan: null, trying: null, inHand: handOn(part.strength) });
    this.attribute = new AttributePanel(part.attribute, { app, change });
    this.means = new MeansPanel(part.means, app, (digit) => app.point(codeOf(String(digit), app.set)));
    this.slots = new SlotsPanel(part.difference, { app, change });
    this.film = new Film(part.film, "what the vector does, from strength −2 to 2", (k) => this.rest(STRENGTHS[k]));
    this.measures = new Measures(part.table);
    this.figures = ["original", "start", "changed"].map(figure);
    part.figures.append(...this.figures.map((f) => f.root));
    part.inner.style.setProperty("--count", STRENGTHS.length);
    for (const button of root.querySelectorAll("[data-mode]"))
      button.onclick = () => change({ mode: button.dataset.mode });
    part.strength.oninput = () => this.move(Number(part.strength.value));
    part.strength.onchange = () => this.rest(Number(part.strength.value));
    part.none.onclick = () => this.rest(0);
  }

  get state() {
    return this.app.state.arithmetic;
  }

  // ---- what is shown

  load() {
    this.key = this.plan = null;
    for (const panel of [this.attribute, this.means, this.slots]) panel.load();
  }

  show(state) {
    const { app, part, root } = this;
    for (const button of root.querySelectorAll("[data-mode]"))
      button.setAttribute("aria-pressed", button.dataset.mode === state.mode);
    for (const mode of ["attribute", "means", "difference"]) part[mode].hidden = mode !== state.mode;
    if (state.mode === "attribute") this.attribute.show(state);
    else if (state.mode === "means") this.means.show(meanWords);
    else this.slots.show(state);
    this.plan = planOf(state, app.set);
    part.along.hidden = !this.plan;
    part.note.textContent = this.note(state);
    if (this.plan) this.showPlan(state);
    app.ask();
  }

  showPlan(state) {
    const key = JSON.stringify({ ...state, strength: null });
    if (key !== this.key) this.renew(key, state);
    if (this.inHand() && this.strength !== null) return; // it is somewhere on its way
    this.look(state.strength);
    this.tellChanged(greysOf(this.app.model, along(this.plan, state.strength)));
  }

  /** Another vector or another start: all that does not hang on the strength. */
  renew(key, { mode, image, c }) {
    const { app, plan, part } = this,
      { set, about } = app,
      of = mode === "attribute";
    this.key = key;
    this.pictures = null;
    this.strength = null;
    const start = greysOf(app.model, plan.start),
      [original, reconstruction] = this.figures;
    original.root.hidden = !of;
    original.show(app.image(image), named(image, set));
    reconstruction.show(start, of ? `reconstruction ${this.from}` : `c: ${named(c, set)}, decoded`);
    this.before = [...(of ? [measure(app.image(image))] : []), measure(start)];
    this.measures.open(about.attributes, [...(of ? ["test image"] : []), "decoded", "changed", "change"]);
    part.under.textContent = of
      ? `Under each picture: its ${this.noun}, measured.`
      : `Under each picture: from z to the nearest code, over the near radius of ${short(this.radius)} (${ruleOf(set)}); bold beyond 1: no code is near.`;
    this.renewStrip(key);
  }

  async renewStrip(key) {
    const { app, film } = this,
      zs = alongAll(this.plan, STRENGTHS);
    film.size(STRENGTHS.length, { [STRENGTHS.indexOf(0)]: "0" });
    const draw = (pictures) => {
      film.draw(pictures);
      return pictures;
    };
    const pictures = await app.background.decode("arithmetic", zs, (part) => key === this.key && draw(part));
    if (!pictures || key !== this.key) return;
    this.pictures = draw(pictures);
    this.away = STRENGTHS.map(
      (_, k) => nearestCode(zs.subarray(k * app.set.dims, (k + 1) * app.set.dims), app.set.mu).distance,
    );
    film.tell(STRENGTHS.map((strength, k) => ({ ...this.cell(k), small: `${fixed(strength, 1)} ×` })));
    app.files.refresh();
  }

  cell(k) {
    if (this.state.mode === "attribute") return { text: fixed(this.measured(k)[this.state.attribute], 1) };
    const ratio = this.away[k] / this.radius;
    return { text: ratioText(ratio), strong: isHole(ratio) };
  }

  get radius() {
    return radiusOf(this.app.set, this.app.near);
  }

  measured(k) {
    return measure(this.pictures.subarray(784 * k, 784 * (k + 1)));
  }

  get from() {
    return this.app.about.model === "ae" ? "from its code" : "from mu";
  }

  get chosen() {
    return this.app.about.attributes[ATTRIBUTES.indexOf(this.state.attribute)];
  }

  get noun() {
    return `${this.chosen.label.toLowerCase()} in ${this.chosen.unit}`;
  }

  note({ mode, a, b }) {
    const { set, about } = this.app,
      [mu, unit] = about.model === "ae" ? ["the code", ""] : ["mu", " prior standard deviations"];
    if (mode === "means")
      return `The mean of ${mu} over those of the 5,000 test images that are of a class, decoded: a place, and no test image. Press one to send z there.`;
    const length = `Its length: ${short(lengthOf(this.plan.vector))}${unit}.`;
    if (mode === "difference") return `The vector b − a: from ${named(a, set)} to ${named(b, set)}. ${length}`;
    const { label, low, high } = this.chosen,
      value = (v) => `${fixed(v, 1)} ${this.chosen.unit}`;
    return `The ${label.toLowerCase()} vector: the mean of ${mu} over the third of the 5,000 test images that measure most (${value(high)} on average), minus the mean over the third that measure least (${value(low)}). ${length} Strength 1 adds all of it.`;
  }

  // ---- the strength

  /** Show a strength, without decoding. */
  look(strength) {
    const { part } = this;
    this.strength = strength;
    if (Number(part.strength.value) !== strength) part.strength.value = strength;
    part.value.value = fixed(strength);
    part.inner.style.setProperty(
      "--here",
      (((strength + REACH) / (2 * REACH)) * (STRENGTHS.length - 1) + 0.5) / STRENGTHS.length,
    );
    this.app.ask();
  }

  /** Under the finger: decoded here, in the next frame, and told to nobody. */
  move(strength) {
    this.look(strength);
    this.trying = along(this.plan, strength);
    this.app.hover(this.trying);
  }

  /** The app has decoded z. */
  moved(z, picture) {
    if (z === this.trying && this.plan) this.tellChanged(greys(picture));
  }

  tellChanged(picture) {
    const { mode, attribute } = this.state,
      text = fixed(this.strength);
    this.figures[2].show(picture, mode === "attribute" ? `z + ${text} · vector` : `c + ${text} · (b − a)`);
    this.measures.show([...this.before, measure(picture)], mode === "attribute" ? attribute : null);
  }

  rest(strength) {
    this.app.point(along(this.plan, strength));
    this.app.change("arithmetic", { strength: Math.round(100 * strength) / 100 });
  }

  /** Something was chosen: z goes with it. */
  change(partial) {
    const { app } = this;
    app.change("arithmetic", partial);
    if (this.plan && !partial.mode) app.point(along(this.plan, this.strength));
  }

  press(xy, code) {
    const { mode } = this.state;
    if (code < 0 || mode === "means") return false;
    if (mode === "attribute") this.change({ image: code });
    else this.slots.fill(code);
    return true;
  }

  // ---- over the map, and to take home

  draw(ctx, at, scale, colours) {
    const { app, plan, state, strength } = this,
      to = (z) => at(app.view.plane.to(z)),
      { background, primary, text } = colours;
    if (!plan) return this.drawMeans(ctx, to, colours);
    const [start, end] = [to(plan.start), to(along(plan, strength))];
    if (state.mode === "attribute")
      drawLine(ctx, to(along(plan, -REACH)), to(along(plan, REACH)), primary, background, 1);
    else drawArrow(ctx, to(codeOf(state.a, app.set)), to(codeOf(state.b, app.set)), text, background, 1.5);
    drawArrow(ctx, start, end, primary, background);
    const marks =
      state.mode === "attribute"
        ? [{ place: start, text: "z" }]
        : ["a", "b", "c"].map((s) => ({ place: to(codeOf(state[s], app.set)), text: s }));
    drawMarks(ctx, marks, colours);
  }

  drawMeans(ctx, to, colours) {
    const { set } = this.app;
    drawMarks(
      ctx,
      DIGITS.map((digit) => ({ place: to(codeOf(digit, set)), text: digit })),
      colours,
    );
  }

  restyle() {}

  /** Made when they are asked for. */
  files() {
    const { app, plan } = this;
    if (this.state.mode === "means")
      return { png: () => sheet([this.meansRow()], app.colours), gif: null, csv: () => this.meansTable() };
    if (!plan || !this.pictures) return { png: null, gif: null, csv: null };
    return { png: () => sheet([this.row()], app.colours), gif: () => this.animation(), csv: () => this.csv() };
  }

  /** Null when another model comes meanwhile. */
  async animation() {
    const pictures = await this.app.background.decode("saved strengths", alongAll(this.plan, strengths(FRAMES)));
    return pictures && animation(pictures);
  }

  row() {
    const { mode, image, a, b, c } = this.state,
      { set, about } = this.app,
      of = mode === "attribute";
    const sum = of
      ? `${named(image, set)} + strength × ${this.chosen.label.toLowerCase()} vector (under each: ${this.noun})`
      : `${named(c, set)} + strength × (${named(b, set)} − ${named(a, set)}) (under each: distance to the nearest code, in near radii)`;
    const texts = STRENGTHS.map((strength, k) => `${fixed(strength, 1)}×: ${this.cell(k).text}`);
    return { title: `${modelName(about)}: ${sum}`, count: STRENGTHS.length, pictures: this.pictures, texts };
  }

  csv() {
    const rows = STRENGTHS.map((strength, k) => ({
      strength,
      z: along(this.plan, strength),
      ...this.measured(k),
      distance_to_nearest_code: this.away[k],
      near_radius: this.radius,
    }));
    return table(["strength", "z", ...ATTRIBUTES, "distance_to_nearest_code", "near_radius"], this.app.set.dims, rows);
  }

  meansRow() {
    const { about, model, set } = this.app,
      pictures = new Uint8Array(7840);
    DIGITS.forEach((digit) => pictures.set(greysOf(model, codeOf(digit, set)), 784 * digit));
    return { title: `${modelName(about)}: class means, decoded`, count: 10, pictures, texts: DIGITS };
  }

  meansTable() {
    const { set } = this.app,
      { pictures } = this.meansRow();
    const rows = DIGITS.map((digit, k) => ({
      class: k,
      z: codeOf(digit, set),
      ...measure(pictures.subarray(784 * k, 784 * (k + 1))),
    }));
    return table(["class", "z", ...ATTRIBUTES], set.dims, rows);
  }

  destroy() {}
}
