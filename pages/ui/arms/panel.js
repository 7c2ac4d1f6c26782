// The column of one arm. It draws what its Arm holds, and only what has changed.

import { listMarks, make, partsOf } from "../lib/dom.js";
import { drawGrid, drawImages } from "../lib/images.js";
import { activeOf, drawKlBars } from "../lib/kl_bars.js";
import { LatentMap } from "../lib/map.js";
import { format, stepText, waitText } from "../lib/numbers.js";
import { axesOf, basisOf, cloudInPlane, ellipseOf, row, toPlane } from "../lib/plane.js";
import { ArmCurves } from "./curves.js";
import { ARM } from "./html.js";
import { Overlay } from "./overlay.js";
import { drawPairs, pairUnder } from "./pairs.js";
import { Predicted } from "./predicted.js";
import { hasPulls, pullsOf } from "./pulls.js";
import { drawLogVar, drawMagnitudes, widthOf } from "./tug.js";

const sentence = (text) => text[0].toUpperCase() + text.slice(1);
export const PATIENCE_MS = 8000; // for an answer to a switch, before it shows again what is

export class Panel {
  /** @type {import("./probe.js").Probe} what the pointer finds, set by the view */
  probe;

  /** does: { point(panel, xy), pick(i), toggle(message), branch(run), remove(run), look() } */
  constructor(arm, does) {
    this.arm = arm;
    this.does = does;
    this.pending = {};
    this.root = make("section", { className: "arm", innerHTML: ARM });
    const part = (this.part = partsOf(this.root));
    this.map = new LatentMap(part.map, part.outside);
    this.predicted = new Predicted(this.root, part, () => does.look());
    this.over = new Overlay(part.over, this.map, (xy) => does.point(this, xy), does.pick);
    this.curves = { nll: new ArmCurves(part.nllPlot, "nll", "nats"), kl: new ArmCurves(part.klPlot, "kl", "nats") };
    for (const term of ["alpha", "beta"]) part[term].onchange = ({ target }) => this.toggle(term, target.checked);
    part.reconstructions.onclick = (event) => does.pick(pairUnder(event));
    part.branch.onclick = () => does.branch(arm.run);
    part.remove.onclick = () => does.remove(arm.run);
    this.rename();
  }

  /** What Python says of the arm may have changed: name, prediction, rights. */
  rename() {
    const {
      part,
      arm: { shown },
    } = this;
    this.root.dataset.arm = shown.name;
    this.root.dataset.run = shown.run_id;
    this.root.setAttribute("aria-label", `arm ${shown.name}`);
    part.name.textContent = part.name.title = shown.name;
    this.predicted.set(shown.predicted);
    part.branch.hidden = !shown.mine;
    part.remove.hidden = !shown.removable;
    part.over.setAttribute(
      "aria-label",
      `latent map of ${shown.name}; click, drag or press arrow keys to decode at a point`,
    );
    part.over.title = "Click or drag to decode there.";
    part.from.textContent = this.arm.decodesMu ? "from mu" : "from a sample of z";
    part.klNote.textContent = this.arm.posterior ? "thick: test, thin: train" : "not defined";
    part.klPlot.hidden = !this.arm.posterior;
  }

  /** Know which rows are on the screen: the others are not drawn. changed() is called when that has changed. */
  watch(changed) {
    this.seen = new Set();
    this.watcher = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries)
          this.seen[isIntersecting ? "add" : "delete"](/** @type {HTMLElement} */ (target).dataset.row);
        if (entries.some((entry) => entry.isIntersecting)) changed();
      },
      { rootMargin: "80px" },
    );
    for (const element of this.root.querySelectorAll("[data-row]")) this.watcher.observe(element);
  }

  restyle(colours) {
    for (const drawn of [this.map, this.over, this.curves.nll, this.curves.kl]) drawn.restyle(colours);
  }

  /** Both switches are sent as they show, as the server may not have heard of the other one yet. */
  toggle(term, on) {
    this.pending[term] = { on, until: performance.now() + PATIENCE_MS };
    this.drawToggles(null);
    this.does.toggle({ run: this.arm.run, alpha: this.wished("alpha"), beta: this.wished("beta") });
  }

  /** What the switch of a term shows in the present: what was wished, else what is. */
  wished(term) {
    return this.pending[term]?.on ?? this.arm.news?.weights[term] > 0;
  }

  /** Names, switches and marks: whatever changes without a new picture. */
  drawNews(at) {
    const { part, arm } = this;
    const waits = arm.news?.waits;
    part.status.dataset.status = arm.status;
    part.status.textContent = waits ? `waiting, ${waits.place} of ${waits.of}` : arm.status;
    part.status.title = waits ? waitText(waits) : (arm.news?.message ?? "");
    this.root.classList.toggle("lost", !["open", "…"].includes(arm.state));
    part.branch.textContent = at === null ? "Branch" : `Branch at ${at.toLocaleString("en")}`;
    this.drawToggles(at);
    if (arm.atEnd) this.predicted.reveal(); // what came may be told later than the last picture is drawn
    part.toggles.hidden = arm.ended && !arm.shown.mine && !arm.history.marks.length; // they would say what the name says
    listMarks(part.marks, arm.history.marks);
  }

  drawToggles(at) {
    const { part, arm } = this;
    const shown = arm.weights(),
      now = arm.news?.weights;
    if (!now) return;
    for (const [term, { on, until }] of Object.entries(this.pending))
      if (on === now[term] > 0 || performance.now() > until) delete this.pending[term];
    for (const [term, other] of [
      ["alpha", "beta"],
      ["beta", "alpha"],
    ]) {
      const undefinedTerm = term === "beta" && !arm.posterior;
      part[`${term}Now`].value = undefinedTerm
        ? "none"
        : shown[term] > 0
          ? `× ${Number(shown[term].toPrecision(3))}`
          : "off";
      part[term].checked = at === null ? this.wished(term) : shown[term] > 0;
      const last = this.wished(term) && !this.wished(other); // by what they show: both can never be off
      part[term].disabled = !arm.shown.mine || arm.ended || at !== null || undefinedTerm || last;
      part[term].title = last
        ? "One of the two terms must stay on: switch the other one on first."
        : at === null
          ? ""
          : "Go back to now to switch a term, or branch from here.";
      part[`${term}Now`].parentElement.classList.toggle("off", !(shown[term] > 0));
    }
  }

  drawCurves(axes) {
    for (const [term, curves] of Object.entries(this.curves)) {
      if (term === "kl" && !this.arm.posterior) continue;
      curves.axes = axes[term];
      curves.draw([this.arm.history]);
    }
  }

  setMoment(at) {
    for (const curves of Object.values(this.curves)) {
      if (this.seen.has("curves")) curves.setMoment(at);
      else curves.moment = at; // drawn when it comes into view
    }
  }

  /** The pictures of the moment; `shows(row)` says which rows are open, tug whether the tug of war is. */
  drawPicture(chosen, tug, shows) {
    const { part, arm } = this,
      p = arm.picture;
    this.root.dataset.step = p?.step ?? "";
    this.root.classList.toggle("empty", !p);
    const late = p && arm.at !== null && p.step !== arm.at;
    part.caption.textContent = p
      ? `${late ? `${sentence(stepText(p.step))}, the last kept before. ` : ""}${this.caption(p)}`
      : "Nothing yet at this moment.";
    if (!p) return;
    part.nll.value = format(p.terms.nll);
    part.kl.value = arm.posterior ? format(p.terms.kl) : "not defined";
    part.diagnosis.textContent = p.diagnosis?.name ?? "";
    part.says.textContent = p.diagnosis ? sentence(p.diagnosis.sentence) : "";
    if (shows("map")) this.map.show(p, axesOf(p.dims));
    if (shows("pictures")) drawPairs(part.reconstructions, p.originals, p.reconstructions, tug ? chosen : []);
    if (shows("draws")) this.drawDraws(p);
    if (shows("grid")) this.drawGrid(p);
    if (arm.atEnd) this.predicted.reveal();
  }

  caption(p) {
    const plane =
      p.dims > 2
        ? `Plane of the first two principal axes: ${Math.round(100 * p.explained)}% of the variance of mu. `
        : "";
    return plane + this.clouded(p);
  }

  clouded(p) {
    return this.arm.posterior || !p.ten_mu?.shape[0] ? "" : "Ten images as points: no posterior, so no ellipses.";
  }

  /** As many of the forty as the styles have room for. */
  drawDraws({ prior_draws: { data } }) {
    const canvas = this.part.prior_draws,
      room = (name) => Number(getComputedStyle(canvas).getPropertyValue(name)) || 4;
    const across = room("--across");
    drawImages(canvas, { shape: [across * room("--down")], data }, across);
  }

  drawGrid(p) {
    const square = drawGrid(this.part.grid, p.grid);
    this.part.grid.hidden = !square;
    this.part.gridNote.textContent = square ? "prior quantiles, −1.7 to 1.7" : "only with two latent dimensions";
  }

  /** KL per dimension; `top` of the axis is the same for all arms. */
  drawKl(top) {
    const { part, arm } = this,
      p = arm.picture;
    if (!p) return;
    part.bars.toggleAttribute("hidden", !arm.posterior);
    const split = p.meter?.information_dims ? "; pale: KL(q(z) ‖ p(z))" : "";
    part.active.value = `${activeOf(p)}${arm.posterior ? split : "; KL not defined"}`;
    if (!arm.posterior) return;
    const width = widthOf(part.bars);
    drawKlBars(part.bars, p, { top, width, every: Math.ceil((18 * p.kl_dims.data.length) / (width - 38)) });
  }

  /** The pulls on the chosen images: [{ index, digit, from, mu, logVar, by: { nll, kl } }] on the map where it has a plane. */
  pulls(chosen) {
    const { picture: p } = this.arm,
      weights = this.arm.weights();
    if (!p || !weights || !hasPulls(p)) return [];
    const basis = basisOf(p);
    return [...chosen]
      .filter((i) => i < p.ten_mu.shape[0])
      .map((index) => {
        const pull = pullsOf(p, index, weights);
        const flat = (v) => (v && basis ? toPlane(v, basis) : null);
        return {
          index,
          digit: index,
          ...pull,
          from: basis && toPlane(row(p.ten_mu, index), basis),
          by: { nll: flat(pull.mu.nll), kl: flat(pull.mu.kl) },
        };
      });
  }

  clouds(chosen) {
    const { picture: p } = this.arm;
    const basis = p && p.ten_mu?.shape[0] ? basisOf(p) : null;
    if (!basis) return [];
    return Array.from({ length: p.ten_mu.shape[0] }, (_, index) => ({
      index,
      chosen: chosen.has(index),
      at: toPlane(row(p.ten_mu, index), basis),
      ellipse: p.ten_log_var.shape[0] ? ellipseOf(cloudInPlane(row(p.ten_log_var, index), basis)) : null,
    }));
  }

  /** unit: nats per unit to a unit of the map; tallest: of the bars of log_var; both the same for all arms. */
  drawTug(chosen, pulls, { unit, tallest, open, point }) {
    const { part, arm } = this;
    const terms = [
      ["nll", "reconstruction"],
      ["kl", "kl"],
    ];
    const arrows = !open
      ? []
      : pulls.flatMap(({ from, by }) =>
          terms.flatMap(([term, colour]) =>
            by[term] ? [{ from, by: by[term].map((v) => v / unit), term: colour }] : [],
          ),
        );
    this.root.dataset.arrows = arrows.length;
    this.over.show({ clouds: this.clouds(chosen), arrows, point });
    if (!open || !this.seen.has("pulls")) return;
    drawMagnitudes(part.magnitudes, pulls, arm.posterior);
    part.logVar.toggleAttribute("hidden", !arm.posterior);
    const dims = arm.posterior ? drawLogVar(part.logVar, pulls, tallest) : [];
    const which = dims.length ? `, dim. ${dims.map((d) => d + 1).join(", ")}` : "";
    part.logVarNote.textContent = !arm.posterior
      ? "not defined"
      : pulls.length
        ? `nats, up widens${which}`
        : "not kept at this moment";
  }

  destroy() {
    for (const part of [this.arm, this.map, this.over, this.predicted, this.curves.nll, this.curves.kl]) part.destroy();
    this.watcher.disconnect();
    this.root.remove();
  }
}
