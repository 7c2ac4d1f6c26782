// The tug of war in figures: for each chosen image the length of both pulls on mu, and bars of those on log_var.

import { make } from "../lib/dom.js";
import { niceAbove } from "../lib/numbers.js";
import { size } from "./pulls.js";
import { short } from "./words.js";

const DIMS = 8; // of log_var are drawn, those with the largest pulls
const [HEIGHT, TOP, LEFT] = [64, 8, 46];

/** Drawn at its own size, so that text keeps its own: CSS pixels. */
export const widthOf = (svg) => Math.max(160, svg.clientWidth || 300);

/** Rows of a table: the digit, and both magnitudes. pulls: [{ digit, mu: { nll, kl } }] */
export function drawMagnitudes(body, pulls, posterior) {
  body.replaceChildren(
    ...pulls.map(({ digit, mu }) =>
      make(
        "tr",
        {},
        make("th", { textContent: digit, scope: "row" }),
        make("td", { textContent: mu.nll ? short(size(mu.nll)) : "off" }),
        make("td", { textContent: mu.kl ? short(size(mu.kl)) : posterior ? "off" : "not defined" }),
      ),
    ),
  );
}

/** The largest pull on a log variance, for a scale that all arms share. */
export const tallest = (pulls) =>
  niceAbove(
    Math.max(0, ...pulls.flatMap(({ logVar }) => [...(logVar?.nll ?? []), ...(logVar?.kl ?? [])]).map(Math.abs)),
  );

/** Bars of the pulls on log_var: up widens the cloud, down narrows it. */
export function drawLogVar(svg, pulls, top) {
  const dims = shownDims(pulls),
    width = widthOf(svg);
  const slot = (width - LEFT) / Math.max(1, pulls.length * dims.length + pulls.length - 1);
  const middle = TOP + HEIGHT / 2;
  const parts = [top, 0, -top].map((v) => {
    const y = middle - ((v / top) * HEIGHT) / 2;
    return `<line class="grid" x1="${LEFT}" x2="${width}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 5}" y="${y + 4.5}" text-anchor="end">${v > 0 ? "+" : ""}${short(v).replace("-", "−")}</text>`;
  });
  pulls.forEach(({ digit, logVar }, i) => {
    const left = LEFT + i * (dims.length + 1) * slot;
    const centre = left + (dims.length * slot) / 2;
    parts.push(
      `<text class="tick" x="${centre}" y="${TOP + HEIGHT + 14}" text-anchor="middle">${Number(digit)}</text>`,
    );
    dims.forEach((d, j) => {
      for (const [k, term] of ["nll", "kl"].entries()) {
        const value = logVar?.[term]?.[d];
        if (value !== undefined)
          parts.push(bar(left + j * slot + (0.1 + 0.4 * k) * slot, 0.38 * slot, value, top, middle, term, d));
      }
    });
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${TOP + HEIGHT + 18}`);
  svg.innerHTML = parts.join("");
  return dims;
}

function bar(x, width, value, top, middle, term, d) {
  const height = Math.max(1, (Math.abs(value / top) * HEIGHT) / 2);
  const name = term === "nll" ? "reconstruction" : "KL";
  return `<rect class="${term}" x="${x}" y="${value > 0 ? middle - height : middle}" width="${width}" height="${height}"><title>${name}, dimension ${d + 1}: ${short(value)} nats per unit of log_var</title></rect>`;
}

/** Indices of the dimensions that are drawn, in order. */
export function shownDims(pulls) {
  const count = Math.max(0, ...pulls.map(({ logVar }) => (logVar?.nll ?? logVar?.kl ?? []).length));
  const strength = (d) =>
    Math.max(...pulls.map(({ logVar }) => Math.abs(logVar?.nll?.[d] ?? 0) + Math.abs(logVar?.kl?.[d] ?? 0)));
  const order = Array.from({ length: count }, (_, d) => d).sort((a, b) => strength(b) - strength(a));
  return order.slice(0, DIMS).sort((a, b) => a - b);
}
