// Messages of socket.py and frames of a film: safetensors files whose metadata hold JSON texts.

import { readTensors } from "./tensors.js";

/** ArrayBuffer -> { news, snapshot, arrays: { name: { shape, data } } }; a message has news, a frame a snapshot. */
export function unpack(buffer) {
  const {
    metadata: { news, snapshot },
    arrays,
  } = readTensors(buffer);
  return { news: news && JSON.parse(news), snapshot: snapshot && JSON.parse(snapshot), arrays };
}
