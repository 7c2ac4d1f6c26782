// The live view: one feed, and the parts that draw it. Mounted by view.py through assets.loader.

import { Curves, format } from "./curves.js";
import { Feed } from "./feed.js";
import { History } from "./history.js";
import { LatentMap } from "./latent_map.js";
import { drawBars, drawImages } from "./pictures.js";

const ALL = [
  { name: "train.loss", label: "loss minimised", colour: "text", kind: "loss" },
  { name: "train.negElbo", label: "train −ELBO", colour: "total", kind: "train" },
  { name: "train.nll", label: "train reconstruction", colour: "reconstruction", kind: "train" },
  { name: "train.kl", label: "train KL", colour: "kl", kind: "train" },
  { name: "test.negElbo", label: "test −ELBO", colour: "total", kind: "test" },
  { name: "test.nll", label: "test reconstruction", colour: "reconstruction", kind: "test" },
  { name: "test.kl", label: "test KL", colour: "kl", kind: "test" },
];
const KL = ALL.filter((s) => s.name.endsWith(".kl"));

const HTML = `
<header role="status">
  <b class="total">−ELBO <output data-part="negElbo">–</output></b>
  <b class="equals">=</b>
  <b class="reconstruction">reconstruction <output data-part="nll">–</output></b>
  <b class="equals">+</b>
  <b class="kl">KL <output data-part="kl">–</output></b>
  <span class="unit">nats per image, 5,000 test images, K = 1 ↓ down is good</span>
</header>
<div class="state">
  <span class="status" data-part="status">…</span>
  <span class="track" role="progressbar" aria-label="training progress" data-part="track"><i></i></span>
  <span data-part="progress"></span>
  <span data-part="speed"></span>
</div>
<p class="message" role="alert" data-part="message" hidden></p>
<section class="card curves">
  <h3>Loss terms <small><i class="swatch test"></i> test <i class="swatch train"></i> train <span data-part="lossKey" hidden><i class="swatch loss"></i> loss minimised</span></small></h3>
  <div data-part="all"></div>
  <h3><b class="kl">KL</b> on its own axis</h3>
  <div data-part="klOnly"></div>
  <ul class="marks" aria-label="changes during the run" data-part="marks"></ul>
</section>
<section class="card map">
  <h3>Latent map <small data-part="plane"></small></h3>
  <canvas class="square" data-part="map" role="img" aria-label="latent codes of 5,000 test images, coloured by digit"></canvas>
  <p class="note">
    <label><input type="checkbox" data-part="automatic"> automatic axes</label>
    <span>mean posterior std <output data-part="meanStd">–</output></span>
    <span data-part="sigma"></span>
  </p>
  <p class="note"><span>Axes in units of the prior's std.</span> <span data-part="outside"></span></p>
</section>
<section class="card pictures">
  <h3>Originals <small>one test image of each class</small></h3>
  <canvas class="images" data-part="originals" role="img" aria-label="ten test images"></canvas>
  <h3>Reconstructions <small>from a sample of z</small></h3>
  <canvas class="images" data-part="reconstructions" role="img" aria-label="their reconstructions"></canvas>
  <h3>Prior draws <small>fixed z ~ N(0, I)</small></h3>
  <canvas class="images" data-part="prior_draws" role="img" aria-label="decoded draws from the prior"></canvas>
  <h3><b class="kl">KL</b> per dimension <small><output data-part="active">–</output></small></h3>
  <svg data-part="bars" role="img" aria-label="KL per latent dimension"></svg>
</section>`;

export function mount(parent) {
  return new LiveView(parent.querySelector(".live"));
}

class LiveView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((e) => [e.dataset.part, e]));
    this.history = new History();
    this.all = new Curves(this.part.all, { series: ALL, height: 205 });
    this.kl = new Curves(this.part.klOnly, { series: KL, height: 140 });
    this.map = new LatentMap(this.part.map, this.part.outside);
    this.part.automatic.onchange = (event) => this.map.setAutomatic(event.target.checked);
    this.frame = 0;
    this.shown = () => !document.hidden && this.redraw();
    document.addEventListener("visibilitychange", this.shown);
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue }) {
    this.report = (status) => setStateValue("status", status);
    this.restyle();
    if (data.run === this.run) return;
    this.run = data.run;
    this.feed?.close();
    this.history.clear();
    this.reported = null;
    this.feed = new Feed(data.run, (message) => this.take(message), (state) => this.connection(state));
  }

  restyle() {
    const style = getComputedStyle(this.root);
    const background = style.getPropertyValue("--st-background-color").trim();
    if (background === this.background) return;
    this.background = background;
    this.root.classList.toggle("dark", luminance(background) < 0.4);
    const value = (name) => getComputedStyle(this.root).getPropertyValue(name).trim();
    const colours = {
      background, text: value("--st-text-color"), grid: value("--st-border-color"),
      reconstruction: value("--term-reconstruction"), kl: value("--term-kl"), total: value("--term-total"),
      classes: Array.from({ length: 10 }, (_, i) => value(`--class-${i}`)),
    };
    for (const part of [this.all, this.kl, this.map]) part.restyle(colours);
  }

  take(message) {
    const { news, arrays } = message;
    this.history.add(message);
    this.news = news;
    if (news.fresh && !news.snapshot) this.picture = null;
    if (news.snapshot) this.picture = { ...news.snapshot, ...arrays };
    this.newPicture ||= Boolean(news.snapshot) || news.fresh;
    // Streamlit learns of a new status, and of the final figures, so that buttons and tables can follow.
    const state = `${news.status}${news.final ? " final" : ""}`;
    if (state !== this.reported) this.report((this.reported = state));
    if (!this.frame && !document.hidden) this.frame = requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    this.frame = 0;
    if (!this.news) return;
    const weighted = this.history.weighted();
    this.part.lossKey.hidden = !weighted;
    this.all.setShown("train.loss", weighted);
    this.all.draw(this.history);
    this.kl.draw(this.history);
    this.drawHeader(this.news);
    this.listMarks();
    if (this.newPicture && this.picture) this.drawPicture(this.picture);
    this.newPicture = false;
  }

  drawHeader(news) {
    const { part } = this;
    part.status.textContent = news.status;
    part.status.dataset.status = news.status;
    part.message.textContent = news.message;
    part.message.hidden = !news.message;
    const share = news.totalSteps ? news.step / news.totalSteps : 0;
    part.track.firstChild.style.width = `${100 * share}%`;
    part.track.setAttribute("aria-valuenow", Math.round(100 * share));
    part.progress.textContent = progress(news);
    part.speed.textContent = news.imagesPerSecond ? `${Math.round(news.imagesPerSecond).toLocaleString("en")} images/s` : "";
    part.speed.title = news.device;
  }

  /** The marks once more as text: all of them, and readable by a screen reader. */
  listMarks() {
    const { marks } = this.history;
    if (this.part.marks.childElementCount === marks.length) return;
    this.part.marks.replaceChildren(...marks.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text })));
  }

  drawPicture(p) {
    const { part } = this;
    const dims = p.kl_dims.shape[0];
    this.map.show(p, dims > 2 ? ["PC 1", "PC 2"] : ["μ₁", dims === 2 ? "μ₂" : ""]);
    part.negElbo.value = format(p.nll + p.kl);
    part.nll.value = format(p.nll);
    part.kl.value = format(p.kl);
    part.meanStd.value = p.meanStd.toFixed(3);
    part.sigma.textContent = p.sigma == null ? "" : `sigma of the likelihood ${p.sigma.toFixed(3)}`;
    part.plane.textContent = dims === 1 ? "mu, one dimension" : dims === 2 ? "mu of 5,000 test images" : `PCA plane of mu, ${Math.round(100 * p.explained)} %`;
    for (const name of ["originals", "reconstructions", "prior_draws"]) drawImages(part[name], p[name], 10);
    const [active, all] = drawBars(part.bars, p.kl_dims, p.active);
    part.active.value = `${active} of ${all} active`;
  }

  connection(state) {
    this.root.classList.toggle("lost", state !== "open");
    if (state === "open") return;
    this.part.status.textContent = state;
    this.part.status.dataset.status = state;
    const why = { lost: "The connection to the server is lost: trying again.", gone: "This run is over and forgotten: press Start for a new one." };
    this.part.message.textContent = why[state];
    this.part.message.hidden = false;
  }

  destroy() {
    this.feed?.close();
    cancelAnimationFrame(this.frame);
    document.removeEventListener("visibilitychange", this.shown);
    for (const part of [this.all, this.kl, this.map]) part.destroy();
  }
}

function progress({ step, stepsPerEpoch, totalSteps, imagesPerSecond, config }) {
  if (!totalSteps) return "";
  const text = `epoch ${(step / stepsPerEpoch).toFixed(1)} of ${config.epochs} · step ${step.toLocaleString("en")}`;
  if (!imagesPerSecond) return text;
  const seconds = ((totalSteps - step) * config.batch_size) / imagesPerSecond;
  return `${text} · ${seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`} left`;
}

/** Relative luminance of "#rrggbb" or "rgb(…)", roughly. */
function luminance(colour) {
  const hex = colour.match(/^#(..)(..)(..)/);
  const [r, g, b] = hex ? hex.slice(1).map((h) => parseInt(h, 16)) : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
