// The upper half of the Gaussians view: two Gaussians to drag, the integrand of their divergence, and its numbers.

import { fixed, niceAbove, plain } from "../../lib/numbers.js";
import { normals } from "../../lib/rng.js";
import { Plot, sample } from "../plot.js";
import * as kl from "./kl.js";
import { BOUNDS, EDGE, News, TOPS, across, density, nats } from "./state.js";

/** Two Gaussians, the integrand, and the numbers beside them. */
export class Pair {
  constructor(view) {
    this.view = view;
    this.news = new News();
    const { part, ask } = view;
    this.densities = new Plot(part.densities, {
      x: across(),
      y: { from: 0, to: 1, label: "density (per unit of z)" },
      height: 14.1,
      label: "densities of q and p",
      draw: ask,
    });
    this.integrand = new Plot(part.integrand, {
      x: across(),
      y: { from: -1, to: 1, label: "" },
      height: 11.2,
      label: "integrand of the KL divergence",
      draw: ask,
    });
    for (const name of ["p", "q"]) this.addHandles(name);
  }

  addHandles(name) {
    const { view, densities } = this;
    const change = (what, by) => ({
      start: () => view.state[`${name}_${what}`],
      drag: (dx, dy, origin) => view.set({ [`${name}_${what}`]: origin + by * dx }),
      key: (steps, fine) =>
        view.set({ [`${name}_${what}`]: view.state[`${name}_${what}`] + steps * (fine ? 0.01 : 0.1) }),
      end: view.rest,
    });
    densities.grab(densities.mark(`${name} grab`, "path", "grab"), change("mu", 1));
    densities.handle(`${name}−`, { className: name, label: "", focusable: false, ...change("std", -1) });
    densities.handle(`${name}+`, { className: name, label: `standard deviation of ${name}`, ...change("std", 1) });
    densities.handle(`${name} mean`, { className: name, label: `mean of ${name}`, ...change("mu", 1) });
  }

  draw() {
    const [q, p, { shown, seed, log2_draws }] = [this.view.q(), this.view.p(), this.view.state];
    if (!this.densities.frame || !this.integrand.frame) return;
    if (!this.news.is([q, p, shown, seed, log2_draws, this.densities.width, this.integrand.width])) return;
    const peak = Math.max(density(q)(q.mu), density(p)(p.mu));
    this.densities.range({ y: { from: 0, to: TOPS.find((top) => top >= 1.15 * peak) } });
    this.drawCurve("p", p, q);
    this.drawCurve("q", q, p);
    this.drawIntegrand(q, p);
    this.showNumbers("qp", q, p);
    this.showNumbers("pq", p, q);
    this.showTerms(q);
  }

  drawCurve(name, g, other) {
    const plot = this.densities;
    const f = density(g);
    const points = sample(f, -EDGE, EDGE, 420);
    plot.line(
      `${name} stem`,
      [
        [g.mu, 0],
        [g.mu, f(g.mu)],
      ],
      `stem ${name}`,
    );
    plot.line(name, points, `curve ${name}`);
    plot.line(`${name} grab`, points, "grab");
    const side = g.mu > other.mu || (g.mu === other.mu && name === "q") ? "right" : "left";
    plot.text(`${name} name`, [g.mu, f(g.mu)], name, `letter ${name} ${side}`);
    /** @type {(value: number, limits: number[]) => any} */
    const says = (value, [min, max]) => ({ now: value, min, max, text: fixed(value, 2) });
    plot.place(`${name} mean`, [g.mu, f(g.mu)], says(g.mu, BOUNDS.mu));
    for (const sign of ["−", "+"]) {
      const z = g.mu + (sign === "+" ? g.std : -g.std);
      plot.place(`${name}${sign}`, [z, f(z)], says(g.std, BOUNDS.std));
    }
  }

  drawIntegrand(q, p) {
    const plot = this.integrand;
    const [first, second, of] = this.view.state.shown === "qp" ? [q, p, "q log(q/p)"] : [p, q, "p log(p/q)"];
    const logs = [first, second].map((g) => (z) => kl.logNormal(g, z));
    const points = sample(kl.integrand(logs[0], logs[1]), -EDGE, EDGE, 560);
    const values = points.map(([, f]) => f);
    const top = niceAbove(Math.max(0.1, ...values));
    const bottom = -Math.max(top / 5, niceAbove(Math.max(1e-3, ...values.map((f) => -f))));
    plot.range({ y: { from: bottom, to: top, label: `${of} (nats per unit of z)` } });
    plot.area(
      "minus",
      points.map(([z, f]) => [z, Math.min(0, f)]),
      "minus",
    );
    plot.area(
      "plus",
      points.map(([z, f]) => [z, Math.max(0, f)]),
      "plus",
    );
    plot.line("integrand", points, "curve kl");
    this.drawSign("+", points, top - bottom);
    this.drawSign("−", points, top - bottom);
    this.showAreas(logs, first);
  }

  /** A sign inside the area above or below zero, where there is room for one. */
  drawSign(sign, points, span) {
    const up = sign === "+" ? 1 : -1;
    const [z, f] = points.reduce((best, point) => (up * point[1] > up * best[1] ? point : best));
    const room = up * f > 0.15 * span && Math.abs(z) < EDGE - 0.3;
    this.integrand.text(sign, [z, f / 2], room ? sign : "", "sign");
  }

  showAreas(logs, first) {
    const all = kl.areas(logs[0], logs[1], kl.support([first]));
    const inside = kl.areas(logs[0], logs[1], [-EDGE, EDGE]);
    const outside = 1 - (inside.positive + inside.negative) / (all.positive + all.negative);
    const note = outside > 0.01 ? ` ${Math.round(100 * outside)} % of the area lies outside the frame.` : "";
    const name = this.view.state.shown === "qp" ? "KL(q‖p)" : "KL(p‖q)";
    this.view.part.areas.innerHTML = `<b class="plus">above zero ${nats(all.positive)}</b> − <b class="minus">below zero ${nats(all.negative)}</b> = <b class="kl">${nats(all.kl)} nats = ${name}</b>.${note}`;
  }

  /** Draws are kept for a seed and a number, so that a drag moves the same ones. */
  eps() {
    const { seed, log2_draws } = this.view.state;
    const wanted = `${seed} ${log2_draws}`;
    if (this.drawn !== wanted) this.kept = normals(seed, 2 ** log2_draws);
    this.drawn = wanted;
    return this.kept;
  }

  showNumbers(direction, first, second) {
    const { part } = this.view;
    const exact = kl.klNormal(first, second);
    const estimate = kl.monteCarlo(first, second, this.eps());
    const { distance, agrees } = kl.judge(estimate, exact);
    part[`exact_${direction}`].value = nats(exact);
    part[`mean_${direction}`].value = nats(estimate.mean);
    part[`error_${direction}`].value = nats(estimate.standardError);
    part[`judged_${direction}`].value = `${fixed(distance, 1)} SE ${agrees ? "✓" : "✗"}`;
    part[`judged_${direction}`].dataset.agrees = agrees;
  }

  showTerms(q) {
    const { part } = this.view;
    const t = kl.priorTerms(q);
    const cells = [
      ["½ (", ""],
      ["mu²", nats(t.muSquared)],
      ["+ std²", nats(t.variance)],
      ["− 1", plain(t.one)],
      ["− log std²", nats(t.minusLogVar)],
      [")", ""],
      ["=", `${nats(t.kl)}`],
    ];
    part.terms.replaceChildren(
      ...cells.map(([name, value]) => {
        const cell = document.createElement("span");
        cell.innerHTML = `<i>${name}</i><b>${value}</b>`;
        return cell;
      }),
    );
    part.mu.value = fixed(q.mu, 2);
    part.sigma.value = fixed(q.std, 2);
  }
}
