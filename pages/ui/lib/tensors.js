// A safetensors file: u64 length of the header, the header (JSON), the data. Pure; runs under node and in a worker.

/** @type {Record<string, any>} by the names of the file */
const ARRAYS = { F32: Float32Array, U8: Uint8Array, I16: Int16Array, I32: Int32Array, I64: BigInt64Array };

/**
 * ArrayBuffer -> { metadata, arrays: { name: { shape, data } } }. F16 becomes Float32Array, I64 BigInt64Array.
 * Throws on a type of number that is not one of these, and on a file that ends too early.
 * @param {ArrayBuffer} buffer
 * @returns {{ metadata: any, arrays: Tensors }}
 */
export function readTensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: metadata = {}, ...entries } = header;
  /** @type {Tensors} */
  const arrays = {};
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [start, end],
    },
  ] of Object.entries(entries)) {
    // slice: typed arrays need aligned bytes, and the buffer may be let go
    const data = numbers(dtype, buffer.slice(8 + length + start, 8 + length + end), name);
    const count = shape.reduce((/** @type {number} */ product, /** @type {number} */ n) => product * n, 1);
    if (data.length !== count) throw new Error(`${name}: the file has ${data.length} of its ${count} numbers.`);
    arrays[name] = { shape, data };
  }
  return { metadata, arrays };
}

/** @param {string} dtype @param {ArrayBuffer} bytes @param {string} name */
function numbers(dtype, bytes, name) {
  if (dtype === "F16") return fromHalf(new Uint16Array(bytes));
  if (!ARRAYS[dtype]) throw new Error(`${name}: numbers of type ${dtype} are not read here.`);
  return new ARRAYS[dtype](bytes);
}

/**
 * float16 (sign 1, exponent 5, fraction 10 bits) -> float32 (1, 8, 23), exactly.
 * The bits moved to their new places read as a number too small by 2^(127 − 15): multiplying mends it, and small numbers
 * without a leading 1 (subnormal) come out right by themselves. An exponent of ones means infinity or not a number.
 * @param {Uint16Array} halves
 */
export function fromHalf(halves) {
  const floats = new Float32Array(halves.length),
    bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    bits[i] = (half & 0x7fff) << 13;
    if ((half & 0x7c00) === 0x7c00) bits[i] |= 0x7f800000;
    else floats[i] *= 2 ** 112;
    bits[i] |= (half & 0x8000) << 16;
  }
  return floats;
}
