// An image becomes a cloud of codes: mu, the ellipse of its std, and 16 samples with their pictures. The image is one of
// the test images, or drawn here, or a picture of the visitor's own; a drawing is encoded in every frame.

import { choices, everyFrame, press } from "../../lib/dom.js";
import { chipsOf } from "../shared/chips.js";
import { another, classOf, imageName, nameOf, nextOf } from "../shared/classes.js";
import { rowAt } from "../shared/found.js";
import { SAMPLES, klDims, noise, samplesOf, stdOf } from "../shared/posterior.js";
import { taken } from "../shared/taken.js";
import { Way } from "../shared/way.js";
import { drawCloud } from "./cloud.js";
import { Drawing } from "./drawing.js";
import { HTML } from "./html.js";
import { pictureOf } from "./math.js";
import { encodeFiles } from "./save.js";
import { Seen } from "./seen.js";
import { windowWords } from "./words.js";
import { Zoom } from "./zoom.js";

const CLOSE = 8; // CSS pixels: a pointer so close to a sample's dot means it
const OWN = "your picture, centred and scaled as MNIST",
  PLAIN = "your picture, 28 × 28";

export class EncodeWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    root.classList.add("encode");
    const { part } = this;
    this.code = null;
    this.key = null;
    this.dots = [];
    const over = (i) => place.hover(i === null ? null : this.z(i)),
      choose = (i) => place.point(this.z(i));
    this.seen = new Seen(part, { over, leave: () => over(null), choose }, { ready: page.refresh, z: () => place.z });
    this.zoom = new Zoom(part.zoom, { over, choose });
    this.follow = everyFrame(() => this.drawing.busy && this.live());
    this.drawing = new Drawing(part.paper, {
      moving: () => this.moving(),
      done: (picture) => this.change({ of: "picture", picture, number: null }),
    });
    this.wire();
  }

  wire() {
    const { part, drawing } = this;
    part.another.onclick = () => this.change({ of: "test", image: another(this.state.image, this.found.set.labels) });
    part.mine.onclick = () => this.change({ of: "picture" });
    part.undo.onclick = () => drawing.undo();
    part.clear.onclick = () => drawing.clear();
    part.anew.onclick = () => this.change({ seed: (this.state.seed + 1) % 2 ** 32 });
    part.lookMu.onclick = () => this.look("mu");
    part.lookSample.onclick = () => this.look("sample");
  }

  change(partial) {
    this.page.change(partial);
  }

  // ---- which image

  /** A test image of a class; the next one where one of that class is shown already. */
  choose(digit) {
    const { labels } = this.found.set,
      { of, image } = this.state;
    const same = of === "test" && labels[image] === digit;
    this.change({ of: "test", image: same ? another(image, labels) : nextOf(digit, 0, labels) });
  }

  /** The next report waits for the end of the stroke: nothing is sent while something is drawn. */
  moving() {
    this.page.hold();
    this.follow();
  }

  /** Show mu or the first sample big. */
  look(shown) {
    this.change({ shown });
    this.place.point(this.shownZ);
  }

  get shownZ() {
    return this.state.shown === "sample" && this.code.zs ? this.z(0) : this.code.mu;
  }

  // ---- what is shown

  load(found, linked) {
    const { part, root, drawing } = this,
      { centred, classNames } = found.about;
    part.chips.replaceChildren(...chipsOf(classNames));
    choices(root, "digit", (label) => this.choose(Number(label)));
    part.hint.textContent = centred ? "Draw a digit here" : "Draw here";
    drawing.centred = centred;
    this.found = found;
    this.key = null;
    this.code = null;
    this.linked = this.linked === undefined && linked;
    this.seen.load(found);
  }

  show(state) {
    const { drawing } = this;
    this.state = state;
    if (drawing.busy) return; // what is being drawn comes first
    if (state.picture !== drawing.text) drawing.take(state.picture);
    this.tellState(state);
    const key = JSON.stringify(state.of === "test" ? state.image : state.picture);
    const [isNew, newEps, other] = [key !== this.key, state.seed !== this.seed, state.shown !== this.shown];
    this.key = key;
    this.seed = state.seed;
    this.shown = state.shown;
    if (isNew || newEps) this.encode(this.greys(state), state.of === "test" ? state.image : -1);
    const follows = isNew || other || (newEps && state.shown === "sample");
    if (follows && this.code && !this.linked) this.place.point(this.shownZ, false);
    this.linked = false; // the big picture follows the image; only where a link has put it, it stays
  }

  /** What the image is called; own: what a picture of the visitor's is. */
  title(own) {
    const { of, image, number, digit } = this.state;
    if (of === "test") return imageName(image, this.found.set);
    return number === null ? own : nameOf(number, classOf(digit, this.found.set));
  }

  get own() {
    return this.found.about.centred ? OWN : PLAIN;
  }

  greys({ of, image, picture }) {
    return of === "test" ? this.found.image(image) : pictureOf(picture);
  }

  tellState({ of, image, picture, shown }) {
    const { part, found, root, drawing } = this,
      digit = found.set.labels[image],
      pressed = (button, is) => button.setAttribute("aria-pressed", String(is));
    press(root, "digit", of === "test" ? digit : null);
    pressed(part.mine, of === "picture");
    pressed(part.lookMu, shown === "mu");
    pressed(part.lookSample, shown === "sample");
    part.mine.disabled = part.clear.disabled = !picture;
    part.hint.hidden = Boolean(picture);
    part.undo.disabled = !drawing.before.length;
    part.source.textContent = this.title(this.own);
  }

  /** While a stroke is drawn. */
  live() {
    this.part.hint.hidden = true;
    this.part.source.textContent = this.own;
    this.encode(this.drawing.picture(), -1, true);
    this.place.hover(this.shownZ);
    this.page.hold(); // a hand that keeps still has not let go
  }

  /** grey: 784 levels, or null where nothing is drawn; own: index of the test image, or -1. */
  encode(grey, own, live = false) {
    this.code = grey && this.codeOf(taken(grey, this.found.about.protocol), this.state.seed);
    this.seen.show(this.code, own, live);
    if (!this.code) this.place.hover(null);
    this.page.ask();
  }

  codeOf(x, seed) {
    const { mu, logVar } = this.found.model.encode(x);
    if (!logVar) return { x, mu, logVar, std: null, kl: null, zs: null, seed };
    const std = stdOf(logVar);
    return { x, mu, logVar, std, kl: klDims(mu, logVar), zs: samplesOf(mu, std, noise(seed, mu.length)), seed };
  }

  z(i) {
    const { zs, mu } = this.code;
    return rowAt(zs, i, mu.length).slice();
  }

  /** Called for every z that is shown big. */
  moved(z) {
    this.seen.moved(z);
  }

  // ---- the map

  draw(ctx, at, scale, colours) {
    const { code } = this,
      { plane } = this.view;
    this.dots = code?.zs ? Array.from({ length: SAMPLES }, (_, i) => plane.to(this.z(i))) : [];
    if (!code) return;
    const cloud = { mu: plane.to(code.mu), ellipse: code.logVar && plane.ellipse(code.logVar), dots: this.dots };
    drawCloud(ctx, at, scale, colours, cloud);
    if (cloud.ellipse) this.enlarge(cloud, plane);
  }

  enlarge(cloud, plane) {
    const { found, view, zoom, part, place } = this;
    if (this.measured !== plane) zoom.measure(found, plane);
    this.measured = plane; // of this model
    part.window.textContent = windowWords(zoom.reach, view.reach);
    zoom.draw(view, found.set.labels, place.z, cloud);
  }

  /** The sample whose dot is nearest to a place of the map, and how far in CSS pixels: -1 for none so close. */
  dotAt([x, y]) {
    const far = this.dots.map(([a, b]) => Math.hypot(a - x, b - y) * this.view.pixels),
      least = Math.min(CLOSE, ...far);
    return { i: far.indexOf(least), least };
  }

  /** The z of a sample whose dot is under the pointer, or null. */
  near(xy) {
    const { i } = this.dotAt(xy);
    return i < 0 ? null : this.z(i);
  }

  /** A sample's dot, or the code of a test image: whichever is nearer. */
  press(xy, code) {
    const { i, least } = this.dotAt(xy);
    const [x, y] = code >= 0 ? this.view.plane.to(this.found.code(code)) : [Infinity, Infinity];
    if (i >= 0 && least <= Math.hypot(x - xy[0], y - xy[1]) * this.view.pixels) this.place.point(this.z(i));
    else if (code >= 0) this.change({ of: "test", image: code });
    else return false;
    return true;
  }

  // ---- files

  files() {
    const {
      found,
      code,
      seen,
      page,
      state: { seed },
    } = this;
    const title = this.title("a picture of one's own");
    return code ? encodeFiles(found, code, seen.pictures, { title, seed, colours: page.colours }) : null;
  }

  destroy() {
    this.follow.cancel();
  }
}
