// Ten images in rows, and below each row that of their copies: one canvas, so that they are compared by eye.

import { PIXELS, SIDE, cellUnder, drawImages, frameImage, imageAt } from "../lib/images.js";

const ACROSS = 5;

/** Where image i stands; its copy stands a row below. */
const placeOf = (i) => i + ACROSS * Math.floor(i / ACROSS);

/** @param {HTMLCanvasElement} canvas @param {Tensor} images @param {Tensor} copies @param {Iterable<number>} framed */
export function drawPairs(canvas, images, copies, framed) {
  const count = images.shape[0],
    data = new Uint8Array(2 * Math.ceil(count / ACROSS) * ACROSS * PIXELS);
  for (let i = 0; i < count; i++) {
    data.set(imageAt(/** @type {Uint8Array} */ (images.data), i), placeOf(i) * PIXELS);
    data.set(imageAt(/** @type {Uint8Array} */ (copies.data), i), (placeOf(i) + ACROSS) * PIXELS);
  }
  drawImages(canvas, { shape: [data.length / PIXELS], data }, ACROSS);
  for (const i of framed)
    if (i < count) for (const row of [0, 1]) frameImage(canvas, placeOf(i) + row * ACROSS, ACROSS, "#ffffff", 1.5);
}

/** The number of the image under a pointer, or of the one whose copy is there. */
export function pairUnder(event) {
  const { width, height } = event.currentTarget;
  const cell = cellUnder(event, width / SIDE, height / SIDE);
  return ACROSS * Math.floor(cell / (2 * ACROSS)) + (cell % ACROSS);
}
