// The test images most like a picture, found a few hundred at a time, so that a drag never waits for the search.

import { difference, rmsOf } from "../lib/distances.js";
import { PIXELS } from "../lib/images.js";

export class Neighbours {
  /** images: Uint8Array count * 784; found(list): the nearest, best first, as [{ index, distance }]. */
  constructor(images, found, keep = 5) {
    this.images = images;
    this.found = found;
    this.keep = keep;
    this.at = Infinity;
    this.next = null;
  }

  /** A search that is on its way is finished first: while a drag goes on the list still follows. */
  look(picture) {
    this.next = Float32Array.from(picture, (v) => 255 * v);
    if (this.at >= this.images.length) this.begin();
  }

  begin() {
    this.grey = this.next;
    this.next = null;
    this.at = 0;
    this.best = [];
  }

  /** Whether there is more to do. */
  get busy() {
    return this.at < this.images.length;
  }

  /** Search for so many milliseconds. */
  work(ms) {
    const until = performance.now() + ms;
    while (this.busy && performance.now() < until) this.some(100);
    if (this.busy || !this.best) return;
    this.found(this.best.map(({ index, sum }) => ({ index, distance: rmsOf(sum) })));
    this.best = null;
    if (this.next) this.begin();
  }

  some(count) {
    const { images, grey, best, keep } = this,
      end = Math.min(images.length, this.at + count * PIXELS);
    for (; this.at < end; this.at += PIXELS) {
      const limit = best.length < keep ? Infinity : best[keep - 1].sum;
      const sum = difference(images, this.at, grey, limit);
      if (sum >= limit) continue;
      best.push({ index: this.at / PIXELS, sum });
      best.sort((a, b) => a.sum - b.sum).splice(keep);
    }
  }
}
