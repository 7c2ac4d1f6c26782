// Small grey images of 28 × 28 pixels: in one array side by side, and drawn.

const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/** Draw images into a canvas, `perRow` to a row. `images`: { shape: [n, 28, 28], data } */
export function drawImages(canvas, images, perRow) {
  const count = images.shape[0],
    width = perRow * SIDE,
    height = Math.ceil(count / perRow) * SIDE;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const ctx = canvas.getContext("2d");
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

/** One image into a canvas of its own. */
export const drawImage = (canvas, data) => drawImages(canvas, { shape: [1], data }, 1);

/** Image i of many in one array. */
export const imageAt = (data, i) => data.subarray(PIXELS * i, PIXELS * (i + 1));

/** All images of an array, one by one. */
export const imagesIn = (data) => Array.from({ length: data.length / PIXELS }, (_, i) => imageAt(data, i));

/** Pixels in [0, 1] -> grey levels, Uint8Array. */
export function greys(picture) {
  const grey = new Uint8Array(picture.length);
  for (let i = 0; i < grey.length; i++) grey[i] = Math.round(255 * picture[i]);
  return grey;
}

/** Which cell of a grid of pictures a pointer is on, row by row; its canvas fills the grid. */
export function cellUnder({ offsetX, offsetY, currentTarget: { clientWidth, clientHeight } }, columns, rows) {
  const part = (offset, size, n) => Math.max(0, Math.min(n - 1, Math.floor((n * offset) / size)));
  return part(offsetY, clientHeight, rows) * columns + part(offsetX, clientWidth, columns);
}

/** A frame around image i. */
export function frameImage(canvas, i, perRow, colour, width) {
  const ctx = Object.assign(canvas.getContext("2d"), { strokeStyle: colour, lineWidth: width });
  ctx.strokeRect((i % perRow) * SIDE + 1, Math.floor(i / perRow) * SIDE + 1, SIDE - 2, SIDE - 2);
}

/** A decoded grid (n, n, 28, 28), where there is one; returns n, or 0. */
export function drawGrid(canvas, grid) {
  const n = grid?.shape[0] ?? 0;
  if (n) drawImages(canvas, { shape: [n * n], data: grid.data }, n);
  return n;
}
