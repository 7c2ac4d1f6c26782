// What Python sends: arrays as base64 of their bytes, little-endian as every browser's machine is.

export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A plane of the data as field.js wants it. */
export const unpack = ({ n, z1, z2, log_joint }) => ({ n, z1, z2, values: new Float32Array(bytes(log_joint).buffer) });
