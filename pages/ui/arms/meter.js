// Figures of the collapse meter: how they are written, which arms stand at their ends, and all of them as a CSV file.
// The rules are those of vae_core/metrics/definitions.py, and a test holds the two against each other.

import { csv } from "../lib/csv.js";

export const NOT_DEFINED = "not defined";

/** A number with so many digits, an exact half to the even neighbour, as Python writes it. */
export function rounded(value, digits) {
  const exact = value.toFixed(Math.min(100, digits + 60)); // every digit of a double that matters here
  const rest = exact.slice(exact.indexOf(".") + 1 + digits);
  const [down, up] = [truncated(exact, digits), value.toFixed(digits)];
  const tie = rest[0] === "5" && /^50*$/.test(rest);
  return tie && Number(down.at(-1)) % 2 === 0 ? down : up;
}

const truncated = (exact, digits) => exact.slice(0, exact.indexOf(".") + (digits ? 1 + digits : 0));

/** A meter from a film, which may be an older one: its holes were another figure (metrics/definitions.py). */
export const asOfToday = (meter) => ("images" in meter ? meter : { ...meter, holes: null });

/** The value of a figure as it is shown, without its unit. */
export function textOf({ unit, digits }, value) {
  if (value == null) return NOT_DEFINED;
  return unit === "%" ? `${rounded(100 * value, digits)}%` : rounded(value, digits);
}

/** Whether an arm is left out of a row that is ranked: its codes match the prior because they say nothing. */
export function isUnranked({ better, needsCodes }, meter) {
  return Boolean(better && needsCodes && meter && !(meter.active > 0));
}

/**
 * The arms at both ends of a figure: { best, worst }, lists of indices into meters (null: no meter yet).
 * Not ranked: a figure with no better end, an arm for which it is not defined and, where the figure asks for codes, an arm
 * with no active unit; fewer than two different values rank nobody.
 */
export function bestAndWorst(figure, meters) {
  const { key, unit, better, digits } = figure;
  const ranked = [];
  meters.forEach((meter, index) => {
    if (meter?.[key] == null || isUnranked(figure, meter)) return;
    ranked.push({ index, value: Number(rounded(meter[key], digits + (unit === "%" ? 2 : 0))) });
  });
  const values = ranked.map((r) => r.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!better || !ranked.length || low === high) return { best: [], worst: [] };
  const at = (end) => ranked.filter((r) => r.value === end).map((r) => r.index);
  return better === "low" ? { best: at(low), worst: at(high) } : { best: at(high), worst: at(low) };
}

/** rows: [{ label, unit, values }] of arms [{ name, step }]; shares stay shares, nothing is rounded. */
export function csvOf(arms, rows) {
  const lines = [
    ["figure", "unit", ...arms.map((arm) => arm.name)],
    ["step of the figures", "steps", ...arms.map((arm) => arm.step)],
    ...rows.map(({ label, unit, values }) => [label, unit === "%" ? "share, 0 to 1" : unit, ...values]),
  ];
  return csv(lines);
}
