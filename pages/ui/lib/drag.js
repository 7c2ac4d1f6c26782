// Something of a drawing is taken hold of by mouse or finger.

/**
 * Follow a pointer that presses on the node until it lets go. `start()` returns what `move(began, dx, dy)` needs,
 * in CSS pixels since the press; `end()` is called once.
 */
export function draggable(node, { start, move, end }) {
  let began = null,
    from = null;
  // touch-action does not hold for the parts of a drawing: without this a finger on the knob scrolls the page.
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    node.setPointerCapture(event.pointerId);
    if (node.hasAttribute("tabindex")) node.focus({ preventScroll: true });
    from = [event.clientX, event.clientY];
    began = start();
    node.closest("svg").classList.add("dragging");
  });
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
