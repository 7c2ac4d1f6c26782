// A slider for every latent, ordered by KL; those that say nothing are folded away. Above each a film strip of what it does.

import { make } from "../../lib/dom.js";
import { explained } from "../../lib/glossary.js";
import { drawImages } from "../../lib/images.js";
import { fixed } from "../../lib/numbers.js";
import { normalShare } from "../shared/density.js";
import { percent } from "../shared/numbers.js";
import { name } from "../shared/plane.js";
import { inactiveWords, rowByRow } from "../shared/rows.js";

const REACH = 4; // of a slider, in prior units
const STRIP = [-3, -2, -1, 0, 1, 2, 3];

const ROW = `
<div class="name"><b></b> <small></small></div>
<div class="strip"><canvas class="images" height="28"></canvas><input type="range" min="${-REACH}" max="${REACH}" step="0.01"></div>
<output></output>`;

export class Sliders {
  /** place: where z is tried out while a slider moves, and goes when it rests. */
  constructor(root, place) {
    root.innerHTML = `<div class="sliders"></div><details><summary></summary><div class="sliders"></div></details>`;
    const [active, folded] = root.children;
    this.active = active;
    this.folded = folded;
    this.place = place;
    this.rows = [];
    this.folded.ontoggle = () => this.z && this.drawStrips(this.z);
  }

  load(found) {
    const { set } = found,
      share = set.klDims ?? set.varMu;
    this.found = found;
    this.rows = Array.from({ length: set.dims }, (_, d) => this.row(d, share[d], Boolean(set.active[d])));
    this.rows.sort((a, b) => b.share - a.share);
    const [first] = this.rows; // one of them says what its figure is
    if (set.klDims) first.figure.innerHTML = explained(this.active, `[[KL]] ${fixed(first.share)} [[nats]]`);
    const [active, inactive] = [this.rows.filter((r) => r.active), this.rows.filter((r) => !r.active)];
    this.active.replaceChildren(...active.map((r) => r.root));
    const [summary, box] = this.folded.children;
    summary.textContent = inactiveWords(inactive.length, found);
    box.replaceChildren(...inactive.map((r) => r.root));
    this.folded.hidden = !inactive.length;
  }

  row(d, share, active) {
    const root = make("div", { className: "slider", innerHTML: ROW });
    const [
      title,
      {
        children: [strip, range],
      },
      output,
    ] = /** @type {any} */ (root.children);
    title.children[0].textContent = name(d);
    title.children[1].textContent = this.found.set.klDims ? `KL ${fixed(share)} nats` : `var ${fixed(share)}`;
    range.setAttribute("aria-label", `${name(d)}, in prior standard deviations`);
    strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", `what ${name(d)} does, from −3 to 3`);
    range.oninput = () => this.place.hover(this.with(d, Number(range.value)));
    range.onchange = () => this.place.go(this.with(d, Number(range.value)));
    strip.onclick = ({ offsetX }) =>
      this.place.go(this.with(d, STRIP[Math.min(6, Math.floor((7 * offsetX) / strip.clientWidth))]));
    output.setAttribute("aria-live", "off");
    return { d, share, active, root, strip, range, output, figure: title.children[1] };
  }

  with(d, value) {
    return Float32Array.from(this.z, (v, i) => (i === d ? value : v));
  }

  show(z) {
    this.z = z;
    for (const { d, range, output, active } of this.rows) {
      if (!active && !this.folded.open) continue;
      const value = String(Math.round(100 * z[d]) / 100),
        limit = String(Math.max(REACH, Math.ceil(Math.abs(z[d]))));
      if (range.max !== limit) Object.assign(range, { min: `-${limit}`, max: limit }); // an autoencoder's codes go further
      if (range.value !== value) range.value = value;
      const text = `${fixed(z[d])} · ${percent(normalShare(z[d]))}`;
      if (output.value !== text) output.value = text;
    }
  }

  /** Decode every latent at seven places, all others as they are. Those on the page first. */
  async drawStrips(z) {
    const rows = this.rows.filter((r) => r.active || this.folded.open),
      n = z.length;
    const zs = new Float32Array(rows.length * STRIP.length * n);
    rows.forEach(({ d }, r) =>
      STRIP.forEach((value, k) => {
        const at = (r * STRIP.length + k) * n;
        zs.set(z, at);
        zs[at + d] = value;
      }),
    );
    const draw = rowByRow(STRIP.length, (pictures, r) =>
      drawImages(rows[r].strip, { shape: [STRIP.length], data: pictures }, STRIP.length),
    );
    const all = await this.found.background.decode("strips", zs, (pictures, _, to) => draw(pictures, to));
    if (all) draw(all, rows.length * STRIP.length);
  }
}
