// The mlp decoder in the browser: z (D) → 200 → 400 → 784, ReLU between, and the picture is sigmoid(logits).

const ARRAYS = { F32: Float32Array, U8: Uint8Array, I64: BigInt64Array, I32: Int32Array };

/** A safetensors file with plain texts for metadata: ArrayBuffer -> { metadata, arrays: { name: { shape, data } } } */
export function readTensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(entries)) {
    arrays[name] = { shape, data: new ARRAYS[dtype](buffer.slice(8 + length + start, 8 + length + end)) };
  }
  return { metadata, arrays };
}

/** The arrays of a decoder -> a function from z to 784 pixels in [0, 1], Float32Array. */
export function decoderOf(arrays) {
  const layers = [0, 2, 4].map((i) => ({ weight: arrays[`${i}.weight`], bias: arrays[`${i}.bias`] }));
  return (z) => {
    let h = Float32Array.from(z);
    layers.forEach((layer, i) => {
      h = linear(layer, h);
      for (let j = 0; j < h.length; j++) h[j] = i < 2 ? Math.max(0, h[j]) : 1 / (1 + Math.exp(-h[j]));
    });
    return h;
  };
}

function linear({ weight: { shape: [outs, ins], data }, bias }, x) {
  const y = new Float32Array(outs);
  for (let o = 0, w = 0; o < outs; o++) {
    let sum = bias.data[o];
    for (let i = 0; i < ins; i++, w++) sum += data[w] * x[i];
    y[o] = sum;
  }
  return y;
}
