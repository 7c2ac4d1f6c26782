// Which part of the axis of nats the bars show. Pure; runs under node.

import { niceAbove } from "../../lib/numbers.js";

/**
 * A window that begins well below `low` and ends a little above `high`: log p(x) near −130 would otherwise fill every
 * bar alike and hide the gap. The previous window stays as long as it serves, so that bars move and the axis does not.
 * Returns { from, to, step }, step being the distance of round ticks.
 */
export function axisWindow({ low, high }, previous = null) {
  if (previous && serves(previous, low, high)) return previous;
  const width = niceAbove(Math.max(0.5, 1.4 * (high - low)));
  const step = width / 5;
  const from = Math.floor((high - 0.95 * width) / step) * step;
  return { from, to: from + 6 * step, step };
}

function serves({ from, to }, low, high) {
  const width = to - from;
  return low >= from + 0.06 * width && high <= to - 0.01 * width && (width < 0.7 || high - low >= 0.12 * width);
}
