// Climbing the ELBO: gradient ascent on mu and log_var, and on L where the covariance is full, step by step, so that it
// can be watched. Pure; runs under node.

import { fullCovariance, meanField, movedBy } from "./gaussian.js";

const RISE = 1e-6; // nats; below this the ELBO no longer rises
const MOST_STEPS = 2000;

/**
 * Gradient ascent whose step is measured in q's own units (the natural gradient of a Gaussian: 1 for a movement by L a
 * and for a shear, 2 for log_var), each at most one half at a time. A step that would lower the ELBO is halved.
 */
export class Ascent {
  constructor(problem, q, rate = 0.1) {
    this.problem = problem;
    this.rate = rate;
    this.done = false;
    this.steps = 0;
    this.q = problem.keep(q);
    this.reading = problem.evaluate(this.q);
    this.trace = [this.reading.elbo];
  }

  /** One step. Returns false when the ELBO no longer rises. */
  step() {
    if (this.done) return false;
    const { q, reading, problem } = this;
    for (let rate = this.rate, tries = 0; tries < 30; rate /= 2, tries++) {
      const next = problem.keep(move(q, reading.slope, rate));
      const there = problem.evaluate(next);
      if (!(there.elbo > reading.elbo)) continue;
      this.done = there.elbo - reading.elbo < RISE || ++this.steps >= MOST_STEPS;
      this.q = next;
      this.reading = there;
      this.trace.push(there.elbo);
      return !this.done;
    }
    this.done = true;
    return false;
  }
}

function move(q, slope, rate) {
  const limit = (v) => Math.min(0.5, Math.max(-0.5, v));
  return movedBy(q, {
    mu: slope.mu.map((v) => limit(rate * v)),
    log_var: slope.log_var.map((v) => limit(2 * rate * v)),
    shear: limit(rate * slope.shear),
  });
}

/** The best Gaussian found from several starts. A generator: it yields between steps so that the page stays alive. */
export function* search(problem, starts) {
  let best = null;
  for (const start of starts) {
    const ascent = new Ascent(problem, start, 0.5);
    while (ascent.step()) yield;
    if (!best || ascent.reading.elbo > best.reading.elbo) best = { q: ascent.q, reading: ascent.reading };
  }
  return { ...best, starts: starts.length };
}

/**
 * The best q of both families, as { meanField, full }; full is null for one latent. The search among full covariances
 * begins at the best mean-field q as well, so that it is never worse.
 */
export function* searchBoth(problem, starts) {
  const best = yield* search(problem, starts.map(meanField));
  if (best.q.mu.length < 2) return { meanField: best, full: null };
  return { meanField: best, full: yield* search(problem, [best.q, ...starts].map(fullCovariance)) };
}

/**
 * Where the gap of the encoder's q comes from (Cremer, Li and Duvenaud 2018): one net for all images, the mean-field
 * family, and that no Gaussian is the posterior. The last two are the approximation gap. Given KL(q ‖ p(z given x)) of
 * the encoder's q, of the best mean-field q and of the best full covariance; of those that are null there is no part.
 */
export function gaps(kl) {
  return {
    amortisation: kl.encoder === null ? null : kl.encoder - kl.meanField,
    meanField: kl.full === null ? null : kl.meanField - kl.full,
    rest: kl.full ?? kl.meanField,
  };
}
