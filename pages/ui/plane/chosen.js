// Which point is chosen: the nearest to a place, or the next one in the direction of an arrow key. Runs under node.

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * The number of the point nearest to a place.
 * @param {Tensor} points (n, 2)
 * @param {Numbers} place
 */
export function nearest({ shape: [n], data }, [x1, x2]) {
  let best = 0,
    least = Infinity;
  for (let i = 0; i < n; i++) {
    const distance = Math.hypot(data[2 * i] - x1, data[2 * i + 1] - x2);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

/** The next point that way: near, and rather straight on than aside; the same one where there is none. */
export function next({ shape: [n], data }, from, key) {
  const [a, b] = KEYS[key];
  let best = from,
    least = Infinity;
  for (let i = 0; i < n; i++) {
    const [dx, dy] = [data[2 * i] - data[2 * from], data[2 * i + 1] - data[2 * from + 1]];
    const [along, aside] = [dx * a + dy * b, Math.abs(dx * b) + Math.abs(dy * a)];
    const cost = along + 3 * aside;
    if (along > 0 && cost < least) [best, least] = [i, cost];
  }
  return best;
}

export const isMove = (key) => key in KEYS;
