// The one-dimensional model whose posterior is known: pure functions of q, no page. Runs under node as well.

import { klOfGaussians, klToPrior, within, withPrior } from "./gaussian.js";
import { agreement, normalRule } from "./math.js";

const LOG_2PI = Math.log(2 * Math.PI);

/** z ~ N(0, 1), x given z ~ N(w z + b, sigma²): the posterior is itself a Gaussian. */
export class LineProblem {
  constructor({ w, b, sigma, x }) {
    const precision = 1 + (w / sigma) ** 2;
    const spread = w * w + sigma * sigma; // variance of x
    this.w = w;
    this.b = b;
    this.sigma = sigma;
    this.x = x;
    this.error = 0;
    this.limits = { mu: [[-4, 4]], log_var: [-6, 2.2] };
    this.posterior = { mu: [(w * (x - b)) / spread], log_var: [-Math.log(precision)] };
    this.logEvidence = -0.5 * ((x - b) ** 2 / spread + Math.log(spread) + LOG_2PI);
  }

  logLikelihood(z) {
    return -0.5 * (((this.x - this.w * z - this.b) / this.sigma) ** 2 + LOG_2PI) - Math.log(this.sigma);
  }

  /** The ELBO by quadrature; the gap in closed form against the exact posterior: two different ways. */
  evaluate(q) {
    const std = Math.exp(0.5 * q.log_var[0]);
    const { t, weight } = LINE_RULE;
    let expected = 0,
      first = 0,
      second = 0;
    for (let i = 0; i < t.length; i++) {
      const f = weight[i] * this.logLikelihood(q.mu[0] + std * t[i]);
      expected += f;
      first += f * t[i];
      second += f * (t[i] ** 2 - 1);
    }
    const klPrior = klToPrior(q),
      klPosterior = klOfGaussians(q, this.posterior),
      elbo = expected - klPrior;
    const slope = withPrior({ mu: [first], log_var: [second / 2], shear: 0 }, q);
    return {
      elbo,
      nll: -expected,
      klPrior,
      klPosterior,
      method: "closed form",
      outside: 0,
      interpolation: 0,
      slope,
      ...agreement(elbo + klPosterior, this),
    };
  }

  starts() {
    return [];
  }

  keep(q) {
    return within(q, this.limits);
  }
}

const LINE_RULE = normalRule(161, 8);
