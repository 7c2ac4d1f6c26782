// What the passage shows, as numbers, and its state. Runs under node; tests hold it against torch.

import { normalQuantile } from "../lib/normal.js";
import { whole, within } from "../lib/state.js";
import { pictureOf, textOf } from "../explore/encode/math.js";
import { klDims, nll, noise, stdOf, total } from "../explore/shared/posterior.js";
import { taken } from "../explore/shared/taken.js";

const NUMBERS = 10_000; // of the test images
const FURTHEST = 12; // prior σ: a cloud moved by hand goes no further

/**
 * number: of the test image, null where nothing is said or for a drawing, which is `picture`; blank: whether the paper was
 * cleared and nothing is drawn yet; seed of eps; mu where the
 * cloud was moved by hand, else null; at: a step of the film, null for the trained model.
 */
export function cleanPassage(raw) {
  const bytes = pictureOf(raw?.picture);
  const moved = Array.isArray(raw?.mu) && raw.mu.length === 2 && raw.mu.every(Number.isFinite);
  return {
    number: !bytes && raw?.blank !== true && whole(raw?.number, NUMBERS) ? raw.number : null,
    picture: bytes && textOf(bytes),
    blank: !bytes && raw?.blank === true,
    seed: whole(raw?.seed, 2 ** 32) ? raw.seed : 0,
    mu: moved ? raw.mu.map((v) => Math.round(1000 * within(v, [-FURTHEST, FURTHEST], 0)) / 1000) : null,
    at: whole(raw?.at, 2 ** 31) ? raw.at : null,
  };
}

/**
 * An image on its way through a model whose pixels are Bernoulli: q(z | x), a sample z = mu + std · eps of it, x̂, and both
 * terms, nats. moved: mu where it was put by hand; it is a q all the same, so nll + KL is an estimate of its −ELBO.
 * @param {{ about: any, model: any }} found
 * @param {Uint8Array} grey 784 levels
 * @param {{ seed: number, mu: number[] | null }} state
 */
export function passage({ about, model }, grey, { seed, mu: moved }) {
  const x = taken(grey, about.protocol),
    { mu: own, logVar } = model.encode(x);
  const mu = moved ? Float32Array.from(moved) : own,
    std = stdOf(logVar),
    eps = noise(seed, mu.length);
  const z = mu.map((m, d) => m + std[d] * eps[d]);
  const picture = model.decode(z);
  return { mu, logVar, z, picture, nll: nll(x, picture, about), kl: total(klDims(mu, logVar)) };
}

/** The cell of an n × n grid of decoded prior quantiles that is nearest to a place, and the z that it was decoded from. */
export function nearestCell([x, y], n) {
  const nodes = Array.from({ length: n }, (_, i) => normalQuantile((i + 0.5) / n));
  const nearest = (v) =>
    nodes.reduce((best, node, i) => (Math.abs(node - v) < Math.abs(nodes[best] - v) ? i : best), 0);
  const [column, up] = [nearest(x), nearest(y)];
  return { cell: (n - 1 - up) * n + column, z: [nodes[column], nodes[up]] };
}
