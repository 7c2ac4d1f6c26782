// Whole models in plain JavaScript: both networks of vae_core/models/vae.py and, told a label, of cvae.py, built from the
// names and shapes of their state_dict. One image at a time; what comes out agrees with torch to 1e-4.

import { PIXELS } from "../lib/images.js";
import { convolution, elu, leakyRelu, linear, relu, tanh, transposedConvolution } from "./layers.js";

const LOG_VAR_RANGE = [-14, 10]; // as in vae_core: clamped where the encoder ends, and only there

/** @type {Record<string, Activation>} */
const ACTIVATIONS = { relu, elu, tanh };

/**
 * What a network is made of; widths and activation are those of an mlp, labels how many both halves know.
 * @typedef {Pick<About, "net" | "dims"> & Partial<Pick<About, "widths" | "activation" | "labels">>} Shape
 */

// A decoder that also says the sigma of each pixel has two channels, of which the first is the mean.
// at: the layer's place in torch's nn.Sequential, norm: the place of its BatchNorm. D: latent dimensions.
/** @type {Record<string, Record<"encoder" | "decoder", (D: number, shape: Shape, channels: number) => any[]>>} */
const NETS = {
  mlp: {
    encoder: (D, shape) => dense([PIXELS + beside(shape), ...hidden(shape), 2 * D], 1, shape), // mu and log_var; place 0 is the Flatten
    decoder: (D, shape, channels) =>
      dense([D + beside(shape), ...hidden(shape).reverse(), channels * PIXELS], 0, shape), // logits
  },
  conv: {
    encoder: (D, shape) => [
      {
        layer: convolution,
        at: 0,
        norm: 1,
        weight: [16, 1 + beside(shape), 4, 4],
        size: 28,
        stride: 2,
        then: leakyRelu,
      }, // 28 -> 13
      { layer: convolution, at: 3, norm: 4, weight: [32, 16, 4, 4], size: 13, stride: 2, then: leakyRelu }, // 13 -> 5
      { layer: convolution, at: 6, weight: [2 * D, 32, 4, 4], size: 5, stride: 2 }, // 5 -> 1: mu and log_var
    ],
    decoder: (D, shape, channels) => [
      {
        layer: transposedConvolution,
        at: 1,
        norm: 2,
        weight: [D + beside(shape), 256, 3, 3],
        size: 1,
        stride: 2,
        then: relu,
      }, // 1 -> 3
      { layer: transposedConvolution, at: 4, norm: 5, weight: [256, 128, 4, 4], size: 3, stride: 1, then: relu }, // 3 -> 6
      { layer: transposedConvolution, at: 7, norm: 8, weight: [128, 64, 3, 3], size: 6, stride: 2, then: relu }, // 6 -> 13
      { layer: transposedConvolution, at: 10, weight: [64, channels, 4, 4], size: 13, stride: 2 }, // 13 -> 28: logits
    ],
  },
};

/** How many inputs both halves have beside the image or the code: a label's ten, of which one is 1. @param {Shape} shape */
const beside = ({ labels = 0 }) => labels;

/** Widths of an mlp's hidden layers, from the image to the code. @param {Shape} shape */
const hidden = ({ widths = "400-200" }) => widths.split("-").map(Number);

/**
 * Linear layers from each width to the next, the activation between them and not after the last.
 * @param {number[]} widths
 * @param {number} first its place
 * @param {Shape} shape
 */
function dense(widths, first, { activation = "relu" }) {
  if (!Object.hasOwn(ACTIVATIONS, activation))
    throw new Error(`The activation "${activation}" is not run in the browser: only relu, elu and tanh are.`);
  return widths.slice(1).map((outs, i) => ({
    layer: linear,
    at: first + 2 * i,
    weight: [outs, widths[i]],
    then: i + 2 < widths.length ? ACTIVATIONS[activation] : undefined,
  }));
}

/**
 * about { net, widths, activation, posterior, dims, labels, label }, arrays of readTensors -> a model. Throws on a net that
 * is not known here, where it is not said whether there is a posterior, and on weights that are missing, too many or of another shape.
 * @param {Shape & Pick<About, "posterior"> & Partial<Pick<About, "label">>} about
 * @param {Tensors} arrays
 * @returns {Model}
 */
export function modelOf({ posterior: stochastic, label = 0, ...shape }, arrays) {
  if (typeof stochastic !== "boolean") throw new Error("The model does not say whether it has a posterior.");
  const encode = encoderOf(shape, stochastic, arrays, "model.encoder.");
  const decode = decoderOf(shape, arrays, "model.decoder.");
  /** @type {Model["given"]} */
  const given = (y) => ({
    dims: shape.dims,
    stochastic,
    encode: (x) => encode(x, y),
    decode: (z) => decode(z, y),
    given,
  });
  return given(label);
}

/**
 * A function from z (D), and a label where there are any, to the mean image: Float32Array 784 in [0, 1], sigmoid of the
 * first channel of the logits.
 * @param {Shape} shape
 * @param {Tensors} arrays
 * @returns {(z: Numbers, y?: number) => Float32Array}
 */
export function decoderOf(shape, arrays, prefix = "") {
  const { net, dims } = shape;
  const last = arrays[`${prefix}${net === "mlp" ? 2 * hidden(shape).length : 10}.bias`]?.shape[0],
    channels = last === 2 || last === 2 * PIXELS ? 2 : 1;
  const logits = network("decoder", shape, arrays, prefix, channels),
    told = teller(1, dims, beside(shape));
  const stride = net === "conv" ? channels : 1; // images lie channels last, the outputs of the mlp channels first
  return (z, y = 0) => {
    const all = logits(told(checked(z, dims, "z"), y));
    return Float32Array.from({ length: PIXELS }, (_, i) => 1 / (1 + Math.exp(-all[i * stride])));
  };
}

/**
 * A function from an image (784 in [0, 1]), and a label where there are any, to { mu, logVar }, Float32Array D each.
 * logVar is null where the code is no distribution: a plain autoencoder has those outputs too, but nothing trains them.
 * @param {Shape} shape
 * @param {boolean} stochastic
 * @param {Tensors} arrays
 * @returns {(x: Numbers, y?: number) => Code}
 */
export function encoderOf(shape, stochastic, arrays, prefix = "") {
  const [least, most] = LOG_VAR_RANGE,
    { net, dims } = shape;
  const both = network("encoder", shape, arrays, prefix),
    places = net === "conv" ? PIXELS : 1, // a convolution sees the label at every pixel
    told = teller(places, PIXELS / places, beside(shape));
  return (x, label = 0) => {
    const y = both(told(checked(x, PIXELS, "x"), label));
    const logVar = stochastic ? Float32Array.from(y.subarray(dims), (v) => Math.min(most, Math.max(least, v))) : null;
    return { mu: Float32Array.from(y.subarray(0, dims)), logVar };
  };
}

/**
 * A function that puts a label beside each of some places of `each` numbers: `labels` more, of which one is 1. What it
 * gives holds until its next call; without labels it is what came in.
 * @param {number} places
 * @param {number} each
 * @param {number} labels
 * @returns {(values: Numbers, y: number) => Numbers}
 */
function teller(places, each, labels) {
  if (!labels) return (values) => values;
  const wide = each + labels,
    input = new Float64Array(places * wide);
  return (values, y) => {
    if (!(Number.isInteger(y) && y >= 0 && y < labels)) throw new Error(`"${y}" is no label: 0 to ${labels - 1} are.`);
    input.fill(0);
    for (let place = 0; place < places; place++) {
      for (let i = 0; i < each; i++) input[place * wide + i] = values[place * each + i];
      input[place * wide + each + y] = 1;
    }
    return input;
  };
}

/**
 * All layers of one half, one after the other: x -> y, a buffer that the next call writes over.
 * @param {"encoder" | "decoder"} half
 * @param {Shape} shape
 * @param {Tensors} arrays
 * @param {string} prefix
 * @param {number} channels of the pictures
 * @returns {Layer}
 */
function network(half, shape, arrays, prefix, channels = 1) {
  const { net, dims } = shape;
  if (!Object.hasOwn(NETS, net))
    throw new Error(`The network "${net}" is not run in the browser: only mlp and conv are.`);
  if (!(Number.isInteger(dims) && dims > 0)) throw new Error(`"${dims}" is no number of latent dimensions.`);
  return stack(NETS[net][half](dims, shape, channels), arrays, prefix);
}

/**
 * Layers one after the other, each with its weights: x -> y, a buffer that the next call writes over.
 * @param {any[]} plan as in NETS
 * @param {Tensors} arrays
 * @param {string} prefix
 * @returns {Layer}
 */
export function stack(plan, arrays, prefix) {
  const take = taker(arrays, prefix);
  const layers = plan.map(({ layer, at, norm, weight, ...options }) => {
    const outs = weight[layer === transposedConvolution ? 1 : 0];
    /** @type {Weights} */
    const weights = { weight: take(`${at}.weight`, weight), bias: take(`${at}.bias`, [outs]) };
    if (norm) weights.norm = normOf(take, norm, outs);
    return layer(weights, options);
  });
  take.all();
  return (x) => layers.reduce((h, layer) => layer(h), /** @type {any} */ (x));
}

/**
 * @param {(name: string, shape: number[]) => Tensor<Float32Array>} take
 * @param {number} at
 * @param {number} outs
 * @returns {any}
 */
function normOf(take, at, outs) {
  const names = ["weight", "bias", "running_mean", "running_var"];
  return Object.fromEntries(names.map((name) => [name, take(`${at}.${name}`, [outs])]));
}

/**
 * A function that hands out arrays by name and holds them to their shape; .all() throws when one was never asked for.
 * @param {Tensors} arrays
 * @param {string} prefix
 */
function taker(arrays, prefix) {
  const taken = new Set();
  /** @param {string} name @param {number[]} shape */
  const take = (name, shape) => {
    const array = arrays[prefix + name];
    if (!array) throw new Error(`The weights ${prefix}${name} are missing.`);
    if (String(array.shape) !== String(shape) || !(array.data instanceof Float32Array)) {
      throw new Error(
        `${prefix}${name} has the shape (${array.shape.join(", ")}) in place of (${shape.join(", ")}) floats.`,
      );
    }
    taken.add(prefix + name);
    return array;
  };
  take.all = () => {
    for (const name of Object.keys(arrays)) {
      const counts = name.startsWith(prefix) && !name.endsWith(".num_batches_tracked"); // which only training needs
      if (counts && !taken.has(name)) throw new Error(`The weights ${name} belong to no layer known here.`);
    }
  };
  return take;
}

/** @param {Numbers} values @param {number} count @param {string} name */
function checked(values, count, name) {
  if (values.length !== count) throw new Error(`${name} has ${values.length} numbers, not ${count}.`);
  return values;
}
