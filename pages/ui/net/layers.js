// The layers of both networks for one image at a time, as functions x -> y. Each writes into a buffer of its own, made
// once: y holds until the layer's next call.
//
// Images lie channels last, (height, width, channels), so what belongs to one pixel lies side by side. Weights lie as
// [ky][kx][ci][co]: all that one input channel adds at one place of the kernel is one row of numbers. So every layer is
// the same sum, y += Σ x[ci] · row[ci], done at other places, and the inputs that are 0 (half of them after ReLU, most
// of a digit) cost nothing.

const EPS = 1e-5; // of torch's BatchNorm: under the root, so that it never divides by 0

/** @type {Activation} */
export const relu = (y) => {
  for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] = 0;
  return y;
};

/** @type {Activation} */
export const leakyRelu = (y) => {
  for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] *= 0.2;
  return y;
};

/** @type {Activation} */
export const elu = (y) => {
  for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] = Math.expm1(y[i]);
  return y;
};

/** @type {Activation} */
export const tanh = (y) => {
  for (let i = 0; i < y.length; i++) y[i] = Math.tanh(y[i]);
  return y;
};

/** @type {Activation} */
const identity = (y) => y;

/**
 * weight (outs, ins), bias (outs): x (ins) -> y (outs)
 * @param {Weights} weights
 * @param {{ then?: Activation }} options
 * @returns {Layer}
 */
export function linear(weights, { then = identity } = {}) {
  const { ins, outs, rows, start } = prepared(weights, true);
  const y = new Float64Array(outs),
    sum = new RowSum(ins, outs, rows);
  return (x) => {
    y.set(start);
    sum.read(x, 0);
    sum.addTo(y, 0, 0);
    return then(y);
  };
}

/**
 * weight (co, ci, k, k): x (size, size, ci) -> y (out, out, co), out = ⌊(size + 2 padding − k) / stride⌋ + 1.
 * Each output gathers: it reads the k × k inputs under the kernel; those of the padding are 0.
 * @param {Weights} weights
 * @param {{ size: number, stride: number, padding?: number, then?: Activation }} options
 * @returns {Layer}
 */
export function convolution(weights, { size, stride, padding = 0, then = identity }) {
  const { ins, outs, k, rows, start } = prepared(weights, true);
  const out = Math.floor((size + 2 * padding - k) / stride) + 1;
  const y = new Float64Array(out * out * outs),
    sum = new RowSum(ins, outs, rows);
  return (x) => {
    for (let to = 0; to < y.length; to += outs) y.set(start, to);
    for (let to = 0; to < out * out; to++) {
      const row = stride * Math.floor(to / out) - padding,
        column = stride * (to % out) - padding; // of x, under the kernel's corner
      for (let tap = 0; tap < k * k; tap++) {
        const from = placeIn(size, row + Math.floor(tap / k), column + (tap % k));
        if (from < 0) continue;
        sum.read(x, from * ins);
        sum.addTo(y, to * outs, tap);
      }
    }
    return then(y);
  };
}

/**
 * weight (ci, co, k, k): x (size, size, ci) -> y (out, out, co), out = (size − 1) · stride + k − 2 padding.
 * The other way round: each input scatters, it adds to the k × k outputs under the kernel; the padding is cut off.
 * @param {Weights} weights
 * @param {{ size: number, stride: number, padding?: number, then?: Activation }} options
 * @returns {Layer}
 */
export function transposedConvolution(weights, { size, stride, padding = 0, then = identity }) {
  const { ins, outs, k, rows, start } = prepared(weights, false);
  const out = (size - 1) * stride + k - 2 * padding;
  const y = new Float64Array(out * out * outs),
    sum = new RowSum(ins, outs, rows);
  return (x) => {
    for (let to = 0; to < y.length; to += outs) y.set(start, to);
    for (let from = 0; from < size * size; from++) {
      const row = stride * Math.floor(from / size) - padding,
        column = stride * (from % size) - padding; // of y
      sum.read(x, from * ins);
      for (let tap = 0; tap < k * k; tap++) {
        const to = placeIn(out, row + Math.floor(tap / k), column + (tap % k));
        if (to >= 0) sum.addTo(y, to * outs, tap);
      }
    }
    return then(y);
  };
}

/** The place of a row and a column in an image of size × size; −1 outside. @param {number} size @param {number} row @param {number} column */
const placeIn = (size, row, column) =>
  row >= 0 && row < size && column >= 0 && column < size ? row * size + column : -1;

/**
 * The weights as rows, [ky][kx][ci][co], and what every output starts from, with the BatchNorm after the layer folded in:
 *   scale · (w x + b − mean) + β  =  (scale · w) x + (scale · (b − mean) + β),   scale = γ / sqrt(var + eps)
 * @param {Weights} weights
 * @param {boolean} outsFirst torch keeps (co, ci, …) of Linear and Conv2d, (ci, co, …) of ConvTranspose2d
 */
function prepared({ weight, bias, norm }, outsFirst) {
  const [first, second, k = 1] = weight.shape,
    [outs, ins] = outsFirst ? [first, second] : [second, first];
  const scale = norm ? norm.weight.data.map((gamma, co) => gamma / Math.sqrt(norm.running_var.data[co] + EPS)) : null;
  const start =
    norm && scale
      ? bias.data.map((b, co) => scale[co] * (b - norm.running_mean.data[co]) + norm.bias.data[co])
      : bias.data;
  const rows = new Float32Array(weight.data.length);
  for (let tap = 0, to = 0; tap < k * k; tap++) {
    for (let ci = 0; ci < ins; ci++) {
      for (let co = 0; co < outs; co++, to++) {
        const from = outsFirst ? co * ins + ci : ci * outs + co;
        rows[to] = weight.data[from * k * k + tap] * (scale ? scale[co] : 1);
      }
    }
  }
  return { ins, outs, k, rows, start };
}

/** The sum that every layer is made of; nearly all the time goes by in addTo. */
class RowSum {
  /** @param {number} ins @param {number} outs @param {Float32Array} rows */
  constructor(ins, outs, rows) {
    this.ins = ins;
    this.outs = outs;
    this.rows = rows;
    this.count = 0;
    this.values = new Float64Array(ins);
    this.channels = new Int32Array(ins);
  }

  /**
   * Take the input channels from x[at] on; zeros are left out here, once for all places of the kernel.
   * @param {Numbers} x
   * @param {number} at
   */
  read(x, at) {
    const { ins, values, channels } = this;
    let count = 0;
    for (let ci = 0; ci < ins; ci++) {
      const value = x[at + ci];
      if (value === 0) continue;
      values[count] = value;
      channels[count++] = ci;
    }
    this.count = count;
  }

  /**
   * y[at + co] += Σ x[ci] · rows[tap][ci][co]. Four rows at a time: y is then read and written four times less often.
   * @param {Float64Array} y
   * @param {number} at
   * @param {number} tap
   */
  addTo(y, at, tap) {
    const { ins, outs, rows, count, values, channels } = this;
    const first = tap * ins * outs,
      end = at + outs;
    let i = 0;
    for (; i + 4 <= count; i += 4) {
      const a = values[i],
        b = values[i + 1],
        c = values[i + 2],
        d = values[i + 3];
      let p = first + channels[i] * outs,
        q = first + channels[i + 1] * outs;
      let r = first + channels[i + 2] * outs,
        s = first + channels[i + 3] * outs,
        to = at;
      for (; to + 2 <= end; to += 2, p += 2, q += 2, r += 2, s += 2) {
        y[to] += a * rows[p] + b * rows[q] + c * rows[r] + d * rows[s];
        y[to + 1] += a * rows[p + 1] + b * rows[q + 1] + c * rows[r + 1] + d * rows[s + 1];
      }
      if (to < end) y[to] += a * rows[p] + b * rows[q] + c * rows[r] + d * rows[s];
    }
    for (; i < count; i++) {
      const a = values[i];
      for (let p = first + channels[i] * outs, to = at; to < end; to++, p++) y[to] += a * rows[p];
    }
  }
}
