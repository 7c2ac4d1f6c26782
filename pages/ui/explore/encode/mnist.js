// A drawing made into an MNIST image: the twin of as_mnist in vae_core/data/picture.py, which has the source.
// Nothing here touches the page: node runs it as it is.

const SIDE = 28; // the image,
const BOX = 20; // and the box in it that the digit fills
const FAINT = 0.05; // of the brightest ink: less does not belong to the digit's box
const LEVELS = 255;

/** The rows and columns { top, left, height, width } that hold the digit, or null where there is no ink. */
function boxOf(ink, w) {
  const least = FAINT * ink.reduce((a, b) => Math.max(a, b), 0);
  let [top, bottom, left, right] = [Infinity, -1, Infinity, -1];
  for (let i = 0; i < ink.length; i++) {
    if (!(ink[i] > least)) continue;
    const [y, x] = [Math.floor(i / w), i % w];
    top = Math.min(top, y);
    bottom = y;
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  return bottom < 0 ? null : { top, left, height: bottom - top + 1, width: right - left + 1 };
}

/** Where each old pixel goes when `size` of them are scaled: { count: new size, shares: [[new index, share], ...] }. */
function sharesOf(size, scale) {
  const count = Math.ceil(size * scale - 1e-9);
  const offset = (count - size * scale) / 2;
  const shares = Array.from({ length: size }, (_, j) => {
    const [from, to] = [j * scale + offset, (j + 1) * scale + offset];
    const hit = [];
    for (let i = Math.max(0, Math.floor(from)); i < Math.min(count, to); i++) {
      hit.push([i, Math.max(0, Math.min(to, i + 1) - Math.max(from, i))]);
    }
    return hit;
  });
  return { count, shares };
}

/** The digit scaled by exact area averaging: { height, width, values }. */
function scaled(ink, w, box) {
  const scale = BOX / Math.max(box.height, box.width);
  const down = sharesOf(box.height, scale);
  const across = sharesOf(box.width, scale);
  const values = new Float64Array(down.count * across.count);
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      const value = ink[(box.top + y) * w + box.left + x];
      if (!value) continue;
      for (const [i, tall] of down.shares[y]) {
        for (const [j, wide] of across.shares[x]) values[i * across.count + j] += value * tall * wide;
      }
    }
  }
  return { height: down.count, width: across.count, values };
}

/** Where the box must begin for its centre of mass to lie at index 14, half a pixel more or less; all inside. */
function startOf(profile) {
  const total = profile.reduce((a, b) => a + b, 0);
  const centre = profile.reduce((sum, value, i) => sum + value * i, 0) / total;
  const start = Math.ceil(SIDE / 2 - 0.5 - centre - 1e-9);
  return Math.min(Math.max(start, 0), SIDE - profile.length);
}

/**
 * The MNIST image of a drawing: 784 grey levels in [0, 1], multiples of 1/255, or null for an empty drawing.
 * ink: w * h numbers in [0, 1], row by row; ink bright.
 */
export function asMnist(ink, w, h) {
  if (ink.length !== w * h) throw new RangeError(`${ink.length} numbers are no ${w} by ${h} drawing`);
  const found = boxOf(ink, w);
  if (!found) return null;
  const { height, width, values } = scaled(ink, w, found);
  const rows = new Float64Array(height);
  const columns = new Float64Array(width);
  values.forEach((value, i) => {
    rows[Math.floor(i / width)] += value;
    columns[i % width] += value;
  });
  const [top, left] = [startOf(rows), startOf(columns)];
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const picture = new Float32Array(SIDE * SIDE);
  values.forEach((value, i) => {
    const place = (top + Math.floor(i / width)) * SIDE + left + (i % width);
    picture[place] = Math.floor((value * LEVELS) / most + 0.5) / LEVELS;
  });
  return picture;
}

/** A drawing as it lies, made 28 by 28: means of squares of `cell` pixels in [0, 1]; null for an empty drawing. */
export function reduced(ink, cell) {
  const picture = new Float32Array(SIDE * SIDE);
  ink.forEach((value, i) => {
    const [y, x] = [Math.floor(i / (SIDE * cell)), i % (SIDE * cell)];
    picture[Math.floor(y / cell) * SIDE + Math.floor(x / cell)] += value / (cell * cell);
  });
  return picture.some((value) => value > 1 / LEVELS) ? picture.map((value) => Math.min(1, value)) : null;
}
