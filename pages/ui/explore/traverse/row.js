// One latent of the traversal: its pictures from −reach to reach, where the base lies on it, and how much it changes.

import { apart } from "../../lib/distances.js";
import { make } from "../../lib/dom.js";
import { fixed } from "../../lib/numbers.js";
import { name } from "../shared/plane.js";
import { Sheet } from "../shared/sheet.js";

const HTML = `<div class="name"><button aria-pressed="false"></button> <small></small></div>
<div class="line"><div></div><div class="under"><i class="base" title="the base">▲</i><span></span><span></span></div></div>
<div class="figure"><output aria-live="off"></output><i class="bar"><i></i></i></div>`;

/** Without zeros at its end. */
export const bare = (value) => fixed(value).replace(/\.?0+$/, "");

/** Where picture k of `steps` lies, and where a value lies on the strip as a share of its width. */
export const valueAt = (k, { reach, steps }) => reach * ((2 * k) / (steps - 1) - 1);
export const valuesOf = (state) => Array.from({ length: state.steps }, (_, k) => valueAt(k, state));
export const shareOf = (value, { reach, steps }) =>
  Math.max(0, Math.min(1, (0.5 + ((value / reach + 1) / 2) * (steps - 1)) / steps));

export class Row {
  /** on: { over(d, k), leave(), choose(d, k), pick(d) } */
  constructor(d, { set }, on) {
    const share = (set.klDims ?? set.varMu)[d],
      active = Boolean(set.active[d]),
      root = make("div", { className: "latent", innerHTML: HTML });
    const [title, line, right] = root.children,
      [strip, under] = line.children,
      [marker, ...ends] = under.children,
      [figure, { firstChild: bar }] = right.children;
    this.d = d;
    this.share = share;
    this.active = active;
    this.root = root;
    this.marker = marker;
    this.ends = ends;
    this.figure = figure;
    this.bar = bar;
    this.button = title.children[0];
    this.change = null; // how far the two ends are apart; null: its pictures are not those that are wanted now
    this.button.textContent = name(d);
    this.button.title = `draw ${name(d)} on the map and move along it`;
    this.button.onclick = () => on.pick(d);
    title.children[1].textContent = `${set.klDims ? `KL ${fixed(share)} nats` : `var ${fixed(share)}`}${active ? "" : ", inactive"}`;
    this.sheet = new Sheet(strip, `what ${name(d)} does`, {
      over: (k) => on.over(d, k),
      leave: on.leave,
      choose: (k) => on.choose(d, k),
    });
    strip.dataset.latent = d;
  }

  show(state, value, picked) {
    this.sheet.resize(state.steps, state.steps);
    this.marker.style.left = `${100 * shareOf(value, state)}%`;
    [-state.reach, state.reach].forEach((end, i) => (this.ends[i].textContent = bare(end)));
    this.marker.title = `the base: ${fixed(value)}`;
    this.marker.classList.toggle("beyond", Math.abs(value) > state.reach);
    this.button.setAttribute("aria-pressed", String(picked));
  }

  /** All pictures of the row: Uint8Array steps · 784. */
  draw(pictures) {
    this.sheet.draw(pictures);
    this.change = apart(pictures, 0, this.sheet.count - 1);
    this.figure.value = fixed(this.change, 3);
  }

  /** The bar beside the figure, as a share of the row that changes most; until a row is drawn again it stays. */
  compare(most) {
    if (this.change !== null) this.bar.style.width = `${(100 * this.change) / Math.max(most, 1e-9)}%`;
  }
}
