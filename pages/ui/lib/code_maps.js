// Code maps as pictures: each code of a codebook has its colour.

const GOLDEN = 137.508; // degrees: hues of codes that follow each other lie far apart
const LEVELS = [38, 62, 82]; // % of lightness, in turn

/** The colour of a code, the same everywhere. @param {number} code */
export const colourOfCode = (code) => `hsl(${((code * GOLDEN) % 360).toFixed(1)} 65% ${LEVELS[code % LEVELS.length]}%)`;

/**
 * Draw code maps into a canvas, `perRow` to a row, with the same room for each as for a picture of 28 × 28.
 * @param {HTMLCanvasElement} canvas
 * @param {Tensor} maps shape [n, rows, columns]
 * @param {number} perRow
 */
export function drawCodeMaps(canvas, { shape: [count, rows, columns], data }, perRow) {
  const cell = 4;
  canvas.width = perRow * columns * cell;
  canvas.height = Math.ceil(count / perRow) * rows * cell;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (let at = 0; at < count * rows * columns; at++) {
    const map = Math.floor(at / (rows * columns)),
      place = at % (rows * columns);
    const x = (map % perRow) * columns + (place % columns),
      y = Math.floor(map / perRow) * rows + Math.floor(place / columns);
    ctx.fillStyle = colourOfCode(data[at]);
    ctx.fillRect(x * cell, y * cell, cell, cell);
  }
}
