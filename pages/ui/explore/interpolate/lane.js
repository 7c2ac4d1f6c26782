// One model's strip along the path: its own codes of the same test images, its own pictures, and how far both are from
// what the model has seen.

import { nearestCode } from "../../lib/distances.js";
import { fixed } from "../../lib/numbers.js";
import { farWords, isFar, radiusOf, ratioText } from "../shared/near.js";
import { short } from "../shared/numbers.js";
import { Strip } from "../shared/strip.js";
import { Path } from "./path.js";
import { Slices, nearestImages } from "./slices.js";

const HTML = `<p class="title"><b></b> <span></span></p><div></div>`;

export class Lane {
  /** on: { pick(k), measured(), ready() } */
  constructor(root, name, on) {
    root.innerHTML = HTML;
    const [title, film] = root.children;
    this.root = root;
    this.on = on;
    this.title = title;
    this.found = null;
    this.slices = new Slices();
    this.film = new Strip(film, name, on.pick);
  }

  open(found) {
    this.found = found;
    this.radius = radiusOf(found);
    this.key = null;
  }

  close() {
    this.slices.stop();
    this.found = this.path = this.pictures = null;
  }

  /** The path through the codes of these test images. */
  async follow(images, shape) {
    const key = JSON.stringify([images, shape]);
    if (key === this.key) return;
    this.key = key;
    const codes = images.map((i) => this.found.code(i));
    const path = (this.path = new Path(codes, shape));
    this.pictures = null;
    this.near = [];
    this.slices.stop();
    this.ratios = Array.from({ length: path.count }, (_, k) => this.ratioAt(path.z(path.placeOf(k))));
    this.film.size(path.count, Object.fromEntries(images.map((_, s) => [s * path.steps, s + 1])));
    this.tell();
    this.on.measured();
    const pictures = await this.found.background.decode(
      "path",
      path.codesOf(),
      (part) => path === this.path && this.film.draw(part),
    );
    if (pictures && path === this.path) this.decoded(pictures);
  }

  decoded(pictures) {
    this.pictures = pictures;
    this.film.draw(pictures);
    this.on.ready();
    this.slices.run(nearestImages(this.found.set.images, pictures), (near) => {
      this.near = near;
      this.tellCells(this.top);
    });
  }

  /** From z to the nearest code, in near radii of this model. */
  ratioAt(z) {
    return nearestCode(z, this.found.set.mu).distance / this.radius;
  }

  picture(z) {
    return this.found.greys(z);
  }

  tell() {
    const { about } = this.found,
      [name, text] = this.title.children;
    name.textContent = about.title;
    text.textContent = `${about.posterior ? "from mu: " : ""}at most ${ratioText(Math.max(...this.ratios))} × ${short(this.radius)} from a code (near: 1 ×), ${farWords(this.ratios)}`;
  }

  /** top: near radii that fill a bar's whole height, the same for both strips. */
  tellCells(top) {
    this.top = top;
    this.film.tell(
      this.ratios.map((ratio, k) => ({
        text: ratioText(ratio),
        share: ratio / top,
        strong: isFar(ratio),
        small: this.near[k] ? fixed(this.near[k].distance) : "…",
      })),
    );
  }
}
