// The pad: sliders ordered by KL with a film strip each, stops to go back to, and pinned points side by side.

import { columnsOf, csv } from "../../lib/csv.js";
import { make } from "../../lib/dom.js";
import { badges, disc, line } from "../../lib/draw.js";
import { drawImage, imagesIn } from "../../lib/images.js";
import { fixed } from "../../lib/numbers.js";
import { normalShare } from "../shared/density.js";
import { countOf, rounded, zText } from "../shared/numbers.js";
import { through } from "../shared/paths.js";
import { sideBySide } from "../shared/print.js";
import { filmOf } from "../shared/saved.js";
import { Way } from "../shared/way.js";
import { Sliders } from "./sliders.js";

const PINS = 8;
const SLIDERS_MS = 60; // between two moves of all sliders: to lay them out costs more than to decode
const LEG = 12; // frames of the film from a point to the next
const LETTERS = "ABCDEFGH";

const HTML = `
<div data-part="sliders"></div>
<div class="row">
  <button data-part="back" disabled>↶ Back</button>
  <button data-part="pin">Pin z</button>
  <button data-part="home">To 0</button>
</div>
<div class="pins" data-part="pins"></div>
<details>
  <summary>How to move</summary>
  <small>Move over the map to try a place out; drag to go there; click or tap to go there and pin it. Arrow keys move by 0.1, with Shift by 0.01. A slider for every latent, the one with the largest KL first; above it what it does, from −3 to 3 (std of the [[prior]], where there is one).</small>
</details>`;

export class PadWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    const { part } = this;
    this.sliders = new Sliders(part.sliders, place);
    part.back.onclick = () => place.back();
    part.pin.onclick = () => this.pin(place.z);
    part.home.onclick = () => place.home();
  }

  load(found) {
    clearTimeout(this.slide);
    this.found = found;
    this.restedAt = null;
    this.pinned = null;
    this.sliders.load(found);
  }

  show(state) {
    const { place, part, sliders } = this,
      z = place.rest;
    this.state = state;
    part.back.disabled = !place.stops.length;
    this.drawPins(state.pins);
    sliders.show(z);
    if (this.restedAt !== String(z)) sliders.drawStrips(z);
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

  /** A click goes there, which the page does, and pins it: a finger has no other way to look at a place. */
  click(z) {
    this.pin(z);
  }

  keyDown(key) {
    if (key === "Enter") this.pin(this.place.z);
    return key === "Enter";
  }

  // ---- pins

  pin(z) {
    this.page.change({ pins: [...this.state.pins, rounded(z)].slice(-PINS) });
  }

  /** Built anew only when they change, so that the focus stays where it is. */
  drawPins(pins) {
    if (JSON.stringify(pins) === this.pinned) return;
    this.pinned = JSON.stringify(pins);
    this.part.pins.replaceChildren(...pins.map((z, i) => this.pinFigure(z, i)));
  }

  pinFigure(z, i) {
    const figure = make("figure", {
      innerHTML: `<button class="pinned"><canvas class="images"></canvas></button><figcaption><b></b> <span></span> <button>×</button></figcaption>`,
    });
    const [
      open,
      {
        children: [letter, text, remove],
      },
    ] = figure.children;
    drawImage(open.firstChild, this.found.greys(z));
    open.setAttribute("aria-label", `pin ${LETTERS[i]}: go there`);
    open.onclick = () => this.place.go(z);
    letter.textContent = LETTERS[i];
    text.textContent = zText(z);
    remove.setAttribute("aria-label", `take pin ${LETTERS[i]} away`);
    remove.onclick = () => this.unpin(i);
    return figure;
  }

  unpin(i) {
    this.page.change({ pins: this.state.pins.filter((_, j) => j !== i) });
    (this.part.pins.children[Math.min(i, this.part.pins.children.length - 1)]?.firstChild ?? this.part.pin).focus();
  }

  /** The trail of the last stops, and the pins by their letters. */
  draw(ctx, at, scale, colours) {
    const { plane } = this.view,
      { background, primary } = colours;
    const path = [...this.place.stops, this.place.rest].map((stop) => at(plane.to(stop)));
    for (let i = 1; i < path.length; i++) {
      ctx.globalAlpha = 0.25 + (0.75 * i) / path.length; // older ones fade
      for (const pen of [
        [background, 5],
        [primary, 2.4],
      ]) {
        line(ctx, [path[i - 1], path[i]], pen);
        disc(ctx, path[i - 1], 2 + pen[1], pen[0]);
      }
    }
    ctx.globalAlpha = 1;
    const marks = this.state.pins.map((pin, i) => ({ place: at(plane.to(pin)), text: LETTERS[i] }));
    badges(ctx, marks, colours, 10, 15);
  }

  // ---- files

  /** The stops, here and the pins as a table; the map and the picture side by side; the ways between them as a film. */
  files() {
    const film = this.legs().length ? () => this.film() : null;
    return { png: () => this.print(), gif: film, csv: () => this.table() };
  }

  table() {
    const {
      place: { stops, rest },
      state: { pins },
    } = this;
    const rows = [
      ...stops.map((stop, i) => [`stop ${i + 1}`, stop]),
      ["here", rest],
      ...pins.map((pin, i) => [`pin ${LETTERS[i]}`, pin]),
    ];
    const lines = rows.map(([what, at]) => [what, ...at, ...Array.from(at, normalShare)]);
    return csv([["what", ...columnsOf("z", rest.length), ...columnsOf("quantile", rest.length)], ...lines]);
  }

  print() {
    const { map, over, decoded } = this.view.canvases,
      [across, up] = this.view.plane.labels;
    const axes = `codes of ${countOf(this.found)} test images: ${across} across${up ? `, ${up} upwards` : ""}, ${fixed(this.view.reach, 1)} prior σ to each side`;
    return sideBySide(
      [
        { canvas: map, over: [over], text: axes },
        { canvas: decoded, text: `decoded at z = ${zText(this.place.rest)}` },
      ],
      this.page.colours,
    );
  }

  /** From stop to stop to here, and from pin to pin: lists of two points at least. */
  legs() {
    const { stops, rest } = this.place;
    return [[...stops, rest], this.state.pins].filter((points) => points.length > 1);
  }

  async film() {
    const ways = this.legs().map((points) => through(points, LEG + 1));
    const zs = Float32Array.from(ways.flatMap((way) => Array.from(way)));
    const data = await this.found.background.decode("film", zs);
    return data && filmOf(imagesIn(data));
  }

  destroy() {
    clearTimeout(this.slide);
  }
}
