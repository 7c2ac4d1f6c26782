// The explorer's map: codes in a plane, the decoded grid behind them, ellipses at true scale, and what lies over it.

import { make } from "../lib/dom.js";
import { disc, ellipse, ring, squareOf } from "../lib/draw.js";
import { drawImages } from "../lib/images.js";
import { fixed } from "../lib/numbers.js";
import { countOf } from "./shared/numbers.js";
import { Plane, name } from "./shared/plane.js";

const GRID = 20; // pictures a side behind the map
const ELLIPSES = 200; // of the posteriors: more would hide each other

export class MapView {
  /** place: the z of the page; page: { change(partial), renew() } */
  constructor(part, map, place, page) {
    this.part = part;
    this.map = map;
    this.place = place;
    this.page = page;
    this.codes = new Float32Array(0);
    this.backdrop = make("canvas");
    this.ready = null;
    for (const key of ["grid", "ellipses", "automatic"])
      part[key].onchange = ({ target }) => this.change({ [key]: target.checked });
    part.across.onchange = () => this.choose(part.across, part.up);
    part.up.onchange = () => this.choose(part.up, part.across);
    map.under = (ctx, side) => this.drawUnder(ctx, side);
    map.over = (ctx, at, scale) => this.drawEllipses(ctx, at, scale);
  }

  restyle(colours, dark) {
    this.colours = colours;
    this.dark = dark;
  }

  /** Half the side of the map, in prior units. */
  get reach() {
    return this.map.reach();
  }

  /** CSS pixels a prior unit. */
  get pixels() {
    return this.part.over.clientWidth / (2 * this.reach);
  }

  /** What is seen of the page: the map with what lies over it, and the decoder's picture. */
  get canvases() {
    const { map, over, decoded } = this.part;
    return { map, over, decoded };
  }

  change(partial) {
    this.page.change(partial);
    this.show(this.state);
  }

  /** The model that is shown goes, another is on its way: its codes are known by now. */
  await(first, dims) {
    this.found = this.state = this.ready = this.asked = null;
    this.codes = new Float32Array(0);
    const { over } = this.part;
    over.getContext("2d").clearRect(0, 0, over.width, over.height);
    this.map.alpha = 0.75;
    this.map.automatic = false;
    const { xy, labels, classNames } = first;
    this.map.show({ xy, xyUnit: 1, labels, classNames }, axesOf(new Plane("pca", dims)));
  }

  /** Another model: its axes, and how they may be chosen. */
  load(found, state) {
    const { part } = this,
      { dims, klDims, varMu, classNames } = found.set;
    const share = klDims ?? varMu;
    const order = Array.from({ length: dims }, (_, d) => d).sort((a, b) => share[b] - share[a]);
    const coloured = classNames.length ? ", coloured by class" : "";
    part.map.setAttribute("aria-label", `latent codes of ${countOf(found)} test images${coloured}`);
    part.axes.hidden = dims <= 2;
    for (const [select, first] of [
      [part.across, "PC 1"],
      [part.up, "PC 2"],
    ]) {
      select.replaceChildren(new Option(first, "pca"), ...order.map((d) => new Option(name(d), String(d))));
    }
    this.found = found;
    this.order = order;
    this.shown = null;
    this.asked = null;
    this.ready = null;
    this.show(state);
  }

  /** Two different dimensions, or both principal axes, as the one that was changed says. */
  choose(changed, other) {
    if (changed.value === "pca") return this.change({ axes: "pca" });
    const one = Number(changed.value);
    const two =
      other.value === "pca" || other.value === changed.value ? this.order.find((d) => d !== one) : Number(other.value);
    this.change({ axes: changed === this.part.up ? [two, one] : [one, two] });
  }

  show(state) {
    const { part, found } = this,
      { set } = found;
    this.state = state;
    for (const key of ["grid", "ellipses", "automatic"]) part[key].checked = state[key];
    part.ellipses.disabled = !set.logVar;
    part.warning.hidden = !state.automatic;
    const axes = JSON.stringify(state.axes);
    if (axes !== this.shown) {
      this.shown = axes;
      this.plane = new Plane(state.axes, set.dims, set.basis);
      this.codes = this.plane.project(set.mu);
    }
    const pca = state.axes === "pca";
    part.across.value = pca ? "pca" : state.axes[0];
    part.up.value = pca ? "pca" : state.axes[1];
    this.map.alpha = state.grid ? 0.45 : 0.75;
    this.map.automatic = state.automatic;
    this.map.show(
      { xy: { data: this.codes }, xyUnit: 1, labels: { data: set.labels }, classNames: set.classNames },
      axesOf(this.plane),
    );
    this.renewGrid();
    this.page.renew(); // what is held fixed is said anew
  }

  // ---- the decoded grid

  /** Decode the plane again, where it is wanted and has changed; off the plane z is as it rests. */
  async renewGrid() {
    const { found, plane, map, reach } = this,
      z = this.place.rest;
    if (!this.state.grid) return;
    const asked = JSON.stringify([found.about.name, this.shown, reach, plane.off(z) < 1e-6 ? 0 : z]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.ready = null;
    const zs = new Float32Array(GRID * GRID * plane.dims);
    for (let i = 0; i < GRID * GRID; i++) {
      const xy = [((2 * (i % GRID) + 1) / GRID - 1) * reach, (1 - (2 * Math.floor(i / GRID) + 1) / GRID) * reach];
      zs.set(plane.from(xy, z), i * plane.dims);
    }
    const data = await found.background.decode("backdrop", zs).catch(() => null);
    if (!data || asked !== this.asked) return;
    drawImages(this.backdrop, { shape: [GRID * GRID], data }, GRID);
    this.ready = reach;
    map.draw();
  }

  /** White ink on a dark page, dark ink on a light one: so that axes and codes stay readable. */
  drawUnder(ctx, side) {
    if (!this.state?.grid || this.ready !== this.reach) return;
    const { dark } = this;
    if (!dark) {
      ctx.fillStyle = "#fff";
      ctx.fillRect(0, 0, side, side);
      ctx.globalCompositeOperation = "difference";
    }
    ctx.globalAlpha = dark ? 0.8 : 0.7;
    ctx.drawImage(this.backdrop, 0, 0, side, side);
    ctx.globalAlpha = 1;
    ctx.globalCompositeOperation = "source-over";
  }

  // ---- ellipses

  drawEllipses(ctx, at, scale) {
    const { found, plane, codes, colours } = this,
      { set } = found ?? {};
    if (!this.state?.ellipses || !set.logVar) return;
    for (let i = 0; i < set.count; i += Math.max(1, Math.floor(set.count / ELLIPSES))) {
      const place = [at(codes[2 * i]), at(-codes[2 * i + 1])];
      ellipse(ctx, place, plane.ellipse(found.logVar(i)), scale, [colours.classes[set.labels[i]] ?? colours.text, 1.2]);
    }
  }

  // ---- what lies over the map

  /** What the way that is open draws, and z. */
  drawOver(way) {
    const { place, plane, colours } = this,
      square = colours && squareOf(this.part.over);
    if (!square) return;
    const { ctx, side } = square,
      scale = side / (2 * this.reach);
    /** @type {ToPixels} */
    const at = ([x, y]) => [side / 2 + x * scale, side / 2 - y * scale];
    way.draw(ctx, at, scale, colours);
    cross(ctx, at(plane.to(place.z)), side, colours, place.hovered !== null);
  }

  /** What the plane of the map leaves out, said of the z that is shown. */
  tellHeld(z) {
    const { plane } = this,
      rest = plane.dims - 2;
    const what = plane.pca
      ? `the other ${rest === 1 ? "direction" : `${rest} directions`}`
      : `the other ${rest === 1 ? "latent" : `${rest} latents`}`;
    const seen = plane.pca
      ? ` The plane shows ${Math.round(100 * this.found.about.explained)}% of the variance of the codes.`
      : "";
    this.part.held.textContent =
      rest <= 0
        ? ""
        : `Moving here keeps ${what} of z as ${rest === 1 ? "it is" : "they are"}, ${fixed(plane.off(z))} from 0.${seen}`;
  }
}

const axesOf = ({ labels }) => labels.map((label) => label && `${label}, prior σ`);

/** z; where it lies outside the frame, a dashed ring on the frame's edge shows in which direction. */
function cross(ctx, [left, top], side, { text, background }, trying) {
  const px = devicePixelRatio,
    inside = (v) => Math.max(12 * px, Math.min(side - 12 * px, v));
  const [x, y] = [inside(left), inside(top)],
    outside = Math.hypot(left - x, top - y) > 12 * px;
  ctx.setLineDash(outside ? [4 * px, 3 * px] : []);
  ring(ctx, [x, y], 9, [background, 6], [text, 2.4]);
  ctx.setLineDash([]);
  if (!trying && !outside) disc(ctx, [x, y], 3, text);
}
