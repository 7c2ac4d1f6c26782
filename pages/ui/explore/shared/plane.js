// The plane of the explorer's map: two latents, or the two principal axes of the codes. What is off the plane stays.

import { cloudInPlane, ellipseOf, toPlane } from "../../lib/plane.js";

export const name = (d) => `z${[...String(d + 1)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[c]).join("")}`;

export class Plane {
  /** axes: "pca" or [i, j]; basis: of the package, orthonormal (D, 2) or (1, 1). */
  constructor(axes, dims, basis) {
    this.dims = dims;
    this.pca = axes === "pca" && dims > 2;
    this.basis = this.pca || dims === 1 ? basis : chosen(Array.isArray(axes) ? axes : [0, 1], dims);
    this.labels = this.pca
      ? ["PC 1", "PC 2"]
      : dims === 1
        ? [name(0), ""]
        : (Array.isArray(axes) ? axes : [0, 1]).map(name);
  }

  to(z) {
    return toPlane(z, this.basis);
  }

  /** The z at a point of the map: `z` moved within the plane, everything else of it held fixed. */
  from(xy, z) {
    const here = this.to(z),
      {
        shape: [dims, width],
        data,
      } = this.basis;
    return Float32Array.from({ length: dims }, (_, d) => {
      let value = z[d];
      for (let k = 0; k < width; k++) value += (xy[k] - here[k]) * data[d * width + k];
      return value;
    });
  }

  /** The ellipse of one posterior std as the map sees it. */
  ellipse(logVar) {
    return ellipseOf(cloudInPlane(logVar, this.basis));
  }

  /** All codes on the map: (count, 2) in one array. */
  project(mu) {
    const { dims } = this,
      xy = new Float32Array((2 * mu.length) / dims);
    for (let i = 0; i * dims < mu.length; i++) xy.set(this.to(mu.subarray(i * dims, (i + 1) * dims)), 2 * i);
    return xy;
  }

  /** How far z lies off the plane, in prior units. */
  off(z) {
    const [x, y] = this.to(z);
    return Math.sqrt(Math.max(0, z.reduce((sum, v) => sum + v * v, 0) - x * x - y * y));
  }
}

/** @param {number[]} axes */
function chosen([i, j], dims) {
  const data = new Float32Array(2 * dims);
  data[2 * i] = 1;
  data[2 * j + 1] = 1;
  return { shape: [dims, 2], data };
}
