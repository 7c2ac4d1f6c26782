// The tug of war: where each term of the loss, with its weight, pulls mu and log_var of an image.

import { niceAbove } from "../lib/numbers.js";
import { row } from "../lib/plane.js";

/** Weights in force after so many steps: the config's, changed by the marks up to there, beta with its warm-up. */
export function weightsAt(step, config, marks, total) {
  let weights = { alpha: config.alpha, beta: config.beta };
  for (const mark of marks) if (mark.step <= step) weights = { ...weights, ...mark.weights };
  return warmed(weights, step, config, total);
}

/** alpha and beta, beta as far as its linear warm-up has come; in cycles it begins anew in each. total: steps of the run. */
export function warmed({ alpha, beta }, step, { warmup_steps: warmup = 0, warmup_cycles: cycles = 0 }, total = 0) {
  const begun = cycles > 1 && total ? step % Math.ceil(total / cycles) : step;
  return { alpha, beta: warmup ? beta * Math.min(1, begun / warmup) : beta };
}

/** Whether a picture has what the tug of war needs. */
export const hasPulls = ({ ten_mu: mu, ten_pull_mu: pull }) => Boolean(mu?.shape[0] && pull?.shape[0]);

const scaled = (values, weight) => values.map((v) => v * weight);

/**
 * Pulls on image i: { mu: { nll, kl }, logVar: { nll, kl } | null }, each a list of D numbers, or null where the term is off
 * or, as the KL without a posterior, not defined. −∂kl/∂mu = −mu; −∂kl/∂log_var = (1 − exp(log_var)) / 2.
 */
export function pullsOf(picture, i, { alpha, beta }) {
  const mu = row(picture.ten_mu, i);
  const posterior = picture.ten_log_var.shape[0] > 0;
  const onMu = {
    nll: alpha > 0 ? scaled(row(picture.ten_pull_mu, i), alpha) : null,
    kl: beta > 0 && posterior ? scaled(mu, -beta) : null,
  };
  if (!posterior) return { mu: onMu, logVar: null };
  const own = row(picture.ten_log_var, i).map((v) => (1 - Math.exp(v)) / 2);
  const logVar = {
    nll: alpha > 0 && picture.ten_pull_log_var.shape[0] ? scaled(row(picture.ten_pull_log_var, i), alpha) : null,
    kl: beta > 0 ? scaled(own, beta) : null,
  };
  return { mu: onMu, logVar };
}

export const size = (vector) => (vector ? Math.hypot(...vector) : 0);

const LONGEST = 2; // units of the map

/** Nats per unit to one unit of the map, the same for all arms: the longest of the arrows is at most two units. */
export const unitOf = (lengths) => niceAbove(Math.max(0, ...lengths) / LONGEST);
