// Something of a drawing is taken hold of by mouse or finger.

const BEGIN = new WeakMap(); // of every node that can be taken hold of

/** A finger covers several handles that lie close together: it means the one whose middle is nearest. */
function nearest(node, { clientX, clientY }) {
  if (!node.matches(".handle")) return node;
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
  BEGIN.set(node, begin);
  let began = null,
    from = null;
  // touch-action does not hold for the parts of a drawing: without this a finger on the knob scrolls the page.
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    (event.pointerType === "mouse" ? begin : BEGIN.get(nearest(node, event)))(event);
  });
  function begin(event) {
    node.setPointerCapture(event.pointerId);
    if (node.hasAttribute("tabindex")) node.focus({ preventScroll: true });
    from = [event.clientX, event.clientY];
    began = start();
    node.closest("svg").classList.add("dragging");
  }
  node.addEventListener("pointermove", (event) => {
    if (from) move(began, event.clientX - from[0], event.clientY - from[1]);
  });
  node.addEventListener("lostpointercapture", () => {
    if (!from) return;
    from = null;
    node.closest("svg").classList.remove("dragging");
    end();
  });
}
