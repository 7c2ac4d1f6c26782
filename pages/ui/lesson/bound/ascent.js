// Climbing the ELBO: gradient ascent on mu and log_var, step by step, so that it can be watched. Pure; runs under node.

const RISE = 1e-6; // nats; below this the ELBO no longer rises
const MOST_STEPS = 2000;

/**
 * Gradient ascent whose step is measured in q's own units (the natural gradient of a Gaussian: var for mu, 2 for
 * log_var), at most half a std and half a nat of log_var at a time. A step that would lower the ELBO is halved.
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
  return {
    mu: q.mu.map((m, d) => {
      const std = Math.exp(0.5 * q.log_var[d]);
      return m + std * limit(rate * std * slope.mu[d]);
    }),
    log_var: q.log_var.map((v, d) => v + limit(2 * rate * slope.log_var[d])),
  };
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

/** Cremer, Li and Duvenaud (2018): what the family costs, and what the encoder adds to it. */
export function gaps(best, encoder) {
  return { approximation: best.klPosterior, amortisation: encoder ? best.elbo - encoder.elbo : null };
}
