// Half way between two images: in pixels, and in the latent space of each model. After the course text: "find the
// difference between their mean vectors, and add half the difference to the original, and then simply decode it".

import { imageName } from "../shared/classes.js";
import { figure } from "../shared/figure.js";
import { halfWay } from "../shared/paths.js";

const HTML = `<h3></h3><div class="figures"></div>`;

/** The mean of two pictures, pixel by pixel: grey levels, Uint8Array. */
export function pixelAverage(a, b) {
  return Uint8Array.from(a, (value, i) => Math.round((value + b[i]) / 2));
}

export class HalfWay {
  constructor(root) {
    root.innerHTML = HTML;
    const [title, box] = root.children;
    this.title = title;
    this.box = box;
    this.figures = ["first", "second", "average", "half", "halfTwin"].map(figure);
    this.box.append(...this.figures.map((f) => f.root));
  }

  /** Between test images i and j; lanes: the models that are open. */
  show(found, i, j, lanes) {
    const key = JSON.stringify([i, j, ...lanes.map((lane) => lane.found.about.name)]);
    if (key === this.key) return;
    this.key = key;
    this.title.textContent = `Half way between test images ${found.set.numbers[i]} and ${found.set.numbers[j]}`;
    const [first, second, average, ...halves] = this.figures;
    for (const [place, k] of [
      [first, i],
      [second, j],
    ])
      place.show(found.image(k), imageName(k, found.set));
    average.show(pixelAverage(found.image(i), found.image(j)), "average of the pixels");
    halves.forEach(({ root, show }, k) => {
      const lane = lanes[k];
      root.hidden = !lane;
      if (lane)
        show(
          lane.picture(halfWay(lane.found.code(i), lane.found.code(j))),
          `${lane.found.about.family}: half way in z${lane.found.about.posterior ? ", from mu" : ""}`,
        );
    });
  }
}
