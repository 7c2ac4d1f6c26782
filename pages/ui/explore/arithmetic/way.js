// Arithmetic with codes: attributes are directions, and so is the difference of any two codes.

import { nearestCode } from "../../lib/distances.js";
import { choices, handOn, press } from "../../lib/dom.js";
import { badges } from "../../lib/draw.js";
import { greys, imageAt } from "../../lib/images.js";
import { fixed } from "../../lib/numbers.js";
import { figure } from "../shared/figure.js";
import { rowAt } from "../shared/found.js";
import { isFar, radiusOf, ratioText, ruleOf } from "../shared/near.js";
import { short } from "../shared/numbers.js";
import { Strip } from "../shared/strip.js";
import { Way } from "../shared/way.js";
import { drawArrow, drawLine } from "./arrows.js";
import { measure } from "./attributes.js";
import { HTML } from "./html.js";
import { REACH, STRENGTHS, along, alongAll, codeOf, labelsOf, named, planOf } from "./math.js";
import { Measures } from "./measures.js";
import { AttributePanel, MeansPanel, SlotsPanel, meanWords } from "./panels.js";
import { meansFiles, planFiles } from "./save.js";
import { noteOf, nounOf } from "./words.js";

export class ArithmeticWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    root.classList.add("paths");
    const { part } = this,
      change = (partial) => this.change(partial);
    this.plan = null;
    this.trying = null;
    this.inHand = handOn(part.strength);
    this.attribute = new AttributePanel(part.attribute, change);
    this.means = new MeansPanel(part.means, (label) => place.point(codeOf(label, this.found.set)));
    this.slots = new SlotsPanel(part.difference, change);
    this.film = new Strip(part.film, "what the vector does, from strength −2 to 2", (k) => this.rest(STRENGTHS[k]));
    this.measures = new Measures(part.table);
    this.figures = ["original", "start", "changed"].map(figure);
    part.figures.append(...this.figures.map((f) => f.root));
    part.inner.style.setProperty("--count", STRENGTHS.length);
    choices(root, "mode", (mode) => change({ mode }));
    part.strength.oninput = () => this.move(Number(part.strength.value));
    part.strength.onchange = () => this.rest(Number(part.strength.value));
    part.none.onclick = () => this.rest(0);
  }

  // ---- what is shown

  load(found) {
    this.found = found;
    this.root.querySelector("[data-mode=means]").hidden = !found.set.classNames.length;
    this.key = null;
    this.plan = null;
    for (const panel of [this.attribute, this.means, this.slots]) panel.load(found);
  }

  show(state) {
    const { found, part, root } = this,
      { mode } = state;
    this.state = state;
    press(root, "mode", mode);
    for (const other of ["attribute", "means", "difference"]) part[other].hidden = other !== mode;
    if (mode === "attribute") this.attribute.show(state);
    else if (mode === "means") this.means.show(meanWords);
    else this.slots.show(state);
    this.plan = planOf(state, found.set);
    part.along.hidden = !this.plan;
    part.note.textContent = noteOf(found, state, this.plan);
    if (this.plan) this.showPlan(state);
    this.page.ask();
  }

  showPlan(state) {
    const key = JSON.stringify({ ...state, strength: null });
    if (key !== this.key) this.renew(key, state);
    if (this.inHand() && this.strength !== null) return; // it is somewhere on its way
    this.look(state.strength);
    this.tellChanged(this.found.greys(along(this.plan, state.strength)));
  }

  /** Another vector or another start: all that does not hang on the strength. */
  renew(key, { mode, image, c }) {
    const { found, plan, part } = this,
      { set, about } = found,
      of = mode === "attribute";
    this.key = key;
    this.pictures = null;
    this.strength = null;
    const start = found.greys(plan.start),
      [original, reconstruction] = this.figures;
    original.root.hidden = !of;
    original.show(found.image(image), named(image, set));
    const from = !about.posterior ? "from its code" : "from mu";
    reconstruction.show(start, of ? `reconstruction ${from}` : `c: ${named(c, set)}, decoded`);
    this.before = [...(of ? [measure(found.image(image))] : []), measure(start)];
    this.measures.open(about.attributes, [...(of ? ["test image"] : []), "decoded", "changed", "change"]);
    part.under.textContent = of
      ? `Under each picture: its ${nounOf(found, this.state)}, measured.`
      : `Under each picture: from z to the nearest code, over the near radius of ${short(this.radius)} (${ruleOf(found)}); bold beyond 1: no code is near.`;
    this.renewStrip(key);
  }

  async renewStrip(key) {
    const { found, film } = this,
      zs = alongAll(this.plan, STRENGTHS);
    film.size(STRENGTHS.length, { [STRENGTHS.indexOf(0)]: "0" });
    const draw = (pictures) => key === this.key && film.draw(pictures);
    const pictures = await found.background.decode("arithmetic", zs, draw);
    if (!pictures || key !== this.key) return;
    draw(pictures);
    this.pictures = pictures;
    const { mu, dims } = found.set;
    this.away = STRENGTHS.map((_, k) => nearestCode(rowAt(zs, k, dims), mu).distance);
    film.tell(STRENGTHS.map((strength, k) => ({ ...this.cell(k), small: `${fixed(strength, 1)} ×` })));
    this.page.refresh();
  }

  cell(k) {
    if (this.state.mode === "attribute") return { text: fixed(this.measured(k)[this.state.attribute], 1) };
    const ratio = this.away[k] / this.radius;
    return { text: ratioText(ratio), strong: isFar(ratio) };
  }

  get radius() {
    return radiusOf(this.found);
  }

  measured(k) {
    return measure(imageAt(this.pictures, k));
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
    this.page.ask();
  }

  /** Under the finger: decoded here, in the next frame, and told to nobody. */
  move(strength) {
    this.look(strength);
    this.trying = along(this.plan, strength);
    this.place.hover(this.trying);
  }

  /** The page has decoded z. */
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
    this.place.point(along(this.plan, strength));
    this.page.change({ strength: Math.round(100 * strength) / 100 });
  }

  /** Something was chosen: z goes with it. */
  change(partial) {
    this.page.change(partial);
    if (this.plan && !partial.mode) this.place.point(along(this.plan, this.strength));
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
    const { found, plan, state, strength, view } = this,
      to = (z) => at(view.plane.to(z)),
      slot = (name) => to(codeOf(name, found.set)),
      { background, primary, text } = colours;
    if (!plan) return badges(ctx, this.classMarks(slot), colours);
    const [start, end] = [to(plan.start), to(along(plan, strength))],
      attribute = state.mode === "attribute";
    if (attribute) drawLine(ctx, to(along(plan, -REACH)), to(along(plan, REACH)), primary, background, 1);
    else drawArrow(ctx, slot(state.a), slot(state.b), text, background, 1.5);
    drawArrow(ctx, start, end, primary, background);
    const marks = attribute ? [{ place: start, text: "z" }] : marksOf(["a", "b", "c"], (name) => slot(state[name]));
    badges(ctx, marks, colours);
  }

  classMarks(placeOf) {
    const { set } = this.found;
    const brief = (name) => (name.length > 2 ? "" : name); // the map has the long ones
    return labelsOf(set).map((label) => ({ place: placeOf(label), text: brief(set.classNames[label]) }));
  }

  /** Made when they are asked for. */
  files() {
    const { found, plan, pictures, state, page } = this;
    if (state.mode === "means") return meansFiles(found, page.colours);
    if (!plan || !pictures) return null;
    const cells = STRENGTHS.map((_, k) => this.cell(k).text);
    const rows = () =>
      STRENGTHS.map((strength, k) => ({
        strength,
        z: along(plan, strength),
        ...this.measured(k),
        distance_to_nearest_code: this.away[k],
        near_radius: this.radius,
      }));
    return planFiles(found, state, plan, { pictures, cells, rows }, page.colours);
  }
}

const marksOf = (names, placeOf) => names.map((text) => ({ place: placeOf(text), text }));
