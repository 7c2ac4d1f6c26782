// The handles of q: knobs for mouse, finger and keys.

import { set, svg } from "../../lib/svg.js";

/** A knob that takes the focus: `name` is what a screen reader says. */
export function handle(parent, name, kind) {
  const group = svg(
    "g",
    {
      class: `handle ${kind}`,
      tabindex: 0,
      role: "slider",
      "aria-label": name,
      "aria-valuenow": 0,
      "data-handle": kind,
    },
    parent,
  );
  const stalk = svg("line", { class: "stalk" }, group);
  svg("circle", { class: "hit", r: 22 }, group);
  svg("circle", { class: "knob", r: 8 }, group);
  return { group, stalk };
}

export const nameHandle = ({ group }, name) => set(group, { "aria-label": name });

export function placeHandle({ group, stalk }, [x, y], [fromX, fromY], { now, text }) {
  for (const circle of group.querySelectorAll("circle")) set(circle, { cx: x, cy: y });
  set(stalk, { x1: fromX, y1: fromY, x2: x, y2: y });
  set(group, { "aria-valuenow": now.toFixed(4), "aria-valuetext": text });
}

const WIDER = 1.1;

/**
 * What a key does to q. Arrows move mu by `step`; + and − change every width. With `only` both change the width of that
 * dimension. Shift makes arrows ten times finer, and no difference to + and −: many keyboards need it to type +.
 * Returns the new q, or null for other keys.
 */
export function keyed(key, shift, q, step, only = null) {
  const fine = shift ? 0.1 : 1;
  const widths = (sign, dims, share = fine) => ({
    ...q,
    log_var: q.log_var.map((v, d) => (dims(d) ? v + sign * 2 * share * Math.log(WIDER) : v)),
  });
  const sign = { "+": 1, "=": 1, "-": -1, _: -1, "−": -1 }[key];
  if (sign) return widths(sign, (d) => only === null || d === only, 1);
  const arrow = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [1, -1], ArrowUp: [1, 1] }[key];
  if (!arrow) return null;
  const [axis, way] = arrow;
  if (only !== null) return widths(way, (d) => d === only);
  if (axis >= q.mu.length) return null;
  return { ...q, mu: q.mu.map((m, d) => (d === axis ? m + way * step * fine : m)) };
}
