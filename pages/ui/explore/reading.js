// What is said of z: its picture, how usual it is to the prior and to the codes, and the test images most like it.

import { nearestCode } from "../lib/distances.js";
import { PIXELS, drawImage, drawImages, greys } from "../lib/images.js";
import { fixed, stepText } from "../lib/numbers.js";
import { Teller } from "../lib/spoken.js";
import { Neighbours } from "./neighbours.js";
import { classOf, imageName } from "./shared/classes.js";
import { chiSurvival, nearRule, normalShare, placeOf, placeText } from "./shared/density.js";
import { percent, short, zText } from "./shared/numbers.js";

const SEARCH_MS = 3; // of a frame for the nearest images, so that a drag stays smooth

export class Reading {
  constructor(part) {
    this.part = part;
    this.teller = new Teller(part.stage);
  }

  load(found) {
    const { about, set } = found;
    this.found = found;
    this.neighbours = new Neighbours(set.images, (list) => this.tellNeighbours(list));
    const ofStep = about.shipped === false && about.step !== undefined; // of a run, not of a file
    this.part.from.textContent = ofStep ? `x̂ decoded at z, weights of ${stepText(about.step)}` : "x̂ decoded at z";
  }

  show(z, picture) {
    const { part } = this,
      { decoded } = part;
    drawImage(decoded, greys(picture));
    decoded.dataset.z = Array.from(z, (v) => v.toFixed(6)).join(",");
    this.tellPlace(z);
    this.neighbours.look(picture);
    this.teller.say(() => `z = ${part.z.value}: ${part.place.textContent} ${part.nearText.textContent}`);
  }

  /** Some more of the search; whether there is more to do. */
  work() {
    this.neighbours.work(SEARCH_MS);
    return this.neighbours.busy;
  }

  tellPlace(z) {
    const { part, found } = this,
      { set, posterior, about } = found,
      near = nearestCode(z, set.mu);
    const r = Math.sqrt(z.reduce((sum, v) => sum + v * v, 0)),
      further = chiSurvival(r, z.length);
    part.z.value = zText(z);
    part.shares.value =
      z.length > 4
        ? ""
        : `${posterior ? "prior quantiles" : "quantiles of N(0, I)"} ${Array.from(z, (v) => percent(normalShare(v))).join(", ")}`;
    const place = placeOf({ further, distance: near.distance, near: found.near, dims: z.length });
    part.place.textContent = placeText(place, posterior);
    part.place.dataset.place = place;
    const code = `${!about.posterior ? "The nearest code" : "The nearest mu"} (${imageName(near.index, set)}) is ${short(near.distance)} away`;
    part.density.textContent = `|z| = ${fixed(r)} σ: ${percent(further)} of ${posterior ? "prior draws" : "draws from N(0, I)"} lie further out. ${code}; “near” is within ${short(found.near)}: ${nearRule(posterior)}.`;
  }

  tellNeighbours(list) {
    const { found, part } = this;
    const data = new Uint8Array(PIXELS * list.length);
    list.forEach(({ index }, k) => data.set(found.image(index), PIXELS * k));
    drawImages(part.near, { shape: [list.length], data }, list.length);
    part.near.dataset.index = list[0].index;
    const words = list
      .map(
        ({ index, distance }) =>
          `${classOf(found.set.labels[index], found.set) || `no. ${found.set.numbers[index]}`} (${fixed(distance)})`,
      )
      .join(", ");
    part.nearText.textContent = `Nearest test images: ${words}, RMS of full scale. Half of all test images have another test image within ${fixed(found.about.yardstick)}.`;
  }
}
