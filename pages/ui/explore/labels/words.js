// What labels cost, in words. Numbers come in; tested under node.

import { fixed } from "../../lib/numbers.js";
import { oneOf } from "../shared/classes.js";

const nats = (value) => `${fixed(value, 1)} nats`;

/** Under a picture: −ELBO, or nothing where it is not known. */
export const cellWords = (cost) => (cost ? fixed(cost.negElbo, 1) : "");

/** "This 7 told 7: −ELBO 131.2 = reconstruction 126.5 + KL 4.7 nats. Told 1: 212.6 nats, 81.4 more." */
export function costWords(costs, right, wrong, names) {
  const [of, other] = [costs[right], costs[wrong]];
  if (!of || !other) return "The sigma of this model's Gaussian is not known here, so there is no −ELBO.";
  const more = other.negElbo - of.negElbo;
  return `This ${names[right]} given its label: −ELBO ${fixed(of.negElbo, 1)} = reconstruction ${fixed(of.nll, 1)} + KL ${fixed(of.kl, 1)} nats. Given ${names[wrong]}: ${fixed(other.negElbo, 1)} = ${fixed(other.nll, 1)} + ${fixed(other.kl, 1)}, ${nats(Math.abs(more))} ${more < 0 ? "less" : "more"}.`;
}

/** What stands under "wrong label"; told: what the encoder is told. */
export const howWords = (right, told) =>
  `Under each picture −ELBO given that label, an upper bound on −log p(x | y). ${
    told === "same"
      ? "Encoder and decoder are told it."
      : `The encoder is told ${right}, as the image is ${oneOf(right)}: the same z in all ten.`
  } Pictures: the first of 16 samples; nats: their mean.`;
