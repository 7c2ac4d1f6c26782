// An image becomes a cloud of codes: mu, the ellipse of its std, and 16 samples with their pictures. The image is one of
// the test images, or drawn here, or a picture of the visitor's own; a drawing is encoded in every frame.

import { everyFrame, partsOf } from "../lesson/view.js";
import { drawImages } from "../live/pictures.js";
import { greys } from "../net/model.js";
import { Drawing } from "./drawing.js";
import { drawCloud } from "./encode_draw.js";
import { HTML } from "./encode_html.js";
import { classesOf, clean, klDims, nearestCodes, nll, noise, pictureOf, SAMPLES, samplesOf, stdOf, taken, total, usualDistances } from "./encode_math.js";
import { Zoom } from "./encode_zoom.js";
import { encodePicture, encodeTable } from "./encode_print.js";
import { article, latentName, likelihoodWords, lonelyWords, nats, neighbourWords, vectorWords } from "./encode_words.js";
import { Latest } from "./latest.js";
import { fixed } from "./numbers.js";
import { another, nextOf } from "./path_stops.js";
import { Sheet } from "./sheet.js";

export { clean };

const COLUMNS = 8;
const CLOSE = 8; // CSS pixels: a pointer so close to a sample's dot means it
const SAME = 6e-4; // z in a link is rounded to thousandths

export class EncodeWay {
  constructor(app, root) {
    root.classList.add("encode");
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, code: null, key: null, fresh: true, samples: null, decoder: new Latest(app, "encode") });
    this.follow = everyFrame(() => this.drawing.busy && this.live());
    this.drawing = new Drawing(part.paper, { moving: () => this.moving(), done: (picture) => this.change({ of: "picture", picture }) });
    this.sheet = new Sheet(part.sheet, "pictures from 16 samples", { over: (i) => app.hover(this.z(i)), leave: () => app.hover(null), choose: (i) => app.point(this.z(i)) });
    this.sheet.resize(COLUMNS, SAMPLES);
    this.zoom = new Zoom(part.zoom, { over: (i) => app.hover(i === null ? null : this.z(i)), choose: (i) => app.point(this.z(i)) });
    this.wire();
  }

  wire() {
    const { app, part, root, drawing } = this;
    for (const button of root.querySelectorAll("[data-digit]")) button.onclick = () => this.choose(Number(button.dataset.digit));
    part.another.onclick = () => this.change({ of: "test", image: another(this.state.image, app.set.labels) });
    part.mine.onclick = () => this.change({ of: "picture" });
    part.undo.onclick = () => drawing.undo();
    part.clear.onclick = () => drawing.clear();
    part.anew.onclick = () => this.change({ seed: (this.state.seed + 1) % 2 ** 32 });
    part.lookMu.onclick = () => this.look("mu");
    part.lookSample.onclick = () => this.look("sample");
    part.details.ontoggle = () => this.tellAll();
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
    const { labels } = this.app.set, { of, image } = this.state;
    const same = of === "test" && labels[image] === digit;
    this.change({ of: "test", image: same ? another(image, labels) : nextOf(digit, 0, labels) });
  }

  /** The next report waits for the end of the stroke: nothing is sent while something is drawn. */
  moving() {
    clearTimeout(this.app.resting);
    this.follow();
  }

  look(shown) {
    this.change({ shown });
    this.app.point(this.shownZ);
  }

  get shownZ() {
    return this.state.shown === "sample" && this.code.zs ? this.z(0) : this.code.mu;
  }

  // ---- what is shown

  load() {
    Object.assign(this, { key: null, fresh: true, code: null, samples: null, usual: null });
    this.part.likelihood.textContent = likelihoodWords(this.app.about);
  }

  show(state) {
    const { drawing, part, app } = this;
    if (drawing.busy) return; // what is being drawn comes first
    if (state.picture !== drawing.text) drawing.take(state.picture);
    this.tellSource(state);
    const image = state.of === "test" ? state.image : state.picture, key = JSON.stringify([state.of, image]);
    const [isNew, newEps, other] = [key !== this.key, state.seed !== this.seed, state.shown !== this.shown];
    if (isNew || newEps) this.encode(this.greys(state));
    const moves = isNew || other || (newEps && state.shown === "sample");
    Object.assign(this, { key, seed: state.seed, shown: state.shown });
    part.lookMu.setAttribute("aria-pressed", String(state.shown === "mu"));
    part.lookSample.setAttribute("aria-pressed", String(state.shown === "sample"));
    if (moves && this.code && (!this.fresh || app.state.pad.z.every((v) => v === 0))) app.point(this.shownZ, false);
    this.fresh = false; // a link's own point stays where it is
  }

  greys({ of, image, picture }) {
    return of === "test" ? this.app.image(image) : pictureOf(picture);
  }

  tellSource({ of, image, picture }) {
    const { part, app, root, drawing } = this, digit = app.set.labels[image];
    for (const button of root.querySelectorAll("[data-digit]")) button.setAttribute("aria-pressed", String(of === "test" && Number(button.dataset.digit) === digit));
    part.mine.setAttribute("aria-pressed", String(of === "picture"));
    part.mine.disabled = !picture;
    part.undo.disabled = !drawing.before.length;
    part.clear.disabled = !picture;
    part.source.textContent = of === "test" ? `test image ${image}, ${article(digit)} ${digit}` : "your picture, centred and scaled as MNIST";
  }

  /** While a stroke is drawn. */
  live() {
    this.encode(this.drawing.picture());
    this.part.source.textContent = "your picture, centred and scaled as MNIST";
    this.app.hover(this.shownZ);
  }

  /** Grey levels of an image, or null where nothing is drawn. */
  encode(grey) {
    const { app, part, state } = this;
    part.empty.hidden = Boolean(grey);
    for (const name of ["three", "said"]) part[name].hidden = !grey;
    part.cloud.hidden = !(grey && app.model.stochastic);
    for (const name of ["sampleBox", "terms", "std"]) part[name].hidden = !app.model.stochastic;
    part.plain.hidden = app.model.stochastic;
    this.code = grey && this.codeOf(taken(grey, app.about.protocol), state.seed);
    if (this.code) this.tell();
    else app.hover(null);
    app.ask();
  }

  codeOf(x, seed) {
    const { mu, logVar } = this.app.model.encode(x);
    if (!logVar) return { x, mu, logVar, std: null, kl: null, zs: null };
    const std = stdOf(logVar);
    return { x, mu, logVar, std, kl: klDims(mu, logVar), zs: samplesOf(mu, std, noise(seed, mu.length)) };
  }

  z(i) {
    return this.code.zs.slice(i * this.code.mu.length, (i + 1) * this.code.mu.length);
  }

  tell() {
    const { app, part, code } = this, { x, mu, std, zs } = code;
    this.picture(part.x, x);
    const fromMu = app.model.decode(mu);
    this.picture(part.fromMu, fromMu);
    code.nllMu = nll(x, fromMu, app.about);
    part.nllMu.textContent = nllText(code.nllMu);
    part.mu.value = vectorWords("mu", mu);
    if (zs) this.tellSamples();
    else this.sheet.mark(null);
    part.std.value = std ? vectorWords("std", std) : "";
    this.tellNeighbours();
    this.tellAll();
  }

  tellSamples() {
    const { app, part, code } = this, { x, kl, zs, mu } = code, fromSample = app.model.decode(this.z(0)), { seed } = this.state;
    this.picture(part.fromSample, fromSample);
    code.nllSample = nll(x, fromSample, app.about);
    part.nllSample.textContent = nllText(code.nllSample);
    part.kl.textContent = `KL ${nats(total(kl))}`;
    part.sum.replaceChildren(...(code.nllSample === null ? [] : elboWords(code.nllSample, total(kl))));
    part.seed.value = seed;
    part.how.textContent = `z = mu + std · eps, eps = torch.randn(${SAMPLES}, ${mu.length}, generator=torch.Generator().manual_seed(${seed})): the same eps for every image. The first of them stands above. Point at a picture or its dot to see it big, press to go there.`;
    this.decoder.ask(zs, (pictures, from, to) => {
      this.sheet.draw(pictures, from, to);
      this.samples = pictures;
    });
    this.moved(app.z);
  }

  picture(canvas, values) {
    drawImages(canvas, { shape: [1, 28, 28], data: greys(values) }, 1);
  }

  tellNeighbours() {
    const { app: { set }, part, code: { mu }, state } = this;
    const own = state.of === "test" && !this.drawing.busy ? state.image : -1;
    const near = nearestCodes(mu, set.mu, undefined, own), at = near[0] * set.dims;
    this.usual ??= usualDistances(set.mu, set.dims);
    const words = lonelyWords(Math.hypot(...mu.map((v, d) => v - set.mu[at + d])), this.usual);
    part.classes.textContent = neighbourWords(classesOf(near, set.labels));
    part.lonely.textContent = words;
    part.lonely.hidden = !words;
  }

  /** The table of all latents, while it is open. */
  tellAll() {
    const { part, code } = this;
    if (!code) return;
    const { mu, std, kl } = code;
    part.all.textContent = `${std ? "mu, std and KL" : "mu"} of ${mu.length === 1 ? "the latent" : `all ${mu.length} latents`}`;
    if (!part.details.open) return;
    const head = ["latent", "mu", ...(std ? ["std", "KL (nats)"] : [])];
    part.head.replaceChildren(rowOf("th", head));
    part.rows.replaceChildren(...Array.from(mu, (m, d) => rowOf("td", [latentName(d), fixed(m, 3), ...(std ? [fixed(std[d], 3), fixed(kl[d], 3)] : [])])));
  }

  /** Called for every z that is shown big: mark the sample that it is. */
  moved(z) {
    if (!this.code?.zs) return;
    const { zs, mu: { length } } = this.code;
    let found = null;
    for (let i = 0; i < SAMPLES && found === null; i++) if (z.every((v, d) => Math.abs(v - zs[i * length + d]) < SAME)) found = i;
    this.sheet.mark(found);
  }

  // ---- the map

  draw(ctx, at, scale, colours) {
    this.dots = null;
    if (!this.code) return;
    const { plane } = this.app.view, { mu, logVar, zs } = this.code;
    this.dots = zs && Array.from({ length: SAMPLES }, (_, i) => plane.to(this.z(i)));
    const cloud = { mu: plane.to(mu), ellipse: logVar && plane.ellipse(logVar), dots: this.dots ?? [] };
    drawCloud(ctx, at, scale, colours, cloud);
    if (logVar) this.drawZoom(cloud);
  }

  drawZoom(cloud) {
    const { app, zoom, part } = this;
    if (this.measured !== app.view.plane) {
      this.measured = app.view.plane;
      zoom.measure(app);
      const side = 2 * zoom.reach, times = app.map.reach() / zoom.reach;
      part.window.textContent = `Around mu, ${Number(times.toPrecision(2))} times the map: ${Number(side.toPrecision(2))} prior σ wide. Ellipses of 1 and 2 std, 16 samples, codes by class.`;
    }
    zoom.draw(app, cloud);
  }

  restyle() {}

  /** The sample whose dot is nearest to a place of the map: [its number, how far in CSS pixels]. */
  dotAt([x, y]) {
    const scale = this.app.part.over.clientWidth / (2 * this.app.map.reach());
    const far = (this.dots ?? []).map(([a, b]) => Math.hypot(a - x, b - y) * scale), least = Math.min(CLOSE, ...far);
    return [far.indexOf(least), least];
  }

  hoverDot(event) {
    if (this.root.hidden || event.buttons || event.pointerType !== "mouse" || !this.app.model) return;
    const [i] = this.dotAt(this.app.pointer.place(event));
    if (i >= 0) this.app.hover(this.z(i));
  }

  /** A sample's dot, or the code of a test image: whichever is nearer. */
  press(xy, code) {
    const { app } = this, [i, far] = this.dotAt(xy);
    const [x, y] = code >= 0 ? app.view.plane.to(app.code(code)) : [Infinity, Infinity];
    const toCode = (Math.hypot(x - xy[0], y - xy[1]) * app.part.over.clientWidth) / (2 * app.map.reach());
    if (i >= 0 && far <= toCode) app.point(this.z(i));
    else if (code >= 0) this.change({ of: "test", image: code });
    else return false;
    return true;
  }

  // ---- files

  files() {
    if (!this.code) return { png: null, gif: null, csv: null };
    const pictures = this.code.zs && this.samples;
    const frames = () => Array.from({ length: SAMPLES }, (_, i) => new Uint8ClampedArray(pictures.subarray(784 * i, 784 * (i + 1))));
    return { png: () => this.png(pictures), gif: pictures ? () => ({ width: 28, height: 28, frames: frames(), delayMs: 250 }) : null, csv: () => this.csv() };
  }

  get title() {
    return this.state.of === "test" ? `test image ${this.state.image}` : "a picture of one's own";
  }

  png(samples) {
    const { app, code, state, title } = this, { model, name } = app.about;
    const part = (values, ...lines) => ({ grey: greys(values), lines: lines.filter(Boolean) });
    const parts = [part(code.x, "x"), part(app.model.decode(code.mu), "from mu", nllText(code.nllMu))];
    if (code.zs) parts.push(part(app.model.decode(this.z(0)), "from a sample", nllText(code.nllSample), `KL ${nats(total(code.kl))}`));
    const note = `from samples, eps of seed ${state.seed}`;
    return encodePicture({ title: `${name}${model === "ae" ? ", plain autoencoder" : ""}: ${title}`, parts, samples, note, colours: app.colours });
  }

  csv() {
    return encodeTable(this.code, { image: this.title, seed: this.state.seed, model: this.app.about.name });
  }

  destroy() {
    this.follow.cancel();
    this.app.part.over.removeEventListener("pointermove", this.overDot);
  }
}

const nllText = (value) => (value === null ? "" : `nll ${nats(value)}`);

/** "+ nll 77.1 = −ELBO 83.4 nats", in the colours of the terms. */
function elboWords(one, kl) {
  const piece = (className, text) => Object.assign(document.createElement("b"), { className, textContent: text });
  return ["+ ", piece("reconstruction", nllText(one)), " (that sample) = ", piece("total", `−ELBO ${nats(one + kl)}`)];
}

function rowOf(tag, texts) {
  const row = document.createElement("tr");
  row.append(...texts.map((textContent) => Object.assign(document.createElement(tag), { textContent })));
  return row;
}
