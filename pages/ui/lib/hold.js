// A map that lies in a page which scrolls. A swipe over it is the page's; a finger takes hold by the handle, or by resting.
//
// A mouse takes hold wherever it presses. Nothing here touches the page when it is imported.

const REACH = 22; // CSS pixels: half the width of what a finger can hit
const REST = 300; // ms after which a finger that rests has taken hold
const STILL = 8; // CSS pixels: a finger that moves more before is swiping

/**
 * Follow what presses on a node; `on` is told of it in places { clientX, clientY, offsetX, offsetY, currentTarget }:
 * handle(): where the handle is, as [x, y] in CSS pixels of the node, or null; down(place, how), with how one of "mouse",
 * "handle", "rest" and, followed by up at once, "tap"; move(place); up(place); cancel().
 */
export function takeHold(node, on) {
  const hold = new Hold(node, on);
  node.style.touchAction = "pan-y pinch-zoom";
  node.style.webkitTouchCallout = node.style.userSelect = node.style.webkitUserSelect = "none";
  node.addEventListener("pointerdown", (event) => hold.press(event));
  node.addEventListener("pointermove", (event) => hold.move(event));
  node.addEventListener("pointerup", (event) => hold.release(event));
  node.addEventListener("pointercancel", (event) => hold.is(event) && hold.cancel());
  // Only so a browser does not scroll with a finger that holds: it asks at the first touch, and before it begins.
  const keep = (event) => hold.held && event.cancelable && event.preventDefault();
  for (const name of ["touchstart", "touchmove"]) node.addEventListener(name, keep, { passive: false });
  node.addEventListener("contextmenu", (event) => hold.pointer !== null && hold.finger && event.preventDefault());
}

class Hold {
  pointer = null; // the one that presses
  held = false;
  finger = false;
  shift = [0, 0]; // from a finger to the handle that it holds

  constructor(node, on) {
    this.node = node;
    this.on = on;
  }

  is({ pointerId }) {
    return pointerId === this.pointer;
  }

  press(event) {
    if (event.button || this.pointer !== null) return this.pointer !== null && !this.held && this.forget(); // a pinch
    this.pointer = event.pointerId;
    this.finger = event.pointerType !== "mouse";
    this.shift = [0, 0];
    this.from = [event.clientX, event.clientY];
    this.last = this.at(event);
    if (!this.finger) return this.take("mouse");
    const handle = this.on.handle();
    const by = handle && [handle[0] - this.last.offsetX, handle[1] - this.last.offsetY];
    if (!by || Math.hypot(...by) > REACH) this.resting = setTimeout(() => this.take("rest"), REST);
    else {
      this.shift = by;
      this.last = this.at(event);
      this.take("handle");
    }
  }

  move(event) {
    if (!this.is(event)) return;
    this.last = this.at(event);
    if (this.held) this.on.move(this.last);
    else if (Math.hypot(event.clientX - this.from[0], event.clientY - this.from[1]) > STILL) this.forget();
  }

  release(event) {
    if (!this.is(event)) return;
    const { held } = this;
    this.forget();
    if (!held) this.on.down(this.at(event), "tap");
    this.on.up(this.at(event));
  }

  cancel() {
    const { held } = this;
    this.forget();
    if (held) this.on.cancel();
  }

  take(how) {
    this.held = true;
    this.node.setPointerCapture(this.pointer);
    this.node.classList.add("held");
    // A finger hides what it holds: the frame says that it has it.
    if (this.finger) this.node.style.outline = "4px solid var(--st-primary-color)";
    this.on.down(this.last, how);
  }

  /** What presses is nothing to us any more. */
  forget() {
    clearTimeout(this.resting);
    this.pointer = null;
    this.held = false;
    this.node.classList.remove("held");
    this.node.style.outline = "";
  }

  /** The parts of a drawing have offsets of their own: those of the node are asked for. */
  at(event) {
    const [clientX, clientY] = [event.clientX + this.shift[0], event.clientY + this.shift[1]];
    const { left, top } = this.node.getBoundingClientRect(),
      { clientLeft, clientTop } = this.node;
    const [offsetX, offsetY] = [clientX - left - clientLeft, clientY - top - clientTop];
    return { clientX, clientY, offsetX, offsetY, currentTarget: this.node };
  }
}
