// The live view: one feed, and the parts that draw it. Mounted by view.py through assets.loader.

import { Clicks } from "../lib/clicks.js";
import { onPageKeys } from "../lib/keys.js";
import { Compared } from "./compared.js";
import { Curves, format } from "./curves.js";
import { Feed } from "./feed.js";
import { Film, Scrubber } from "./film.js";
import { History } from "./history.js";
import { LatentMap } from "./latent_map.js";
import { normalQuantile } from "./normal.js";
import { drawBars, drawImages } from "./pictures.js";
import { SlowMotion } from "./slow.js";

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
  <span data-part="speedNow"></span>
</div>
<div class="scrubber">
  <button data-part="play" aria-label="play the film">▶</button>
  <input type="range" min="0" max="0" value="0" data-part="scrub" aria-label="moment of the run">
  <output data-part="moment">now</output>
  <button data-part="toLive" disabled>back to now</button>
  <label>speed <select data-part="speed"><option value="0.5">½</option><option value="1" selected>1</option><option value="2">2</option><option value="4">4</option></select></label>
  <label><input type="checkbox" data-part="loop"> loop</label>
</div>
<p class="diagnosis"><b data-part="diagnosisName"></b> <span data-part="diagnosis"></span> <button data-part="why" aria-expanded="false">What does that mean?</button> <span class="explained" data-part="explained" hidden></span></p>
<p class="message" role="alert" data-part="message" hidden></p>
<section class="slow" data-part="slow" aria-label="one batch in slow motion" hidden></section>
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
  <h3><span class="tabs" data-part="tabs"><button data-show="draws" aria-pressed="true">Prior draws</button><button data-show="grid" aria-pressed="false">Grid</button></span> <small data-part="tabNote">z ~ N(0, I), fixed</small></h3>
  <canvas class="images" data-part="prior_draws" role="img" aria-label="decoded draws from the prior"></canvas>
  <canvas class="images" data-part="grid" hidden tabindex="0" role="img" aria-label="decoded grid at prior quantiles; click a cell to find it on the map"></canvas>
  <h3><b class="kl">KL</b> per dimension <small><output data-part="active">–</output></small></h3>
  <svg data-part="bars" role="img" aria-label="KL per latent dimension"></svg>
</section>
<section class="compared" data-part="compared" aria-label="compared runs"></section>`;

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
    this.slow = new SlowMotion(this.part.slow, () => this.setTriggerValue("slow", true));
    this.others = [];
    this.part.tabs.onclick = ({ target }) => target.dataset.show && this.showTab(target.dataset.show);
    this.part.grid.onclick = (event) => this.findCell(event);
    this.part.automatic.onchange = ({ target }) => this.maps().forEach((map) => map.setAutomatic(target.checked));
    this.part.why.onclick = () => this.explain(this.part.explained.hidden);
    this.frame = 0;
    this.film = new Film("");
    this.scrubber = new Scrubber(
      this.part,
      this.film,
      (step) => this.goTo(step),
      (step) => this.reportMoment(step),
    );
    this.shown = () => !document.hidden && this.redraw();
    document.addEventListener("visibilitychange", this.shown);
    this.clicks = new Clicks((count) => this.setStateValue("clicks", count));
    this.deafen = onPageKeys((key) => this.key(key));
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue, setTriggerValue }) {
    this.report = (status) => setStateValue("status", status);
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;
    this.explained = data.explained;
    this.readOn = data.readOn;
    this.clicks.follow(data.counted, data.clicks);
    this.restyle();
    this.compare(data.compare ?? []);
    if (data.run === this.run) return;
    this.run = data.run;
    this.feed?.close();
    this.history.clear();
    this.reported = null;
    this.picture = null;
    this.slow.close();
    this.scrubber.destroy();
    this.film = this.scrubber.film = new Film(data.run);
    if (this.scrubber.at !== null) this.reportMoment(null);
    this.scrubber.at = null;
    for (const curves of [this.all, this.kl]) curves.setMoment(null);
    this.root.classList.remove("past");
    this.wanted = data.at ?? null; // a moment named by the link
    this.feed = new Feed(
      data.run,
      (message) => this.take(message),
      (state) => this.connection(state),
    );
  }

  /** Space starts and pauses, arrows move through the film, unless something else has the focus. */
  key(key) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (key === " ") this.setTriggerValue("space", true);
    else if (move && this.slow.open) this.slow.go(this.slow.stage + move);
    else if (move) this.scrubber.move(move);
    else return false;
    return true;
  }

  maps() {
    return [this.map, ...this.others.map((other) => other.map)];
  }

  /** Show other runs beside this one: [{ run, label }]. */
  compare(wanted) {
    const same =
      wanted.length === this.others.length &&
      wanted.every((w, i) => w.run === this.others[i].run && w.label === this.others[i].label);
    if (same) return;
    this.others.forEach((other) => other.destroy());
    this.others = wanted.map((w, i) => new Compared(this.part.compared, w, i, () => this.schedule()));
    for (const other of this.others) {
      other.map.restyle(this.colours);
      other.map.setAutomatic(this.part.automatic.checked);
    }
    for (const curves of [this.all, this.kl]) curves.compare(wanted.map((w) => w.label));
    this.schedule();
  }

  restyle() {
    const style = getComputedStyle(this.root);
    const background = style.getPropertyValue("--st-background-color").trim();
    if (background === this.background) return;
    this.background = background;
    this.root.classList.toggle("dark", luminance(background) < 0.4);
    const value = (name) => getComputedStyle(this.root).getPropertyValue(name).trim();
    const colours = {
      background,
      text: value("--st-text-color"),
      grid: value("--st-border-color"),
      reconstruction: value("--term-reconstruction"),
      kl: value("--term-kl"),
      total: value("--term-total"),
      classes: Array.from({ length: 10 }, (_, i) => value(`--class-${i}`)),
    };
    this.colours = colours;
    for (const part of [this.all, this.kl, this.slow, ...this.maps()]) part.restyle(colours);
  }

  take(message) {
    const { news, arrays } = message;
    this.history.add(message);
    this.news = news;
    if (news.fresh) this.film.clear();
    if (news.fresh && !news.snapshot) this.forgetPicture(); // after a reset in a busy class its picture comes later
    this.film.steps = news.film;
    this.scrubber.refresh();
    if (this.wanted !== null && news.film.length) {
      this.scrubber.go(this.wanted);
      this.wanted = null;
    }
    if (news.snapshot) this.picture = { ...news.snapshot, ...arrays };
    if (news.slow && news.slow.step === news.step) this.slow.show(news.slow, arrays);
    else this.slow.follow(news.step);
    this.newPicture ||= Boolean(news.snapshot) || news.fresh;
    // Streamlit learns of a new status, of the first kept state and of the final figures: buttons and tables follow.
    const kept = news.states.some((step) => step < news.totalSteps);
    const state = `${news.status}${kept ? " kept" : ""}${news.final ? " final" : ""}`;
    if (state !== this.reported) this.report((this.reported = state));
    this.schedule();
    if (!this.picture && news.film.length) this.showLastFrame(news.film.at(-1));
  }

  /** No figure of before stands beside a run that begins anew. */
  forgetPicture() {
    this.picture = null;
    for (const name of ["negElbo", "nll", "kl", "meanStd"]) this.part[name].value = "–";
  }

  /** A run that was saved or shipped has no snapshot in memory: its last frame stands for it. */
  async showLastFrame(step) {
    const frame = await this.film.get(step);
    if (!frame || this.picture) return;
    this.picture = { ...frame.snapshot, ...frame.arrays };
    this.newPicture = true;
    this.schedule();
  }

  schedule() {
    if (!this.frame && !document.hidden) this.frame = requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    this.frame = 0;
    if (!this.news) return;
    const weighted = this.history.weighted();
    this.part.lossKey.hidden = !weighted;
    this.all.setShown("train.loss", weighted);
    const histories = [this.history, ...this.others.map((other) => other.history)];
    this.all.draw(histories);
    this.kl.draw(histories);
    this.drawHeader(this.news);
    this.listMarks();
    if (this.newPicture && this.picture && this.scrubber.at === null) this.drawPicture(this.picture);
    this.newPicture = false;
  }

  /** Show a moment of the film, or the present (null). Moves that outrun the frames skip what they passed. */
  async goTo(step) {
    this.root.classList.toggle("past", step !== null);
    for (const curves of [this.all, this.kl]) curves.setMoment(step);
    if (step === null) return this.picture && this.drawPicture(this.picture);
    const frame = await this.film.get(step);
    if (this.scrubber.at !== step) return;
    if (frame) this.drawPicture({ ...frame.snapshot, ...frame.arrays });
    const { steps } = this.film;
    for (const near of [steps[steps.indexOf(step) + 1], steps[steps.indexOf(step) - 1]])
      if (near !== undefined) this.film.get(near);
  }

  /** Tell Streamlit where the bar rests, for the link and for a branch. */
  reportMoment(step) {
    this.setStateValue("at", step);
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
    part.speedNow.textContent = news.imagesPerSecond
      ? `${Math.round(news.imagesPerSecond).toLocaleString("en")} images/s`
      : "";
    part.speedNow.title = news.device;
  }

  /** The marks once more as text: all of them, and readable by a screen reader. */
  listMarks() {
    const { marks } = this.history;
    if (this.part.marks.childElementCount === marks.length) return;
    this.part.marks.replaceChildren(
      ...marks.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }

  drawPicture(p) {
    const { part } = this;
    const dims = p.kl_dims.shape[0];
    this.root.dataset.step = p.step;
    this.map.show(p, dims > 2 ? ["PC 1", "PC 2"] : ["μ₁", dims === 2 ? "μ₂" : ""]);
    part.negElbo.value = format(p.nll + p.kl);
    part.nll.value = format(p.nll);
    part.kl.value = format(p.kl);
    part.diagnosis.textContent = p.diagnosis ? p.diagnosis.sentence : "";
    part.diagnosisName.textContent = p.diagnosis ? `${p.diagnosis.name}:` : "";
    if (!part.explained.hidden) this.explain(true);
    part.meanStd.value = p.meanStd.toFixed(3);
    part.sigma.textContent = p.sigma == null ? "" : `sigma of the likelihood ${p.sigma.toFixed(3)}`;
    part.plane.textContent =
      dims === 1
        ? "mu, one dimension"
        : dims === 2
          ? "mu of 5,000 test images"
          : `PCA plane of mu, ${Math.round(100 * p.explained)} %`;
    for (const name of ["originals", "reconstructions", "prior_draws"]) drawImages(part[name], p[name], 10);
    const square = p.grid?.shape[0] ?? 0;
    part.tabs.lastChild.hidden = !square;
    if (!square) this.showTab("draws");
    else drawImages(part.grid, { shape: [square * square, 28, 28], data: p.grid.data }, square);
    const [active, all] = drawBars(part.bars, p.kl_dims, p.active);
    part.active.value = `${active} of ${all} active`;
  }

  explain(open) {
    const { why, explained, diagnosisName } = this.part;
    explained.hidden = !open;
    const name = diagnosisName.textContent.replace(":", "");
    explained.textContent = `${this.explained[name] ?? ""} `;
    if (this.readOn[name]) explained.append(link(...this.readOn[name]));
    why.setAttribute("aria-expanded", open);
  }

  showTab(name) {
    const { part } = this;
    for (const button of part.tabs.children) button.setAttribute("aria-pressed", button.dataset.show === name);
    part.prior_draws.hidden = name !== "draws";
    part.grid.hidden = name !== "grid";
    part.tabNote.textContent = name === "draws" ? "z ~ N(0, I), fixed" : "click to find";
    if (name === "draws") this.map.mark(null);
  }

  /** A click on a cell of the grid marks its z on the map. */
  findCell(event) {
    const { grid, tabNote } = this.part;
    const n = grid.width / 28;
    const column = Math.min(n - 1, Math.floor((event.offsetX / grid.clientWidth) * n));
    const row = Math.min(n - 1, Math.floor((event.offsetY / grid.clientHeight) * n));
    const z = [normalQuantile((column + 0.5) / n), normalQuantile((n - 1 - row + 0.5) / n)];
    this.map.mark(z);
    tabNote.textContent = `z = (${z.map((v) => v.toFixed(2)).join(", ")})`;
  }

  connection(state) {
    this.root.classList.toggle("lost", state !== "open");
    if (state === "open") return;
    this.part.status.textContent = state;
    this.part.status.dataset.status = state;
    const why = {
      lost: "The connection to the server is lost: trying again.",
      gone: "This run is over and forgotten: press Start for a new one.",
    };
    this.part.message.textContent = why[state];
    this.part.message.hidden = false;
  }

  destroy() {
    this.feed?.close();
    this.scrubber.destroy();
    cancelAnimationFrame(this.frame);
    document.removeEventListener("visibilitychange", this.shown);
    this.clicks.destroy();
    this.deafen();
    for (const part of [this.all, this.kl, this.map, this.slow, ...this.others]) part.destroy();
  }
}

function link(address, title) {
  return Object.assign(document.createElement("a"), { href: address, textContent: `Read on: ${title}` });
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
  const [r, g, b] = hex
    ? hex.slice(1).map((h) => parseInt(h, 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
