// What Python sends: arrays as base64 of their bytes, little-endian as every browser's machine is.

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A plane of the data as bound_field.js wants it. */
export const unpack = ({ n, z1, z2, log_joint }) => ({ n, z1, z2, values: new Float32Array(bytes(log_joint).buffer) });

/** 28 × 28 grey pixels into a canvas of that size. */
export function drawImage(canvas, text) {
  const grey = bytes(text);
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(28, 28);
  grey.forEach((v, k) => image.data.set([v, v, v, 255], 4 * k));
  ctx.putImageData(image, 0, 0);
}
