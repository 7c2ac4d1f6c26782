// What a label costs: an image encoded, and decoded under each of the ten labels. Plain mathematics: node runs it as it is,
// and tests hold it against torch.

import { whole } from "../../lib/state.js";
import { PIXELS } from "../../lib/images.js";
import { rowAt } from "../shared/found.js";
import { SAMPLES, klDims, nll, noise, samplesOf, stdOf, total } from "../shared/posterior.js";

export const LABELS = 10;
const ALL = Array.from({ length: LABELS }, (_, y) => y);

/** The way's part of the state: the image; what the encoder is told, its own label or the decoder's; the wrong label. */
export const cleanLabels = (raw, { count }) => ({
  image: whole(raw?.image, count) ? raw.image : 0,
  told: raw?.told === "same" ? "same" : "own",
  wrong: whole(raw?.wrong, LABELS) ? raw.wrong : null,
});

/** The wrong label to look at: the one that was chosen, or the next after the right one. */
export const wrongOf = ({ wrong }, right) => (wrong === null || wrong === right ? (right + 1) % LABELS : wrong);

/** One z under each label, as Background.decode takes it. */
export function underAll(z) {
  const zs = new Float32Array(LABELS * z.length);
  for (const y of ALL) zs.set(z, y * z.length);
  return { zs, ys: ALL };
}

/**
 * Draws of z for each label of the decoder: 16 from q(z given x, y), y the image's own label or, where `told` is "same",
 * the decoder's; the same eps for all. zs, ys: label by label. kl: of q from the prior, nats.
 */
export function drawsOf(model, x, own, told) {
  const eps = noise(0, model.dims),
    size = SAMPLES * model.dims,
    zs = new Float32Array(LABELS * size);
  const kl = ALL.map((y) => {
    const { mu, logVar } = model.given(told === "same" ? y : own).encode(x);
    zs.set(samplesOf(mu, stdOf(logVar), eps), y * size);
    return total(klDims(mu, logVar));
  });
  return { zs, ys: ALL.flatMap((y) => new Array(SAMPLES).fill(y)), kl };
}

/**
 * −ELBO of x given each label, nats: −log p(x given z, y), mean over the draws, and KL. Their sum bounds −log p(x given y)
 * from above whatever the encoder was told. means: of all draws, n · 784; null where the browser knows no nll.
 */
export function costsOf(x, means, kl, about) {
  const of = (y) => {
    const found = Array.from({ length: SAMPLES }, (_, k) => nll(x, rowAt(means, y * SAMPLES + k, PIXELS), about));
    return found[0] === null ? null : total(found) / SAMPLES;
  };
  return ALL.map((y) => ({ nll: of(y), kl: kl[y] })).map(
    (cost) => cost.nll !== null && { ...cost, negElbo: cost.nll + cost.kl },
  );
}
