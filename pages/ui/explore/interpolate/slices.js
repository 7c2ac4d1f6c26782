// Long work on the page in short slices, a few milliseconds of a frame each, so that a drag stays smooth.

import { seekImage } from "../../lib/distances.js";
import { imagesIn } from "../../lib/images.js";

const SLICE_MS = 3; // of a frame
const CHUNK = 100; // test images between two looks at the clock

export class Slices {
  /** Run a generator to its end, in place of the one before; hear(value) for every value it yields but undefined. */
  run(generator, hear) {
    this.stop();
    const work = () => {
      const until = performance.now() + SLICE_MS;
      while (performance.now() < until) {
        const { value, done } = generator.next();
        if (done) return;
        if (value !== undefined) hear(value);
      }
      this.frame = requestAnimationFrame(work);
    };
    this.frame = requestAnimationFrame(work);
  }

  stop() {
    cancelAnimationFrame(this.frame);
  }
}

/**
 * The nearest test image of every picture: yields the list so far, [{ index, distance }], whenever one is found; the
 * distance is the root mean square over the pixels, of full scale: black to white is 1.
 * images, pictures: Uint8Array, n * 784 each.
 */
export function* nearestImages(images, pictures) {
  const found = [];
  for (const grey of imagesIn(pictures)) {
    found.push(yield* seekImage(images, grey, CHUNK));
    yield found;
  }
}
