// Three stacked bars on one axis of nats: log p(x); the ELBO and the gap that add up to it; the ELBO's own two terms.

import { make, partsOf } from "../../lib/dom.js";
import { fixed, plain } from "../../lib/numbers.js";
import { axisWindow } from "./axis.js";

const HTML = `
<div class="rows">
  <p><b class="evidence">log p(x) <output data-bar="evidence"></output></b> <span>fixed: q does not occur in it</span></p>
  <div class="track"><i class="evidence"></i></div>
  <p><b class="total">ELBO <output data-bar="elbo"></output></b> + <b class="gap">KL(q ‖ p(z | x)) <output data-bar="gap"></output></b> <span>the gap</span></p>
  <div class="track"><i class="total"></i><i class="gap"></i></div>
  <p>ELBO = <b class="reconstruction">E<sub>q</sub>[log p(x | z)] <output data-bar="reconstruction"></output></b> − <b class="kl">KL(q ‖ prior) <output data-bar="kl"></output></b></p>
  <div class="track"><i class="reconstruction"></i><i class="kl"></i></div>
  <div class="axis"></div>
  <div class="rule total"></div>
  <div class="rule evidence"></div>
</div>
<p class="note cut"></p>`;

export class Bars {
  constructor(root) {
    root.innerHTML = HTML;
    const find = (selector) => root.querySelector(selector);
    this.output = partsOf(root, "bar");
    this.part = Object.fromEntries(
      ["evidence", "total", "gap", "reconstruction", "kl"].map((name) => [name, find(`i.${name}`)]),
    );
    this.rows = find(".rows");
    this.axis = find(".axis");
    this.cut = find(".cut");
    this.rules = [find(".rule.total"), find(".rule.evidence")];
    this.window = null;
  }

  /** Another problem has another axis. */
  clear() {
    this.window = null;
  }

  draw({ elbo, nll, klPrior, klPosterior }, logEvidence) {
    const high = Math.max(logEvidence, -nll, elbo + klPosterior);
    const window = axisWindow({ low: Math.min(elbo, logEvidence), high }, this.window);
    if (window !== this.window) this.drawAxis(window);
    this.stretch("evidence", window.from, logEvidence);
    this.stretch("total", window.from, elbo);
    this.stretch("gap", elbo, elbo + klPosterior);
    this.stretch("reconstruction", window.from, -nll);
    this.stretch("kl", elbo, -nll);
    this.rules[0].style.left = this.percent(elbo);
    this.rules[1].style.left = this.percent(logEvidence);
    const say = { evidence: logEvidence, elbo, gap: klPosterior, reconstruction: -nll, kl: klPrior };
    for (const [name, value] of Object.entries(say)) this.output[name].value = fixed(value);
  }

  stretch(name, from, to) {
    const { style } = this.part[name];
    style.left = this.percent(Math.min(from, to));
    style.width = `calc(${this.percent(Math.max(from, to))} - ${this.percent(Math.min(from, to))})`;
  }

  percent(v) {
    const { from, to } = this.window;
    return `${((100 * (v - from)) / (to - from)).toFixed(3)}%`;
  }

  drawAxis(window) {
    this.window = window;
    const { from, to, step } = window;
    const marks = Array.from({ length: 7 }, (_, i) => from + i * step);
    this.axis.replaceChildren(
      ...marks.map((v, i) => make("span", { textContent: plain(v), className: i % 2 ? "odd" : "" })),
    );
    [...this.axis.children].forEach((node, i) => (node.style.left = this.percent(marks[i])));
    const cut = to < 0 || from > 0;
    this.rows.classList.toggle("cut-axis", cut);
    this.cut.textContent = `nats, higher is better →${cut ? ` The axis is cut (//): it begins at ${plain(from)}, not at 0.` : ` The axis begins at ${plain(from)}.`}`;
  }
}
