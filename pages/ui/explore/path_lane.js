// One model's strip along the path: its own codes of the same test images, its own pictures, and how far both are from
// what the model has seen.

import { greys } from "../net/model.js";
import { nearestCode, placeOf, usualGap } from "./density.js";
import { fixed } from "./numbers.js";
import { Film } from "./path_film.js";
import { nearestImages, Slices } from "./path_slices.js";
import { Path } from "./path_stops.js";

const HTML = `<p class="title"><b></b> <span></span></p><div></div>`;

export const NAMES = { vae: "VAE", ae: "Plain autoencoder" };

/** How far apart in usual gaps, as text. */
export const gapText = (gaps) => fixed(gaps, gaps < 9.95 ? 1 : 0);

export class Lane {
  /** on: { pick(k), measured(), ready() } */
  constructor(root, name, on) {
    root.innerHTML = HTML;
    const [title, film] = root.children;
    Object.assign(this, { root, on, title, found: null, slices: new Slices() });
    this.film = new Film(film, name, on.pick);
  }

  /** A model: { about, model, set, background }. */
  open(found) {
    this.found = found;
    this.gap = usualGap(found.set.mu, found.set.dims);
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
    const path = (this.path = new Path(images.map((i) => this.code(i)), shape));
    Object.assign(this, { pictures: null, near: [] });
    this.slices.stop();
    this.gaps = Array.from({ length: path.count }, (_, k) => this.gapsAt(path.z(path.placeOf(k))));
    this.film.size(path.count, Object.fromEntries(images.map((_, s) => [s * path.steps, s + 1])));
    this.tell();
    this.on.measured();
    const pictures = await this.found.background.decode("path", path.codesOf(), (part) => path === this.path && this.film.draw(part));
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

  code(image) {
    const { mu, dims } = this.found.set;
    return mu.subarray(image * dims, (image + 1) * dims);
  }

  /** From z to the nearest code, in usual gaps of this model. */
  gapsAt(z) {
    return nearestCode(z, this.found.set.mu).distance / this.gap;
  }

  picture(z) {
    return greys(this.found.model.decode(z));
  }

  tell() {
    const { about } = this.found, [name, text] = this.title.children;
    name.textContent = NAMES[about.model];
    text.textContent = `${about.name}${about.model === "vae" ? ", from mu" : ""}: at most ${gapText(Math.max(...this.gaps))} usual gaps (of ${fixed(this.gap)}) from a code`;
  }

  /** top: gaps that fill a bar's whole height, the same for both strips. */
  tellCells(top) {
    this.top = top;
    this.film.tell(this.gaps.map((gaps, k) => ({
      text: gapText(gaps),
      share: gaps / top,
      strong: placeOf({ further: 1, distance: gaps, gap: 1 }) === "hole",
      small: this.near[k] ? fixed(this.near[k].distance) : "…",
    })));
  }
}
