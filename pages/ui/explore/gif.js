// Grey pictures as an animated GIF: enlarged without smoothing, all 256 grey levels kept as they are. Encoded in slices,
// so that the page stays alive. Runs under node.

import { GIFEncoder } from "../vendor/gifenc/gifenc.esm.js";

const SLICE = 12; // ms between two breaths
const LARGEST = 6,
  WIDEST = 840; // an image is enlarged six times, a wide sheet less

const GREYS = Array.from({ length: 256 }, (_, v) => [v, v, v]);

/** How many times frames of a width are enlarged. */
export const enlargement = (width) => Math.max(1, Math.min(LARGEST, Math.floor(WIDEST / width)));

/**
 * The bytes of the file. progress(share) after every frame.
 * @param {{ width: number, height: number, frames: Uint8Array[], delayMs: number }} film frames: grey levels
 * @param {(share: number) => void} progress
 */
export async function gifOf({ width, height, frames, delayMs }, progress = () => {}) {
  const gif = GIFEncoder(),
    times = enlargement(width);
  let since = performance.now();
  for (const [k, frame] of frames.entries()) {
    gif.writeFrame(enlarged(frame, width, height, times), width * times, height * times, {
      palette: k ? null : GREYS,
      delay: delayMs,
    });
    progress((k + 1) / frames.length);
    if (performance.now() - since < SLICE) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    since = performance.now();
  }
  gif.finish();
  return gif.bytes();
}

/** Every pixel as a square of `times` by `times`. */
export function enlarged(frame, width, height, times) {
  const wide = width * times,
    result = new Uint8Array(wide * height * times);
  for (let y = 0; y < height; y++) {
    const row = result.subarray(y * times * wide, (y * times + 1) * wide);
    for (let x = 0; x < width; x++) row.fill(frame[y * width + x], x * times, (x + 1) * times);
    for (let k = 1; k < times; k++) result.set(row, (y * times + k) * wide);
  }
  return result;
}
