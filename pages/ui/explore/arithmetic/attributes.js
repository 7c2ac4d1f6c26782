// Attributes of a digit, measured from its pixels: the twin of vae_core/inspect/image_attributes.py, which has the formulas and sources.
// Nothing here touches the page: node runs it as it is.

const SIDE = 28;
const EMPTY = 1e-6; // a picture whose grey levels sum to less has no digit in it
const FLAT = 1e-9; // px²: ink in one row has no slant

/** Sums of ink, and its centre: { area, x, y }; y counts downwards. */
function centreOf(picture) {
  let area = 0;
  let sumX = 0;
  let sumY = 0;
  for (let i = 0; i < picture.length; i++) {
    area += picture[i];
    sumX += picture[i] * (i % SIDE);
    sumY += picture[i] * Math.floor(i / SIDE);
  }
  return { area, x: sumX / area, y: sumY / area };
}

/** Second central moments in px², y upwards. */
function momentsOf(picture, centre) {
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let i = 0; i < picture.length; i++) {
    const dx = (i % SIDE) - centre.x;
    const dy = centre.y - Math.floor(i / SIDE);
    xx += picture[i] * dx * dx;
    xy += picture[i] * dx * dy;
    yy += picture[i] * dy * dy;
  }
  return { xx: xx / centre.area, xy: xy / centre.area, yy: yy / centre.area };
}

/** Sum of |gradient| where four pixels meet, on a black ground. */
function perimeterOf(picture) {
  const at = (y, x) => (y < 0 || x < 0 || y >= SIDE || x >= SIDE ? 0 : picture[y * SIDE + x]);
  let sum = 0;
  for (let y = -1; y < SIDE; y++) {
    for (let x = -1; x < SIDE; x++) {
      const [a, b, c, d] = [at(y, x), at(y, x + 1), at(y + 1, x), at(y + 1, x + 1)];
      sum += Math.hypot((b + d - a - c) / 2, (c + d - a - b) / 2);
    }
  }
  return sum;
}

/**
 * The attributes of a 28 by 28 picture (784 grey levels, ink bright): slant in degrees, the others in pixels.
 * `full` is the grey level of full ink: 1, or 255 for a Uint8Array. An empty picture gives zeros.
 */
export function measure(picture, full = picture instanceof Uint8Array ? 255 : 1) {
  const centre = centreOf(picture);
  if (!(centre.area > EMPTY * full)) return { slant: 0, thickness: 0, size: 0, width: 0 };
  const { xx, xy, yy } = momentsOf(picture, centre);
  const shear = yy > FLAT ? xy / yy : 0;
  return {
    slant: (Math.atan(shear) * 180) / Math.PI,
    thickness: (2 * centre.area) / perimeterOf(picture),
    size: Math.sqrt(12 * yy + 1),
    width: Math.sqrt(12 * Math.max(0, xx - shear * xy) + 1),
  };
}
