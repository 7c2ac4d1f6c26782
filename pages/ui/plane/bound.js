// The curves of ELBO and log p(x): two lines in nats, and the gap between them, which closes.

import { line, words } from "../lib/draw.js";
import { format, ticks } from "../lib/numbers.js";
import { paperOf } from "./paper.js";

/**
 * The window on the nats: what comes after the first tenth of the steps, or of the later half of the pictures.
 * @param {number[]} steps @param {number[]} elbo @param {number[]} logP
 */
export function rangeOf(steps, elbo, logP) {
  const late = Math.min(steps.at(-1) / 10, steps[Math.floor(steps.length / 2)]);
  const [low, high] = [elbo, logP].map((values, k) => {
    const kept = values.filter((v, i) => Number.isFinite(v) && steps[i] >= late);
    return k ? Math.max(...kept) : Math.min(...kept);
  });
  const margin = 0.08 * Math.max(high - low, 0.1);
  return { from: low - margin, to: high + margin };
}

/** @param {any} canvas @param {Record<string, number[]>} table step, exact_elbo, exact_log_p @param {number | null} moment */
export function drawBound(canvas, table, moment, colours) {
  const { step, exact_elbo: elbo, exact_log_p: logP } = table;
  if (!elbo?.length) return;
  const last = step.length - 1,
    end = Math.max(step[last], 1);
  const range = rangeOf(step, elbo, logP);
  const texts = (v) => v.toLocaleString("en");
  const paper = paperOf(
    canvas,
    { from: 0, to: 1.24 * end, label: "step", texts, at: ticks(0, end, 4) },
    { ...range, label: "nats per point ↑" },
    colours,
  );
  if (!paper) return;
  const { ctx, px, x, y } = paper;
  const places = (values) =>
    step.map((s, i) => [x(s), y(Math.max(values[i], range.from - 10 * (range.to - range.from)))]);
  const [below, above] = [places(elbo), places(logP)];
  paper.clip(() => {
    Object.assign(ctx, { fillStyle: colours.kl, globalAlpha: 0.22 });
    ctx.beginPath();
    [...below, ...above.toReversed()].forEach((place) => ctx.lineTo(...place));
    ctx.fill();
    ctx.globalAlpha = 1;
    line(ctx, above, [colours.text, 2.2]);
    line(ctx, below, [colours.total, 2.6]);
    if (moment !== null)
      line(
        ctx,
        [
          [x(moment), paper.box.top],
          [x(moment), paper.box.bottom],
        ],
        [colours.text, 1.5],
      );
  });
  paper.axes();
  ctx.font = `bold ${13 * px}px sans-serif`;
  const at = x(end) + 6 * px,
    [up, down] = [y(logP[last]), Math.min(y(elbo[last]), paper.box.bottom - 4 * px)];
  const room = Math.max(0, 32 * px - (down - up)) / 2; // three labels, one below the other
  const write = (text, place, colour) => words(ctx, text, [at, place], colour, colours.background, 3);
  write(`log p(x) ${format(logP[last])}`, Math.max(up - room, paper.box.top + 4 * px) + 4 * px, colours.text);
  write(`gap ${format(logP[last] - elbo[last])}`, (up + down) / 2 + 4 * px, colours.kl);
  write(`ELBO ${format(elbo[last])}`, Math.min(down + room, paper.box.bottom - 4 * px) + 4 * px, colours.total);
}
