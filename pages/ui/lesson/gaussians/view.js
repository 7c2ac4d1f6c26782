// Two Gaussians to drag and their KL divergences; one Gaussian fitted to two bumps. Mounted by view.py through
// assets.loader. All mathematics is in kl.js and rng.js, the state in state.js.

import { choices, everyFrame, press, quietPartsOf } from "../../lib/dom.js";
import { fixed } from "../../lib/numbers.js";
import { Shared } from "../../lib/state.js";
import { followTheme } from "../../lib/theme.js";
import { Fit } from "./fit.js";
import { HTML } from "./html.js";
import { Pair } from "./pair.js";
import { SEED_MOST, clean } from "./state.js";

export default class GaussiansView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = quietPartsOf(root);
    this.state = clean(null);
    this.shared = new Shared(clean, (state) => this.take(state));
    this.rest = () => this.shared.report(this.state);
    this.ask = everyFrame(() => this.draw());
    this.pair = new Pair(this);
    this.fit = new Fit(this);
    this.listen();
    this.take(this.state);
  }

  listen() {
    const { part } = this;
    for (const name of ["log2_draws", "distance", "left", "right"]) {
      part[name].oninput = () => this.set({ [name]: Number(part[name].value) });
      part[name].onchange = this.rest;
    }
    part.again.onclick = () => (this.set({ seed: (this.state.seed + 1) % (SEED_MOST + 1) }), this.rest());
    choices(this.root, "shown", (shown) => (this.set({ shown }), this.rest()));
    choices(this.root, "start", (start) => (this.set({ start }), this.fit.walk(), this.rest()));
  }

  set(changes) {
    this.take(clean({ ...this.state, ...changes }));
  }

  /** Show a state: the controls follow it, then the pictures. */
  take(state) {
    const { part } = this;
    this.state = state;
    for (const name of ["log2_draws", "distance", "left", "right"]) part[name].value = state[name];
    for (const name of ["distance", "left", "right"]) part[`${name}Now`].textContent = fixed(state[name], 2);
    part.drawsNow.textContent = (2 ** state.log2_draws).toLocaleString("en");
    part.seed.value = state.seed;
    for (const which of ["shown", "start"]) press(this.root, which, state[which]);
    this.ask();
  }

  q() {
    return { mu: this.state.q_mu, std: this.state.q_std };
  }

  p() {
    return { mu: this.state.p_mu, std: this.state.p_std };
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    followTheme(this.root);
    this.shared.update(component);
  }

  draw() {
    this.pair.draw();
    this.fit.draw();
  }

  destroy() {
    this.ask.cancel();
    for (const plot of [this.pair.densities, this.pair.integrand, this.fit.plot]) plot.destroy();
  }
}
