// The bound on one image, by quadrature over a latent plane: pure functions of q, no page. Runs under node as well.
// q = { mu: [..], log_var: [..] }, a Gaussian with independent dimensions. Everything in nats.

import { Plane, logPrior, place } from "./field.js";

const LOG_2PI = Math.log(2 * Math.PI);
const REACH = 5; // nodes cover mu ± 5 std: all but 6e-7 of q in each dimension
const FEWEST = 61,
  MOST = 161; // nodes in each dimension

/** Midpoints of `count` equal cells over ±reach and the weights of N(0, 1) there; the weights sum to 1. */
export function normalRule(count, reach = REACH) {
  const t = Float64Array.from({ length: count }, (_, i) => reach * ((2 * i + 1) / count - 1));
  const raw = t.map((v) => Math.exp(-0.5 * v * v));
  const sum = raw.reduce((a, b) => a + b, 0);
  return { t, weight: raw.map((w) => w / sum) };
}

/** KL(q ‖ N(0, I)) in closed form (Kingma and Welling 2014, appendix B). */
export function klToPrior({ mu, log_var }) {
  return mu.reduce((sum, m, d) => sum + 0.5 * (m * m + Math.expm1(log_var[d]) - log_var[d]), 0);
}

/** One image under a decoder with two latents. */
export class PlaneProblem {
  /**
   * planes: log p(x, z) on grids, finest first; the last one is the widest and stands for the whole plane, the
   * others lie around the posterior's modes and around the encoder's q.
   * logEvidence, error: log p(x) as the server computed it, and how far off that may be.
   */
  constructor(planes, logEvidence, error) {
    this.planes = planes.map((plane) => new Plane(plane));
    this.logEvidence = logEvidence;
    this.error = error;
    this.limits = { mu: this.span(), log_var: [-12, 2.5] };
    this.top = Math.max(...this.planes.map((plane) => plane.top));
    this.fine = this.planes.length > 1 ? this.planes.slice(0, -1) : this.planes;
    this.ownEvidence = evidenceOf(this.planes);
  }

  /** How far mu may go in each dimension: to the edge of what is known. */
  span() {
    const { low, high } = this.planes.at(-1);
    return [
      [low[0], high[0]],
      [low[1], high[1]],
    ];
  }

  /** The terms of the bound at q, and the slope of the ELBO. */
  evaluate(q) {
    const { expected, slope, outside, interpolation } = this.expect(q);
    const klPrior = klToPrior(q);
    const elbo = expected - klPrior;
    const { klPosterior, method } = this.gap(q);
    return {
      elbo,
      nll: -expected,
      klPrior,
      klPosterior,
      method,
      outside,
      interpolation,
      slope: withPrior(slope, q),
      ...this.check(elbo + klPosterior),
    };
  }

  /** Whether the two parts add up to log p(x). */
  check(sum) {
    const off = Math.abs(sum - this.logEvidence);
    return { sum, off, agrees: off <= 0.02 + this.error };
  }

  /**
   * E_q[log p(x given z)] and its slope, on q's own nodes.
   * The slope needs no derivative of the field: dE/dmu = E[f t] / std and dE/dlog_var = E[f (t² − 1)] / 2
   * with t = (z − mu) / std (the score identity), summed exactly on the same nodes.
   */
  expect(q) {
    const std = q.log_var.map((v) => Math.exp(0.5 * v));
    const [x, y] = std.map((s) => normalRule(this.nodes(s)));
    const { values, bend, which, outside } = this.sample(q, std, x, y);
    let expected = 0,
      doubt = 0,
      apart = 0,
      left = 0;
    const first = [0, 0],
      second = [0, 0];
    for (let j = 0, k = 0; j < y.t.length; j++) {
      for (let i = 0; i < x.t.length; i++, k++) {
        const w = x.weight[i] * y.weight[j];
        const f = w * (values[k] - logPrior(q.mu[0] + std[0] * x.t[i], q.mu[1] + std[1] * y.t[j]));
        expected += f;
        doubt += w * bend[k];
        apart += w * this.planes[which[k]].step;
        left += outside[k] * w;
        first[0] += f * x.t[i];
        first[1] += f * y.t[j];
        second[0] += f * (x.t[i] ** 2 - 1);
        second[1] += f * (y.t[j] ** 2 - 1);
      }
    }
    const slope = { mu: first.map((v, d) => v / std[d]), log_var: second.map((v) => v / 2) };
    // Errors of different cells of the grid are taken to be independent: a wide q averages over many.
    const cells = std.reduce((n, s) => n * Math.max(1, (2 * Math.sqrt(Math.PI) * s) / apart), 1);
    return { expected, slope, outside: left, interpolation: doubt / Math.sqrt(cells) };
  }

  /** A wide q meets more of the field: its nodes lie about as close together as the points of the widest grid. */
  nodes(std) {
    const apart = 0.8 * this.planes.at(-1).step;
    return Math.min(MOST, Math.max(FEWEST, Math.ceil((2 * REACH * std) / apart))) | 1;
  }

  /** log p(x, z) at the nodes mu + std t, row by row, as field.place gives it. */
  sample({ mu }, std, x, y, doubt = true) {
    const [xs, ys] = [x, y].map((rule, d) => Float64Array.from(rule.t, (t) => mu[d] + std[d] * t));
    return place(this.planes, xs, ys, doubt);
  }

  /**
   * KL(q ‖ p(z given x)) = Σ q log (q / posterior): a sum of its own, with a posterior normalised here.
   * Over the points of a fine grid, without interpolation, if q fits one; else over nodes that are not those of
   * the ELBO.
   */
  gap(q) {
    const std = q.log_var.map((v) => Math.exp(0.5 * v));
    const fits = ({ step, low, high }) =>
      q.mu.every((m, d) => std[d] >= step && m - REACH * std[d] >= low[d] && m + REACH * std[d] <= high[d]);
    const grid = this.fine.find(fits);
    return grid
      ? { klPosterior: this.gapOnGrid(grid, q, std), method: "grid" }
      : { klPosterior: this.gapOnNodes(q, std), method: "nodes" };
  }

  gapOnGrid({ n, low, high, step, values }, q, std) {
    const [across, down] = [0, 1].map((d) => {
      const t = Float64Array.from(
        { length: n },
        (_, i) => ((d ? high[1] - i * step : low[0] + i * step) - q.mu[d]) / std[d],
      );
      return t.map((v) => -0.5 * (v * v + LOG_2PI) - Math.log(std[d])); // log q of one dimension
    });
    const weight = [across, down].map((logs) => logs.map((v) => step * Math.exp(v)));
    let sum = 0;
    for (let j = 0; j < n; j++) {
      if (weight[1][j] < 1e-12) continue;
      let row = 0;
      for (let i = 0; i < n; i++) row += weight[0][i] * (across[i] + down[j] - values[j * n + i] + this.ownEvidence);
      sum += weight[1][j] * row;
    }
    return sum;
  }

  gapOnNodes(q, std) {
    const [x, y] = std.map((s) => normalRule(this.nodes(s) - 4, REACH + 0.3));
    const { values } = this.sample(q, std, x, y, false);
    const entropy = LOG_2PI + 0.5 * (q.log_var[0] + q.log_var[1]); // log q = -entropy - t²/2
    let sum = 0;
    for (let j = 0, k = 0; j < y.t.length; j++) {
      for (let i = 0; i < x.t.length; i++, k++) {
        const logQ = -entropy - 0.5 * (x.t[i] ** 2 + y.t[j] ** 2);
        sum += x.weight[i] * y.weight[j] * (logQ - values[k] + this.ownEvidence);
      }
    }
    return sum;
  }

  /** Gaussians from which a search may start: on the highest peaks, as wide as the peak is curved. */
  starts(most = 4) {
    const found = this.fine.flatMap((plane) => plane.peaks(this.top - 10)).sort((a, b) => b.top - a.top);
    return found.slice(0, most).map(({ q }) => this.keep(q));
  }

  /** The box around what is visible of the posterior: all points at most `depth` nats below the top. */
  extent(depth) {
    const box = { low: [Infinity, Infinity], high: [-Infinity, -Infinity] };
    for (const plane of this.fine) {
      plane.above(this.top - depth, (_, ...z) =>
        z.forEach((v, d) => {
          box.low[d] = Math.min(box.low[d], v);
          box.high[d] = Math.max(box.high[d], v);
        }),
      );
    }
    return box;
  }

  /** The nearest q within the limits. */
  keep(q) {
    return within(q, this.limits);
  }
}

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
    const slope = withPrior({ mu: [first / std], log_var: [second / 2] }, q);
    return {
      elbo,
      nll: -expected,
      klPrior,
      klPosterior,
      method: "closed form",
      outside: 0,
      interpolation: 0,
      slope,
      ...this.check(elbo + klPosterior),
    };
  }

  check(sum) {
    return PlaneProblem.prototype.check.call(this, sum);
  }

  starts() {
    return [];
  }

  keep(q) {
    return within(q, this.limits);
  }
}

const LINE_RULE = normalRule(161, 8);

/** KL(q ‖ p) of Gaussians with independent dimensions. */
export function klOfGaussians(q, p) {
  return q.mu.reduce((sum, m, d) => {
    const ratio = q.log_var[d] - p.log_var[d];
    return sum + 0.5 * (Math.expm1(ratio) - ratio + (m - p.mu[d]) ** 2 / Math.exp(p.log_var[d]));
  }, 0);
}

/** log of the sum over all planes; a coarse cell counts with the part of it that no finer plane covers. */
export function evidenceOf(planes) {
  const top = Math.max(...planes.map((p) => p.top));
  const sum = planes.reduce((total, plane, k) => total + plane.mass(top, planes.slice(0, k)), 0);
  return top + Math.log(sum);
}

/** Add the slope of −KL(q ‖ prior). */
const withPrior = (slope, q) => ({
  mu: slope.mu.map((v, d) => v - q.mu[d]),
  log_var: slope.log_var.map((v, d) => v - 0.5 * Math.expm1(q.log_var[d])),
});

const clamp = (v, [low, high]) => Math.min(high, Math.max(low, v));
const within = (q, limits) => ({
  mu: q.mu.map((m, d) => clamp(m, limits.mu[d])),
  log_var: q.log_var.map((v) => clamp(v, limits.log_var)),
});
