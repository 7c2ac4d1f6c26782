// Sentences of the arms view: what the arms share, and what a moment is.

import { format, stepText } from "../lib/numbers.js";

const LOSS = new Set(["alpha", "beta", "model"]); // what may differ between arms that differ in nothing but the loss
const SPOKEN = {
  latent_dim: "latent dimensions",
  learning_rate: "learning rate",
  batch_size: "batch size",
  warmup_steps: "warm-up",
  warmup_cycles: "warm-up cycles",
  free_bits: "free bits",
  net: "network",
  widths: "layers",
};

/** Names of the settings in which configs differ, the loss aside. */
export function differences(configs) {
  const [first, ...others] = configs;
  return Object.keys(first ?? {}).filter((name) => !LOSS.has(name) && others.some((c) => c[name] !== first[name]));
}

/** What a caption says of the map beside its step: what is the same for all stands above the arms. */
export const MAPS =
  "Maps: mu of 5,000 test images, axes in std of the prior; ellipses: 1 std of q(z | x) of ten images.";

/**
 * The label above the arms: what is the same for all of them, and what is not.
 * arms: { posterior, weights, noise } of each, as view.py says them, in the order of the configs.
 */
export function sameness(configs, arms = []) {
  if (!configs.length) return "";
  const different = differences(configs);
  if (different.length)
    return `These arms differ in more than the loss: ${different.map((d) => SPOKEN[d] ?? d).join(", ")}.`;
  const seed = `(seed ${configs[0].seed})`,
    other = (name) => arms.some((arm) => arm[name] !== arms[0][name]);
  const shared = [
    ...(other("weights") ? [] : ["same initial weights"]),
    "same batches",
    ...(other("noise") ? [] : ["same eps", "same evaluation noise"]),
  ].join(", ");
  const same = `${shared[0].toUpperCase()}${shared.slice(1)} ${seed}`;
  const not = [
    ...(other("weights") ? ["the initial weights, as their networks have other shapes"] : []),
    ...(other("noise") ? [`the noise, of which an image takes ${listed(arms.map(({ noise }) => noise))} numbers`] : []),
  ];
  if (not.length) return `${same}. The arms differ in the loss, and in ${not.join("; in ")}.`;
  const plain = arms.some(({ posterior }) => !posterior);
  const loss = plain ? "the loss, and in that the plain autoencoder draws no z" : "the loss";
  const what = configs.some(({ model }) => model.startsWith("bug")) ? "the one line" : loss;
  return `${same}: the arms differ in nothing but ${what}.`;
}

/** What is shown of every arm, for a screen reader: where its terms stand. @param {any[]} arms */
export const armsText = (arms) =>
  arms
    .filter(({ picture }) => picture)
    .map(({ shown, picture, posterior }) => {
      const kl = posterior ? `KL ${format(picture.terms.kl)}` : "KL not defined";
      return `${shown.name} at ${stepText(picture.step)}: reconstruction ${format(picture.terms.nll)}, ${kl}`;
    })
    .join("; ");

/** "2, or 1 × 28 × 28" */
const listed = (values) => [...new Set(values)].join(", or ");

/** 3 significant digits, without an exponent for what a screen has room for. */
export function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
