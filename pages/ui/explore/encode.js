// An image becomes a cloud of codes: mu, the ellipse of its std, and 16 samples with their pictures. The image is one of
// the test images, or drawn here, or a picture of the visitor's own; a drawing is encoded in every frame.

import { everyFrame, partsOf } from "../lesson/view.js";
import { Drawing } from "./drawing.js";
import { drawCloud } from "./encode_draw.js";
import { HTML } from "./encode_html.js";
import { clean, klDims, noise, pictureOf, SAMPLES, samplesOf, stdOf, taken } from "./encode_math.js";
import { encodeFiles } from "./encode_print.js";
import { Seen } from "./encode_seen.js";
import { article, windowWords } from "./encode_words.js";
import { Zoom } from "./encode_zoom.js";
import { another, nextOf } from "./path_stops.js";

export { clean };

const CLOSE = 8; // CSS pixels: a pointer so close to a sample's dot means it
const OWN = "your picture, centred and scaled as MNIST";

export class EncodeWay {
  constructor(app, root) {
    root.classList.add("encode");
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, code: null, key: null, dots: [] });
    const over = (i) => app.hover(i === null ? null : this.z(i)),
      choose = (i) => app.point(this.z(i));
    this.seen = new Seen(app, part, { over, leave: () => over(null), choose });
    this.zoom = new Zoom(part.zoom, { over, choose });
    this.follow = everyFrame(() => this.drawing.busy && this.live());
    this.drawing = new Drawing(part.paper, {
      moving: () => this.moving(),
      done: (picture) => this.change({ of: "picture", picture }),
    });
    this.wire();
  }

  wire() {
    const { app, part, root, drawing } = this;
    for (const button of root.querySelectorAll("[data-digit]"))
      button.onclick = () => this.choose(Number(button.dataset.digit));
    part.another.onclick = () => this.change({ of: "test", image: another(this.state.image, app.set.labels) });
    part.mine.onclick = () => this.change({ of: "picture" });
    part.undo.onclick = () => drawing.undo();
    part.clear.onclick = () => drawing.clear();
    part.anew.onclick = () => this.change({ seed: (this.state.seed + 1) % 2 ** 32 });
    part.lookMu.onclick = () => this.look("mu");
    part.lookSample.onclick = () => this.look("sample");
    this.overDot = (event) => this.hoverDot(event);
    app.part.over.addEventListener("pointermove", this.overDot);
  }

  get state() {
    return this.app.state.encode;
  }

  change(partial) {
    this.app.change("encode", partial);
  }

  // ---- which image

  /** A test image of a class; the next one where one of that class is shown already. */
  choose(digit) {
    const { labels } = this.app.set,
      { of, image } = this.state;
    const same = of === "test" && labels[image] === digit;
    this.change({ of: "test", image: same ? another(image, labels) : nextOf(digit, 0, labels) });
  }

  /** The next report waits for the end of the stroke: nothing is sent while something is drawn. */
  moving() {
    clearTimeout(this.app.resting);
    this.follow();
  }

  /** Show mu or the first sample big. */
  look(shown) {
    this.change({ shown });
    this.app.point(this.shownZ);
  }

  get shownZ() {
    return this.state.shown === "sample" && this.code.zs ? this.z(0) : this.code.mu;
  }

  // ---- what is shown

  load() {
    const { data, set } = this.app;
    this.linked = this.linked === undefined && data.way === "encode" && data.state?.pad?.z?.length === set.dims;
    Object.assign(this, { key: null, code: null });
    this.seen.load();
  }

  show(state) {
    const { drawing } = this;
    if (drawing.busy) return; // what is being drawn comes first
    if (state.picture !== drawing.text) drawing.take(state.picture);
    this.tellState(state);
    const key = JSON.stringify(state.of === "test" ? state.image : state.picture);
    const [isNew, newEps, other] = [key !== this.key, state.seed !== this.seed, state.shown !== this.shown];
    Object.assign(this, { key, seed: state.seed, shown: state.shown });
    if (isNew || newEps) this.encode(this.greys(state), state.of === "test" ? state.image : -1);
    const follows = isNew || other || (newEps && state.shown === "sample");
    if (follows && this.code && !this.linked) this.app.point(this.shownZ, false);
    this.linked = false; // the big picture follows the image; only where a link has put it, it stays
  }

  greys({ of, image, picture }) {
    return of === "test" ? this.app.image(image) : pictureOf(picture);
  }

  tellState({ of, image, picture, shown }) {
    const { part, app, root, drawing } = this,
      digit = app.set.labels[image],
      pressed = (button, is) => button.setAttribute("aria-pressed", String(is));
    for (const button of root.querySelectorAll("[data-digit]"))
      pressed(button, of === "test" && Number(button.dataset.digit) === digit);
    pressed(part.mine, of === "picture");
    pressed(part.lookMu, shown === "mu");
    pressed(part.lookSample, shown === "sample");
    part.mine.disabled = part.clear.disabled = !picture;
    part.hint.hidden = Boolean(picture);
    part.undo.disabled = !drawing.before.length;
    part.source.textContent = of === "test" ? `test image ${image}, ${article(digit)} ${digit}` : OWN;
  }

  /** While a stroke is drawn. */
  live() {
    this.part.hint.hidden = true;
    this.part.source.textContent = OWN;
    this.encode(this.drawing.picture(), -1, true);
    this.app.hover(this.shownZ);
  }

  /** grey: 784 levels, or null where nothing is drawn; own: index of the test image, or -1. */
  encode(grey, own, live = false) {
    const { app } = this;
    this.code = grey && this.codeOf(taken(grey, app.about.protocol), this.state.seed);
    this.seen.show(this.code, own, live);
    if (!this.code) app.hover(null);
    app.ask();
  }

  codeOf(x, seed) {
    const { mu, logVar } = this.app.model.encode(x);
    if (!logVar) return { x, mu, logVar, std: null, kl: null, zs: null, seed };
    const std = stdOf(logVar);
    return { x, mu, logVar, std, kl: klDims(mu, logVar), zs: samplesOf(mu, std, noise(seed, mu.length)), seed };
  }

  z(i) {
    return this.code.zs.slice(i * this.code.mu.length, (i + 1) * this.code.mu.length);
  }

  /** Called for every z that is shown big. */
  moved(z) {
    this.seen.moved(z);
  }

  // ---- the map

  draw(ctx, at, scale, colours) {
    const { app, code } = this,
      { plane } = app.view;
    this.dots = code?.zs ? Array.from({ length: SAMPLES }, (_, i) => plane.to(this.z(i))) : [];
    if (!code) return;
    const cloud = { mu: plane.to(code.mu), ellipse: code.logVar && plane.ellipse(code.logVar), dots: this.dots };
    drawCloud(ctx, at, scale, colours, cloud);
    if (cloud.ellipse) this.enlarge(cloud, plane);
  }

  enlarge(cloud, plane) {
    const { app, zoom, part } = this;
    if (this.measured !== plane) zoom.measure(app);
    this.measured = plane; // of this model
    part.window.textContent = windowWords(zoom.reach, app.map.reach());
    zoom.draw(app, cloud);
  }

  restyle() {}

  /** The sample whose dot is nearest to a place of the map, and how far in CSS pixels: -1 for none so close. */
  dotAt([x, y]) {
    const far = this.dots.map(([a, b]) => Math.hypot(a - x, b - y) * this.pixels),
      least = Math.min(CLOSE, ...far);
    return { i: far.indexOf(least), least };
  }

  /** CSS pixels a prior unit. */
  get pixels() {
    return this.app.part.over.clientWidth / (2 * this.app.map.reach());
  }

  hoverDot(event) {
    if (this.root.hidden || event.buttons || event.pointerType !== "mouse" || !this.app.model) return;
    const { i } = this.dotAt(this.app.pointer.place(event));
    if (i >= 0) this.app.hover(this.z(i));
  }

  /** A sample's dot, or the code of a test image: whichever is nearer. */
  press(xy, code) {
    const { app } = this,
      { i, least } = this.dotAt(xy);
    const [x, y] = code >= 0 ? app.view.plane.to(app.code(code)) : [Infinity, Infinity];
    if (i >= 0 && least <= Math.hypot(x - xy[0], y - xy[1]) * this.pixels) app.point(this.z(i));
    else if (code >= 0) this.change({ of: "test", image: code });
    else return false;
    return true;
  }

  // ---- files

  files() {
    const {
      app,
      code,
      seen,
      state: { of, image, seed },
    } = this;
    const title =
      of === "test"
        ? `test image ${image}, ${article(app.set.labels[image])} ${app.set.labels[image]}`
        : "a picture of one's own";
    return code ? encodeFiles(app, code, seen.pictures, { title, seed }) : { png: null, gif: null, csv: null };
  }

  destroy() {
    this.follow.cancel();
    this.app.part.over.removeEventListener("pointermove", this.overDot);
  }
}
