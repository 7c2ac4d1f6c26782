// The stops of a path: as chips beside the map, and over the map with the line through them.

import { drawImages } from "../live/pictures.js";
import { another, withoutStop } from "./path_stops.js";

const CHIP = `<b></b><canvas class="images" width="28" height="28" role="img"></canvas><span></span><button data-does="another">↻</button><button data-does="remove">×</button>`;

export class Stops {
  /** on: { app, set(images) } */
  constructor(root, on) {
    Object.assign(this, { root, on });
    root.setAttribute("role", "list");
    root.setAttribute("aria-label", "stops of the path");
  }

  show(images) {
    const key = JSON.stringify(images),
      focused = this.focus();
    if (key === this.shown) return;
    this.shown = key;
    this.root.replaceChildren(...images.map((image, k) => this.chip(image, k, images)));
    if (focused)
      [...this.root.querySelectorAll(`[data-does=${focused.does}]:not(:disabled)`)]
        .at(Math.min(focused.k, images.length - 1))
        ?.focus();
  }

  /** Which button has the keyboard: another stands in its place when the chips are made anew. */
  focus() {
    const held = this.root.getRootNode().activeElement;
    return this.root.contains(held) ? { does: held.dataset.does, k: Number(held.dataset.k) } : null;
  }

  chip(image, k, images) {
    const { set, image: pixels } = { set: this.on.app.set, image: this.on.app.image(image) },
      digit = set.labels[image];
    const root = document.createElement("div");
    root.className = "chip";
    root.setAttribute("role", "listitem");
    root.innerHTML = CHIP;
    const [number, canvas, text, next, remove] = root.children;
    drawImages(canvas, { shape: [1, 28, 28], data: pixels }, 1);
    number.textContent = k + 1;
    text.textContent = `test image ${image}, a ${digit}`;
    canvas.setAttribute("aria-label", `test image ${image}, a ${digit}`);
    next.setAttribute("aria-label", `stop ${k + 1}: another ${digit}`);
    next.title = `another ${digit}`;
    next.onclick = () => this.on.set(images.map((i, j) => (j === k ? another(i, set.labels) : i)));
    const left = withoutStop(images, k);
    remove.setAttribute("aria-label", `take stop ${k + 1} away`);
    remove.disabled = !left;
    remove.onclick = () => this.on.set(left);
    next.dataset.k = remove.dataset.k = k;
    return root;
  }
}

/** line, stops: places on the canvas; here: the current one, or null. */
export function drawPath(ctx, line, stops, here, { text, background, primary }) {
  const px = devicePixelRatio;
  ctx.lineJoin = "round";
  for (const [colour, width] of [
    [background, 5],
    [primary, 2.5],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width * px;
    ctx.beginPath();
    line.forEach((place) => ctx.lineTo(...place));
    ctx.stroke();
  }
  ctx.font = `bold ${14 * px}px sans-serif`;
  ctx.textAlign = "center";
  stops.forEach((place, k) => disc(ctx, place, 9 * px, text) || letter(ctx, String(k + 1), place, background));
  ctx.textAlign = "left";
  if (here) disc(ctx, here, 5 * px, primary, background);
}

export function disc(ctx, [x, y], radius, colour, rim = null) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  if (!rim) return;
  ctx.strokeStyle = rim;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.stroke();
}

export function letter(ctx, text, [x, y], colour) {
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y + 5 * devicePixelRatio);
}
