// What the model makes of the prior: the grid at its quantiles, random draws from it, and the warp from z to images.

import { choices, partsOf, press } from "../../lib/dom.js";
import { whole, within } from "../../lib/state.js";
import { Way } from "../shared/way.js";
import { PriorDraws } from "./draws.js";
import { PriorGrid } from "./grid.js";
import { PriorWarp } from "./warp.js";

const TABS = { grid: PriorGrid, draws: PriorDraws, warp: PriorWarp };

const HTML = `
<div class="row" role="group" aria-label="what of the prior is shown">
  <button data-tab="grid">Grid at quantiles</button><button data-tab="draws">Random draws</button><button data-tab="warp">Warp to images</button>
</div>
<div class="way" data-box="grid"></div><div class="way" data-box="draws"></div><div class="way" data-box="warp"></div>`;

const hundredths = (value) => Math.round(100 * value) / 100;

export const cleanPrior = (raw) => ({
  tab: Object.hasOwn(TABS, raw?.tab) ? raw.tab : "grid",
  n: whole(raw?.n, 17) ? Math.max(8, raw.n) : 12,
  labels: raw?.labels === "z" ? "z" : "quantile",
  temperature: hundredths(within(raw?.temperature, [0, 2], 1)),
  seed: whole(raw?.seed, 2 ** 32) ? raw.seed : 0,
  warp: hundredths(within(raw?.warp, [0, 1], 0)),
  heat: raw?.heat === true,
});

export class PriorWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    const boxes = partsOf(root, "box");
    /** @type {Record<string, any>} */
    this.tabs = Object.fromEntries(
      Object.entries(TABS).map(([key, Tab]) => [key, new Tab(boxes[key], place, view, page)]),
    );
    choices(root, "tab", (tab) => page.change({ tab }));
  }

  get tab() {
    return this.tabs[this.state.tab];
  }

  load(found) {
    this.state = null;
    for (const tab of Object.values(this.tabs)) tab.load(found);
  }

  show(state) {
    this.state = state;
    press(this.root, "tab", state.tab);
    for (const [key, tab] of Object.entries(this.tabs)) tab.root.hidden = key !== state.tab;
    this.tab.show(state);
  }

  moved(z) {
    if (this.state) this.tab.moved(z);
  }

  press(xy, code) {
    return this.tab.press?.(xy, code) ?? false;
  }

  draw(ctx, at, scale, colours) {
    if (!this.state) return;
    this.tab.renew(); // the plane of the map may be another one
    this.tab.draw(ctx, at, scale, colours);
  }

  restyle() {
    for (const tab of Object.values(this.tabs)) tab.restyle?.();
  }

  files() {
    return this.state ? this.tab.files() : null;
  }

  destroy() {
    for (const tab of Object.values(this.tabs)) tab.destroy?.();
  }
}
