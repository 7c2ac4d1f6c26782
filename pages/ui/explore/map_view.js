// The explorer's map: codes in a plane, the decoded grid behind them, ellipses at true scale, and what lies over it.

import { drawImages } from "../live/pictures.js";
import { fixed } from "./numbers.js";
import { name, Plane } from "./plane.js";

const GRID = 20; // pictures a side behind the map
const ELLIPSES = 200; // of the 5,000 posteriors: more would hide each other

export class MapView {
  constructor(app, map) {
    Object.assign(this, {
      app,
      map,
      codes: new Float32Array(0),
      backdrop: document.createElement("canvas"),
      ready: null,
    });
    const { part } = app;
    for (const key of ["grid", "ellipses", "automatic"])
      part[key].onchange = ({ target }) => this.change({ [key]: target.checked });
    part.across.onchange = () => this.choose(part.across, part.up);
    part.up.onchange = () => this.choose(part.up, part.across);
    map.under = (ctx, side) => this.drawUnder(ctx, side);
    map.over = (ctx, at, scale) => this.drawEllipses(ctx, at, scale);
  }

  get state() {
    return this.app.state.view;
  }

  change(partial) {
    this.app.change("view", partial);
    this.show();
  }

  /** Another model: its axes, and how they may be chosen. */
  load() {
    const { part, set } = this.app,
      { dims } = set;
    const order = Array.from({ length: dims }, (_, d) => d).sort(
      (a, b) => (set.klDims ?? set.varMu)[b] - (set.klDims ?? set.varMu)[a],
    );
    part.axes.hidden = dims <= 2;
    for (const [select, first] of [
      [part.across, "PC 1"],
      [part.up, "PC 2"],
    ]) {
      select.replaceChildren(new Option(first, "pca"), ...order.map((d) => new Option(name(d), d)));
    }
    this.order = order;
    this.shown = this.asked = this.ready = null;
    this.show();
  }

  /** Two different dimensions, or both principal axes, as the one that was changed says. */
  choose(changed, other) {
    if (changed.value === "pca") return this.change({ axes: "pca" });
    const one = Number(changed.value);
    const two =
      other.value === "pca" || other.value === changed.value ? this.order.find((d) => d !== one) : Number(other.value);
    this.change({ axes: changed === this.app.part.up ? [two, one] : [one, two] });
  }

  show() {
    const { app, state } = this,
      { part, set } = app;
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
      { xy: { data: this.codes }, xyUnit: 1, labels: { data: set.labels } },
      this.plane.labels.map((label) => label && `${label}, prior σ`),
    );
    this.renewGrid();
    app.moved = true; // what is held fixed is said anew
    app.ask();
  }

  // ---- the decoded grid

  /** Decode the plane again, where it is wanted and has changed; off the plane z is as it rests. */
  async renewGrid() {
    const { app, plane, map } = this,
      reach = map.reach(),
      { z } = app.state.pad;
    if (!this.state.grid) return;
    const asked = JSON.stringify([app.name, this.shown, reach, plane.off(z) < 1e-6 ? 0 : z]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.ready = null;
    const zs = new Float32Array(GRID * GRID * plane.dims);
    for (let i = 0; i < GRID * GRID; i++) {
      const xy = [((2 * (i % GRID) + 1) / GRID - 1) * reach, (1 - (2 * Math.floor(i / GRID) + 1) / GRID) * reach];
      zs.set(plane.from(xy, z), i * plane.dims);
    }
    const data = await app.background.decode("backdrop", zs).catch(() => null);
    if (!data || asked !== this.asked) return;
    drawImages(this.backdrop, { shape: [GRID * GRID, 28, 28], data }, GRID);
    this.ready = reach;
    map.draw();
  }

  /** White ink on a dark page, dark ink on a light one: so that axes and codes stay readable. */
  drawUnder(ctx, side) {
    if (!this.state.grid || this.ready !== this.map.reach()) return;
    const dark = this.app.root.classList.contains("dark");
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
    const { app, plane } = this,
      { set, colours } = app;
    if (!this.state.ellipses || !set.logVar) return;
    ctx.lineWidth = 1.2 * devicePixelRatio;
    for (let i = 0; i < set.count; i += Math.floor(set.count / ELLIPSES)) {
      const { long, short, angle } = plane.ellipse(app.logVar(i));
      ctx.strokeStyle = colours.classes[set.labels[i]];
      ctx.beginPath();
      ctx.ellipse(
        at(this.codes[2 * i]),
        at(-this.codes[2 * i + 1]),
        long * scale,
        short * scale,
        -angle,
        0,
        2 * Math.PI,
      );
      ctx.stroke();
    }
  }

  // ---- what lies over the map

  drawOver() {
    const { app, map, plane } = this,
      canvas = app.part.over,
      side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side || !app.colours) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const ctx = canvas.getContext("2d"),
      scale = side / (2 * map.reach());
    const at = ([x, y]) => [side / 2 + x * scale, side / 2 - y * scale];
    ctx.clearRect(0, 0, side, side);
    app.way.draw(ctx, at, scale, app.colours);
    cross(ctx, at(plane.to(app.z)), side, app.colours, app.hovered !== null);
  }

  /** What the plane of the map leaves out, said of the z that is shown. */
  tellHeld(z) {
    const { plane } = this,
      rest = plane.dims - 2;
    const what = plane.pca
      ? `the other ${rest === 1 ? "direction" : `${rest} directions`}`
      : `the other ${rest === 1 ? "latent" : `${rest} latents`}`;
    const seen = plane.pca
      ? ` The plane shows ${Math.round(100 * this.app.about.explained)}% of the variance of the codes.`
      : "";
    this.app.part.held.textContent =
      rest <= 0
        ? ""
        : `Moving here keeps ${what} of z as ${rest === 1 ? "it is" : "they are"}, ${fixed(plane.off(z))} from 0.${seen}`;
  }
}

/** z; where it lies outside the frame, a dashed ring on the frame's edge shows in which direction. */
function cross(ctx, [left, top], side, { text, background }, trying) {
  const px = devicePixelRatio,
    inside = (v) => Math.max(12 * px, Math.min(side - 12 * px, v));
  const [x, y] = [inside(left), inside(top)],
    outside = Math.hypot(left - x, top - y) > 12 * px;
  ctx.setLineDash(outside ? [4 * px, 3 * px] : []);
  for (const [colour, width] of [
    [background, 6],
    [text, 2.4],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * px;
    ctx.beginPath();
    ctx.arc(x, y, 9 * px, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.setLineDash([]);
  if (trying || outside) return;
  ctx.fillStyle = text;
  ctx.beginPath();
  ctx.arc(x, y, 3 * px, 0, 2 * Math.PI);
  ctx.fill();
}
