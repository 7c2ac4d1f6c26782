// A moment of the run as pictures and figures: the map, the images, the grid, the KL of each dimension, the diagnosis.

import { make, partsOf, press } from "../lib/dom.js";
import { onKeys } from "../lib/keys.js";
import { cellAfter, cellUnder, drawGrid, drawImages } from "../lib/images.js";
import { drawCodeMaps } from "../lib/code_maps.js";
import { activeOf, drawKlBars } from "../lib/kl_bars.js";
import { LatentMap, NO_CLASS } from "../lib/map.js";
import { normalQuantile } from "../lib/normal.js";
import { fixed, format, niceAbove, stepText } from "../lib/numbers.js";
import { axesOf } from "../lib/plane.js";
import { Teller, codesText } from "../lib/spoken.js";

/** What the originals are. @param {SnapshotPicture} p */
function whichImages({ labels, classNames }) {
  if (labels.data[0] === NO_CLASS) return "test images";
  return classNames && classNames.length < 10 ? "one of each class first" : "one of each class";
}

/** The first so many of several images. @param {Tensor} images @param {number} count */
const firstOf = ({ shape, data }, count) => ({ shape: [Math.min(count, shape[0])], data });

export class Picture {
  /**
   * `said` is { explained, readOn }: sentences and links by the name of a diagnosis; `perRow`: how many of the ten images of a
   * kind stand side by side.
   */
  constructor(root, part) {
    this.root = root;
    this.part = part;
    this.perRow = 5;
    this.map = new LatentMap(part.map, part.outside);
    this.said = { explained: {}, readOn: {} };
    this.teller = new Teller(root);
    part.tabs.onclick = ({ target }) => target.dataset.show && this.showTab(target.dataset.show);
    part.grid.onclick = (event) => this.findCell(cellUnder(event, this.cells, this.cells));
    onKeys(part.grid, (key) => this.moveCell(key));
    part.why.onclick = () => this.explain(part.explained.hidden);
  }

  /** What a family has not is not on the page: see models/base.py. @param {Family} family */
  setFamily({ terms, bound, posterior, codes, labels, codebook, scales }) {
    const { part } = this;
    this.figures = { ...partsOf(part.scaleNames), ...partsOf(part.header) }; // a term may have the name of a part
    this.scales = scales;
    this.names = [...(bound ? ["negElbo"] : []), ...terms.map(({ name }) => name)];
    this.labels = { negElbo: "−ELBO", ...Object.fromEntries(terms.map(({ name, label }) => [name, label])) };
    this.has = { posterior, codes, labels };
    this.codebook = codebook;
    part.codesCard.hidden = !codebook;
    part.mapCard.hidden = part.drawsTitle.hidden = part.prior_draws.hidden = !codes;
    part.grid.hidden = true;
    if (codes) this.showTab("draws");
    part.std.hidden = part.barsCard.hidden = !posterior;
    part.fromWhat.textContent = posterior ? "from a sample of z" : "";
  }

  /** @param {SnapshotPicture} p */
  draw(p) {
    const { part, has } = this;
    this.shown = p;
    this.root.dataset.step = p.step;
    const count = (this.count = p.labels.data.length.toLocaleString("en"));
    for (const element of part.header.querySelectorAll("[data-count]")) element.textContent = count;
    part.which.textContent = whichImages(p);
    const figures = { negElbo: p.negElbo, ...p.terms };
    for (const name of this.names) this.figures[name].value = format(figures[name] ?? NaN);
    part.diagnosis.textContent = p.diagnosis ? p.diagnosis.sentence : "";
    part.diagnosisName.textContent = p.diagnosis ? `${p.diagnosis.name}:` : "";
    if (!part.explained.hidden) this.explain(true);
    if (has.codes) this.drawCodes(p);
    if (has.posterior) this.drawPosterior(p);
    this.drawScales(p);
    this.drawCodeMaps(p);
    part.inputsCard.hidden = !p.inputs?.shape[0];
    if (!part.inputsCard.hidden) drawImages(part.inputs, p.inputs, this.perRow);
    for (const name of ["originals", "reconstructions"]) drawImages(part[name], p[name], this.perRow);
    this.teller.say(() => this.tell());
  }

  /** The moment that is shown, in words: its figures, and where the codes lie; they name the map and the curves, too. */
  tell() {
    const { part, shown: p, labels } = this;
    if (!p) return "";
    const figures = this.names.map((name) => `${labels[name]} ${this.figures[name].value}`).join(", ");
    const told = `${stepText(p.step)}: ${figures}`;
    const codes = this.has.codes ? codesText(p) : "";
    part.map.setAttribute("aria-label", `latent map, coloured by class. ${codes}`);
    for (const host of [part.all, part.klOnly, part.scaleOnly])
      host.querySelector(".u-wrap")?.setAttribute("aria-label", `curves by step, read with ← and →; at ${told}`);
    return `At ${told}. ${codes} ${part.diagnosis.textContent}`.trim();
  }

  /** Beside their names the figures of the moment; the sigma of each pixel where each has its own. @param {SnapshotPicture} p */
  drawScales(p) {
    const { part } = this,
      known = { ...p.scales, ...p.usage };
    for (const { name, unit } of this.scales) this.figures[name].value = known[name]?.toFixed(unit ? 1 : 3) ?? "–";
    part.sigmasCard.hidden = !p.sigmas?.shape[0];
    if (!part.sigmasCard.hidden) drawImages(part.sigmas, p.sigmas, this.perRow);
  }

  /** Of a family with a codebook: the maps of the ten images, and how much of it is in use. @param {SnapshotPicture} p */
  drawCodeMaps({ usage, code_maps: maps }) {
    const { part, codebook } = this;
    if (!codebook || !maps || !usage) return;
    drawCodeMaps(part.code_maps, maps, this.perRow);
    part.usage.textContent = `${usage.used} of ${codebook} codes in use, perplexity ${usage.perplexity.toFixed(1)}`;
  }

  /** @param {SnapshotPicture} p */
  drawCodes(p) {
    const { part, map } = this;
    map.show(p, axesOf(p.dims));
    part.plane.textContent =
      ["mu, one dimension", `mu of ${this.count} test images`][p.dims - 1] ??
      `PCA plane of mu, ${Math.round(100 * p.explained)} %`;
    drawImages(part.prior_draws, firstOf(p.prior_draws, 10), this.perRow);
    part.tabs.lastChild.hidden = !drawGrid(part.grid, p.grid);
    if (part.tabs.lastChild.hidden) this.showTab("draws");
  }

  /** @param {SnapshotPicture} p */
  drawPosterior(p) {
    const { part } = this,
      { data } = p.kl_dims;
    part.meanStd.value = p.meanStd.toFixed(3);
    drawKlBars(part.bars, p, { top: niceAbove(Math.max(...data, 0.1)), width: 290, every: data.length <= 16 ? 1 : 4 });
    part.active.value = activeOf(p);
  }

  /** The originals of other data go; the same ones need no training, and stay for the next run. @param {News} news */
  follow({ config: { dataset, protocol } }) {
    const data = `${dataset} ${protocol}`;
    if (data !== this.data && !this.shown) clear(this.part.originals);
    this.data = data;
  }

  /** Nothing of before stands beside a run that begins anew: no figure, no picture, no word. Their places stay. */
  forget() {
    const { part, map } = this;
    this.shown = null;
    this.teller.say(() => "");
    delete this.root.dataset.step;
    for (const output of [...Object.values(this.figures), part.meanStd, part.active]) output.value = "–";
    map.show(null, map.axes);
    map.mark(null);
    for (const words of [part.diagnosis, part.diagnosisName, part.usage, part.outside]) words.textContent = "";
    for (const canvas of this.root.querySelectorAll("canvas.images")) if (canvas !== part.originals) clear(canvas);
    part.bars.replaceChildren();
    this.explain(false);
  }

  /** So many images of a kind to a row. */
  setPerRow(count) {
    if (count === this.perRow) return;
    this.perRow = count;
    if (this.shown) this.draw(this.shown);
  }

  explain(open) {
    const { why, explained, diagnosisName } = this.part;
    explained.hidden = !open;
    const name = diagnosisName.textContent.replace(":", "");
    explained.textContent = `${this.said.explained[name] ?? ""} `;
    const [href, title] = this.said.readOn[name] ?? [];
    if (href) explained.append(make("a", { href, textContent: `Read on: ${title}` }));
    why.setAttribute("aria-expanded", open);
  }

  showTab(name) {
    const { part } = this;
    press(part.tabs, "show", name);
    part.prior_draws.hidden = name !== "draws";
    part.grid.hidden = name !== "grid";
    const draws = this.has.labels ? "one z, ten labels" : "z ~ N(0, I)";
    part.tabNote.textContent = name === "draws" ? draws : "click to find";
    if (name === "draws") this.map.mark(null);
  }

  /** Cells of the grid along a side. */
  get cells() {
    return this.part.grid.width / 28;
  }

  /** Arrows find the next cell; the first of them the one in the middle. */
  moveCell(key) {
    const n = this.cells,
      to = cellAfter(this.cell, key, n, n);
    if (to === null) return false;
    this.findCell(this.cell < n * n ? to : Math.floor(n / 2) * (n + 1));
    return true;
  }

  /** A click on a cell of the grid, or an arrow, marks its z on the map. */
  findCell(cell) {
    const { tabNote } = this.part,
      n = this.cells;
    this.cell = cell;
    const z = [(cell % n) + 0.5, n - 0.5 - Math.floor(cell / n)].map((at) => normalQuantile(at / n));
    this.map.mark(z);
    tabNote.textContent = `z = (${z.map((v) => fixed(v)).join(", ")})`;
  }
}

const clear = (canvas) => canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
