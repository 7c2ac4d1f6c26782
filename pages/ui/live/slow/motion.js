// One batch in slow motion: seven captions over the numbers of one step (vae_core/inspect/step_trace.py).

import { make, partsOf } from "../../lib/dom.js";
import { cellUnder, drawImage, drawImages, frameImage, imageAt } from "../../lib/images.js";
import { onKeys } from "../../lib/keys.js";
import { CloseUp, PlaneOfBatch } from "./maps.js";
import { isStill } from "../../lib/motion.js";

const PER_ROW = 8;
const SECONDS = 3.5; // a caption while it plays

const HTML = `
<h3>One batch in slow motion <small data-slow="which"></small></h3>
<p class="caption" role="status"><b data-slow="name"></b> <span data-slow="text"></span></p>
<div class="slowRow">
  <button data-slow="back" aria-label="caption before">◀ Back</button>
  <span class="dots" data-slow="dots"></span>
  <button data-slow="next" aria-label="next caption">Next ▶</button>
  <button data-slow="play">Play</button>
  <button data-slow="another">Next batch</button>
  <button data-slow="close">Close</button>
</div>
<div class="stages">
  <figure><canvas class="images" data-slow="batch" tabindex="0" role="img" aria-label="images of the batch; click one to follow it"></canvas><figcaption data-slow="batchNote"></figcaption></figure>
  <figure data-from="1"><canvas class="square" data-slow="plane" role="img" aria-label="codes of the batch on the plane of the prior"></canvas><figcaption>codes of the batch, in prior units</figcaption></figure>
  <figure data-from="1"><canvas class="square" data-slow="closeUp" role="img" aria-label="the cloud of the chosen image, close up"></canvas><figcaption data-slow="closeNote"></figcaption></figure>
  <div class="numbers">
    <div class="pair"><figure><canvas class="images" data-slow="x" role="img" aria-label="the image"></canvas><figcaption>x</figcaption></figure><figure data-from="3"><canvas class="images" data-slow="xHat" role="img" aria-label="its reconstruction"></canvas><figcaption>x̂ from z</figcaption></figure></div>
    <dl data-slow="numbers"></dl>
  </div>
</div>`;

const STAGES = ["Batch in", "Encode", "Draw eps", "Decode", "Two losses", "Gradients", "Update"];

export class SlowMotion {
  /** `another`: called when the next batch is wanted. */
  constructor(root, another) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root, "slow");
    const { part } = this;
    this.plane = new PlaneOfBatch(part.plane, { textContent: "" });
    this.closeUp = new CloseUp(part.closeUp);
    this.dots = STAGES.map((name, i) => make("button", { textContent: i + 1, title: name, onclick: () => this.go(i) }));
    part.dots.append(...this.dots);
    part.back.onclick = () => this.go(this.stage - 1);
    part.next.onclick = () => this.go(this.stage + 1);
    part.play.onclick = () => this.play(!this.timer);
    part.another.onclick = () => another();
    part.close.onclick = () => this.close();
    part.batch.onclick = (event) => this.choose(event);
    onKeys(part.batch, (key) => this.move(key));
  }

  get open() {
    return !this.root.hidden;
  }

  restyle(colours) {
    for (const map of [this.plane, this.closeUp]) map.restyle(colours);
  }

  /** A new step: `numbers` as step_trace.py names them, and arrays called "slow.*". */
  show(numbers, arrays) {
    this.numbers = numbers;
    this.arrays = Object.fromEntries(
      Object.entries(arrays)
        .filter(([k]) => k.startsWith("slow."))
        .map(([k, v]) => [k.slice(5), v]),
    );
    this.chosen = Math.min(this.chosen ?? 0, this.arrays.x.shape[0] - 1);
    this.dims = largestTwo(this.arrays.kl_dims.data);
    this.root.hidden = false;
    this.root.dataset.step = numbers.step;
    this.go(0);
    this.root.scrollIntoView({ block: "nearest", behavior: isStill() ? "auto" : "smooth" });
  }

  /** The run has gone on: what was shown is past. */
  follow(step) {
    if (this.open && step !== this.numbers.step) this.close();
  }

  close() {
    this.play(false);
    this.root.hidden = true;
  }

  play(on) {
    clearInterval(this.timer);
    if (on && this.stage === STAGES.length - 1) this.go(0);
    this.timer = on
      ? setInterval(() => (this.stage < STAGES.length - 1 ? this.go(this.stage + 1) : this.play(false)), 1000 * SECONDS)
      : null;
    this.part.play.textContent = on ? "Pause" : "Play";
  }

  go(stage) {
    this.stage = Math.max(0, Math.min(STAGES.length - 1, stage));
    this.draw();
  }

  choose(event) {
    this.pick(cellUnder(event, PER_ROW, this.part.batch.height / 28));
  }

  move(key) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -PER_ROW, ArrowDown: PER_ROW }[key];
    if (!by) return false;
    this.pick(this.chosen + by);
    return true;
  }

  pick(index) {
    if (index < 0 || index >= this.arrays.x.shape[0]) return;
    this.chosen = index;
    this.draw();
  }

  /** The chosen image's row of an array, in the two dimensions that are drawn. */
  two(name) {
    const {
      data,
      shape: [, width],
    } = this.arrays[name];
    return this.dims.map((d) => data[this.chosen * width + d]);
  }

  draw() {
    const { part, stage, arrays, chosen } = this;
    part.which.textContent = `step ${this.numbers.step.toLocaleString("en")}, ${this.numbers.images} image${this.numbers.images === 1 ? "" : "s"}, ${plane(this.dims, arrays.mu.shape[1])}`;
    part.name.textContent = `${stage + 1}. ${STAGES[stage]}.`;
    part.text.textContent = this.caption();
    this.root.dataset.stage = stage;
    this.dots.forEach((dot, i) => dot.setAttribute("aria-current", i === stage ? "step" : "false"));
    part.back.disabled = stage === 0;
    part.next.disabled = stage === STAGES.length - 1;
    for (const figure of this.root.querySelectorAll("[data-from]"))
      figure.classList.toggle("later", stage < Number(figure.dataset.from));
    drawImages(part.batch, arrays.x, PER_ROW);
    frameImage(part.batch, chosen, PER_ROW, "#ff9a4d", 2);
    drawImage(part.x, imageAt(arrays.x.data, chosen));
    drawImage(part.xHat, imageAt(arrays.x_hat.data, chosen));
    part.batchNote.textContent = `${arrays.x.shape[0]} of the batch; click one to follow it`;
    this.plane.showBatch(arrays, this.dims, chosen, stage);
    this.closeUp.show(this.cloud(), stage);
    part.closeNote.textContent =
      stage < 5 ? "its cloud, 1 and 2 std, true scale" : "pulls on mu, and on the width of each axis";
    part.numbers.innerHTML = this.lines()
      .map(([name, value, colour]) => `<dt class="${colour ?? ""}">${name}</dt><dd>${value}</dd>`)
      .join("");
  }

  cloud() {
    const names = {
      mu: "mu",
      std: "std",
      z: "z",
      after: "mu_after",
      nllMu: "nll_mu",
      klMu: "kl_mu",
      nllWidth: "nll_log_var",
      klWidth: "kl_log_var",
    };
    return {
      axes: this.dims.map((d) => `z${subscript(d + 1)}`),
      ...Object.fromEntries(Object.entries(names).map(([k, name]) => [k, this.two(name)])),
    };
  }

  /** Only numbers go in: nothing here is text of a user's. */
  lines() {
    const { numbers, stage } = this;
    const pair = (name) =>
      `(${this.two(name)
        .map((v) => signed(v, 2))
        .join(", ")})`;
    const own = (name) => this.arrays[name].data[this.chosen].toFixed(1);
    /** @type {[number, string, string, string?][]} from which stage, name, value, colour */
    const all = [
      [1, "mu", pair("mu")],
      [
        1,
        "std",
        `(${this.two("std")
          .map((v) => v.toFixed(3))
          .join(", ")})`,
      ],
      [2, "eps", pair("eps")],
      [2, "z = mu + std · eps", pair("z")],
      [4, "reconstruction", `${own("nll")} nats`, "reconstruction"],
      [4, "KL", `${own("kl")} nats`, "kl"],
      [5, "reconstruction pulls mu", pair("nll_mu"), "reconstruction"],
      [5, "KL pulls mu", pair("kl_mu"), "kl"],
      [5, "… log variance", pair("nll_log_var"), "reconstruction"],
      [5, "… log variance", pair("kl_log_var"), "kl"],
      [6, "loss, this batch", `${numbers.loss.toFixed(2)} → ${numbers.after.loss.toFixed(2)}`, "total"],
    ];
    return all.filter(([from]) => from <= stage && !(stage === 6 && from === 5)).map(([, ...line]) => line);
  }

  caption() {
    const n = this.numbers;
    const frozen = (half) => (n.frozen === half ? ` The ${half} is frozen.` : "");
    const moved = (half) =>
      `the ${n[half].weights.toLocaleString("en")} weights of the ${half} by ${Number((100 * n[half].moved).toPrecision(2))} %`;
    return [
      `${n.images} training images, in an order that the seed decides. The framed one is followed here.`,
      `The encoder turns the image into a cloud of codes: a mean mu and a std for every latent dimension.${frozen("encoder")}`,
      "eps is drawn from N(0, I), outside the network, and z = mu + std · eps. So gradients can pass through mu and std.",
      `The decoder sees z and nothing else, and draws x̂ from it.${frozen("decoder")}`,
      `For this image on the right; the mean of the batch is ${n.nll.toFixed(1)} (reconstruction) and ${n.kl.toFixed(2)} (KL) nats. Minimised: ${weight(n.alpha)} · reconstruction + ${weight(n.beta)} · KL = ${n.loss.toFixed(1)}.`,
      gradients(n),
      `Adam moves ${moved("encoder")} of their length, ${moved("decoder")}. The same batch with the same eps then costs ${n.after.loss.toFixed(2)} instead of ${n.loss.toFixed(2)} nats${n.after.loss < n.loss ? "" : ": no less, for one step may overshoot"}.`,
    ][this.stage];
  }

  destroy() {
    this.play(false);
    this.plane.destroy();
    this.closeUp.destroy();
  }
}

function gradients({ alpha, beta }) {
  if (beta === 0)
    return "The reconstruction pulls mu to where the copy is better and makes the cloud narrow. The KL is off: its arrow is gone, nothing holds the cloud.";
  if (alpha === 0)
    return "The KL pulls mu to 0 and the width to 1. The reconstruction is off: its arrow is gone, nothing says which image this is.";
  return "Each term pulls: the reconstruction to where the copy is better and to a narrow cloud, the KL to 0 and to width 1. Where the arrows cancel, the code rests.";
}

function largestTwo(kl) {
  const order = Array.from(kl, (_, d) => d).sort((a, b) => kl[b] - kl[a]);
  return order.length < 2 ? [0, 0] : order.slice(0, 2).sort((a, b) => a - b);
}

/** @param {number[]} axes
 * @param {number} dims */
function plane([a, b], dims) {
  if (dims === 1) return "one latent dimension, drawn on both axes";
  return dims === 2
    ? "two latent dimensions"
    : `dimensions ${a + 1} and ${b + 1} of ${dims}, those with the largest KL`;
}

const weight = (w) => Number(w.toPrecision(3));
const signed = (v, digits) => v.toFixed(Math.abs(v) >= 100 ? 0 : digits).replace("-", "−");
const subscript = (n) => String(n).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
