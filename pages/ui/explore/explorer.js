// The latent explorer: encoder and decoder run here, and the picture follows the finger. Mounted by view.py.

import { everyFrame, make, onResize, quietPartsOf } from "../lib/dom.js";
import { drawImage } from "../lib/images.js";
import { LatentMap } from "../lib/map.js";
import { Shared } from "../lib/state.js";
import { coloursOf, followTheme } from "../lib/theme.js";
import { Files } from "./files.js";
import { ROOT } from "./html.js";
import { MapView } from "./map_view.js";
import { Place } from "./place.js";
import { Pointer } from "./pointer.js";
import { Reading } from "./reading.js";
import { fetchFirst, fetchModel } from "./shared/found.js";
import { rounded } from "./shared/numbers.js";
import { cleanState } from "./state.js";
import { CLEAN, WAYS } from "./ways.js";

const REST_MS = 300; // after which a state counts as settled, for the link
const SHELL = 4; // of more latents, 0 is a place where no code and no draw ever is: it opens on the code of test image 0

export default class Explorer {
  /** @type {Record<string, any>} the ways by their names, once there is a model */
  ways;
  /** @type {any} the state of every part, as state.js cleans it */
  state;

  constructor(root) {
    this.root = root;
    root.innerHTML = ROOT;
    const part = (this.part = quietPartsOf(root));
    /** @type {any} what view.py says */
    this.data = {};
    this.found = null;
    this.moved = true;
    this.reading = new Reading(part);
    this.ask = everyFrame(() => this.redraw());
    this.place = new Place({
      moved: () => this.renew(),
      told: () => this.report(),
      tried: () => this.pending && this.report(),
      rested: () => this.rested(),
    });
    this.map = new LatentMap(part.map, part.note);
    this.view = new MapView(part, this.map, this.place, {
      change: (partial) => this.change("view", partial),
      renew: () => this.renew(),
    });
    this.pointer = new Pointer(part.over, this.map, () => this.view.codes, this.handlers());
    this.shared = new Shared(
      (raw) => cleanState(raw, this.limits, CLEAN),
      (state) => this.take(state),
    );
    this.files = new Files(part.files, {
      files: () => (this.found && this.way ? this.way.files() : null),
      named: () => ({ about: this.found.about, way: this.data.way }),
    });
    part.retry.onclick = () => this.open(this.data);
    this.observer = onResize(part.over, () => this.ask());
    this.onShown = () => !document.hidden && this.ask();
    document.addEventListener("visibilitychange", this.onShown);
  }

  get limits() {
    return { dims: this.data.dims, ...this.data.images };
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    this.data = component.data;
    if (followTheme(this.root)) this.restyle();
    if (this.data.name !== this.name || this.data.version !== this.version) this.changeModel();
    this.shared.update(component);
    if (this.found && this.shownWay !== this.data.way) this.showWay();
  }

  // ---- the model

  /** What Python knows of the state holds for the new model as far as it fits; what is not told yet was the old one's. */
  changeModel() {
    clearTimeout(this.resting);
    this.pending = false;
    this.keep(cleanState(this.data.state, this.limits, CLEAN));
    this.open(this.data);
  }

  /** Fetch a model; the one before stays away meanwhile. */
  async open({ name, version, images }) {
    const opening = (this.opening = {}); // of two that are on their way the later counts
    this.found?.rest();
    this.name = name;
    this.version = version;
    this.found = null;
    this.root.dataset.ready = "";
    this.say("Fetching the model…");
    try {
      const first = await fetchFirst(name, version);
      if (opening === this.opening && !this.ended) this.showFirst(first);
      const found = await fetchModel(name, images.dataset, version, (come, whole) => {
        if (opening === this.opening) this.part.bar.value = come / whole;
      });
      if (opening === this.opening && !this.ended) this.loaded(found);
      else found.rest();
    } catch (error) {
      if (opening === this.opening) this.say(error.message, true);
    }
  }

  /** The map and the picture at which it opens, to look at until the model is here. */
  showFirst(first) {
    const { part, data, state } = this;
    part.bar.hidden = false;
    part.bar.value = 0;
    if (!first || state.view.axes !== "pca" || state.view.automatic) return; // a link to another view
    this.view.await(first, data.dims);
    part.stage.hidden = false;
    part.stage.inert = this.root.dataset.coming = true;
    if (!data.state?.pad?.z) drawImage(part.decoded, first.picture.data);
  }

  loaded(found) {
    const { part, place, data } = this;
    const linked = data.state?.pad?.z?.length === found.set.dims;
    this.found = found;
    place.load();
    if (!linked && found.set.dims > SHELL) place.rest = rounded(found.code(0));
    part.stage.hidden = part.stage.inert = false;
    part.message.hidden = part.bar.hidden = true;
    delete this.root.dataset.coming;
    this.ways ??= this.newWays();
    this.reading.load(found);
    this.view.load(found, this.state.view);
    for (const [key, way] of Object.entries(this.ways)) way.load(found, linked && key === data.way);
    this.showWay();
    this.root.dataset.ready = found.about.name;
  }

  newWays() {
    return Object.fromEntries(
      Object.entries(WAYS).map(([key, Way]) => {
        const section = make("section", { className: "way", hidden: true, dataset: { way: key } });
        this.part.ways.append(section);
        return [key, new Way(section, this.place, this.view, this.pageOf(key))];
      }),
    );
  }

  /** What a way may do with the page: see ways.js. */
  pageOf(key) {
    const explorer = this;
    return {
      change: (partial) => this.change(key, partial),
      ask: this.ask,
      refresh: () => this.files.refresh(),
      hold: () => clearTimeout(this.resting),
      get ready() {
        return explorer.found !== null;
      },
      get colours() {
        return explorer.colours;
      },
    };
  }

  // ---- the state

  /** A state from Python: a link, or something chosen beside the component. */
  take(state) {
    this.keep(state);
    if (!this.found) return;
    this.showWay();
    this.report(); // so that what was reported before does not count any more
  }

  /** In a link z stands with the pad; here it is the page's. @param {Record<string, any>} state */
  keep({ pad: { z, ...pad }, ...state }) {
    this.state = { ...state, pad };
    this.place.rest = z;
  }

  get way() {
    return this.ways?.[this.data.way];
  }

  showWay() {
    if (this.shownWay !== this.data.way) this.place.hovered = null; // a film of the way before may have halted somewhere
    this.root.dataset.way = this.shownWay = this.data.way;
    for (const [key, way] of Object.entries(this.ways)) way.root.hidden = key !== this.data.way;
    this.view.show(this.state.view);
    this.way.show(this.state[this.data.way]);
    this.files.refresh();
    this.renew(); // a place that is being tried out stays
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
    this.shared.report({ ...this.state, pad: { z: this.place.rest, ...this.state.pad } });
  }

  // ---- where z is

  rested() {
    this.change("pad", {});
    this.view.renewGrid();
  }

  handlers() {
    const { place } = this;
    const to = (xy) => this.view.plane.from(xy, place.rest);
    const loaded = (act) => (what) => this.found && act(what);
    return {
      handle: () => this.found && this.view.plane.to(place.z),
      hover: loaded((xy) => place.hover(this.way.near?.(xy) ?? to(xy))),
      leave: loaded(() => place.hover(null)),
      press: (xy, code) => Boolean(this.found && this.way.press?.(xy, code)),
      drag: loaded((xy) => place.hover(to(xy))),
      drop: loaded((xy) => place.go(to(xy))),
      click: loaded((xy) => (this.way.click?.(to(xy)), place.go(to(xy)))),
      nudge: loaded(([x, y]) => {
        const at = this.view.plane.to(place.rest);
        place.nudge(to([at[0] + x, at[1] + y]));
      }),
      key: (key) => Boolean(this.found && (this.way.keyDown?.(key) || place.key(key))),
    };
  }

  // ---- drawing

  restyle() {
    this.colours = coloursOf(this.root);
    this.view.restyle(this.colours, this.root.classList.contains("dark")); // before the map, which draws with it
    this.map.restyle(this.colours);
    for (const way of Object.values(this.ways ?? {})) way.restyle?.();
    this.ask();
  }

  /** z, or what is said of it, is another. */
  renew() {
    this.moved = true;
    this.ask();
  }

  redraw() {
    if (document.hidden || !this.found) return;
    if (this.moved) this.drawPoint();
    this.view.drawOver(this.way);
    if (this.reading.work()) this.ask();
  }

  drawPoint() {
    const { z } = this.place,
      picture = this.found.decode(z);
    this.moved = false;
    this.reading.show(z, picture);
    this.view.tellHeld(z);
    this.way.moved?.(z, picture);
  }

  say(text, again = false) {
    const { part } = this;
    part.message.hidden = false;
    part.stage.hidden = part.bar.hidden = true;
    delete this.root.dataset.coming;
    part.words.textContent = text;
    part.retry.hidden = !again;
  }

  destroy() {
    this.ended = true;
    this.ask.cancel();
    clearTimeout(this.resting);
    for (const part of [this.files, this.place, this.map, this.reading.teller, ...Object.values(this.ways ?? {})])
      part.destroy?.();
    this.observer.disconnect();
    this.found?.rest();
    document.removeEventListener("visibilitychange", this.onShown);
  }
}
