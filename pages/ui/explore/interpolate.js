// From image to image: a path through the codes of test images, and the same path in the plain autoencoder beside it.

import { partsOf } from "../lesson/view.js";
import { greys } from "../net/model.js";
import { handOn } from "./hand.js";
import { fixed } from "./numbers.js";
import { drawPath, Stops } from "./path_draw.js";
import { figure, HalfWay } from "./path_half.js";
import { Lane, NAMES } from "./path_lane.js";
import { ratioText, ruleOf } from "./path_near.js";
import { Player } from "./path_play.js";
import { pathFiles } from "./path_save.js";
import { clean, MOST, randomPair, withStop } from "./path_stops.js";

export { clean };

const HTML = `
<div class="row"><div class="stops" data-part="stops"></div> <small role="status" data-part="hint"></small></div>
<div class="row">
  <button data-part="anew" aria-pressed="false">New path</button>
  <button data-part="undo" disabled>↶ Undo</button>
  <button data-part="random">Two random images</button>
  <span class="row" role="group" aria-label="shape of the path">
    <button data-shape="straight">Straight</button>
    <button data-shape="spherical" title="Direction and length of z change evenly: slerp">Spherical</button>
  </span>
  <label><input type="checkbox" data-part="compare"> plain autoencoder</label>
</div>
<div class="scroll"><div class="inner" data-part="inner">
  <section class="lane" data-part="main"></section>
  <section class="lane" data-part="twin" hidden></section>
  <div class="seek"><input type="range" min="0" step="1" data-part="seek" aria-label="place on the path"></div>
</div></div>
<p class="row"><button data-part="play" aria-pressed="false">▶ Play</button> <b>t = <output data-part="t"></output></b> <span data-part="without" hidden></span></p>
<div class="both">
  <div class="now"><h4>At t</h4><div class="figures" data-part="now"></div></div>
  <div class="half" data-part="half"></div>
</div>
<p><small>Under each picture: from z to the nearest code of the 5,000 test images, over the near radius of that model; bold beyond 1: a hole, no code is near. <span data-part="rule"></span> Then: from the picture to the nearest test image, root mean square, grey levels 0 to 1. <span data-part="yardstick"></span></small></p>`;

export class InterpolateWay {
  constructor(app, root) {
    root.classList.add("paths");
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, place: 0, before: [], fresh: null, inHand: handOn(part.seek) });
    const on = {
      pick: (k) => this.rest(this.path.placeOf(k)),
      measured: () => this.measured(),
      ready: () => app.files.refresh(),
    };
    this.main = new Lane(part.main, "the path in this model", on);
    this.twin = new Lane(part.twin, "the same path in the plain autoencoder", on);
    this.half = new HalfWay(part.half);
    this.now = ["now", "nowTwin"].map(figure);
    part.now.append(...this.now.map((f) => f.root));
    this.stops = new Stops(part.stops, { app, set: (images) => this.set(images) });
    this.wire();
  }

  wire() {
    const { app, part, root } = this;
    part.anew.onclick = () => this.begin();
    part.undo.onclick = () => this.undo();
    part.random.onclick = () => this.random();
    part.compare.onchange = () => app.change("interpolate", { twin: part.compare.checked });
    for (const button of root.querySelectorAll("[data-shape]")) {
      button.onclick = () => app.change("interpolate", { shape: button.dataset.shape });
    }
    part.seek.oninput = () => {
      this.player.halt();
      this.move(Number(part.seek.value));
    };
    part.seek.onchange = () => this.rest(Number(part.seek.value));
    this.player = new Player(part.play, {
      path: () => this.path,
      place: () => this.place,
      move: (place) => this.move(place),
      rest: () => this.rest(this.place),
      shown: () => !root.hidden && Boolean(app.model),
    });
  }

  get state() {
    return this.app.state.interpolate;
  }

  // ---- what is shown

  load() {
    this.player.halt();
    this.main.close();
    this.closeTwin();
    this.half.key = null;
  }

  show({ images, shape, at, twin }) {
    const { app, part, main } = this;
    if (!main.found)
      main.open({ about: app.about, model: app.model, set: app.set, background: app.background }, app.near);
    this.stops.show(images);
    for (const button of this.root.querySelectorAll("[data-shape]"))
      button.setAttribute("aria-pressed", button.dataset.shape === shape);
    part.compare.checked = twin;
    part.compare.disabled = !app.about.twin;
    part.undo.disabled = !this.before.length;
    part.hint.textContent = this.hint();
    main.follow(images, shape);
    this.path = main.path;
    part.inner.style.setProperty("--count", this.path.count);
    part.seek.max = this.path.last;
    this.follow({ images, shape, twin });
    if (!this.player.going && !this.inHand()) this.look(this.path.place(at)); // else it is somewhere on its way
    this.decode();
    this.tellHalf();
  }

  hint() {
    if (this.fresh)
      return this.fresh.length
        ? "Press the code where the path shall end."
        : "Press the code on the map where the path shall begin.";
    return this.full
      ? `${MOST} stops at most: take one away first.`
      : `Press a code on the map to add a stop, ${MOST} at most.`;
  }

  /** The plain autoencoder's part: shown, hidden, or said to be missing. */
  follow({ images, shape, twin }) {
    const { app } = this,
      { about } = app,
      { without } = this.part;
    without.textContent = this.missing(about);
    without.hidden = !without.textContent;
    if (!twin || !about.twin) return this.closeTwin();
    if (this.twin.found) return this.followTwin({ images, shape });
    this.openTwin().catch((error) => {
      if (about !== app.about || this.ended) return; // of the model before
      without.textContent = error.message;
      without.hidden = false;
    });
  }

  missing({ model, net, dims, twin }) {
    if (model === "ae") return "This model is a plain autoencoder itself: choose a VAE to see both.";
    return twin
      ? ""
      : `No plain autoencoder with the ${net} net and ${dims} ${dims === 1 ? "latent" : "latents"} ships, so there is none to compare with.`;
  }

  async openTwin() {
    const { app } = this,
      { about } = app;
    const found = await app.loadTwin();
    if (!found || about !== app.about || this.twin.found || !this.state.twin || this.ended) return;
    this.twin.open({ ...found, background: found.background() });
    this.part.twin.hidden = false;
    this.followTwin(this.state);
  }

  followTwin({ images, shape }) {
    this.twin.follow(images, shape);
    this.tellHalf();
    this.decode();
  }

  closeTwin() {
    this.twin.found?.background.destroy();
    this.twin.close();
    this.part.twin.hidden = this.now[1].root.hidden = true;
    this.tellRules();
  }

  get lanes() {
    return [this.main, this.twin].filter((lane) => lane.path);
  }

  /** Distances of a strip are known: bars of both strips share one scale. */
  measured() {
    const { app, part } = this,
      top = Math.max(2, ...this.lanes.flatMap((lane) => lane.ratios));
    for (const lane of this.lanes) lane.tellCells(top);
    this.tellRules();
    part.yardstick.textContent = `Half of all test images have another test image within ${fixed(app.about.yardstick)}.`;
  }

  tellRules() {
    this.part.rule.textContent = this.lanes
      .map(({ found }) => `Near, ${NAMES[found.about.model]}: ${ruleOf(found.set)}.`)
      .join(" ");
  }

  tellHalf() {
    const { images } = this.state,
      { leg } = this.path.leg(this.place);
    this.half.show(this.app, images[leg], images[leg + 1], this.lanes);
  }

  // ---- the place on the path

  /** Show a place, without moving z. */
  look(place) {
    const { part, path } = this,
      { leg, t } = path.leg(place);
    this.place = place;
    if (Number(part.seek.value) !== place) part.seek.value = place;
    part.t.value = `${fixed(t)} from stop ${leg + 1} to stop ${leg + 2}`;
    part.inner.style.setProperty("--here", (path.picture(place) + 0.5) / path.count);
    this.app.ask();
  }

  /** The pictures there: `picture` where this model's is known. */
  decode(picture = null) {
    this.lanes.forEach((lane, i) => this.decodeLane(lane, this.now[i], lane.path.z(this.place), i ? null : picture));
    this.now[1].root.hidden = this.lanes.length < 2;
  }

  decodeLane(lane, { root, show }, z, picture) {
    show(
      picture ? greys(picture) : lane.picture(z),
      `${NAMES[lane.found.about.model]}, ${ratioText(lane.ratioAt(z))} near radii from a code`,
    );
    root.dataset.z = Array.from(z, (v) => v.toFixed(4)).join(",");
  }

  /** Under the finger: decoded here, in the next frame, and told to nobody. */
  move(place) {
    this.look(place);
    this.trying = this.path.z(place);
    this.app.hover(this.trying);
  }

  /** The app has decoded z. */
  moved(z, picture) {
    if (z === this.trying) this.decode(picture);
  }

  rest(place) {
    this.player.halt();
    this.look(place);
    this.app.point(this.path.z(place));
    this.app.change("interpolate", { at: Math.round((10000 * place) / this.path.last) / 10000 });
  }

  // ---- choosing stops

  /** Another path, which can be taken back. */
  set(images, more = {}) {
    this.before = [...this.before, this.state.images].slice(-20);
    Object.assign(this, { fresh: null, full: false });
    this.tellFresh();
    this.change({ images, ...more });
  }

  change(partial) {
    this.player.halt();
    this.app.change("interpolate", partial);
  }

  begin() {
    this.player.halt();
    this.fresh = this.fresh ? null : [];
    this.full = false;
    this.tellFresh();
  }

  tellFresh() {
    this.part.anew.setAttribute("aria-pressed", this.fresh !== null);
    this.part.hint.textContent = this.hint();
    this.app.ask();
  }

  undo() {
    const images = this.before.pop();
    if (images) this.change({ images });
  }

  random() {
    const { seed } = this.state;
    this.set(randomPair(seed, this.app.set.labels), { seed: (seed + 1) % 2 ** 32 });
  }

  press(xy, code) {
    if (code < 0) return this.fresh !== null; // while a new path is chosen, a press beside the codes moves nothing
    if (this.fresh) this.pressFresh(code);
    else this.add(code);
    return true;
  }

  pressFresh(code) {
    if (this.fresh[0] === code) return;
    this.fresh.push(code);
    if (this.fresh.length === 2) this.set(this.fresh);
    else this.tellFresh();
  }

  add(code) {
    const images = withStop(this.state.images, code);
    if (images) return this.set(images);
    this.full = this.state.images.length >= MOST;
    this.tellFresh();
  }

  // ---- over the map, and to take home

  draw(ctx, at, scale, colours) {
    if (!this.path) return;
    const to = (z) => at(this.app.view.plane.to(z)),
      codes = (this.fresh ?? this.state.images).map((i) => to(this.app.code(i)));
    const line = this.fresh ? [] : Array.from({ length: 201 }, (_, i) => to(this.path.z(this.path.place(i / 200))));
    drawPath(ctx, line, codes, this.fresh ? null : to(this.path.z(this.place)), colours);
  }

  restyle() {}

  files() {
    const ready = this.lanes.length && this.lanes.every((lane) => lane.pictures);
    return ready ? pathFiles(this.app, this.lanes, this.state) : { png: null, gif: null, csv: null };
  }

  destroy() {
    this.ended = true;
    this.player.halt();
    this.main.close();
    this.closeTwin();
  }
}
