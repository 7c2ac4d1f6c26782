// From image to image: a path through the codes of test images, and the same path in the plain autoencoder beside it.

import { choices, handOn, press } from "../../lib/dom.js";
import { greys } from "../../lib/images.js";
import { fixed } from "../../lib/numbers.js";
import { figure } from "../shared/figure.js";
import { ratioText, ruleOf } from "../shared/near.js";
import { Way } from "../shared/way.js";
import { HalfWay } from "./half.js";
import { HTML } from "./html.js";
import { Lane } from "./lane.js";
import { MOST, randomPair, withStop } from "./path.js";
import { Player } from "./player.js";
import { pathFiles } from "./save.js";
import { Stops, drawPath } from "./stops.js";

export class InterpolateWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    root.classList.add("paths");
    const { part } = this;
    this.at = 0;
    this.before = [];
    this.fresh = null;
    this.inHand = handOn(part.seek);
    const on = { pick: (k) => this.rest(this.path.placeOf(k)), measured: () => this.measured(), ready: page.refresh };
    this.main = new Lane(part.main, "the path in this model", on);
    this.twin = new Lane(part.twin, "the same path in the plain autoencoder", on);
    this.half = new HalfWay(part.half);
    this.now = ["now", "nowTwin"].map(figure);
    part.now.append(...this.now.map((f) => f.root));
    this.stops = new Stops(part.stops, (images) => this.set(images));
    this.wire();
  }

  wire() {
    const { page, part, root } = this;
    part.anew.onclick = () => this.begin();
    part.undo.onclick = () => this.undo();
    part.random.onclick = () => this.random();
    part.compare.onchange = () => page.change({ twin: part.compare.checked });
    choices(root, "shape", (shape) => page.change({ shape }));
    part.seek.oninput = () => (this.player.halt(), this.move(Number(part.seek.value)));
    part.seek.onchange = () => this.rest(Number(part.seek.value));
    this.player = new Player(part.play, {
      path: () => this.path,
      place: () => this.at,
      move: (place) => this.move(place),
      rest: () => this.rest(this.at),
      shown: () => !root.hidden && page.ready,
    });
  }

  // ---- what is shown

  load(found) {
    this.player.halt();
    this.main.close();
    this.closeTwin();
    this.half.key = null;
    this.found = found;
  }

  show(state) {
    const { found, part, main } = this,
      { images, shape, twin } = state;
    this.state = state;
    if (!main.found) main.open(found);
    this.stops.show(images, found);
    press(this.root, "shape", shape);
    part.compare.checked = twin;
    part.compare.disabled = !found.about.twin;
    part.undo.disabled = !this.before.length;
    part.hint.textContent = this.hint();
    main.follow(images, shape);
    this.path = main.path;
    part.inner.style.setProperty("--count", this.path.count);
    part.seek.max = this.path.last;
    const under = this.player.going || this.inHand(); // it is somewhere on its way
    this.look(under ? Math.min(this.at, this.path.last) : this.path.place(state.at));
    this.follow(state);
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
      : "Press codes for stops. Below: z to code, picture to image.";
  }

  /** The plain autoencoder's part: shown, hidden, or said to be missing. */
  follow({ images, shape, twin }) {
    const { found } = this,
      { about } = found,
      { without } = this.part;
    without.textContent = this.missing(about);
    without.hidden = !without.textContent;
    if (!twin || !about.twin) return this.closeTwin();
    if (this.twin.found) return this.followTwin({ images, shape });
    this.openTwin().catch((error) => {
      if (found !== this.found || this.ended) return; // of the model before
      without.textContent = error.message;
      without.hidden = false;
    });
  }

  missing({ posterior, net, dims, twin }) {
    if (!posterior) return "This model is an autoencoder itself: choose a VAE to see both.";
    return twin
      ? ""
      : `No plain autoencoder of these images with the ${net} net and ${dims} ${dims === 1 ? "latent" : "latents"} ships, so there is none to compare with.`;
  }

  async openTwin() {
    const { found } = this,
      twin = await found.twin();
    if (!twin || found !== this.found || this.twin.found || !this.state.twin || this.ended) return;
    this.twin.open(twin);
    this.part.twin.hidden = false;
    this.followTwin(this.state);
  }

  followTwin({ images, shape }) {
    this.twin.follow(images, shape);
    this.tellHalf();
    this.decode();
  }

  closeTwin() {
    this.twin.close();
    this.part.twin.hidden = this.now[1].root.hidden = true;
    this.tellRules();
  }

  get lanes() {
    return [this.main, this.twin].filter((lane) => lane.path);
  }

  /** Distances of a strip are known: bars of both strips share one scale. */
  measured() {
    const { part } = this,
      top = Math.max(2, ...this.lanes.flatMap((lane) => lane.ratios));
    for (const lane of this.lanes) lane.tellCells(top);
    this.tellRules();
    part.yardstick.textContent = `Half of all test images have another test image within ${fixed(this.found.about.yardstick)}.`;
  }

  tellRules() {
    this.part.rule.textContent = this.lanes
      .map(({ found }) => `Near, ${found.about.family}: ${ruleOf(found)}.`)
      .join(" ");
  }

  tellHalf() {
    const { images } = this.state,
      { leg } = this.path.leg(this.at);
    this.half.show(this.found, images[leg], images[leg + 1], this.lanes);
  }

  // ---- the place on the path

  /** Show a place, without moving z. */
  look(at) {
    const { part, path } = this,
      { leg, t } = path.leg(at);
    this.at = at;
    if (Number(part.seek.value) !== at) part.seek.value = at;
    part.t.value = `${fixed(t)} from stop ${leg + 1} to stop ${leg + 2}`;
    part.inner.style.setProperty("--here", (path.picture(at) + 0.5) / path.count);
    this.page.ask();
  }

  /** The pictures there: `picture` where this model's is known. */
  decode(picture = null) {
    this.lanes.forEach((lane, i) => this.decodeLane(lane, this.now[i], lane.path.z(this.at), i ? null : picture));
    this.now[1].root.hidden = this.lanes.length < 2;
  }

  decodeLane(lane, { root, show }, z, picture) {
    show(
      picture ? greys(picture) : lane.picture(z),
      `${lane.found.about.family}, ${ratioText(lane.ratioAt(z))} near radii from a code`,
    );
    root.dataset.z = Array.from(z, (v) => v.toFixed(4)).join(",");
  }

  /** Under the finger: decoded here, in the next frame, and told to nobody. */
  move(at) {
    this.look(at);
    this.trying = this.path.z(at);
    this.place.hover(this.trying);
  }

  /** The page has decoded z. */
  moved(z, picture) {
    if (z === this.trying) this.decode(picture);
  }

  rest(at) {
    this.player.halt();
    this.look(at);
    this.place.point(this.path.z(at));
    this.page.change({ at: Math.round((10000 * at) / this.path.last) / 10000 });
  }

  // ---- choosing stops

  /** Another path, which can be taken back. */
  set(images, more = {}) {
    this.before = [...this.before, this.state.images].slice(-20);
    this.fresh = null;
    this.full = false;
    this.tellFresh();
    this.change({ images, ...more });
  }

  change(partial) {
    this.player.halt();
    this.page.change(partial);
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
    this.page.ask();
  }

  undo() {
    const images = this.before.pop();
    if (images) this.change({ images });
  }

  random() {
    const { seed } = this.state;
    this.set(randomPair(seed, this.found.set.labels), { seed: (seed + 1) % 2 ** 32 });
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
    const to = (z) => at(this.view.plane.to(z)),
      codes = (this.fresh ?? this.state.images).map((i) => to(this.found.code(i)));
    const line = this.fresh ? [] : Array.from({ length: 201 }, (_, i) => to(this.path.z(this.path.place(i / 200))));
    drawPath(ctx, line, codes, this.fresh ? null : to(this.path.z(this.at)), colours);
  }

  files() {
    const ready = this.lanes.length && this.lanes.every((lane) => lane.pictures);
    return ready ? pathFiles(this.found, this.lanes, this.state, this.page.colours) : null;
  }

  destroy() {
    this.ended = true;
    this.player.halt();
    this.main.close();
    this.closeTwin();
  }
}
