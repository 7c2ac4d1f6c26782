// An image as a model takes it. Plain mathematics: node runs it as it is, and tests hold it against the core.

/** Grey levels as a model takes them: in [0, 1], black or white for one that was trained on such. */
export function taken(greys, protocol) {
  if (protocol === "static") return redraw(greys);
  return Float32Array.from(greys, (v) => (protocol === "threshold" ? Number(v > 127) : v / 255));
}

/** One draw of an image, pixel by pixel: that of vae_core/data/protocols.py with the seed 0, bit for bit. */
export function redraw(greys) {
  const places = Uint32Array.from(greys, (_, i) => scramble(i + 1));
  let sum = 0; // below 2⁵⁰
  greys.forEach((v, i) => (sum += v * places[i]));
  const image = scramble(sum % 2 ** 32);
  return Float32Array.from(greys, (v, i) => Number((scramble(image ^ places[i]) >>> 8) * 255 < v * 2 ** 24));
}

function scramble(h) {
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}
