// log p(x, z) between the points of a grid, and over several grids of different fineness. Pure; runs under node.

const LOG_2PI = Math.log(2 * Math.PI);

/** A square grid of log p(x, z): n × n values, rows from high z2 to low, equal step in both directions. */
export class Plane {
  constructor({ n, z1, z2, values }) {
    if (values.length !== n * n) throw new Error(`a plane of ${n} × ${n} needs ${n * n} values, not ${values.length}`);
    this.n = n;
    this.values = values;
    this.low = [z1[0], z2[0]];
    this.high = [z1[1], z2[1]];
    this.step = (z1[1] - z1[0]) / (n - 1);
    this.top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  }

  /** Position along an axis in steps from the first column (axis 0) or the first row (axis 1). */
  position(axis, z) {
    return axis ? (this.high[1] - z) / this.step : (z - this.low[0]) / this.step;
  }

  /** ∫ exp(log p(x, z) − top) over the cells, less what the finer planes cover. */
  mass(top, finer) {
    const { n, values, step, low, high } = this;
    let sum = 0;
    for (let j = 0, k = 0; j < n; j++) {
      for (let i = 0; i < n; i++, k++) {
        if (values[k] < top - 60) continue;
        const free = finer.reduce((part, plane) => part - plane.cover(low[0] + i * step, high[1] - j * step, step), 1);
        sum += Math.max(0, free) * Math.exp(values[k] - top);
      }
    }
    return sum * step * step;
  }

  /** The part of the cell around (z1, z2) that this plane's own cells cover. */
  cover(z1, z2, step) {
    const edge = this.step / 2;
    const overlap = [z1, z2].map(
      (z, d) => Math.min(z + step / 2, this.high[d] + edge) - Math.max(z - step / 2, this.low[d] - edge),
    );
    return Math.max(0, overlap[0] / step) * Math.max(0, overlap[1] / step);
  }

  /** Calls visit(k, z1, z2) for every point whose value is at least `least`. */
  above(least, visit) {
    const { n, values, step, low, high } = this;
    for (let k = 0; k < n * n; k++) {
      if (values[k] >= least) visit(k, low[0] + (k % n) * step, high[1] - Math.floor(k / n) * step);
    }
  }

  /** Gaussians on the peaks not lower than `least`, width from the curvature along each axis: [{ top, q }]. */
  peaks(least) {
    const { n, values: f, step } = this;
    const width = (k, next) => Math.log(step ** 2 / (2 * f[k] - f[k - next] - f[k + next]));
    const found = [];
    this.above(least, (k, z1, z2) => {
      const i = k % n,
        j = Math.floor(k / n);
      if (i < 1 || i > n - 2 || j < 1 || j > n - 2) return;
      const highest = [k - 1, k + 1, k - n, k + n, k - n - 1, k - n + 1, k + n - 1, k + n + 1].every(
        (m) => f[k] > f[m],
      );
      if (highest) found.push({ top: f[k], q: { mu: [z1, z2], log_var: [width(k, 1), width(k, n)] } });
    });
    return found;
  }
}

/** The four weights of Keys' cubic (Catmull-Rom) for the points −1, 0, 1, 2; exact for a parabola. */
export function cubic(t) {
  return [
    t * (-0.5 + t * (1 - 0.5 * t)),
    1 + t * t * (-2.5 + 1.5 * t),
    t * (0.5 + t * (2 - 1.5 * t)),
    t * t * (-0.5 + 0.5 * t),
  ];
}

/**
 * log p(x, z) on the nodes (xs[i], ys[j]), row by row; with `lean`, on (xs[i], ys[j] + lean[i]). Each node takes the finest plane that surrounds it; off the
 * last plane the value of its edge stands in, and the node is marked.
 * Returns values (cubic), which (the plane), outside (0 or 1) and, unless `doubt` is false, bend (what the third
 * differences say of the error of the cubic, in nats), each of length ys.length · xs.length.
 */
export function place(planes, xs, ys, lean = null, doubt = true) {
  const columns = planes.map((plane, k) => along(plane, 0, xs, k === planes.length - 1));
  const rowsAt = (nodes) => planes.map((plane, k) => along(plane, 1, nodes, k === planes.length - 1));
  let rows = rowsAt(ys);
  const size = xs.length * ys.length;
  const result = {
    values: new Float64Array(size),
    bend: new Float64Array(doubt ? size : 0),
    which: new Uint8Array(size),
    outside: new Uint8Array(size),
  };
  const last = planes.length - 1;
  for (let i = 0; i < xs.length; i++) {
    if (lean) rows = rowsAt(ys.map((y) => y + lean[i]));
    for (let j = 0, k = i; j < ys.length; j++, k += xs.length) {
      let p = 0;
      while (p < last && !(columns[p].inside[i] && rows[p].inside[j])) p++;
      result.values[k] = curved(planes[p], columns[p], i, rows[p], j);
      if (doubt) result.bend[k] = bend(planes[p], columns[p], i, rows[p], j);
      result.which[k] = p;
      if (p === last && (columns[p].off[i] || rows[p].off[j])) result.outside[k] = 1;
    }
  }
  return result;
}

/** Where nodes fall along one axis of a plane: first point of the stencil, cubic weights. */
function along(plane, axis, nodes, widest) {
  const { n } = plane,
    count = nodes.length;
  const table = {
    first: new Int32Array(count),
    weight: new Float64Array(4 * count),
    inside: new Uint8Array(count),
    off: new Uint8Array(count),
  };
  for (let i = 0; i < count; i++) {
    const free = plane.position(axis, nodes[i]);
    const u = Math.min(n - 1, Math.max(0, free));
    const cell = Math.min(n - 3, Math.max(1, Math.floor(u))); // in the outermost cells the neighbour's cubic goes on
    table.first[i] = cell - 1;
    table.weight.set(cubic(u - cell), 4 * i);
    table.inside[i] = widest || (free >= 1 && free <= n - 2) ? 1 : 0;
    table.off[i] = free !== u ? 1 : 0;
  }
  return table;
}

/** Keys' cubic in both directions, from 4 × 4 points. */
function curved({ n, values: f }, { weight: w, first: column }, i, { weight: v, first: row }, j) {
  const a = 4 * i,
    b = 4 * j;
  let at = row[j] * n + column[i],
    sum = 0;
  for (let r = 0; r < 4; r++, at += n) {
    sum += v[b + r] * (w[a] * f[at] + w[a + 1] * f[at + 1] + w[a + 2] * f[at + 2] + w[a + 3] * f[at + 3]);
  }
  return sum;
}

/**
 * A tenth of the third differences around the node. The cubic is exact where they vanish; on decoders with ReLU and on
 * Gaussian bumps a tenth of them was more than the error for nine of ten q (a third of it for half of them).
 */
function bend({ n, values: f }, { first: column }, i, { first: row }, j) {
  const at = row[j] * n + column[i];
  const third = (k, d) => Math.abs(f[k + 3 * d] - f[k] + 3 * (f[k + d] - f[k + 2 * d]));
  return 0.05 * (third(at + n, 1) + third(at + 2 * n, 1) + third(at + 1, n) + third(at + 2, n));
}

/** log N(z; 0, I) over the plane's two dimensions. */
export const logPrior = (z1, z2) => -0.5 * (z1 * z1 + z2 * z2) - LOG_2PI;
