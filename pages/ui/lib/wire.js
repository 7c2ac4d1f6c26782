// Messages of socket.py and frames of a film: safetensors files whose metadata hold JSON texts.

import { readTensors } from "./tensors.js";

/**
 * A snapshot as one object: its numbers and arrays, `terms` by name in nats, `dims` of the latent space. Frames from
 * before families named their terms have but nll and kl.
 * @param {SnapshotNumbers} snapshot
 * @param {Tensors} arrays
 * @returns {SnapshotPicture}
 */
export function pictureOf(snapshot, arrays) {
  const { nll, kl } = snapshot;
  const terms = snapshot.terms ?? { nll, kl };
  const negElbo = snapshot.terms ? snapshot.negElbo : nll + kl;
  return { ...snapshot, .../** @type {SnapshotArrays} */ (arrays), terms, negElbo, dims: arrays.active.shape[0] };
}

/**
 * ArrayBuffer -> { news, snapshot, arrays: { name: { shape, data } } }; a message has news, a frame a snapshot.
 * @param {ArrayBuffer} buffer
 * @returns {Message & { snapshot: SnapshotNumbers }}
 */
export function unpack(buffer) {
  const {
    metadata: { news, snapshot },
    arrays,
  } = readTensors(buffer);
  return { news: news && JSON.parse(news), snapshot: snapshot && JSON.parse(snapshot), arrays };
}
