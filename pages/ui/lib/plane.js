// The plane of a map. Codes have D dimensions, the map has two: xy = z · basis, with orthonormal columns, so that N(0, I)
// stays N(0, I). An array is { shape, data } as wire.js gives it; basis has the shape (D, 2), or (1, 1) for one latent.

/** The basis of a picture; null where it is not known (an old frame of more than two latents). */
export function basisOf({
  basis,
  active: {
    shape: [dims],
  },
}) {
  if (basis?.shape[0] === dims) return basis;
  if (dims === 1) return { shape: [1, 1], data: [1] };
  return dims === 2 ? { shape: [2, 2], data: [1, 0, 0, 1] } : null;
}

/** Row i of an array (n, D), as numbers. */
export const row = ({ shape: [, width], data }, i) => Array.from(data.subarray(i * width, (i + 1) * width));

/** A vector of D numbers, a place or a direction, to [x, y]. */
export function toPlane(vector, { shape: [dims, width], data }) {
  const xy = [0, 0];
  for (let d = 0; d < dims; d++) for (let k = 0; k < width; k++) xy[k] += vector[d] * data[d * width + k];
  return xy;
}

/** The z of a point of the map: in the plane, its other dimensions are 0. */
export function fromPlane(xy, { shape: [dims, width], data }) {
  const along = (d) => Array.from({ length: width }, (_, k) => xy[k] * data[d * width + k]).reduce((a, b) => a + b, 0);
  return Array.from({ length: dims }, (_, d) => along(d));
}

/** Covariance Bᵀ diag(exp(log_var)) B of a posterior as the map sees it: [xx, xy, yy]. */
export function cloudInPlane(logVar, { shape: [dims, width], data }) {
  const cloud = [0, 0, 0];
  for (let d = 0; d < dims; d++) {
    const variance = Math.exp(logVar[d]);
    const [a, b] = [data[d * width], width > 1 ? data[d * width + 1] : 0];
    cloud[0] += variance * a * a;
    cloud[1] += variance * a * b;
    cloud[2] += variance * b * b;
  }
  return cloud;
}

/**
 * The ellipse of one standard deviation: half axes, and the angle of the long one from the x axis, anticlockwise.
 * @param {number[]} cloud
 */
export function ellipseOf([xx, xy, yy]) {
  const middle = (xx + yy) / 2,
    swing = Math.hypot((xx - yy) / 2, xy);
  return {
    long: Math.sqrt(middle + swing),
    short: Math.sqrt(Math.max(0, middle - swing)),
    angle: Math.atan2(2 * xy, xx - yy) / 2,
  };
}

/** What the axes of a map of so many latents are called. */
export const axesOf = (dims) => (dims > 2 ? ["PC 1", "PC 2"] : ["mu₁", dims === 2 ? "mu₂" : ""]);
