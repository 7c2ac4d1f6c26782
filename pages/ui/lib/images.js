// Small grey images of 28 × 28 pixels: in one array side by side, and drawn.

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/**
 * Draw images into a canvas, `perRow` to a row.
 * @param {HTMLCanvasElement} canvas
 * @param {Tensor} images shape [n, 28, 28], grey levels
 * @param {number} perRow
 */
export function drawImages(canvas, images, perRow) {
  const count = images.shape[0],
    width = perRow * SIDE,
    height = Math.ceil(count / perRow) * SIDE;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const picture = ctx.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer); // one write a pixel: grey, and opaque
  for (let i = 0, at = 0; i < count; i++) {
    const corner = Math.floor(i / perRow) * SIDE * width + (i % perRow) * SIDE;
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0, to = corner + y * width; x < SIDE; x++)
        pixels[to++] = 0xff000000 | (images.data[at++] * 0x010101);
    }
  }
  ctx.putImageData(picture, 0, 0);
}

/** One image into a canvas of its own. @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} data */
export const drawImage = (canvas, data) => drawImages(canvas, { shape: [1], data }, 1);

/** Image i of many in one array. @type {(data: Uint8Array, i: number) => Uint8Array} */
export const imageAt = (data, i) => data.subarray(PIXELS * i, PIXELS * (i + 1));

/** All images of an array, one by one. @param {Uint8Array} data */
export const imagesIn = (data) => Array.from({ length: data.length / PIXELS }, (_, i) => imageAt(data, i));

/** Pixels in [0, 1] -> grey levels. @param {Numbers} picture */
export function greys(picture) {
  const grey = new Uint8Array(picture.length);
  for (let i = 0; i < grey.length; i++) grey[i] = Math.round(255 * picture[i]);
  return grey;
}

/**
 * Which cell of a grid of pictures a pointer is on, row by row; its canvas fills the grid.
 * @param {any} event
 * @param {number} columns
 * @param {number} rows
 */
export function cellUnder({ offsetX, offsetY, currentTarget: { clientWidth, clientHeight } }, columns, rows) {
  /** @type {(offset: number, size: number, n: number) => number} */
  const part = (offset, size, n) => Math.max(0, Math.min(n - 1, Math.floor((n * offset) / size)));
  return part(offsetY, clientHeight, rows) * columns + part(offsetX, clientWidth, columns);
}

/** @type {Record<string, number[]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The cell of such a grid that an arrow key leads to, or null for another key.
 * @param {number} cell
 * @param {string} key
 * @param {number} columns
 * @param {number} rows
 */
export function cellAfter(cell, key, columns, rows) {
  if (!Object.hasOwn(ARROWS, key)) return null;
  /** @type {(at: number, n: number) => number} */
  const within = (at, n) => Math.max(0, Math.min(n - 1, at));
  const [dx, dy] = ARROWS[key];
  return within(Math.floor(cell / columns) + dy, rows) * columns + within((cell % columns) + dx, columns);
}

/**
 * A frame around image i.
 * @param {HTMLCanvasElement} canvas
 * @param {number} i
 * @param {number} perRow
 * @param {string} colour
 * @param {number} width
 */
export function frameImage(canvas, i, perRow, colour, width) {
  const ctx = Object.assign(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), {
    strokeStyle: colour,
    lineWidth: width,
  });
  ctx.strokeRect((i % perRow) * SIDE + 1, Math.floor(i / perRow) * SIDE + 1, SIDE - 2, SIDE - 2);
}

/**
 * A decoded grid (n, n, 28, 28), where there is one; returns n, or 0.
 * @param {HTMLCanvasElement} canvas
 * @param {Tensor | undefined} grid
 */
export function drawGrid(canvas, grid) {
  const n = grid?.shape[0] ?? 0;
  if (grid && n) drawImages(canvas, { shape: [n * n], data: grid.data }, n);
  return n;
}
