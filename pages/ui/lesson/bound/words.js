// What the bound says in words: whether the sum holds, what may be wrong, and the gaps by name.

import { fixed } from "../../lib/numbers.js";
import { gaps } from "./ascent.js";

const WIDEN = "+ and − widen and narrow, Shift for fine steps.";

/** How q is moved, by hand and by keys. */
export const HOW = {
  meanField: `Drag q or its knobs. Keys: arrows move q, or change the width whose knob has the focus; ${WIDEN}`,
  full: `Drag q, or turn and stretch it at a knob. Keys: arrows move q; at a knob left and right turn it; ${WIDEN}`,
};

/** What the family of full covariances is, and the KL to the prior in it. */
export const aboutFamily = ({ klPrior }) =>
  `Mean-field, with independent dimensions, is a choice: it spares an encoder D (D − 1) / 2 outputs, here the correlation. Full: z = mu + L eps, Σ = L Lᵀ, KL(q ‖ prior) = ½ (tr Σ + muᵀmu − D − log det Σ) = ${fixed(klPrior)} nats.`;

/** "ELBO + KL(q ‖ p(z | x)) = −153.69, log p(x) = −153.69 ✓" */
export function sumOf({ sum, off, agrees }, logEvidence) {
  const said = `ELBO + KL(q ‖ p(z | x)) = ${fixed(sum)}, log p(x) = ${fixed(logEvidence)}`;
  return agrees ? `✓ ${said}` : `✗ ${said}: they differ by ${fixed(off, off < 0.1 ? 3 : 2)} nats`;
}

/** The one-dimensional model and its exact posterior. */
export function aboutLine({ w, b, sigma, x, posterior }) {
  const say = (v) => String(Number(v.toFixed(3))).replace("-", "−");
  const std = Math.exp(0.5 * posterior.log_var[0]);
  return `z ~ N(0, 1), x|z ~ N(w z + b, sigma²) with w = ${say(w)}, b = ${say(b)}, sigma = ${say(sigma)}. Seen: x = ${say(x)}. Exact posterior: mean ${say(posterior.mu[0])}, std ${say(std)}.`;
}

/** Sentences on what the numbers cannot be trusted for; none when all is well. */
export function doubts({ outside, interpolation, agrees }, { ownEvidence, logEvidence, error }) {
  const lines = [];
  if (outside > 1e-5)
    lines.push(`${share(outside)} of q lies outside the computed plane: do not trust the numbers here.`);
  if (interpolation > 0.03)
    lines.push(
      `The grid is coarse here: log p(x, z) between its points is interpolated, and the ELBO may be off by up to about ${fixed(interpolation)} nats.`,
    );
  if (agrees) return lines;
  const evidence = ownEvidence === undefined ? 0 : Math.abs(ownEvidence - logEvidence);
  if (evidence > 0.02 + error)
    lines.push(
      `log p(x) of the grid and of the server differ by ${fixed(evidence, evidence < 0.1 ? 3 : 2)} nats: part of the posterior lies off the fine grid.`,
    );
  else lines.push("The two sums over q disagree: its points do not resolve log p(x, z) here.");
  return lines;
}

const share = (v) => (v < 0.01 ? "Less than 1 %" : `About ${Math.round(100 * v)} %`);

/** The result of an ascent (Cremer, Li and Duvenaud 2018 name the gaps). */
export function tellGaps(part, climb) {
  if (!climb.trace) return;
  const result = climb.result();
  const text = found(climb, result);
  if (text === part.found.textContent) return;
  part.found.textContent = text;
  part.toBest.hidden = !(result?.short > 0.01);
  part.sides.replaceChildren(...(result ? sidesOf(result.kl) : []));
  part.parts.replaceChildren(...(result ? partsOfGap(result.kl) : []));
}

/** KL(q ‖ p(z given x)) of the encoder's q and of the best of each family, side by side. */
function sidesOf({ encoder, meanField, full }) {
  if (full === null) return [bold(`Approximation gap ${fixed(meanField)} nats.`)];
  return [
    "KL(q ‖ p(z | x)): encoder’s q ",
    bold(fixed(encoder)),
    ", best mean-field q ",
    bold(fixed(meanField)),
    ", best full covariance ",
    bold(fixed(full)),
    " nats.",
  ];
}

/** The encoder's gap as a sum; its parts are differences of what stands beside it, rounded as there. */
function partsOfGap(kl) {
  if (kl.full === null) return ["The posterior is itself a Gaussian, so the best q is the posterior."];
  const round = (v) => Math.round(100 * v) / 100;
  const shown = { encoder: round(kl.encoder), meanField: round(kl.meanField), full: round(kl.full) };
  const { amortisation, meanField, rest } = gaps(shown);
  return [
    bold(`${fixed(shown.encoder)} = ${fixed(amortisation)} amortisation gap`),
    " (one network for all images) ",
    bold(`+ approximation gap: ${fixed(meanField)} mean-field`),
    " (independent dimensions) ",
    bold(`+ ${fixed(rest)}`),
    " (no Gaussian).",
  ];
}

const bold = (textContent) => Object.assign(document.createElement("b"), { textContent });

function found(climb, result) {
  const taken = climb.trace.length - 1;
  const steps = `${taken} step${taken === 1 ? "" : "s"}`;
  if (climb.running) return `Step ${taken}: gradient ascent on mu and ${climb.family === "full" ? "L" : "log_var"}.`;
  if (climb.paused) return `Paused at step ${taken}.`;
  if (climb.state === "idle")
    return result ? "q was moved since. For the best q found:" : `Ended at step ${taken}: q was moved.`;
  if (!result) return `The ELBO no longer rises after ${steps}. Looking for a better q from other starts.`;
  if (result.short > 0.01)
    return `After ${steps} q rests on a lower peak: the best q found from ${result.starts} starts lies ${fixed(result.short)} nats higher.`;
  return `The ELBO no longer rises after ${steps}.${result.starts > 1 ? ` No better q from ${result.starts} starts.` : ""}`;
}
