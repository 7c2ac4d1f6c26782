// What the bound says in words: whether the sum holds, what may be wrong, and the two gaps by name.

import { fixed } from "../../lib/numbers.js";

/** "ELBO + KL(q ‖ p(z|x)) = −153.69, log p(x) = −153.69 ✓" */
export function sumOf({ sum, off, agrees }, logEvidence) {
  const said = `ELBO + KL(q ‖ p(z|x)) = ${fixed(sum)}, log p(x) = ${fixed(logEvidence)}`;
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

/** The result of an ascent (Cremer, Li and Duvenaud 2018 name the two gaps). */
export function tellGaps(part, climb, mode) {
  if (!climb.trace) return;
  const result = climb.result();
  const text = found(climb, result);
  if (text === part.found.textContent) return;
  part.found.textContent = text;
  part.toBest.hidden = !(result?.short > 0.01);
  part.approximation.replaceChildren();
  part.amortisation.replaceChildren();
  if (!result) return;
  const exact =
    mode === "line"
      ? "The posterior is itself a Gaussian, so the best q is the posterior."
      : "KL(best q ‖ p(z|x)): what no Gaussian with independent dimensions can reach.";
  part.approximation.append(...term("Approximation gap", result.approximation), exact);
  if (result.amortisation === null) return;
  part.amortisation.append(
    ...term("Amortisation gap", result.amortisation),
    "ELBO(best q) − ELBO(encoder’s q): what the encoder loses because one network answers for all images.",
  );
}

function found(climb, result) {
  const steps = climb.trace.length - 1;
  if (climb.running) return `Step ${steps}: gradient ascent on mu and log_var.`;
  if (climb.paused) return `Paused at step ${steps}.`;
  if (climb.state === "idle")
    return result ? "q was moved since. For the best q found:" : `Ended at step ${steps}: q was moved.`;
  if (!result) return `The ELBO no longer rises after ${steps} steps. Looking for a better q from other starts.`;
  if (result.short > 0.01)
    return `After ${steps} steps q rests on a lower peak: the best q found from ${result.starts} starts lies ${fixed(result.short)} nats higher.`;
  return `The ELBO no longer rises after ${steps} steps.${result.starts > 1 ? ` No better q from ${result.starts} starts.` : ""}`;
}

function term(name, value) {
  return [Object.assign(document.createElement("b"), { textContent: `${name} ${fixed(value)} nats. ` })];
}
