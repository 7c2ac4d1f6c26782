// Where the knobs of q sit on the plane, and what a hand or a key does to the axis that a knob holds. A mean-field q has
// its axes along z₁ and z₂; those of a full covariance turn. Pure; runs under node.

import { axesOf, isFull, ofAxes } from "./gaussian.js";

export const STALK = 26; // px between the 2 std ellipse and the knob at the end of its axis
const TURN = Math.PI / 36; // 5 degrees for a key
const WIDER = 1.1;

/** The direction of axis d on the screen, where z₂ points up. */
const direction = (angle, d) => (d ? [-Math.sin(angle), -Math.cos(angle)] : [Math.cos(angle), -Math.sin(angle)]);

/**
 * The end of axis d in px from the centre of q; with `flip` −1 the other end.
 * scale: px for one unit of z.
 */
export function endOf({ angle, stds }, d, scale, flip) {
  const reach = flip * (2 * stds[d] * scale + STALK);
  return direction(angle, d).map((v) => v * reach);
}

/** On which side the knob of axis d has room within the frame: 1, or −1 where only the other end lies inside. */
export function sideOf(axes, d, scale, [cx, cy], { left, right, top, bottom }) {
  const inside = (flip) => {
    const [x, y] = endOf(axes, d, scale, flip);
    return cx + x <= right && cx + x >= left && cy + y >= top && cy + y <= bottom;
  };
  return !inside(1) && inside(-1) ? -1 : 1;
}

/**
 * q with the knob of axis d pulled by (dx, dy) px. Of a mean-field q only the width changes; an ellipse of full
 * covariance turns after the hand, and its other axis keeps its width. Returns { q, angle }.
 */
export function pulled(q, axes, d, scale, flip, [dx, dy]) {
  const end = endOf(axes, d, scale, flip);
  const along = direction(axes.angle, d).map((v) => v * flip);
  const to = [end[0] + dx, end[1] + dy];
  const length = isFull(q) ? Math.hypot(...to) : to[0] * along[0] + to[1] * along[1];
  const stds = axes.stds.map((s, k) => (k === d ? Math.max(1e-6, (length - STALK) / (2 * scale)) : s));
  const swept = Math.atan2(along[0] * -to[1] + along[1] * to[0], along[0] * to[0] + along[1] * to[1]);
  return shaped(q, { angle: axes.angle + (isFull(q) ? swept : 0), stds });
}

/** What a key does to the axis d of a full covariance: up and + widen, left and right turn. Returns { q, angle } or null. */
export function keyedAxis(key, shift, q, d, near) {
  const axes = axesOf(q, near),
    fine = shift ? 0.1 : 1;
  const turn = { ArrowLeft: 1, ArrowRight: -1 }[key];
  if (turn) return shaped(q, { ...axes, angle: axes.angle + turn * fine * TURN });
  const way = { ArrowUp: fine, ArrowDown: -fine, "+": 1, "=": 1, "-": -1, _: -1, "−": -1 }[key];
  if (!way) return null;
  return shaped(q, { ...axes, stds: axes.stds.map((s, k) => (k === d ? s * WIDER ** way : s)) });
}

function shaped({ mu, rho }, axes) {
  const q = rho === undefined ? { mu, log_var: axes.stds.map((s) => 2 * Math.log(s)) } : ofAxes(mu, axes);
  return { q, angle: axes.angle };
}

/** An angle in degrees as an axis has it: from −89 to 90. */
export function degrees(angle) {
  const turned = Math.round((angle * 180) / Math.PI) % 180;
  return turned > 90 ? turned - 180 : turned <= -90 ? turned + 180 : turned;
}
