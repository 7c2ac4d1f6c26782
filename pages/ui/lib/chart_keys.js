// What the mouse does with a chart of uPlot, by keys: ← and → move its cursor, + zooms in there, − and Escape show all.

import { onKeys } from "./keys.js";

const STEPS = 40; // of the cursor across the chart
const CLOSER = 4; // what + leaves of the axis

/**
 * @param {HTMLElement} target takes the focus
 * @param {any} plot of uPlot
 * @param {HTMLElement} reading is read out while the keys are here, and not while a mouse passes
 */
export function steerChart(target, plot, reading) {
  target.tabIndex = 0;
  target.addEventListener("focus", () => reading.setAttribute("aria-live", "polite"));
  target.addEventListener("blur", () => reading.setAttribute("aria-live", "off"));
  onKeys(target, (key) => {
    if (!plot.data[0].length) return false;
    const way = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (way) return moveCursor(plot, way);
    if (!plot.cursor.drag.x) return false; // of charts that share an axis none is zoomed
    if (key === "+") return zoomIn(plot);
    return (key === "-" || key === "Escape") && zoomOut(plot);
  });
}

function moveCursor(plot, way) {
  const width = plot.over.clientWidth,
    from = plot.cursor.left >= 0 ? plot.cursor.left : way > 0 ? 0 : width;
  const left = Math.max(0, Math.min(width - 1, from + (way * width) / STEPS));
  plot.setCursor({ left, top: plot.over.clientHeight / 2 });
  return true;
}

function zoomIn(plot) {
  const { min, max } = plot.scales.x,
    at = plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : (min + max) / 2;
  const half = (max - min) / CLOSER / 2;
  const [first, last] = ends(plot);
  plot.setScale("x", { min: Math.max(first, at - half), max: Math.min(last, at + half) });
  return true;
}

/** Whether there was anything to take back. */
function zoomOut(plot) {
  const [first, last] = ends(plot),
    { min, max } = plot.scales.x;
  if (min <= first && max >= last) return false;
  plot.setScale("x", { min: first, max: last });
  return true;
}

const ends = ({ data: [steps] }) => [steps[0], steps[steps.length - 1]];
