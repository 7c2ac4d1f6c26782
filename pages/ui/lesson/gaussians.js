// Two Gaussians to drag and their KL divergences; one Gaussian fitted to two bumps. Mounted by gaussians.py through
// assets.loader. All mathematics is in kl.js and rng.js; `clean` touches no page: node runs it as it is.

import * as kl from "./kl.js";
import { Plot, Shared, bounded, everyFrame, followTheme, niceCeiling, partsOf, sample, written } from "./plot.js";
import { normals } from "./rng.js";

const SEED_MOST = 4294967295;
const EDGE = 7; // the frames run from −7 to 7
const BOUNDS = { mu: [-3, 3], std: [0.2, 2], distance: [0, 8], bump: [0.3, 1.5], log2Draws: [4, 16] };
const STARTS = { left: { mu: -5, std: 1 }, right: { mu: 5, std: 1 } };

/** A whole state from whatever a link says. */
export function clean(raw) {
  const get = (name, bounds, fallback) => bounded(raw?.[name], bounds, fallback);
  return {
    q_mu: get("q_mu", BOUNDS.mu, 1.5), q_std: get("q_std", BOUNDS.std, 0.6),
    p_mu: get("p_mu", BOUNDS.mu, 0), p_std: get("p_std", BOUNDS.std, 1),
    shown: raw?.shown === "pq" ? "pq" : "qp",
    log2_draws: Math.round(get("log2_draws", BOUNDS.log2Draws, 10)),
    seed: Math.round(get("seed", [0, SEED_MOST], 0)),
    distance: get("distance", BOUNDS.distance, 4), left: get("left", BOUNDS.bump, 0.7), right: get("right", BOUNDS.bump, 0.7),
    start: ["right", "q"].includes(raw?.start) ? raw.start : "left",
  };
}

const HTML = `
<div class="gaussians">
  <section class="curves">
    <h3><b class="q">q</b> and <b class="p">p</b> <small>drag a curve to move its mean, a point at ±1 std to change its width</small></h3>
    <div data-part="densities"></div>
    <p class="row" role="group" aria-label="integrand shown">
      <span>KL is the area under</span>
      <button data-shown="qp" aria-pressed="true">q log(q/p)</button> <button data-shown="pq" aria-pressed="false">p log(p/q)</button>
    </p>
    <div data-part="integrand"></div>
    <p class="areas" data-part="areas"></p>
    <p class="note">Keyboard: Tab to a point, the arrow keys move it, with Shift in fine steps.</p>
  </section>
  <section class="numbers">
    <h3>The two directions <small>in nats</small></h3>
    <table>
      <thead><tr><td></td><th scope="col">KL(q‖p)</th><th scope="col">KL(p‖q)</th></tr></thead>
      <tbody>
        <tr class="main"><th scope="row">closed form</th><td><output data-part="exact_qp"></output></td><td><output data-part="exact_pq"></output></td></tr>
        <tr><th scope="row">Monte Carlo</th><td><output data-part="mean_qp"></output></td><td><output data-part="mean_pq"></output></td></tr>
        <tr><th scope="row">its standard error (SE)</th><td><output data-part="error_qp"></output></td><td><output data-part="error_pq"></output></td></tr>
        <tr><th scope="row">off by</th><td><output data-part="judged_qp"></output></td><td><output data-part="judged_pq"></output></td></tr>
      </tbody>
    </table>
    <label>draws S = <b data-part="drawsNow" aria-hidden="true"></b>
      <input type="range" min="${BOUNDS.log2Draws[0]}" max="${BOUNDS.log2Draws[1]}" step="1" data-part="log2_draws"></label>
    <p class="row"><button data-part="again">New draws</button> <span>seed <output data-part="seed"></output></span></p>
    <p class="note">✓ up to ${kl.BELIEVABLE} SE. A right estimate lies further off about once in 370 times, with few draws more often.</p>
    <h3>One latent dimension against the prior</h3>
    <p class="formula">KL(q ‖ N(0, 1)) = ½ (μ² + σ² − 1 − log σ²)</p>
    <div class="terms" data-part="terms"></div>
    <p class="note">q is the curve on this page: μ = <output data-part="mu"></output>, σ = <output data-part="sigma"></output>. The KL term of a VAE is this sum over its latent dimensions.</p>
  </section>
  <section class="curves">
    <h3>One Gaussian for two bumps <small>forward and reverse fit</small></h3>
    <div data-part="fits"></div>
    <p class="see" data-part="see"></p>
  </section>
  <section class="numbers">
    <h3>The two fits <small>KL in nats, by quadrature</small></h3>
    <table class="fits">
      <thead><tr><td></td><th scope="col">mean</th><th scope="col">std</th><th scope="col">KL(p‖q)</th><th scope="col">KL(q‖p)</th></tr></thead>
      <tbody>
        <tr><th scope="row" class="forward">min KL(p‖q)</th><td><output data-part="forward_mu"></output></td><td><output data-part="forward_std"></output></td><td><output data-part="forward_forward"></output></td><td><output data-part="forward_reverse"></output></td></tr>
        <tr><th scope="row" class="q">min KL(q‖p)</th><td><output data-part="reverse_mu"></output></td><td><output data-part="reverse_std"></output></td><td><output data-part="reverse_forward"></output></td><td><output data-part="reverse_reverse"></output></td></tr>
      </tbody>
    </table>
    <p class="note">▾ the smaller one of its column. Reverse fit: <output data-part="steps"></output>.</p>
    <p class="row" role="group" aria-label="start of the descent"><span>start from</span>
      <button data-start="left">left</button> <button data-start="right">right</button> <button data-start="q">your q</button></p>
    <label>distance of the bumps <b data-part="distanceNow" aria-hidden="true"></b><input type="range" min="0" max="8" step="0.1" data-part="distance"></label>
    <label>std of the left bump <b data-part="leftNow" aria-hidden="true"></b><input type="range" min="0.3" max="1.5" step="0.05" data-part="left"></label>
    <label>std of the right bump <b data-part="rightNow" aria-hidden="true"></b><input type="range" min="0.3" max="1.5" step="0.05" data-part="right"></label>
  </section>
</div>`;

export function mount(parent) {
  return new GaussiansView(parent.querySelector(".lesson"));
}

class GaussiansView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    this.state = clean(null);
    this.shared = new Shared(clean, (state) => this.take(state));
    this.rest = () => this.shared.report(this.state);
    this.ask = everyFrame(() => this.draw());
    this.pair = new Pair(this);
    this.fit = new Fit(this);
    this.listen();
    this.take(this.state);
  }

  listen() {
    const { part } = this;
    for (const name of ["log2_draws", "distance", "left", "right"]) {
      part[name].oninput = () => this.set({ [name]: Number(part[name].value) });
      part[name].onchange = this.rest;
    }
    part.again.onclick = () => (this.set({ seed: (this.state.seed + 1) % (SEED_MOST + 1) }), this.rest());
    for (const button of this.root.querySelectorAll("[data-shown]")) button.onclick = () => (this.set({ shown: button.dataset.shown }), this.rest());
    for (const button of this.root.querySelectorAll("[data-start]")) {
      button.onclick = () => {
        this.set({ start: button.dataset.start });
        this.fit.walk();
        this.rest();
      };
    }
  }

  set(changes) {
    this.take(clean({ ...this.state, ...changes }));
  }

  /** Show a state: the controls follow it, then the pictures. */
  take(state) {
    const { part } = this;
    this.state = state;
    for (const name of ["log2_draws", "distance", "left", "right"]) part[name].value = state[name];
    for (const name of ["distance", "left", "right"]) part[`${name}Now`].textContent = written(state[name], 2);
    part.drawsNow.textContent = (2 ** state.log2_draws).toLocaleString("en");
    part.seed.value = state.seed;
    for (const which of ["shown", "start"]) {
      for (const button of this.root.querySelectorAll(`[data-${which}]`)) button.setAttribute("aria-pressed", button.dataset[which] === state[which]);
    }
    this.ask();
  }

  q() {
    return { mu: this.state.q_mu, std: this.state.q_std };
  }

  p() {
    return { mu: this.state.p_mu, std: this.state.p_std };
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    followTheme(this.root);
    this.shared.update(component);
  }

  draw() {
    this.pair.draw();
    this.fit.draw();
  }

  destroy() {
    this.ask.cancel();
    for (const plot of [this.pair.densities, this.pair.integrand, this.fit.plot]) plot.destroy();
  }
}

const across = () => ({ from: -EDGE, to: EDGE, label: "z (std of N(0, 1))" });
const density = (g) => (z) => Math.exp(kl.logNormal(g, z));
const TOPS = [0.5, 0.75, 1, 1.5, 2.5]; // of the density axis: few, so that it seldom jumps

/** Two Gaussians, the integrand, and the numbers beside them. */
class Pair {
  constructor(view) {
    Object.assign(this, { view, news: new News() });
    const { part, ask } = view;
    this.densities = new Plot(part.densities, { x: across(), y: { from: 0, to: 1, label: "density (per unit of z)" }, height: 240, label: "densities of q and p", draw: ask });
    this.integrand = new Plot(part.integrand, { x: across(), y: { from: -1, to: 1, label: "" }, height: 190, label: "integrand of the KL divergence", draw: ask });
    for (const name of ["p", "q"]) this.addHandles(name);
  }

  addHandles(name) {
    const { view, densities } = this;
    const change = (what, by) => ({
      start: () => view.state[`${name}_${what}`],
      drag: (dx, dy, origin) => view.set({ [`${name}_${what}`]: origin + by * dx }),
      key: (steps, fine) => view.set({ [`${name}_${what}`]: view.state[`${name}_${what}`] + steps * (fine ? 0.01 : 0.1) }),
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
    plot.line(`${name} stem`, [[g.mu, 0], [g.mu, f(g.mu)]], `stem ${name}`);
    plot.line(name, points, `curve ${name}`);
    plot.line(`${name} grab`, points, "grab");
    const side = g.mu > other.mu || (g.mu === other.mu && name === "q") ? "right" : "left";
    plot.text(`${name} name`, [g.mu, f(g.mu)], name, `letter ${name} ${side}`);
    const says = (value, [min, max]) => ({ now: value, min, max, text: written(value, 2) });
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
    const points = sample(kl.integrand(...logs), -EDGE, EDGE, 560);
    const values = points.map(([, f]) => f);
    const top = niceCeiling(Math.max(0.1, ...values));
    const bottom = -Math.max(top / 5, niceCeiling(Math.max(1e-3, ...values.map((f) => -f))));
    plot.range({ y: { from: bottom, to: top, label: `${of} (nats per unit of z)` } });
    plot.area("minus", points.map(([z, f]) => [z, Math.min(0, f)]), "minus");
    plot.area("plus", points.map(([z, f]) => [z, Math.max(0, f)]), "plus");
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
    const all = kl.areas(...logs, kl.support([first]));
    const inside = kl.areas(...logs, [-EDGE, EDGE]);
    const outside = 1 - (inside.positive + inside.negative) / (all.positive + all.negative);
    const note = outside > 0.01 ? ` ${Math.round(100 * outside)} % of the area lies outside the frame.` : "";
    const name = this.view.state.shown === "qp" ? "KL(q‖p)" : "KL(p‖q)";
    this.view.part.areas.innerHTML =
      `<b class="plus">above zero ${nats(all.positive)}</b> − <b class="minus">below zero ${nats(all.negative)}</b> = <b class="kl">${nats(all.kl)} nats = ${name}</b>.${note}`;
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
    part[`judged_${direction}`].value = `${written(distance, 1)} SE ${agrees ? "✓" : "✗"}`;
    part[`judged_${direction}`].dataset.agrees = agrees;
  }

  showTerms(q) {
    const { part } = this.view;
    const t = kl.priorTerms(q);
    const cells = [["½ (", ""], ["μ²", nats(t.muSquared)], ["+ σ²", nats(t.variance)], ["− 1", written(t.one)], ["− log σ²", nats(t.minusLogVar)], [")", ""], ["=", `${nats(t.kl)}`]];
    part.terms.replaceChildren(...cells.map(([name, value]) => {
      const cell = document.createElement("span");
      cell.innerHTML = `<i>${name}</i><b>${value}</b>`;
      return cell;
    }));
    part.mu.value = written(q.mu, 2);
    part.sigma.value = written(q.std, 2);
  }
}

const FRAMES = 90; // that the walk downhill takes: a second and a half

/** One Gaussian for a mixture of two: forward by its moments, reverse by gradient descent. */
class Fit {
  constructor(view) {
    Object.assign(this, { view, task: new News(), news: new News(), way: null });
    this.at = Infinity; // the step of the descent that is shown
    this.plot = new Plot(view.part.fits, { x: across(), y: { from: 0, to: 1, label: "density (per unit of z)" }, height: 270, label: "a mixture of two bumps and two Gaussians fitted to it", draw: view.ask });
  }

  parts() {
    const { distance, left, right } = this.view.state;
    return [{ weight: 0.5, mu: -distance / 2, std: left }, { weight: 0.5, mu: distance / 2, std: right }];
  }

  /** Let the descent be seen, unless the visitor wants nothing to move. */
  walk() {
    this.at = matchMedia("(prefers-reduced-motion: reduce)").matches ? Infinity : 0;
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
      part[`${row}_mu`].value = written(fits[row].mu, 2);
      part[`${row}_std`].value = written(fits[row].std, 2);
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
    const where = (q) => ["covers neither bump", "sits on the left bump", "sits on the right bump", "covers both bumps"][kl.covered(q, parts).reduce((sum, i) => sum + i + 1, 0)];
    const from = { left: "from the left", right: "from the right", q: "from your q" }[this.view.state.start];
    return `Minimising KL(p‖q) matches the mean and variance of p: it ${where(forward)}. Minimising KL(q‖p) ${from}: it ${where(reverse)}.`;
  }
}

/** Says whether something is another than when last asked. */
class News {
  is(something) {
    const text = JSON.stringify(something);
    const other = text !== this.before;
    this.before = text;
    return other;
  }
}

/** A number of nats with as many places as help. */
function nats(v) {
  const size = Math.abs(v);
  return written(v, size >= 100 ? 1 : size >= 10 ? 2 : 3);
}
