// The bound on one image, by quadrature over a latent plane: pure functions of q, no page. Runs under node as well.
// q is a Gaussian as gaussian.js has it, mean-field or of full covariance. Everything in nats.

import { Plane, logPrior, place } from "./field.js";
import { axesOf, factorOf, klToPrior, logDetOf, stdsOf, within, withPrior } from "./gaussian.js";

const LOG_2PI = Math.log(2 * Math.PI);
const REACH = 5; // nodes cover mu ± 5 std: all but 6e-7 of q in each dimension
const FEWEST = 61,
  MOST = 161; // nodes in each dimension
const FARTHEST = 60; // of t²: beyond it q holds e^-30 of itself

/** Midpoints of `count` equal cells over ±reach and the weights of N(0, 1) there; the weights sum to 1. */
export function normalRule(count, reach = REACH) {
  const t = Float64Array.from({ length: count }, (_, i) => reach * ((2 * i + 1) / count - 1));
  const raw = t.map((v) => Math.exp(-0.5 * v * v));
  const sum = raw.reduce((a, b) => a + b, 0);
  return { t, weight: raw.map((w) => w / sum) };
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
      ...agreement(elbo + klPosterior, this),
    };
  }

  /**
   * E_q[log p(x given z)] and its slope, on q's own nodes z = mu + L t.
   * The slope is that along the movements of movedBy, and needs no derivative of the field: dE/da = E[f t],
   * dE/db = E[f (t² − 1)] / 2 and dE/dshear = E[f t₁ t₂] (the score identity), summed exactly on the same nodes.
   */
  expect(q) {
    const L = factorOf(q);
    const [x, y] = this.rules(L, 0);
    const { values, bend, which, outside } = this.sample(q, L, x, y);
    let expected = 0,
      doubt = 0,
      apart = 0,
      left = 0,
      shear = 0;
    const first = [0, 0],
      second = [0, 0];
    for (let j = 0, k = 0; j < y.t.length; j++) {
      for (let i = 0; i < x.t.length; i++, k++) {
        const w = x.weight[i] * y.weight[j];
        const f = w * (values[k] - logPrior(q.mu[0] + L[0][0] * x.t[i], q.mu[1] + L[1][0] * x.t[i] + L[1][1] * y.t[j]));
        expected += f;
        doubt += w * bend[k];
        apart += w * this.planes[which[k]].step;
        left += outside[k] * w;
        first[0] += f * x.t[i];
        first[1] += f * y.t[j];
        second[0] += f * (x.t[i] ** 2 - 1);
        second[1] += f * (y.t[j] ** 2 - 1);
        shear += f * x.t[i] * y.t[j];
      }
    }
    const slope = { mu: first, log_var: second.map((v) => v / 2), shear };
    // Errors of different cells of the grid are taken to be independent: a wide q averages over many.
    const cells = axesOf(q).stds.reduce((n, s) => n * Math.max(1, (2 * Math.sqrt(Math.PI) * s) / apart), 1);
    return { expected, slope, outside: left, interpolation: doubt / Math.sqrt(cells) };
  }

  /** A wide q meets more of the field: its nodes lie about as close together as the points of the widest grid. */
  nodes(std) {
    const apart = 0.8 * this.planes.at(-1).step;
    return Math.min(MOST, Math.max(FEWEST, Math.ceil((2 * REACH * std) / apart))) | 1;
  }

  /** Nodes for both directions of L; another `wider` gives others. */
  rules(L, wider) {
    return L.map((row, d) => normalRule(this.nodes(row[d]) - (wider && 4), REACH + wider));
  }

  /** log p(x, z) at the nodes mu + L t, row by row, as field.place gives it. */
  sample({ mu }, L, x, y, doubt = true) {
    const [xs, ys] = [x, y].map((rule, d) => Float64Array.from(rule.t, (t) => mu[d] + L[d][d] * t));
    const lean = L[1][0] ? Float64Array.from(x.t, (t) => L[1][0] * t) : null;
    return place(this.planes, xs, ys, lean, doubt);
  }

  /**
   * KL(q ‖ p(z given x)) = Σ q log (q / posterior): a sum of its own, with a posterior normalised here.
   * Over the points of a fine grid, without interpolation, if q fits one; else over nodes that are not those of
   * the ELBO.
   */
  gap(q) {
    const std = stdsOf(q),
      narrowest = Math.min(...axesOf(q).stds);
    const fits = ({ step, low, high }) =>
      narrowest >= step && q.mu.every((m, d) => m - REACH * std[d] >= low[d] && m + REACH * std[d] <= high[d]);
    const grid = this.fine.find(fits);
    return grid
      ? { klPosterior: this.gapOnGrid(grid, q), method: "grid" }
      : { klPosterior: this.gapOnNodes(q), method: "nodes" };
  }

  gapOnGrid({ n, low, high, step, values }, q) {
    const [[a], [b, c]] = factorOf(q);
    const constant = -LOG_2PI - 0.5 * logDetOf(q);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const t = (low[0] + i * step - q.mu[0]) / a,
        mean = q.mu[1] + b * t;
      if (t * t > FARTHEST) continue;
      for (let j = 0; j < n; j++) {
        const square = t * t + ((high[1] - j * step - mean) / c) ** 2;
        if (square > FARTHEST) continue;
        const logQ = constant - 0.5 * square;
        sum += Math.exp(logQ) * (logQ - values[j * n + i] + this.ownEvidence);
      }
    }
    return sum * step * step;
  }

  gapOnNodes(q) {
    const L = factorOf(q);
    const [x, y] = this.rules(L, 0.3);
    const { values } = this.sample(q, L, x, y, false);
    const constant = -LOG_2PI - 0.5 * logDetOf(q);
    let sum = 0;
    for (let j = 0, k = 0; j < y.t.length; j++) {
      for (let i = 0; i < x.t.length; i++, k++) {
        const logQ = constant - 0.5 * (x.t[i] ** 2 + y.t[j] ** 2);
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

/** log of the sum over all planes; a coarse cell counts with the part of it that no finer plane covers. */
export function evidenceOf(planes) {
  const top = Math.max(...planes.map((p) => p.top));
  const sum = planes.reduce((total, plane, k) => total + plane.mass(top, planes.slice(0, k)), 0);
  return top + Math.log(sum);
}

/** Whether ELBO and gap add up to log p(x). */
export function agreement(sum, { logEvidence, error }) {
  const off = Math.abs(sum - logEvidence);
  return { sum, off, agrees: off <= 0.02 + error };
}
