// Messages of socket.py and frames of a film: safetensors files whose metadata hold JSON texts.

import { readTensors } from "./tensors.js";

/**
 * A snapshot as one object: its numbers and arrays, `terms` by name in nats, `dims` of the latent space. Frames from
 * before families named their terms have but nll and kl, of which an autoencoder's KL and std meant nothing.
 * @param {SnapshotNumbers} snapshot
 * @param {Tensors} arrays
 * @returns {SnapshotPicture}
 */
export function pictureOf(snapshot, arrays) {
  const dims = arrays.active.shape[0];
  const scales = snapshot.scales ?? (snapshot.sigma == null ? {} : { sigma: snapshot.sigma });
  return { ...snapshot, .../** @type {SnapshotArrays} */ (arrays), ...termsOf(snapshot, arrays), scales, dims };
}

/**
 * @param {SnapshotNumbers} snapshot
 * @param {Tensors} arrays
 */
function termsOf({ terms, negElbo, nll, kl, meanStd }, { ten_mu: mu, ten_log_var: logVar }) {
  if (terms) return { terms, negElbo, meanStd };
  if (mu?.shape[0] > 0 && !logVar?.shape[0]) return { terms: { nll }, negElbo: null, meanStd: null };
  return { terms: { nll, kl }, negElbo: nll + kl, meanStd };
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
