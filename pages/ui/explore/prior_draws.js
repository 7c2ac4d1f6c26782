// Random draws: z = temperature · eps, eps from N(0, I) by a seed. Temperature 1 is the model; others are not.

import { partsOf } from "../lesson/view.js";
import { columnsOf, csv } from "./csv.js";
import { nearestCode, nearRule } from "./density.js";
import { handOn } from "./hand.js";
import { Latest } from "./latest.js";
import { fixed, short } from "./numbers.js";
import { draws, variety } from "./prior_math.js";
import { YARDSTICK } from "./prior_plane.js";
import { sheetPicture } from "./print.js";
import { Sheet } from "./sheet.js";

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

export class PriorDraws {
  constructor(app, root, change) {
    root.innerHTML = HTML;
    const part = partsOf(root);
    Object.assign(this, { app, root, part, decoder: new Latest(app, "prior draws"), held: handOn(part.temperature) });
    part.temperature.oninput = () => this.put({ ...this.state, temperature: Number(part.temperature.value) });
    part.temperature.onchange = () => change({ temperature: Number(part.temperature.value) });
    part.reset.onclick = () => change({ temperature: 1 });
    part.new.onclick = () => change({ seed: (this.state.seed + 1) % 2 ** 32 });
    this.sheet = new Sheet(part.sheet, "40 random draws, decoded", {
      over: (i) => app.hover(this.z(i)),
      leave: () => app.hover(null),
      choose: (i) => app.point(this.z(i)),
    });
    this.sheet.resize(COLUMNS, COUNT);
  }

  load() {
    this.asked = this.state = null;
    this.part.reset.setAttribute(
      "aria-label",
      this.app.about.model === "ae" ? "temperature 1" : "temperature 1, the model itself",
    );
  }

  z(i) {
    const { dims } = this.app.set;
    return this.zs.slice(i * dims, (i + 1) * dims);
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
        app,
        state: { temperature, seed },
      } = this,
      asked = JSON.stringify([app.name, seed, temperature]);
    if (asked === this.asked) return;
    Object.assign(this, { asked, zs: draws(seed, COUNT, app.set.dims, temperature) });
    this.decoder.ask(this.zs, (pictures, from, to) => {
      this.sheet.draw(pictures, from, to);
      if (to === COUNT && asked === this.asked) this.tell(pictures);
    });
    this.tellNote();
    this.moved(app.z);
    app.ask();
  }

  tell(pictures) {
    const {
      app: {
        near,
        set: { mu, logVar },
      },
      state: { temperature },
    } = this;
    let far = 0;
    for (let i = 0; i < COUNT; i++) if (nearestCode(this.z(i), mu).distance > near) far++;
    this.part.figures.textContent = `At temperature ${fixed(temperature)} two of these pictures differ by ${short(variety(pictures))} (root mean square over pixels and pairs, grey levels from 0 to 1). ${far} of the ${COUNT} are not near a code. Near is within ${short(near)} σ: ${nearRule(Boolean(logVar))}.`;
  }

  tellNote() {
    const {
      app: {
        about,
        set: { dims },
      },
      state: { temperature, seed },
    } = this;
    const vae =
      temperature === 1
        ? "Temperature 1 is the model: z from its prior N(0, I)."
        : `At temperature ${fixed(temperature)} z comes from N(0, ${fixed(temperature)}² I): these are not draws from the model's p(x).`;
    this.part.note.textContent = `${about.model === "ae" ? YARDSTICK : vae} Each picture is the decoder's mean at z = temperature · eps, eps = torch.randn(${COUNT}, ${dims}, generator=torch.Generator().manual_seed(${seed})).`;
  }

  /** Mark the draw at which z is. */
  moved(z) {
    const { dims } = this.app.set;
    let found = null;
    for (let i = 0; i < COUNT && found === null; i++)
      if (z.every((v, d) => Math.abs(v - this.zs[i * dims + d]) < 6e-4)) found = i;
    this.sheet.mark(this.state.temperature === 0 ? null : found);
  }

  // ---- the map

  draw(ctx, at, scale, { text, background }) {
    const px = devicePixelRatio,
      { plane } = this.app.view;
    this.dots = Array.from({ length: COUNT }, (_, i) => plane.to(this.z(i)));
    this.scale = scale / px;
    ctx.fillStyle = text;
    ctx.strokeStyle = background;
    ctx.lineWidth = 1.5 * px;
    for (const dot of this.dots) {
      ctx.beginPath();
      ctx.arc(...at(dot), 4.5 * px, 0, 2 * Math.PI);
      ctx.fill();
      ctx.stroke();
    }
  }

  /** A press on a draw goes to it. */
  press([x, y]) {
    const far = (this.dots ?? []).map(([a, b]) => Math.hypot(a - x, b - y) * this.scale),
      least = Math.min(...far);
    if (!(least < NEAR)) return false;
    this.app.point(this.z(far.indexOf(least)));
    return true;
  }

  // ---- files

  files() {
    return { png: () => this.png(), gif: () => this.gif(), csv: () => this.csv() };
  }

  /** Once every picture is there. */
  async png() {
    await this.decoder.rest();
    const {
      sheet,
      state,
      app: { colours },
    } = this;
    const columns = Array.from({ length: COLUMNS }, (_, i) => String(i + 1)),
      rows = ["1 to 10", "11 to 20", "21 to 30", "31 to 40"];
    return sheetPicture({
      data: sheet.data,
      columns,
      rows,
      across: `draws at temperature ${fixed(state.temperature)}, seed ${state.seed}`,
      up: "draw",
      colours,
    });
  }

  /** The same eps at temperatures from 0 to 2. */
  gif() {
    const {
        app,
        state: { seed },
      } = this,
      { dims } = app.set,
      zs = new Float32Array(FRAMES * COUNT * dims);
    for (let k = 0; k < FRAMES; k++) zs.set(draws(seed, COUNT, dims, (2 * k) / (FRAMES - 1)), k * COUNT * dims);
    return app.background
      .decode("film", zs)
      .then(
        (data) => data && { width: 28 * COLUMNS, height: 28 * (COUNT / COLUMNS), delayMs: 150, frames: framesOf(data) },
      );
  }

  csv() {
    const {
      state: { seed, temperature },
      app: {
        set: { dims },
      },
    } = this;
    return csv([
      ["draw", "seed", "temperature", ...columnsOf("z", dims)],
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
