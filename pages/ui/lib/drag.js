// Something of a drawing is taken hold of by mouse or finger: a handle at once, any other shape as a map is (hold.js).

import { takeHold } from "./hold.js";

const BEGIN = new WeakMap(); // of every handle

/** A finger covers several handles that lie close together: it means the one whose middle is nearest. */
function nearest(node, { clientX, clientY }) {
  const away = (handle) => {
    const { left, top, width, height } = (handle.querySelector(".knob") ?? handle).getBoundingClientRect();
    return Math.hypot(left + width / 2 - clientX, top + height / 2 - clientY);
  };
  const all = [...node.closest("svg").querySelectorAll(".handle")].filter((handle) => BEGIN.has(handle));
  return all.reduce((best, handle) => (away(handle) < away(best) ? handle : best), node);
}

/**
 * Follow a pointer that presses on the node until it lets go. `start()` returns what `move(began, dx, dy)` needs,
 * in CSS pixels since the press; `end()` is called once.
 */
export function draggable(node, { start, move, end }) {
  let began = null,
    from = null;
  const begin = ({ clientX, clientY }) => {
    if (node.hasAttribute("tabindex")) node.focus({ preventScroll: true });
    from = [clientX, clientY];
    began = start();
    node.closest("svg").classList.add("dragging");
  };
  const follow = ({ clientX, clientY }) => from && move(began, clientX - from[0], clientY - from[1]);
  const stop = () => {
    if (!from) return;
    from = null;
    node.closest("svg").classList.remove("dragging");
    end();
  };
  if (!node.matches(".handle")) {
    const down = (place, how) => how !== "tap" && begin(place);
    takeHold(node, { handle: () => null, down, move: follow, up: stop, cancel: stop });
    return;
  }
  BEGIN.set(node, (event) => (node.setPointerCapture(event.pointerId), begin(event)));
  // touch-action does not hold for the parts of a drawing: without this a finger on the knob scrolls the page.
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    BEGIN.get(event.pointerType === "mouse" ? node : nearest(node, event))(event);
  });
  node.addEventListener("pointermove", follow);
  node.addEventListener("lostpointercapture", stop);
}
