// The latent explorer: encoder and decoder run here, and the picture follows the finger. Mounted by view.py.

import { everyFrame, followTheme, partsOf, Shared } from "../lesson/view.js";
import { LatentMap } from "../live/latent_map.js";
import { drawImages } from "../live/pictures.js";
import { chiSurvival, nearestCode, nearRadius, nearRule, normalShare, placeOf, placeText } from "./density.js";
import { Files } from "./files.js";
import { ROOT } from "./html.js";
import { MapView } from "./map_view.js";
import { Neighbours } from "./neighbours.js";
import { fixed, percent, rounded, short, zText } from "./numbers.js";
import { Pointer } from "./pointer.js";
import { greys } from "../net/model.js";
import { fetchModel } from "./source.js";
import { cleanState, COUNT } from "./state.js";
import { CLEAN, WAYS } from "./ways.js";

const REST_MS = 300; // after which a state counts as settled, for the link
const SHELL = 4; // of more latents, 0 is a place where no code and no draw ever is: it opens on the code of test image 0
const SEARCH_MS = 3; // of a frame for the nearest images, so that a drag stays smooth

export function mount(parent) {
  return new Explorer(parent.querySelector(".explore"));
}

class Explorer {
  constructor(root) {
    this.root = root;
    root.innerHTML = ROOT;
    this.part = partsOf(root);
    Object.assign(this, { data: {}, model: null, hovered: null, moved: true });
    this.map = new LatentMap(this.part.map, this.part.note);
    this.view = new MapView(this, this.map);
    this.pointer = new Pointer(this.part.over, this.map, () => this.view.codes, this.handlers());
    this.shared = new Shared(
      (raw) => cleanState(raw, this.limits, CLEAN),
      (state) => this.take(state),
    );
    this.ask = everyFrame(() => this.redraw());
    this.files = new Files(this, this.part.files);
    this.part.retry.onclick = () => this.open(this.data);
    this.observer = new ResizeObserver(() => this.ask());
    this.observer.observe(this.part.over);
    this.onShown = () => !document.hidden && this.ask();
    document.addEventListener("visibilitychange", this.onShown);
  }

  get limits() {
    return { dims: this.data.dims, count: COUNT };
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    this.data = component.data;
    if (followTheme(this.root)) this.restyle();
    if (this.data.name !== this.name || this.data.version !== this.version) this.changeModel();
    this.shared.update(component);
    if (this.model && this.shownWay !== this.data.way) this.showWay();
  }

  // ---- the model

  /** What Python knows of the state holds for the new model as far as it fits; what is not told yet was the old one's. */
  changeModel() {
    clearTimeout(this.resting);
    this.pending = false;
    this.state = cleanState(this.data.state, this.limits, CLEAN);
    this.open(this.data);
  }

  /** Fetch a model; the one before stays away meanwhile. */
  async open({ name, version }) {
    const opening = (this.opening = {}); // of two that are on their way the later counts
    Object.assign(this, { name, version, model: null });
    this.root.dataset.ready = "";
    this.say("Fetching the model…");
    try {
      const found = await fetchModel(name, version);
      if (opening === this.opening && !this.ended) this.loaded(found);
    } catch (error) {
      if (opening === this.opening) this.say(error.message, true);
    }
  }

  loaded({ about, model, set, background }) {
    this.background?.destroy();
    Object.assign(this, {
      about,
      model,
      set,
      background: background(),
      hovered: null,
      twin: null,
      near: nearRadius(set),
    });
    if (this.data.state?.pad?.z?.length !== set.dims && set.dims > SHELL) this.state.pad.z = rounded(this.code(0));
    this.neighbours = new Neighbours(set.images, (list) => this.tellNeighbours(list));
    this.part.from.textContent =
      about.shipped === false ? `x̂ decoded at z, weights of step ${about.step.toLocaleString("en")}` : "x̂ decoded at z";
    this.part.stage.hidden = false;
    this.part.message.hidden = true;
    this.ways ??= this.newWays();
    this.view.load();
    for (const way of Object.values(this.ways)) way.load();
    this.showWay();
    this.root.dataset.ready = about.name;
  }

  newWays() {
    return Object.fromEntries(
      Object.entries(WAYS).map(([key, Way]) => {
        const section = document.createElement("section");
        Object.assign(section, { className: "way", hidden: true });
        section.dataset.way = key;
        this.part.ways.append(section);
        return [key, new Way(this, section)];
      }),
    );
  }

  /** The plain autoencoder with the same networks, as fetchModel gives it; null where none ships. Fetched once. */
  async loadTwin() {
    const { about } = this;
    if (!about.twin) return null;
    const coming = (this.twin ??= fetchModel(about.twin));
    coming.catch(() => this.twin === coming && (this.twin = null)); // a failure is not remembered
    const found = await coming;
    return about === this.about ? found : null; // null: another model has come meanwhile
  }

  /** The decoder's mean at z; the picture of the very same array is not computed twice. */
  decode(z) {
    const { model } = this,
      last = this.lastDecoded;
    if (last?.z === z && last.model === model) return last.picture;
    const picture = model.decode(z);
    this.lastDecoded = { z, model, picture };
    return picture;
  }

  code(i) {
    return this.set.mu.subarray(i * this.set.dims, (i + 1) * this.set.dims);
  }

  logVar(i) {
    return this.set.logVar?.subarray(i * this.set.dims, (i + 1) * this.set.dims) ?? null;
  }

  image(i) {
    return this.set.images.subarray(784 * i, 784 * (i + 1));
  }

  /** Test image i as the model takes it, 784 values in [0, 1]. */
  x(i) {
    const { protocol } = this.about;
    return Float32Array.from(this.image(i), (v) => (protocol === "threshold" ? Number(v > 127) : v / 255));
  }

  // ---- the state

  /** A state from Python: a link, or something chosen beside the component. */
  take(state) {
    this.state = state;
    if (!this.model) return;
    this.showWay();
    this.report(); // so that what was reported before does not count any more
  }

  get way() {
    return this.ways?.[this.data.way];
  }

  showWay() {
    if (this.shownWay !== this.data.way) this.hovered = null; // a film of the way before may have halted somewhere
    this.root.dataset.way = this.shownWay = this.data.way;
    for (const [key, way] of Object.entries(this.ways)) way.root.hidden = key !== this.data.way;
    this.view.show();
    this.way.show(this.state[this.data.way]);
    this.moved = true; // drawn again; a place that is being tried out stays
    this.files.refresh();
    this.ask();
  }

  /** Merge into the state of a part, draw, and tell Python once at rest. */
  change(name, partial) {
    Object.assign(this.state[name], partial);
    if (name === this.data.way) this.way.show(this.state[name]);
    this.files.refresh();
    this.report();
    this.ask();
  }

  report() {
    this.pending = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.reportNow(), REST_MS);
  }

  /** Tell Python at once. */
  reportNow() {
    this.pending = false;
    clearTimeout(this.resting);
    this.shared.report(this.state);
  }

  // ---- where z is

  get z() {
    return this.hovered ?? this.state.pad.z;
  }

  /** Move z there, for good. */
  point(z, told = true) {
    this.hovered = null;
    this.state.pad.z = Array.from(z);
    this.moved = true;
    if (told) this.report();
    this.ask();
  }

  /** Try a place out; null ends that. Nothing is sent meanwhile: what is still to be told waits. */
  hover(z) {
    if (z && this.pending) this.report();
    this.hovered = z;
    this.moved = true;
    this.ask();
  }

  handlers() {
    const to = (xy) => this.view.plane.from(xy, this.state.pad.z);
    const pad = () => this.ways.pad;
    return {
      hover: (xy) => this.model && this.hover(to(xy)),
      leave: () => this.model && this.hover(null),
      press: (xy, code) => Boolean(this.model && this.way.press(xy, code)),
      drag: (xy) => this.model && this.hover(to(xy)),
      drop: (xy) => this.model && pad().go(to(xy)),
      click: (xy) => this.model && (this.data.way === "pad" ? pad().click(to(xy)) : pad().go(to(xy))), // pins show on the pad only
      nudge: ([x, y]) => {
        if (!this.model) return;
        const at = this.view.plane.to(this.state.pad.z);
        pad().nudge(to([at[0] + x, at[1] + y]));
      },
      key: (key) => Boolean(this.model && pad().key(key)),
    };
  }

  // ---- drawing

  restyle() {
    const value = (name) => getComputedStyle(this.root).getPropertyValue(name).trim();
    this.colours = {
      background: value("--st-background-color"),
      text: value("--st-text-color"),
      grid: value("--st-border-color"),
      primary: value("--st-primary-color"),
      reconstruction: value("--term-reconstruction"),
      kl: value("--term-kl"),
      total: value("--term-total"),
      classes: Array.from({ length: 10 }, (_, i) => value(`--class-${i}`)),
    };
    this.map.restyle(this.colours);
    for (const way of Object.values(this.ways ?? {})) way.restyle(this.colours);
    this.ask();
  }

  redraw() {
    if (document.hidden || !this.model) return;
    if (this.moved) this.drawPoint();
    this.view.drawOver();
    this.neighbours.work(SEARCH_MS);
    if (this.neighbours.busy) this.ask();
  }

  drawPoint() {
    this.moved = false;
    const { part, z } = this,
      picture = this.decode(z);
    drawImages(part.decoded, { shape: [1, 28, 28], data: greys(picture) }, 1);
    part.decoded.dataset.z = Array.from(z, (v) => v.toFixed(6)).join(",");
    this.tellPlace(z);
    this.neighbours.look(picture);
    this.way.moved?.(z, picture);
  }

  tellPlace(z) {
    const { part } = this,
      near = nearestCode(z, this.set.mu),
      posterior = Boolean(this.set.logVar);
    const r = Math.sqrt(z.reduce((sum, v) => sum + v * v, 0)),
      further = chiSurvival(r, z.length);
    part.z.value = zText(z);
    part.shares.value =
      z.length > 4
        ? ""
        : `${posterior ? "prior quantiles" : "quantiles of N(0, I)"} ${Array.from(z, (v) => percent(normalShare(v))).join(", ")}`;
    const place = placeOf({ further, distance: near.distance, near: this.near, dims: z.length });
    part.place.textContent = placeText(place, posterior);
    part.place.dataset.place = place;
    const code = `${this.about.model === "ae" ? "The nearest code" : "The nearest mu"} (test image ${near.index}, a ${this.set.labels[near.index]}) is ${short(near.distance)} away`;
    part.density.textContent = `|z| = ${fixed(r)} σ: ${percent(further)} of ${posterior ? "prior draws" : "draws from N(0, I)"} lie further out. ${code}; “near” is within ${short(this.near)}: ${nearRule(posterior)}.`;
    this.view.tellHeld(z);
  }

  tellNeighbours(found) {
    const { set, part } = this;
    const data = new Uint8Array(784 * found.length);
    found.forEach(({ index }, k) => data.set(this.image(index), 784 * k));
    drawImages(part.near, { shape: [found.length, 28, 28], data }, found.length);
    const [first] = found;
    part.near.dataset.index = first.index;
    const list = found.map(({ index, distance }) => `${set.labels[index]} (${fixed(distance)})`).join(", ");
    part.nearText.textContent = `Nearest test images: ${list}, in grey levels a pixel from 0 to 1. Half of all test images have another test image within ${fixed(this.about.yardstick)}.`;
  }

  say(text, again = false) {
    const { part } = this;
    part.message.hidden = false;
    part.stage.hidden = true;
    part.words.textContent = text;
    part.retry.hidden = !again;
  }

  destroy() {
    this.ended = true;
    this.ask.cancel();
    clearTimeout(this.resting);
    this.files.destroy();
    this.observer.disconnect();
    this.background?.destroy();
    this.map.destroy();
    document.removeEventListener("visibilitychange", this.onShown);
    for (const way of Object.values(this.ways ?? {})) way.destroy();
  }
}
