// The decoder of vae_core/models/vq.py: from a code map to the mean image. It agrees with torch to 1e-4.

import { PIXELS } from "../lib/images.js";
import { convolution, relu, transposedConvolution } from "./layers.js";
import { stack } from "./model.js";

const SIDE = 7; // of the code map

/** @param {number} C numbers of a vector of the codebook */
const decoder = (C) => [
  { layer: convolution, at: 0, weight: [32, C, 3, 3], size: SIDE, stride: 1, padding: 1, then: relu }, // 7
  { layer: transposedConvolution, at: 2, weight: [32, 16, 4, 4], size: SIDE, stride: 2, padding: 1, then: relu }, // 14
  { layer: transposedConvolution, at: 4, weight: [16, 1, 4, 4], size: 2 * SIDE, stride: 2, padding: 1 }, // 28: logits
];

/**
 * A function from a code map (49 numbers of vectors) to the mean image, Float32Array 784 in [0, 1].
 * @param {Tensors} arrays with "codebook" (K, C) and "model.decoder.*"
 * @returns {(codes: ArrayLike<number>) => Float32Array}
 */
export function codeDecoderOf(arrays) {
  const [, C] = arrays.codebook.shape,
    vectors = arrays.codebook.data;
  const logits = stack(decoder(C), arrays, "model.decoder.");
  const z = new Float64Array(SIDE * SIDE * C); // (7, 7, C): channels last
  return (codes) => {
    for (let place = 0; place < SIDE * SIDE; place++) {
      for (let c = 0; c < C; c++) z[place * C + c] = vectors[codes[place] * C + c];
    }
    const y = logits(z);
    return Float32Array.from({ length: PIXELS }, (_, i) => 1 / (1 + Math.exp(-y[i])));
  };
}
