// What is drawn of all arms on one scale, so that they can be compared by eye. An argument `panels` is all of them.

import { sharedAxes, sharedTop } from "./axes.js";
import { size, unitOf } from "./pulls.js";
import { tallest } from "./tug.js";

const CURVES_MS = 500; // between two drawings of the curves: charts cost most, and training needs the processor

/** Curves are drawn at most twice a second; the last change is never left out. */
export class SharedCurves {
  /** wanted(): the panels, or none where no curve is on the screen. */
  constructor(wanted) {
    this.wanted = wanted;
    this.at = 0;
  }

  /** The next drawing does not wait. */
  hurry() {
    this.at = 0;
  }

  draw() {
    const wait = this.at + CURVES_MS - performance.now();
    clearTimeout(this.later);
    if (wait > 0) return (this.later = setTimeout(() => this.draw(), wait));
    this.at = performance.now();
    const panels = this.wanted(),
      historyOf = ({ arm }) => arm.history;
    const nll = sharedAxes(panels.map(historyOf), "nll"),
      kl = sharedAxes(panels.filter(({ arm }) => arm.posterior).map(historyOf), "kl");
    for (const panel of panels) panel.drawCurves({ nll, kl: { ...kl, last: nll.last } });
  }

  destroy() {
    clearTimeout(this.later);
  }
}

export function drawKl(panels) {
  const top = sharedTop(panels.flatMap(({ arm }) => (arm.picture && arm.posterior ? [arm.picture] : [])));
  for (const panel of panels) panel.drawKl(top);
}

/** The tug of war over the chosen images; open: whether it is wanted; returns the nats per unit to a unit of the map. */
export function drawTug(panels, chosen, open, pointOf) {
  const all = panels.map((panel) => panel.pulls(chosen));
  const unit = unitOf(all.flat().flatMap(({ by }) => [size(by.nll), size(by.kl)]));
  const scale = { unit, tallest: tallest(all.flat()), open };
  panels.forEach((panel, i) => panel.drawTug(chosen, all[i], { ...scale, point: pointOf(panel) }));
  return unit;
}
