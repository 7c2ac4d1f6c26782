// The warp: the grid at prior quantiles moves from its places in z to those of its pictures in the space of images.

import { columnsOf, csv } from "../../lib/csv.js";
import { everyFrame, handOn, onResize } from "../../lib/dom.js";
import { line, ring, squareOf } from "../../lib/draw.js";
import { cellAfter } from "../../lib/images.js";
import { onKeys } from "../../lib/keys.js";
import { fixed } from "../../lib/numbers.js";
import { rowAt } from "../shared/found.js";
import { short } from "../shared/numbers.js";
import { paper } from "../shared/print.js";
import { Way } from "../shared/way.js";
import { quantiles, stretches } from "./math.js";
import { drawMesh, meshOf, placeAt, placeOfPoint } from "./mesh.js";
import { nodes, notes, priorOf, rowsOf, slice } from "./slice.js";
import { isStill } from "../../lib/motion.js";

const SIDE = 20; // nodes a side
const LASTS = 4000; // ms, the whole way
const NEAR = 24; // CSS pixels: a pointer so close to a node means it
const FRAMES = 24,
  SAVED = 440; // of the animation that is saved: frames a way, pixels a side
const GREY = { background: "#ffffff", text: "#000000", grid: "#d0d0d0", primary: "#808080" };

const HTML = `
<div class="beside">
  <canvas class="mesh" data-part="mesh" tabindex="0" role="application"></canvas>
  <div class="way">
    <div class="row"><label>z <input type="range" data-part="warp" min="0" max="1" step="0.01" aria-label="warp, from the plane of z to the space of images"> images</label> <button data-part="play">▶ Play</button></div>
    <label><input type="checkbox" data-part="heat"> colour by stretch</label>
    <div class="legend" data-part="legend" hidden><div class="row"><small>0</small><i class="ramp"></i><small data-part="most"></small></div><small>change of the picture per σ: RMS of full scale</small></div>
    <p data-part="progress"></p>
    <p data-part="figures" role="status"></p>
    <p data-part="note"></p>
  </div>
</div>`;

export class PriorWarp extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    const { part } = this;
    this.held = handOn(part.warp);
    this.mesh = null;
    const { change } = page;
    this.ask = everyFrame(() => this.drawNow());
    part.warp.oninput = () => (this.stop(), this.move(Number(part.warp.value)));
    part.warp.onchange = () => change({ warp: Number(part.warp.value) });
    part.heat.onchange = () => change({ heat: part.heat.checked });
    part.play.onclick = () => (this.going ? this.pause() : this.play());
    part.mesh.onpointermove = (event) => this.over(event);
    part.mesh.onpointerleave = part.mesh.onblur = () => place.hover(null);
    part.mesh.onclick = (event) => this.nodeAt(event) >= 0 && place.point(this.z(this.nodeAt(event)));
    onKeys(part.mesh, (key) => this.mesh !== null && this.key(key));
    this.observer = onResize(part.mesh, () => this.ask());
  }

  load(found) {
    this.stop();
    this.found = found;
    this.asked = null;
    this.state = null;
    this.mesh = null;
    this.warp = null;
    this.announce("");
  }

  z(i) {
    return rowAt(this.zs, i, this.found.set.dims).slice();
  }

  show(state) {
    this.state = state;
    this.part.heat.checked = state.heat;
    const held = this.warp !== null && this.held();
    if (!this.going && !held) this.move(state.warp); // else it is somewhere on its way
    this.renew();
    this.tell();
  }

  // ---- the sheet

  renew() {
    const { off, key } = slice(this);
    if (key === this.asked) return;
    this.asked = key;
    this.make(key, nodes(this, SIDE, off)).catch(() => {
      this.say("");
      this.announce("The pictures of the grid could not be decoded.");
    });
  }

  async make(key, { zs }) {
    const { found } = this,
      count = zs.length / found.set.dims;
    const wanted = () => key === this.asked && found === this.found; // a run's next state has the same key
    const part = (_, from, to) => wanted() && this.say(`Decoding ${to} of ${count} pictures…`);
    const pictures = await found.background.decode("prior warp", zs, part);
    if (!pictures || !wanted()) return;
    const xs = quantiles(SIDE),
      ys = rowsOf(this, SIDE) > 1 ? xs.toReversed() : Float32Array.of(0),
      axes = found.set.pictureAxes;
    this.zs = zs;
    this.mesh = meshOf({ xs, ys, pictures, axes, stretch: stretches(pictures, xs, ys) });
    this.say("");
    this.tell();
    this.ask();
    this.page.ask();
    this.page.refresh();
  }

  /** On its way; only the end is read out. */
  say(text) {
    this.part.progress.textContent = text;
    this.part.progress.hidden = !text;
  }

  tell() {
    const { part, mesh } = this;
    if (!mesh) return;
    const speed = mesh.stretch.toSorted(),
      flat = !speed.length;
    part.legend.hidden = !this.state.heat || flat;
    part.heat.disabled = flat;
    part.most.textContent = short(speed.at(-1) ?? 0);
    const range = flat
      ? ""
      : ` Per σ of z a picture changes by ${short(speed[0])} to ${short(speed.at(-1))} (median ${short(speed[Math.floor(speed.length / 2)])}): RMS over pixels and the sides of a cell, of full scale.`;
    this.announce(
      `PC 1 and PC 2 keep ${Math.round(100 * mesh.kept)}% of the variance of these ${mesh.z.length} pictures. What folds here need not fold in all 784 pixels.${range}`,
    );
    const axes =
      this.found.set.dims > 2
        ? " PC 1 and PC 2 are those of the plane of the principal axes of the codes, through z = 0."
        : "";
    part.note.textContent = `Every cell has the same share of ${priorOf(this)}. At the right end its nodes lie where their pictures are: a cell is wide where equal shares spread over more change; “colour by stretch” divides by its width in z.${axes} ${notes(this)}`;
    part.mesh.setAttribute(
      "aria-label",
      `${mesh.z.length} decoded pictures, on their way from z to their first two principal components: warp ${fixed(this.warp)}; arrow keys move from picture to picture, Enter takes one`,
    );
  }

  announce(text) {
    const { figures } = this.part;
    if (figures.textContent !== text) figures.textContent = text;
  }

  // ---- moving

  move(warp) {
    this.warp = warp;
    this.part.warp.value = warp;
    this.ask();
  }

  play() {
    const to = this.warp < 1 ? 1 : 0,
      from = this.warp,
      start = performance.now();
    if (isStill()) return this.page.change({ warp: to });
    this.going = true;
    this.part.play.textContent = "❚❚ Pause";
    const step = (now) => {
      const t = Math.min(1, Math.max(0, now - start) / (LASTS * Math.abs(to - from)));
      this.move(from + ((to - from) * (1 - Math.cos(Math.PI * t))) / 2);
      if (t < 1 && this.root.offsetParent !== null) this.frame = requestAnimationFrame(step);
      else this.pause();
    };
    this.frame = requestAnimationFrame(step);
  }

  pause() {
    this.stop();
    if (this.page.ready) this.page.change({ warp: Math.round(100 * this.warp) / 100 });
  }

  stop() {
    this.going = false;
    cancelAnimationFrame(this.frame ?? 0);
    this.part.play.textContent = "▶ Play";
  }

  // ---- drawing

  options() {
    return { warp: this.warp, heat: this.state.heat, colours: this.page.colours, names: this.view.plane.labels };
  }

  drawNow() {
    const { mesh, state, page, view, place } = this,
      square = mesh && state && page.colours && squareOf(this.part.mesh);
    if (!square) return;
    const { ctx, side } = square,
      { background, text } = page.colours;
    drawMesh(ctx, side, mesh, { ...this.options(), px: devicePixelRatio });
    const here = placeOfPoint(mesh, view.plane.to(place.z), this.warp, side);
    if (here) ring(ctx, here, 9, [background, 6], [text, 2.4]);
  }

  restyle() {
    this.ask();
  }

  moved() {
    this.renew();
    this.ask();
  }

  nodeAt({ offsetX, offsetY }) {
    if (!this.mesh) return -1;
    let [found, least] = [-1, NEAR];
    this.mesh.z.forEach((_, i) => {
      const [x, y] = placeAt(this.mesh, i, this.warp, this.part.mesh.clientWidth),
        far = Math.hypot(x - offsetX, y - offsetY);
      if (far < least) [found, least] = [i, far];
    });
    return found;
  }

  over(event) {
    const i = this.nodeAt(event);
    this.place.hover(i < 0 ? null : this.z(i));
  }

  /** From the node nearest to z: to the next one, there for good, or back. */
  key(key) {
    const { place, view, mesh } = this,
      [x, y] = view.plane.to(place.z),
      far = mesh.z.map((at) => Math.hypot(at[0] - x, at[1] - y)),
      at = far.indexOf(Math.min(...far)),
      to = cellAfter(at, key, mesh.xs.length, mesh.ys.length);
    if (to !== null) place.hover(this.z(to));
    else if (key === "Enter") place.point(this.z(at));
    else if (key === "Escape" && place.hovered) place.hover(null);
    else return false;
    return true;
  }

  /** The grid's lines on the map. */
  draw(ctx, at, scale, { text }) {
    if (!this.mesh) return;
    const { xs, ys } = this.mesh;
    ctx.globalAlpha = 0.35;
    for (const y of ys) line(ctx, [at([xs[0], y]), at([xs.at(-1), y])], [text, 1]);
    for (const x of xs) line(ctx, [at([x, ys[0]]), at([x, ys.at(-1)])], [text, 1]);
    ctx.globalAlpha = 1;
  }

  // ---- files

  files() {
    return this.mesh ? { png: () => this.png(), gif: () => this.gif(), csv: () => this.csv() } : null;
  }

  png() {
    const { canvas, ctx } = paper(1000, 1000, this.page.colours);
    drawMesh(ctx, 1000, this.mesh, { ...this.options(), px: 1.6 });
    return canvas;
  }

  /** There and back, in grey. */
  gif() {
    const { ctx } = paper(SAVED, SAVED, GREY, true),
      mesh = { ...this.mesh, inkColour: null },
      frames = [];
    for (let k = 0; k < 2 * FRAMES; k++) {
      const warp = (1 - Math.cos((Math.PI * k) / FRAMES)) / 2;
      drawMesh(ctx, SAVED, mesh, { ...this.options(), warp, colours: GREY });
      const { data } = ctx.getImageData(0, 0, SAVED, SAVED);
      frames.push(Uint8Array.from({ length: SAVED * SAVED }, (_, p) => data[4 * p]));
    }
    return { width: SAVED, height: SAVED, delayMs: 80, frames };
  }

  csv() {
    const { mesh, found } = this;
    const ends = ["PC 1 (RMS of full scale)", "PC 2 (RMS of full scale)"];
    const head = ["node", ...columnsOf("z", found.set.dims), ...ends];
    return csv([head, ...mesh.z.map((_, i) => [i + 1, ...this.z(i), ...mesh.image[i]])]);
  }

  destroy() {
    this.stop();
    this.ask.cancel();
    this.observer.disconnect();
  }
}
