// One image on its way through a VAE: drag the cloud and x̂ follows, draw a digit and it goes through, press play and the
// network learns in the same picture. Mounted by view.py.

import { choices, everyFrame, onResize, press, quietPartsOf } from "../lib/dom.js";
import { explained } from "../lib/glossary.js";
import { drawImage, greys, imageAt } from "../lib/images.js";
import { Film, Scrubber } from "../lib/film.js";
import { fixed } from "../lib/numbers.js";
import { LatentMap } from "../lib/map.js";
import { Teller } from "../lib/spoken.js";
import { Shared } from "../lib/state.js";
import { coloursOf, followTheme } from "../lib/theme.js";
import { Drawing } from "../explore/encode/drawing.js";
import { pictureOf, textOf } from "../explore/encode/math.js";
import { Pointer } from "../explore/pointer.js";
import { another, imageName, imageOf, nameOf, nextOf } from "../explore/shared/classes.js";
import { fetchModel } from "../explore/shared/found.js";
import { drawPlane } from "./cloud.js";
import { handlersOf } from "./hand.js";
import { HTML } from "./html.js";
import { cleanPassage, nearestCell, passage } from "./math.js";
import { Terms, passageText } from "./terms.js";

const FIRST = 7; // the digit that is shown first
const REST_MS = 300; // after which a state counts as settled, for the link

export default class Passage {
  /** @type {any} the model with the test images, once it is here */
  found = null;
  /** @type {any} the frame of the film's step that is shown, null for the trained model */
  frame = null;
  /** @type {any} the last frame: what is shown before the model is here */
  last = null;
  /** @type {any} where the pointer tries a place out */
  tried = null;
  /** @type {number | null} the map's image that was on the paper last, null before there was one */
  shown = null;

  constructor(root) {
    this.root = root;
    root.innerHTML = explained(root, HTML);
    const part = (this.part = quietPartsOf(root));
    this.state = cleanPassage({});
    this.teller = new Teller(root);
    this.digit = FIRST;
    this.ask = everyFrame(() => this.draw());
    this.map = new LatentMap(part.map, part.note);
    this.pointer = new Pointer(part.over, this.map, () => [], handlersOf(this));
    this.drawing = new Drawing(part.paper, { moving: () => this.moving(), done: (picture) => this.drawn(picture) });
    this.shared = new Shared(cleanPassage, (state) => this.take(state));
    this.observer = onResize(part.over, () => this.ask());
    choices(root, "digit", (digit) => this.choose(Number(digit)));
    part.another.onclick = () =>
      this.found && this.change({ ...this.testImage(another(this.image, this.found.set.labels)) });
    part.undo.onclick = () => this.drawing.undo();
    part.clear.onclick = () => this.drawing.clear();
    part.anew.onclick = () => this.change({ seed: (this.state.seed + 1) % 2 ** 32 });
    part.back.onclick = () => this.change({ mu: null });
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    const { name, film, ten } = component.data;
    this.ten = ten;
    if (followTheme(this.root)) this.restyle();
    if (name !== this.name) this.open(name, film);
    this.shared.update(component);
  }

  /** The last frame comes at once; the model, thirty times as large, when it can. */
  async open(name, film) {
    const { part } = this;
    this.name = name;
    this.film = new Film(name);
    this.film.steps = film.map(([step]) => step);
    this.terms = new Terms(part, film);
    this.terms.restyle(this.colours);
    this.scrubber?.destroy();
    this.scrubber = new Scrubber(
      part,
      this.film,
      (step) => this.go(step),
      () => this.report(),
    );
    this.rest(this.state.at);
    this.last = await this.film.get(this.film.steps.at(-1));
    this.ask();
    try {
      this.found = await fetchModel(name, undefined, undefined, (come, whole) => {
        part.bar.hidden = come === whole;
        part.bar.value = come / whole;
      });
      this.root.dataset.ready = name;
      this.renew();
    } catch (error) {
      part.bar.hidden = true;
      part.message.hidden = false;
      part.message.textContent = error.message;
    }
  }

  // ---- the state

  take(state) {
    this.state = state;
    if (this.scrubber) this.rest(state.at);
    this.renew();
  }

  /** To a moment of the film that Python knows already: nothing is reported. */
  rest(at) {
    this.scrubber.pause();
    this.scrubber.at = at;
    this.scrubber.refresh();
    this.go(at);
  }

  change(partial) {
    Object.assign(this.state, partial);
    if (this.state.at !== null) this.scrubber.go(null); // what only the trained model does brings it back
    this.renew();
    this.report();
  }

  report() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.shared.report(this.state), REST_MS);
  }

  testImage(image) {
    return { number: this.found.set.numbers[image], picture: null, blank: false, mu: null };
  }

  /** Which of the map's images is shown, or was before something was drawn; the first of its digit where none was. */
  get image() {
    const { labels, numbers } = this.found.set,
      { number, picture, blank } = this.state;
    if (picture || blank) return this.shown ?? nextOf(this.digit, 0, labels);
    return (this.shown = number === null ? nextOf(this.digit, 0, labels) : imageOf(number, numbers));
  }

  choose(digit) {
    const same = this.digit === digit && !this.state.picture && !this.state.blank;
    this.digit = digit;
    if (!this.found || this.frame) return this.renew(); // one of the film's ten
    const { labels } = this.found.set;
    this.change(this.testImage(same ? another(this.image, labels) : nextOf(digit, 0, labels)));
  }

  /** A test image, a drawing, or nothing yet: on the paper, and what it is called. */
  renew() {
    const { found, state, part, ten, drawing } = this,
      drawn = state.picture || state.blank;
    if (found && !drawn && !this.frame) this.digit = found.set.labels[this.image];
    const text = drawn ? state.picture : found && textOf(imageAt(found.set.images, this.image));
    if (!this.frame && (found || drawn) && text !== drawing.text && !drawing.busy) drawing.take(text);
    const own = () => (found ? imageName(this.image, found.set) : "");
    const mine = state.blank ? "draw a digit here" : (this.filmed() ?? "your drawing");
    part.source.textContent = this.frame ? nameOf(ten[this.digit], String(this.digit)) : drawn ? mine : own();
    this.ask();
  }

  /** The name of what is on the paper if it is one of the film's ten: an undo of what was drawn over it. */
  filmed() {
    const { last, ten, state } = this;
    const digit = last && ten.findIndex((_, i) => textOf(imageAt(last.originals.data, i)) === state.picture);
    return last && digit >= 0 ? nameOf(ten[digit], String(digit)) : null;
  }

  // ---- what a hand does

  moving() {
    clearTimeout(this.resting);
    if (this.state.at !== null) this.scrubber.go(null);
    this.ask();
  }

  /** picture: null where nothing is left; an undo may bring the test image back that was on the paper. */
  drawn(picture) {
    const { found, shown } = this;
    const back = found && picture && shown !== null && picture === textOf(imageAt(found.set.images, shown));
    if (back) this.change(this.testImage(shown));
    else this.change({ picture, number: null, blank: !picture, mu: null });
  }

  /** The film's frame of a step; none for the trained model, whose frame is the last one. */
  async go(step) {
    const at = step === this.film.steps.at(-1) ? null : step;
    this.state.at = at;
    const frame = at === null ? null : await this.film.get(at);
    if (this.state.at !== at) return; // of two that are on their way the later counts
    this.frame = frame;
    this.renew();
  }

  // ---- drawing

  restyle() {
    this.colours = coloursOf(this.root);
    this.map.restyle(this.colours);
    this.terms?.restyle(this.colours);
    this.ask();
  }

  draw() {
    if (document.hidden || !this.colours) return;
    const { part, frame, found, state } = this;
    if (frame) this.drawFrame(frame, state.at);
    else if (found) this.drawLive();
    else if (this.last) this.drawFrame(this.last, this.film.steps.at(-1));
    press(this.root, "digit", (state.picture || state.blank) && !frame ? null : this.digit);
    part.back.hidden = !state.mu || Boolean(frame);
    part.undo.hidden = !this.drawing.before.length || Boolean(frame);
    part.anew.disabled = part.another.disabled = !found;
    if (state.at === null) part.moment.textContent = "trained";
    part.toLive.disabled = state.at === null; // the film's last moment is the trained model, however it was reached
    if (frame || found || this.last) this.teller.say(() => passageText(part));
  }

  /** A moment of the film: the codes of that step, one of its ten images and what came of it, or the nearest decoded cell. */
  drawFrame(frame, step) {
    const { part, digit, tried } = this;
    const node = tried && nearestCell(tried, frame.grid.shape[0]);
    drawImageOnPaper(this.drawing, imageAt(frame.originals.data, digit));
    const { cell } = node ?? {};
    const seen = node ? imageAt(frame.grid.data, cell) : imageAt(frame.reconstructions.data, digit);
    drawImage(part.xHat, seen);
    const row = (tensor) => tensor?.data.subarray(2 * digit, 2 * digit + 2) ?? null;
    this.place({ mu: row(frame.ten_mu), logVar: row(frame.ten_log_var), z: node?.z ?? null, frame });
    part.z.value = node ? pair(node.z) : "a sample";
    part.from.textContent = node ? "decoded at the nearest kept z" : "decoded from z";
    this.terms.show(null, step);
  }

  drawLive() {
    const { part, found, state, tried, drawing } = this;
    if (state.blank && !drawing.busy) return this.drawBlank();
    const grey = drawing.busy ? drawing.picture() : (pictureOf(state.picture) ?? imageAt(found.set.images, this.image));
    const mu = tried ?? (drawing.busy ? null : state.mu);
    const code = (this.code = passage(found, grey ?? new Uint8Array(784), { seed: state.seed, mu }));
    drawImage(part.xHat, greys(code.picture));
    this.place({ ...code, frame: this.last });
    part.z.value = pair(code.z);
    part.from.textContent = "decoded from z";
    this.terms.show(code, null);
    if (mu) part.whose.textContent = "q moved by hand: its −ELBO is a bound all the same, a looser one.";
  }

  /** The paper was cleared: nothing goes through yet. */
  drawBlank() {
    const { part } = this;
    drawImage(part.xHat, new Uint8Array(784));
    this.place({ mu: null, logVar: null, z: null, frame: this.last });
    part.z.value = "…";
    this.terms.show(null, null);
  }

  place({ mu, logVar, z, frame }) {
    const { part, map } = this;
    if (map.snapshot !== frame) map.show(frame, ["z₁", "z₂"]);
    const out = drawPlane(part.over, map, this.colours, { mu, logVar, z });
    part.place.textContent = out ? "outside the frame" : "";
  }

  destroy() {
    this.ask.cancel();
    clearTimeout(this.resting);
    this.scrubber?.destroy();
    this.map.destroy();
    this.teller.destroy();
    this.observer.disconnect();
    this.found?.rest();
  }
}

const pair = (z) => `(${Array.from(z, (v) => fixed(v)).join(", ")})`;

/** The film's image in place of what is drawn, which stays as it is. */
function drawImageOnPaper(drawing, grey) {
  if (!drawing.busy && drawing.text !== textOf(grey)) drawing.take(textOf(grey));
}
