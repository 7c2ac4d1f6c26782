// The pad: sliders ordered by KL with a film strip each, stops to go back to, and pinned points side by side.

import { partsOf } from "../lesson/view.js";
import { drawImages } from "../live/pictures.js";
import { greys } from "../net/model.js";
import { columnsOf, csv } from "./csv.js";
import { normalShare } from "./density.js";
import { fixed, rounded, zText } from "./numbers.js";
import { through } from "./paths.js";
import { sideBySide } from "./print.js";
import { Sliders } from "./sliders.js";

const TRAIL = 12,
  PINS = 8;
const SLIDERS_MS = 60; // between two moves of all sliders: to lay them out costs more than to decode
const LEG = 12; // frames of the film from a point to the next
const LETTERS = "ABCDEFGH";

const HTML = `
<div class="row">
  <button data-part="back" disabled>↶ Back</button>
  <button data-part="pin">Pin this z</button>
  <button data-part="home">To 0</button>
  <small>Move over the map to try a place out; drag to go there; click or tap to go there and pin it. Arrow keys move by 0.1, with Shift by 0.01.</small>
</div>
<div class="pins" data-part="pins"></div>
<p><small>A slider for every latent, the one with the largest KL first; above it what it does, from −3 to 3.</small></p>
<div data-part="sliders"></div>`;

export class PadWay {
  constructor(app, root) {
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, stops: [] });
    this.sliders = new Sliders(part.sliders, {
      moving: (z) => app.hover(z),
      rests: (z) => this.go(z),
    });
    part.back.onclick = () => this.back();
    part.pin.onclick = () => this.pin(app.z);
    part.home.onclick = () => this.go(new Float32Array(app.set.dims));
  }

  load() {
    clearTimeout(this.slide);
    clearTimeout(this.still);
    this.nudgedFrom = this.restedAt = this.pinned = null;
    this.stops = [];
    this.sliders.load(this.app);
  }

  show({ z, pins }) {
    this.part.back.disabled = !this.stops.length;
    this.drawPins(pins);
    this.sliders.show(z);
    if (this.restedAt !== String(z)) this.sliders.drawStrips(z);
    this.restedAt = String(z);
  }

  /** Called for every z that is decoded, while it moves too: in a plane of 32 latents all sliders move at once. */
  moved(z) {
    clearTimeout(this.slide);
    const wait = (this.slidAt ?? 0) + SLIDERS_MS - performance.now();
    if (wait > 0) return (this.slide = setTimeout(() => this.moved(z), wait));
    this.slidAt = performance.now();
    this.sliders.show(z);
  }

  restyle() {}

  press() {
    return false; // the point itself moves
  }

  // ---- moving for good

  /** z comes to rest here; where it was can be gone back to. */
  go(z) {
    const before = this.app.state.pad.z;
    if (String(before) !== String(rounded(z))) this.stops = [...this.stops, before].slice(-TRAIL);
    this.rest(z);
  }

  rest(z) {
    this.app.point(rounded(z));
    this.app.change("pad", { z: rounded(z) });
    this.app.view.renewGrid();
  }

  /** An arrow key: many in a row make one stop. */
  nudge(z) {
    this.nudgedFrom ??= this.app.state.pad.z;
    this.app.point(rounded(z));
    clearTimeout(this.still);
    this.still = setTimeout(() => {
      this.stops = [...this.stops, this.nudgedFrom].slice(-TRAIL);
      this.nudgedFrom = null;
      this.rest(this.app.state.pad.z);
    }, 400);
  }

  /** Whether there was a stop to go back to. */
  back() {
    const z = this.stops.pop();
    if (z) this.rest(z);
    return Boolean(z);
  }

  /** A click goes there and pins it: a finger has no other way to look at a place. */
  click(z) {
    this.pin(z);
    this.go(z);
  }

  key(key) {
    if (key === "Enter" && !this.root.hidden) this.pin(this.app.z);
    else if (key === "Home") this.go(new Float32Array(this.app.set.dims));
    else if (key === "Backspace") return this.back();
    else return false;
    return true;
  }

  // ---- pins

  pin(z) {
    this.app.change("pad", { pins: [...this.app.state.pad.pins, rounded(z)].slice(-PINS) });
  }

  /** Built anew only when they change, so that the focus stays where it is. */
  drawPins(pins) {
    if (JSON.stringify(pins) === this.pinned) return;
    this.pinned = JSON.stringify(pins);
    this.part.pins.replaceChildren(...pins.map((z, i) => this.pinFigure(z, i)));
  }

  pinFigure(z, i) {
    const figure = document.createElement("figure");
    figure.innerHTML = `<button class="pinned"><canvas class="images"></canvas></button><figcaption><b></b> <span></span> <button>×</button></figcaption>`;
    const [
      open,
      {
        children: [letter, text, remove],
      },
    ] = figure.children;
    drawImages(open.firstChild, { shape: [1, 28, 28], data: greys(this.app.model.decode(z)) }, 1);
    open.setAttribute("aria-label", `pin ${LETTERS[i]}: go there`);
    open.onclick = () => this.go(z);
    letter.textContent = LETTERS[i];
    text.textContent = zText(z);
    remove.setAttribute("aria-label", `take pin ${LETTERS[i]} away`);
    remove.onclick = () => this.unpin(i);
    return figure;
  }

  unpin(i) {
    this.app.change("pad", { pins: this.app.state.pad.pins.filter((_, j) => j !== i) });
    (this.part.pins.children[Math.min(i, this.part.pins.children.length - 1)]?.firstChild ?? this.part.pin).focus();
  }

  /** The trail of the last stops, and the pins by their letters. */
  draw(ctx, at, scale, { text, background, primary }) {
    const px = devicePixelRatio,
      { plane } = this.app.view,
      { z, pins } = this.app.state.pad;
    const path = [...this.stops, z].map((stop) => at(plane.to(stop)));
    for (let i = 1; i < path.length; i++) {
      ctx.globalAlpha = 0.25 + (0.75 * i) / path.length; // older ones fade
      for (const [colour, width] of [
        [background, 5],
        [primary, 2.4],
      ]) {
        ctx.strokeStyle = ctx.fillStyle = colour;
        ctx.lineWidth = width * px;
        ctx.beginPath();
        ctx.moveTo(...path[i - 1]);
        ctx.lineTo(...path[i]);
        ctx.stroke();
        ctx.beginPath();
        ctx.arc(...path[i - 1], (2 + width) * px, 0, 2 * Math.PI);
        ctx.fill();
      }
    }
    ctx.globalAlpha = 1;
    ctx.font = `bold ${15 * px}px sans-serif`;
    ctx.textAlign = "center";
    pins.forEach((pin, i) => {
      const [x, y] = at(plane.to(pin));
      ctx.fillStyle = text;
      ctx.beginPath();
      ctx.arc(x, y, 10 * px, 0, 2 * Math.PI);
      ctx.fill();
      ctx.fillStyle = background;
      ctx.fillText(LETTERS[i], x, y + 5.5 * px);
    });
    ctx.textAlign = "left";
  }

  // ---- files

  /** The stops, here and the pins as a table; the map and the picture side by side; the ways between them as a film. */
  files() {
    const film = this.legs().length ? () => this.film() : null;
    return { png: () => this.print(), gif: film, csv: () => this.table() };
  }

  table() {
    const { app, stops } = this,
      { z, pins } = app.state.pad,
      { dims } = app.set;
    const rows = [
      ...stops.map((stop, i) => [`stop ${i + 1}`, stop]),
      ["here", z],
      ...pins.map((pin, i) => [`pin ${LETTERS[i]}`, pin]),
    ];
    const lines = rows.map(([what, at]) => [what, ...at, ...Array.from(at, normalShare)]);
    return csv([["what", ...columnsOf("z", dims), ...columnsOf("quantile", dims)], ...lines]);
  }

  print() {
    const { map, part, view, colours, state } = this.app,
      [across, up] = view.plane.labels;
    const axes = `codes of 5,000 test images: ${across} across${up ? `, ${up} upwards` : ""}, ${fixed(map.reach(), 1)} prior σ to each side`;
    return sideBySide(
      [
        { canvas: map.canvas, over: [part.over], text: axes },
        { canvas: part.decoded, text: `decoded at z = ${zText(state.pad.z)}` },
      ],
      colours,
    );
  }

  /** From stop to stop to here, and from pin to pin: lists of two points at least. */
  legs() {
    const { z, pins } = this.app.state.pad;
    return [[...this.stops, z], pins].filter((points) => points.length > 1);
  }

  async film() {
    const { app } = this,
      ways = this.legs().map((points) => through(points, LEG + 1));
    const zs = new Float32Array(ways.reduce((sum, way) => sum + way.length, 0));
    ways.reduce((at, way) => (zs.set(way, at), at + way.length), 0);
    const data = await app.background.decode("film", zs);
    return (
      data && {
        width: 28,
        height: 28,
        delayMs: 80,
        frames: Array.from({ length: data.length / 784 }, (_, k) => data.subarray(784 * k, 784 * (k + 1))),
      }
    );
  }

  destroy() {
    clearTimeout(this.slide);
    clearTimeout(this.still);
  }
}
