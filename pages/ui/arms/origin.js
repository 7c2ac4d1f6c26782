// Where a sample comes from: the nearest test image to its picture, and what lies around its z on the map.

/**
 * The code nearest to a point of the map: { index, distance } in prior units.
 * @param {Numbers} place
 */
export function nearestCode([x, y], { xy: { data }, xyUnit }, except = -1) {
  let [index, least] = [-1, Infinity];
  for (let i = 0; 2 * i < data.length; i++) {
    const d = (data[2 * i] * xyUnit - x) ** 2 + (data[2 * i + 1] * xyUnit - y) ** 2;
    if (d < least && i !== except) [index, least] = [i, d];
  }
  return { index, distance: Math.sqrt(least) };
}

const SAMPLE = 200; // codes of which the usual distance to a neighbour is taken

/** The median distance of a code from its nearest neighbour on the map. */
export function usualGap(picture) {
  const count = picture.xy.shape[0],
    stride = Math.max(1, Math.floor(count / SAMPLE));
  const gaps = [];
  for (let i = 0; i < count; i += stride) {
    const at = [picture.xy.data[2 * i] * picture.xyUnit, picture.xy.data[2 * i + 1] * picture.xyUnit];
    gaps.push(nearestCode(at, picture, i).distance);
  }
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
}

/** What counts as near a code: 3 mean posterior stds; without a posterior 3 times the usual gap between codes. */
export function nearness(picture, posterior) {
  return posterior
    ? { reach: 3 * picture.meanStd, of: "3 mean posterior std" }
    : { reach: 3 * usualGap(picture), of: "3 usual gaps between codes" };
}

const SIGMAS = 3;

/** "both", "prior" (no code is near), "code" (near a code, outside 3 sigma) or "nowhere". */
export function placeOf([x, y], distance, reach) {
  const [inside, near] = [Math.hypot(x, y) <= SIGMAS, distance <= reach];
  return inside ? (near ? "both" : "prior") : near ? "code" : "nowhere";
}

export const PLACES = {
  both: "Prior draws fall here, and a code is near.",
  prior: "Prior draws fall here, but no code is near.",
  code: "Near a code, but outside 3σ: prior draws hardly ever fall here.",
  nowhere: "Outside 3σ and far from every code.",
};
