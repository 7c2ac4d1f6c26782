// The lower half of the Gaussians view: one Gaussian fitted to two bumps, in both directions of the divergence.

import { fixed } from "../../lib/numbers.js";
import { Plot, sample } from "../plot.js";
import * as kl from "./kl.js";
import { EDGE, News, STARTS, TOPS, across, density, nats } from "./state.js";
import { isStill } from "../../lib/motion.js";

const FRAMES = 90; // that the walk downhill takes: a second and a half

/** One Gaussian for a mixture of two: forward by its moments, reverse by gradient descent. */
export class Fit {
  constructor(view) {
    this.view = view;
    this.task = new News();
    this.news = new News();
    this.way = null;
    this.at = Infinity; // the step of the descent that is shown
    this.plot = new Plot(view.part.fits, {
      x: across(),
      y: { from: 0, to: 1, label: "density (per unit of z)" },
      height: 15.9,
      label: "a mixture of two bumps and two Gaussians fitted to it",
      draw: view.ask,
    });
  }

  parts() {
    const { distance, left, right } = this.view.state;
    return [
      { weight: 0.5, mu: -distance / 2, std: left },
      { weight: 0.5, mu: distance / 2, std: right },
    ];
  }

  /** Let the descent be seen, unless the visitor wants nothing to move. */
  walk() {
    this.at = isStill() ? Infinity : 0;
  }

  draw() {
    if (!this.plot.frame) return;
    const parts = this.parts();
    const start = STARTS[this.view.state.start] ?? this.view.q();
    if (this.task.is([parts, start])) {
      this.way = kl.fitReverse(parts, start);
      if (this.at > 0) this.at = Infinity;
    }
    const last = this.way.length - 1;
    const step = Math.min(last, Math.floor(this.at));
    if (step < last) {
      this.at += last / FRAMES;
      this.view.ask();
    }
    if (!this.news.is([parts, start, step, this.plot.width])) return;
    const fits = { forward: kl.fitForward(parts), reverse: this.way[step] };
    this.drawCurves(parts, start, fits);
    this.showNumbers(parts, fits, step, last);
  }

  drawCurves(parts, start, { forward, reverse }) {
    const p = (z) => Math.exp(kl.logMixture(parts, z));
    const peak = Math.max(...[forward, reverse].map((g) => density(g)(g.mu)), ...parts.map((part) => p(part.mu)));
    this.plot.range({ y: { from: 0, to: TOPS.find((top) => top >= 1.1 * peak) ?? TOPS.at(-1) } });
    this.plot.area("p ground", sample(p, -EDGE, EDGE, 420), "ground p");
    this.plot.line("p", sample(p, -EDGE, EDGE, 420), "curve p");
    this.plot.line("start", sample(density(start), -EDGE, EDGE), "curve start");
    this.plot.line("forward", sample(density(forward), -EDGE, EDGE, 420), "curve forward");
    this.plot.line("reverse", sample(density(reverse), -EDGE, EDGE, 420), "curve q");
    const free = parts.reduce((a, b) => (Math.abs(b.mu - reverse.mu) >= Math.abs(a.mu - reverse.mu) ? b : a)); // farther off
    this.plot.text("p name", [free.mu, p(free.mu)], "p", `letter p ${free.mu < reverse.mu ? "left" : "right"}`);
    const [higher, lower] = [reverse, forward].map((g) => [g.mu, density(g)(g.mu)]);
    this.plot.text("reverse name", higher, "min KL(q‖p)", "letter q above");
    this.plot.text("forward name", lower, "min KL(p‖q)", "letter forward above");
  }

  showNumbers(parts, fits, step, last) {
    const { part } = this.view;
    const kls = { forward: kl.bothKls(fits.forward, parts), reverse: kl.bothKls(fits.reverse, parts) };
    for (const row of ["forward", "reverse"]) {
      const other = row === "forward" ? "reverse" : "forward";
      part[`${row}_mu`].value = fixed(fits[row].mu, 2);
      part[`${row}_std`].value = fixed(fits[row].std, 2);
      for (const column of ["forward", "reverse"]) {
        const lower = kls[row][column] < kls[other][column];
        part[`${row}_${column}`].value = `${nats(kls[row][column])}${lower ? " ▾" : ""}`;
        part[`${row}_${column}`].classList.toggle("lower", lower);
      }
    }
    const unfinished = step === kl.MOST_STEPS ? ", not yet at rest" : "";
    part.steps.value = `step ${step} of ${last} of gradient descent${unfinished}`;
    part.see.textContent = step < last ? "Gradient descent on KL(q‖p) …" : this.sentence(parts, fits);
  }

  /** What the two fits do, as their numbers say. */
  sentence(parts, { forward, reverse }) {
    const where = (q) =>
      ["covers neither bump", "sits on the left bump", "sits on the right bump", "covers both bumps"][
        kl.covered(q, parts).reduce((sum, i) => sum + i + 1, 0)
      ];
    const from = { left: "from the left", right: "from the right", q: "from your q" }[this.view.state.start];
    return `Minimising KL(p‖q) matches the mean and variance of p: it ${where(forward)}. Minimising KL(q‖p) ${from}: it ${where(reverse)}.`;
  }
}
