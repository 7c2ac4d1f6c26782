// A canvas with axes: a rectangle of some plane, its ticks and titles. Units of the plot in, pixels of the canvas out.

import { line, words } from "../lib/draw.js";
import { plain, ticks } from "../lib/numbers.js";

const LEFT = 52,
  BELOW = 34,
  ROOM = 8; // CSS pixels round the drawing

/**
 * A fresh drawing as large as the canvas on the page; null while it is not there.
 * @param {any} canvas
 * @param {{ from: number, to: number, label: string, texts?: (v: number) => string, at?: number[] }} across
 * @param {{ from: number, to: number, label: string, texts?: (v: number) => string, at?: number[] }} up
 */
export function paperOf(canvas, across, up, colours, inside = [LEFT, BELOW]) {
  const px = devicePixelRatio;
  const [wide, high] = [canvas.clientWidth, canvas.clientHeight].map((v) => Math.round(v * px));
  if (!wide || !high || !colours) return null;
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const ctx = canvas.getContext("2d");
  ctx.clearRect(0, 0, wide, high);
  const box = { left: inside[0] * px, top: ROOM * px, right: wide - ROOM * px, bottom: high - inside[1] * px };
  const x = (v) => box.left + ((v - across.from) / (across.to - across.from)) * (box.right - box.left);
  const y = (v) => box.bottom - ((v - up.from) / (up.to - up.from)) * (box.bottom - box.top);
  const paper = { ctx, px, box, x, y, colours, at: (place) => [x(place[0]), y(place[1])] };
  return Object.assign(paper, {
    axes: () => drawAxes(paper, across, up),
    clip: (draw) => {
      ctx.save();
      ctx.beginPath();
      ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
      ctx.clip();
      draw();
      ctx.restore();
    },
  });
}

function drawAxes({ ctx, px, box, x, y, colours }, across, up) {
  Object.assign(ctx, { fillStyle: colours.text, font: `${13 * px}px sans-serif`, globalAlpha: 1 });
  const frame = [
    [box.left, box.top],
    [box.right, box.top],
    [box.right, box.bottom],
    [box.left, box.bottom],
    [box.left, box.top],
  ];
  line(ctx, frame, [colours.grid, 1]);
  const write = (text, place) => words(ctx, text, place, colours.text, colours.background, 3);
  ctx.textAlign = "center";
  for (const v of across.at ?? ticks(across.from, across.to, (box.right - box.left) / (90 * px)))
    write((across.texts ?? plain)(v), [x(v), box.bottom + 15 * px]);
  write(across.label, [(box.left + box.right) / 2, box.bottom + 30 * px]);
  ctx.textAlign = "right";
  for (const v of up.at ?? ticks(up.from, up.to, (box.bottom - box.top) / (32 * px)))
    write((up.texts ?? plain)(v), [box.left - 5 * px, y(v) + 4 * px]);
  ctx.save();
  ctx.translate(12 * px, (box.top + box.bottom) / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = "center";
  write(up.label, [0, 0]);
  ctx.restore();
  ctx.textAlign = "left";
}
