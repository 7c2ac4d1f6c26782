// Messages of socket.py and frames of a film: safetensors files whose metadata hold JSON texts.
//   u64 length of the header, the header (JSON), the data

const ARRAYS = { F32: Float32Array, I16: Int16Array, U8: Uint8Array };

/** ArrayBuffer -> { news, snapshot, arrays: { name: { shape, data } } }; a message has news, a frame a snapshot */
export function unpack(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { news, snapshot } = header.__metadata__;
  const arrays = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const {
      dtype,
      shape,
      data_offsets: [start, end],
    } = entry;
    // slice: typed arrays need aligned bytes, and the buffer may be let go
    arrays[name] = { shape, data: new ARRAYS[dtype](buffer.slice(8 + length + start, 8 + length + end)) };
  }
  return { news: news && JSON.parse(news), snapshot: snapshot && JSON.parse(snapshot), arrays };
}
