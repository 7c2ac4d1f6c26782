// A picture with what it is.

import { make } from "../../lib/dom.js";
import { drawImage } from "../../lib/images.js";

const FIGURE = `<canvas class="images" width="28" height="28" role="img"></canvas><figcaption></figcaption>`;

/** { root, show(picture, text) } */
export function figure(name) {
  const root = make("figure", { innerHTML: FIGURE, dataset: { picture: name } });
  const [canvas, caption] = root.children;
  const show = (picture, text) => {
    drawImage(canvas, picture);
    if (caption.textContent === text) return;
    caption.textContent = text;
    canvas.setAttribute("aria-label", text);
  };
  return { root, show };
}
