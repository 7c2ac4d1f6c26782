// Random draws: z = temperature · eps, eps from N(0, I) by a seed. Temperature 1 is the model; others are not.

import { columnsOf, csv } from "../../lib/csv.js";
import { nearestCode } from "../../lib/distances.js";
import { handOn } from "../../lib/dom.js";
import { disc } from "../../lib/draw.js";
import { fixed } from "../../lib/numbers.js";
import { nearRule } from "../shared/density.js";
import { rowAt } from "../shared/found.js";
import { Latest } from "../shared/latest.js";
import { short } from "../shared/numbers.js";
import { sheetPicture } from "../shared/print.js";
import { indexOf, joined } from "../shared/rows.js";
import { Sheet } from "../shared/sheet.js";
import { Way } from "../shared/way.js";
import { draws, variety } from "./math.js";
import { YARDSTICK } from "./slice.js";

const COUNT = 40,
  COLUMNS = 10;
const NEAR = 11; // CSS pixels: a press so close to a draw means it
const FRAMES = 21; // of the animation: temperatures from 0 to 2

const HTML = `
<div class="row">
  <label>temperature <input type="range" data-part="temperature" min="0" max="2" step="0.01" aria-label="temperature"> <output data-part="value"></output></label>
  <button data-part="reset">1</button>
  <button data-part="new">New draws</button>
  <span>seed <output data-part="seed"></output></span>
</div>
<div data-part="sheet"></div>
<p data-part="figures" aria-live="off"></p>
<p data-part="note"></p>`;

export class PriorDraws extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    const { part } = this,
      { change } = page;
    const held = handOn(part.temperature);
    this.decoder = new Latest("prior draws");
    this.held = held;
    part.temperature.oninput = () => this.put({ ...this.state, temperature: Number(part.temperature.value) });
    part.temperature.onchange = () => change({ temperature: Number(part.temperature.value) });
    part.reset.onclick = () => change({ temperature: 1 });
    part.new.onclick = () => change({ seed: (this.state.seed + 1) % 2 ** 32 });
    this.sheet = new Sheet(part.sheet, "40 random draws, decoded", {
      over: (i) => place.hover(this.z(i)),
      leave: () => place.hover(null),
      choose: (i) => place.point(this.z(i)),
    });
    this.sheet.resize(COLUMNS, COUNT);
  }

  load(found) {
    this.found = found;
    this.asked = null;
    this.state = null;
    const model = !found.about.posterior ? "" : ", the model itself";
    this.part.reset.setAttribute("aria-label", `temperature 1${model}`);
  }

  z(i) {
    return rowAt(this.zs, i, this.found.set.dims).slice();
  }

  /** What the hand holds stays with the hand. */
  show(state) {
    const held = this.state && this.held();
    this.put({ ...state, ...(held && { temperature: this.state.temperature }) });
  }

  put(state) {
    this.state = state;
    const { part } = this,
      { temperature, seed } = state;
    part.temperature.value = temperature;
    part.value.value = fixed(temperature);
    part.seed.value = seed;
    this.renew();
  }

  renew() {
    const {
        found,
        state: { temperature, seed },
      } = this,
      asked = JSON.stringify([found.about.name, seed, temperature]);
    if (asked === this.asked) return;
    this.asked = asked;
    this.zs = draws(seed, COUNT, found.set.dims, temperature);
    this.decoder.ask(found, this.zs, (pictures, from, to) => {
      this.sheet.draw(pictures, from, to);
      if (to === COUNT && asked === this.asked) this.tell(pictures);
    });
    this.tellNote();
    this.moved(this.place.z);
    this.page.ask();
  }

  tell(pictures) {
    const { near, set, posterior } = this.found,
      { temperature } = this.state;
    let far = 0;
    for (let i = 0; i < COUNT; i++) if (nearestCode(this.z(i), set.mu).distance > near) far++;
    this.part.figures.textContent = `At temperature ${fixed(temperature)} two of these pictures differ by ${short(variety(pictures))} of full scale (root mean square over pixels and pairs). ${far} of the ${COUNT} are not near a code. Near is within ${short(near)} σ: ${nearRule(posterior)}.`;
  }

  tellNote() {
    const { about, set } = this.found,
      { temperature, seed } = this.state;
    const vae =
      temperature === 1
        ? "Temperature 1 is the model: z from its prior N(0, I)."
        : `At temperature ${fixed(temperature)} z comes from N(0, ${fixed(temperature)}² I): these are not draws from the model's p(x).`;
    this.part.note.textContent = `${!about.posterior ? YARDSTICK : vae} Each picture is the decoder's mean at z = temperature · eps, eps = torch.randn(${COUNT}, ${set.dims}, generator=torch.Generator().manual_seed(${seed})).`;
  }

  /** Mark the draw at which z is. */
  moved(z) {
    const i = indexOf(z, this.zs);
    this.sheet.mark(this.state.temperature === 0 || i < 0 ? null : i);
  }

  // ---- the map

  draw(ctx, at, scale, { text, background }) {
    this.dots = Array.from({ length: COUNT }, (_, i) => this.view.plane.to(this.z(i)));
    for (const dot of this.dots) disc(ctx, at(dot), 4.5, text, [background, 1.5]);
  }

  /** A press on a draw goes to it. */
  press([x, y]) {
    const far = (this.dots ?? []).map(([a, b]) => Math.hypot(a - x, b - y) * this.view.pixels),
      least = Math.min(...far);
    if (!(least < NEAR)) return false;
    this.place.point(this.z(far.indexOf(least)));
    return true;
  }

  // ---- files

  files() {
    return { png: () => this.png(), gif: () => this.gif(), csv: () => this.csv() };
  }

  /** Once every picture is there. */
  async png() {
    await this.decoder.rest();
    const { sheet, state, page } = this;
    const columns = Array.from({ length: COLUMNS }, (_, i) => String(i + 1)),
      rows = ["1 to 10", "11 to 20", "21 to 30", "31 to 40"];
    return sheetPicture({
      data: sheet.data,
      columns,
      rows,
      across: `draws at temperature ${fixed(state.temperature)}, seed ${state.seed}`,
      up: "draw",
      colours: page.colours,
    });
  }

  /** The same eps at temperatures from 0 to 2. */
  async gif() {
    const { found, state } = this;
    const at = (k) => draws(state.seed, COUNT, found.set.dims, (2 * k) / (FRAMES - 1));
    const data = await found.background.decode("film", joined(Array.from({ length: FRAMES }, (_, k) => at(k))));
    return data && { width: 28 * COLUMNS, height: 28 * (COUNT / COLUMNS), delayMs: 150, frames: framesOf(data) };
  }

  csv() {
    const { seed, temperature } = this.state;
    return csv([
      ["draw", "seed", "temperature", ...columnsOf("z", this.found.set.dims)],
      ...Array.from({ length: COUNT }, (_, i) => [i + 1, seed, temperature, ...this.z(i)]),
    ]);
  }
}

/** Pictures in one array as frames of whole sheets. */
function framesOf(data) {
  const width = 28 * COLUMNS,
    size = 784 * COUNT;
  return Array.from({ length: data.length / size }, (_, k) => {
    const frame = new Uint8Array(size);
    for (let i = 0; i < COUNT; i++) {
      const corner = Math.floor(i / COLUMNS) * 28 * width + (i % COLUMNS) * 28;
      for (let y = 0; y < 28; y++)
        frame.set(data.subarray(k * size + i * 784 + y * 28, k * size + i * 784 + y * 28 + 28), corner + y * width);
    }
    return frame;
  });
}
