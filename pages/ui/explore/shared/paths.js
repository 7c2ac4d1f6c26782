// Ways from one code to another: the twin of vae_core/latent.py, which has the formulas and sources.
// A code is an array of D numbers; a way of n codes is one Float32Array of n * D numbers, row by row, as
// Background.decode takes it. Nothing here touches the page: node runs it as it is.

const PARALLEL = 1e-6; // sine of an angle below which two directions span no plane

const lengthOf = (v) => Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));

/** `n` codes from a to b: code i is at(t, d) in dimension d, t from 0 to 1. */
function rows(dims, n, at) {
  const path = new Float32Array(n * dims);
  for (let i = 0; i < n; i++) {
    const t = n > 1 ? i / (n - 1) : 0;
    for (let d = 0; d < dims; d++) path[i * dims + d] = at(t, d);
  }
  return path;
}

/** a plus half the difference, as the course text has it: a Float32Array of D numbers. */
export function halfWay(a, b) {
  return Float32Array.from(a, (value, d) => value + (b[d] - value) / 2);
}

/** n codes at equal distances on the line from a to b, both included; n = 1 gives a. */
export function straight(a, b, n) {
  if (!(n >= 1)) throw new RangeError(`a way of ${n} points`);
  return rows(a.length, n, (t, d) => (1 - t) * a[d] + t * b[d]);
}

/** The angle between two unit vectors, exact for small and for large angles (Kahan). */
function angleOf(u, v) {
  const apart = lengthOf(u.map((value, d) => value - v[d]));
  const along = lengthOf(u.map((value, d) => value + v[d]));
  return 2 * Math.atan2(apart, along);
}

/**
 * n codes whose direction turns evenly from a's to b's while their length goes straight from |a| to |b| (slerp).
 * Codes that span no plane to turn in (parallel, opposite, or at the origin) are joined by a straight way.
 */
export function spherical(a, b, n) {
  const [from, to] = [lengthOf(Float64Array.from(a)), lengthOf(Float64Array.from(b))];
  if (!(n >= 2) || from === 0 || to === 0) return straight(a, b, n);
  const u = Float64Array.from(a, (value) => value / from);
  const v = Float64Array.from(b, (value) => value / to);
  const angle = angleOf(u, v);
  const sine = Math.sin(angle);
  if (sine < PARALLEL) return straight(a, b, n);
  const turned = (t, d) => (Math.sin((1 - t) * angle) * u[d] + Math.sin(t * angle) * v[d]) / sine;
  return rows(a.length, n, (t, d) => turned(t, d) * ((1 - t) * from + t * to));
}

/**
 * Codes along several stops (an array of codes): `way` with n >= 2 codes from each stop to the next, a shared stop only
 * once: ((m - 1) * (n - 1) + 1) * D numbers; stop i is code i * (n - 1).
 */
export function through(points, n, way = straight) {
  if (!(n >= 2)) throw new RangeError(`legs of ${n} points do not reach the next stop`);
  const dims = points[0].length;
  const path = new Float32Array(((points.length - 1) * (n - 1) + 1) * dims);
  path.set(points[0]);
  for (let i = 1; i < points.length; i++) {
    const leg = way(points[i - 1], points[i], n).subarray(dims);
    path.set(leg, ((i - 1) * (n - 1) + 1) * dims);
  }
  return path;
}
