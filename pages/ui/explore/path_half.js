// Half way between two images: in pixels, and in the latent space of each model. After the course text: "find the
// difference between their mean vectors, and add half the difference to the original, and then simply decode it".

import { drawImages } from "../live/pictures.js";
import { NAMES } from "./path_lane.js";
import { halfWay } from "./paths.js";

const HTML = `<h4></h4><div class="figures"></div>`;
const FIGURE = `<canvas class="images" width="28" height="28" role="img"></canvas><figcaption></figcaption>`;

/** The mean of two pictures, pixel by pixel: grey levels, Uint8Array. */
export function pixelAverage(a, b) {
  return Uint8Array.from(a, (value, i) => Math.round((value + b[i]) / 2));
}

/** A picture with what it is: { root, show(picture, text) }. */
export function figure(name) {
  const root = document.createElement("figure");
  root.innerHTML = FIGURE;
  root.dataset.picture = name;
  const [canvas, caption] = root.children;
  const show = (picture, text) => {
    drawImages(canvas, { shape: [1, 28, 28], data: picture }, 1);
    if (caption.textContent === text) return;
    caption.textContent = text;
    canvas.setAttribute("aria-label", text);
  };
  return { root, show };
}

export class HalfWay {
  constructor(root) {
    root.innerHTML = HTML;
    [this.title, this.box] = root.children;
    this.figures = ["first", "second", "average", "half", "halfTwin"].map(figure);
    this.box.append(...this.figures.map((f) => f.root));
  }

  /** Between test images i and j; lanes: the models that are open. named(i): text. */
  show(app, i, j, lanes) {
    const key = JSON.stringify([i, j, ...lanes.map((lane) => lane.found.about.name)]);
    if (key === this.key) return;
    this.key = key;
    this.title.textContent = `Half way between test images ${i} and ${j}`;
    const { labels } = app.set,
      [first, second, average, ...halves] = this.figures;
    for (const [place, k] of [
      [first, i],
      [second, j],
    ])
      place.show(app.image(k), `test image ${k}, a ${labels[k]}`);
    average.show(pixelAverage(app.image(i), app.image(j)), "average of the pixels");
    halves.forEach(({ root, show }, k) => {
      const lane = lanes[k];
      root.hidden = !lane;
      if (lane)
        show(
          lane.picture(halfWay(lane.code(i), lane.code(j))),
          `${NAMES[lane.found.about.model]}: half way in z${lane.found.about.model === "vae" ? ", from mu" : ""}`,
        );
    });
  }
}
