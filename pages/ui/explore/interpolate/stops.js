// The stops of a path: as chips beside the map, and over the map with the line through them.

import { make } from "../../lib/dom.js";
import { badges, disc, line } from "../../lib/draw.js";
import { drawImage } from "../../lib/images.js";
import { another, classOf, imageName } from "../shared/classes.js";
import { withoutStop } from "./path.js";

const CHIP = `<b></b><canvas class="images" width="28" height="28" role="img"></canvas><span></span><button data-does="another">↻</button><button data-does="remove">×</button>`;

export class Stops {
  /** set(images): other stops are wanted. */
  constructor(root, set) {
    this.root = root;
    this.set = set;
    root.setAttribute("role", "list");
    root.setAttribute("aria-label", "stops of the path");
  }

  show(images, found) {
    const key = JSON.stringify(images),
      focused = this.focus();
    if (key === this.shown) return;
    this.shown = key;
    this.root.replaceChildren(...images.map((image, k) => this.chip(image, k, images, found)));
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

  chip(image, k, images, found) {
    const { labels } = found.set,
      one = classOf(labels[image], found.set) || "image",
      name = imageName(image, found.set);
    const root = make("div", { className: "chip", role: "listitem", innerHTML: CHIP });
    const [number, canvas, text, next, remove] = root.children;
    drawImage(canvas, found.image(image));
    number.textContent = k + 1;
    text.textContent = name;
    canvas.setAttribute("aria-label", name);
    next.setAttribute("aria-label", `stop ${k + 1}: another ${one}`);
    next.title = `another ${one}`;
    next.onclick = () => this.set(images.map((i, j) => (j === k ? another(i, labels) : i)));
    const left = withoutStop(images, k);
    remove.setAttribute("aria-label", `take stop ${k + 1} away`);
    remove.disabled = !left;
    remove.onclick = () => this.set(left);
    next.dataset.k = remove.dataset.k = k;
    return root;
  }
}

/** path, stops: places on the canvas; here: the current one, or null. */
export function drawPath(ctx, path, stops, here, colours) {
  const { background, primary } = colours;
  ctx.lineJoin = "round";
  line(ctx, path, [background, 5], [primary, 2.5]);
  badges(
    ctx,
    stops.map((place, k) => ({ place, text: String(k + 1) })),
    colours,
  );
  if (here) disc(ctx, here, 5, primary, [background, 2]);
}
