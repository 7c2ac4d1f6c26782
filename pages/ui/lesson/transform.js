// A latent variable turned into data: draws z ~ N(0, I) in the plane, and x = f(z), as the strength of f is moved.
//
// The ring is figure 2 of Doersch's "Tutorial on Variational Autoencoders" (arXiv:1606.05908). Mounted by transform.py
// through assets.loader. The functions above `mount` touch no page: node runs them as they are.

import { everyFrame, quietPartsOf } from "../lib/dom.js";
import { takeHold } from "../lib/hold.js";
import { fixed } from "../lib/numbers.js";
import { normals } from "../lib/rng.js";
import { Shared, bounded } from "../lib/state.js";
import { followTheme } from "../lib/theme.js";
import { Plot } from "./plot.js";

export const DRAWS = 2000;
const REACH = 4; // both frames run from −4 to 4
const SEED_MOST = 4294967295;

/** z/10 + k z/|z|: near the circle of radius k, a little further out the further out z was. */
function onCircle([z1, z2], k) {
  const length = Math.hypot(z1, z2);
  const factor = 0.1 + (length ? k / length : 0);
  return [factor * z1, factor * z2];
}

// P(|z| < r) = 1 − exp(−r²/2) in the plane: these radii hold one third and two thirds of all draws.
const THIRDS = [1 / 3, 2 / 3].map((share) => Math.sqrt(-2 * Math.log(1 - share)));

export const FUNCTIONS = {
  ring: {
    label: "ring",
    formula: "g(z) = z/10 + z/|z|",
    see: "Raise the strength and follow one colour: every point keeps its direction, and pure noise becomes a ring.",
    zoom: 1.6,
    g: (z) => onCircle(z, 1),
  },
  circles: {
    label: "three circles",
    formula: "g(z) = z/10 + k z/|z|, k = 1, 2, 3 by the third of the draws that z is in",
    see: "Colour by radius and raise the strength: the inner third of the noise becomes the inner circle, and so on outwards.",
    zoom: 3.6,
    g: (z) => onCircle(z, 1 + THIRDS.filter((r) => Math.hypot(...z) >= r).length),
  },
};

/** f(z) = (1 − strength) z + strength g(z): at 0 the data are the latents themselves. */
export function transformed(name, strength, z) {
  const g = FUNCTIONS[name].g(z);
  return [z[0] + strength * (g[0] - z[0]), z[1] + strength * (g[1] - z[1])];
}

/**
 * The draws of a seed: z and eps, each a list of [1, 2] pairs. In torch: generator = torch.Generator().manual_seed(seed),
 * z = torch.randn(2000, 2, generator=generator), then eps in the same way.
 */
export function draws(seed) {
  const values = normals(seed, 4 * DRAWS);
  const pairs = (from) => Array.from({ length: DRAWS }, (_, i) => [values[from + 2 * i], values[from + 2 * i + 1]]);
  return { z: pairs(0), eps: pairs(2 * DRAWS) };
}

/** A whole state from whatever a link says. */
export function clean(raw) {
  return {
    function: Object.hasOwn(FUNCTIONS, raw?.function) ? raw.function : "ring",
    strength: bounded(raw?.strength, [0, 1], 0),
    noise: bounded(raw?.noise, [0, 0.5], 0),
    colour: raw?.colour === "radius" ? "radius" : "angle",
    zoom: raw?.zoom === true,
    seed: Math.round(bounded(raw?.seed, [0, SEED_MOST], 0)),
  };
}

const BINS = 24;
const SHADES = {
  angle: (z) => (Math.atan2(z[1], z[0]) / (2 * Math.PI) + 1) % 1,
  radius: (z) => 1 - Math.exp(-0.5 * (z[0] ** 2 + z[1] ** 2)), // its rank among all draws
};
const HUES = { angle: (share) => 360 * share, radius: (share) => 300 - 240 * share };

const HTML = `
<div class="transform">
  <section class="latent">
    <h3>z ~ N(0, I) <small>${DRAWS.toLocaleString("en")} draws</small></h3>
    <div data-part="latent"></div>
  </section>
  <section class="data">
    <h3>x = f(z) <small data-part="count"></small></h3>
    <div data-part="data"></div>
  </section>
  <section class="controls">
    <label>strength s of the function <b data-part="strengthNow" aria-hidden="true"></b>
      <input type="range" min="0" max="1" step="0.01" data-part="strength"></label>
    <label>function <select data-part="function">${Object.entries(FUNCTIONS)
      .map(([name, f]) => `<option value="${name}">${f.label}</option>`)
      .join("")}</select></label>
    <p class="formula">f(z) = (1 − s) z + s g(z)</p>
    <p class="formula" data-part="formula"></p>
    <label>noise sigma of p(x | z) = N(f(z), sigma² I) <b data-part="noiseNow" aria-hidden="true"></b>
      <input type="range" min="0" max="0.5" step="0.01" data-part="noise"></label>
    <p class="row">
      <label>colour by <select data-part="colour"><option value="angle">angle of z</option><option value="radius">radius of z</option></select></label>
      <label><input type="checkbox" data-part="zoom"> zoom in on x</label>
    </p>
    <p class="row"><button data-part="again">New draws</button> <span>seed <output data-part="seed"></output></span></p>
    <p class="probe">Your point: <output data-part="probe"></output></p>
    <p class="see" data-part="see"></p>
  </section>
</div>`;

export default class TransformView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = quietPartsOf(root);
    this.probe = [1.2, 0.8];
    this.state = clean(null);
    this.shared = new Shared(clean, (state) => this.take(state));
    this.ask = everyFrame(() => this.draw());
    const range = () => ({ from: -REACH, to: REACH });
    this.latent = new Plot(this.part.latent, {
      x: { ...range(), label: "z₁ (prior std)" },
      y: { ...range(), label: "z₂ (prior std)" },
      equal: true,
      label: "latent draws z; point at one, or move it with the arrow keys",
      draw: this.ask,
    });
    this.data = new Plot(this.part.data, {
      x: { ...range(), label: "x₁ (unit of z)" },
      y: { ...range(), label: "x₂ (unit of z)" },
      equal: true,
      label: "the same points as data x",
      draw: this.ask,
    });
    this.listen();
    this.take(this.state);
  }

  listen() {
    const { part } = this;
    const rest = () => this.shared.report(this.state);
    for (const name of ["strength", "noise"]) {
      part[name].oninput = () => this.set({ [name]: Number(part[name].value) });
      part[name].onchange = rest;
    }
    for (const name of ["function", "colour"])
      part[name].onchange = () => (this.set({ [name]: part[name].value }), rest());
    part.zoom.onchange = () => (this.set({ zoom: part.zoom.checked }), rest());
    part.again.onclick = () => (this.set({ seed: (this.state.seed + 1) % (SEED_MOST + 1) }), rest());
    this.followPointer();
    this.latent.handle("probe", {
      className: "probe",
      label: "your point z",
      drag: () => {},
      key: (steps, fine, up) => this.nudge(steps * (fine ? 0.01 : 0.1), up),
    });
  }

  /** A mouse moves the point without a press. */
  followPointer() {
    const { svg } = this.latent;
    const follow = (event) => this.point(this.latent.at(event));
    svg.classList.add("pad");
    svg.addEventListener("pointermove", (event) => event.pointerType === "mouse" && follow(event));
    const handle = () => this.latent.frame && [this.latent.px(this.probe[0]), this.latent.py(this.probe[1])];
    takeHold(svg, { handle, down: follow, move: follow, up: () => {}, cancel: () => {} });
  }

  nudge(by, up) {
    const [z1, z2] = this.probe;
    this.point(up ? [z1, z2 + by] : [z1 + by, z2]);
  }

  point(z) {
    this.probe = z.map((v) => Math.min(REACH, Math.max(-REACH, v)));
    this.ask();
  }

  set(changes) {
    this.take({ ...this.state, ...changes });
  }

  /** Show a state: the controls follow it, then the picture. */
  take(state) {
    const { part } = this;
    if (!this.points || state.seed !== this.state.seed) this.points = draws(state.seed);
    this.state = state;
    for (const name of ["strength", "noise", "function", "colour"]) part[name].value = state[name];
    part.zoom.checked = state.zoom;
    part.strengthNow.textContent = fixed(state.strength, 2);
    part.noiseNow.textContent = fixed(state.noise, 2);
    part.seed.value = state.seed;
    part.formula.textContent = FUNCTIONS[state.function].formula;
    part.see.textContent = FUNCTIONS[state.function].see;
    this.ask();
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    if (followTheme(this.root)) this.ask();
    this.shared.update(component);
  }

  draw() {
    const { function: name, strength, noise, zoom, colour } = this.state;
    const reach = zoom ? FUNCTIONS[name].zoom : REACH;
    this.data.range({ x: { from: -reach, to: reach }, y: { from: -reach, to: reach } });
    if (!this.latent.frame || !this.data.frame) return;
    const { z, eps } = this.points;
    const x = z.map((point, i) => transformed(name, strength, point).map((v, d) => v + noise * eps[i][d]));
    const bins = this.binned(z, SHADES[colour]);
    this.drawPoints(this.latent, z, bins);
    this.drawPoints(this.data, x, bins);
    const outside = x.filter((point) => Math.max(...point.map(Math.abs)) > reach).length;
    this.part.count.textContent = outside ? `${outside.toLocaleString("en")} outside the frame` : "the same draws";
    this.drawCircles(name, strength);
    this.drawProbe(name, strength, noise);
  }

  /** The indices of the points by colour, so that a canvas changes its colour only a few times. */
  binned(z, shade) {
    const bins = Array.from({ length: BINS }, () => []);
    z.forEach((point, i) => bins[Math.min(BINS - 1, Math.floor(BINS * shade(point)))].push(i));
    return bins;
  }

  drawPoints(plot, points, bins) {
    const context = plot.canvas();
    const light = this.root.classList.contains("dark") ? 0.78 : 0.56;
    const size = Math.max(1.8, plot.frame.width / 125);
    context.globalAlpha = 0.85;
    bins.forEach((indices, bin) => {
      context.fillStyle = `oklch(${light} 0.15 ${HUES[this.state.colour]((bin + 0.5) / BINS)})`;
      for (const i of indices)
        context.fillRect(plot.px(points[i][0]) - size / 2, plot.py(points[i][1]) - size / 2, size, size);
    });
  }

  /** The prior's circles, and where the function takes them. */
  drawCircles(name, strength) {
    for (const sigma of [1, 2, 3]) {
      this.latent.ring(`${sigma}σ`, [0, 0], sigma, "sigma");
      this.latent.text(`${sigma}σ name`, [0.05, sigma + 0.08], `${sigma}σ`, "sigma-name");
      this.data.ring(`${sigma}σ`, [0, 0], transformed(name, strength, [sigma, 0])[0], "sigma");
    }
  }

  drawProbe(name, strength, noise) {
    const z = this.probe;
    const x = transformed(name, strength, z);
    const pair = (v) => `(${v.map((c) => fixed(c, 2)).join(", ")})`;
    const text = `z = ${pair(z)}, f(z) = ${pair(x)}`;
    this.latent.place("probe", z, { now: fixed(z[0], 2), min: -REACH, max: REACH, text });
    this.data.line("way", [z, transformed(name, 1, z)], "way");
    this.data.ring("noise", x, 2 * noise, "noise");
    this.data.ring("probe", x, (7 * 2 * this.data.x.to) / this.data.frame.width, "knob");
    this.part.probe.value = text;
  }

  destroy() {
    this.ask.cancel();
    this.latent.destroy();
    this.data.destroy();
  }
}
