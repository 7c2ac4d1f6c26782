// The map takes the pointer and the keys. Moving tries a place out; dragging goes there; a click that does not move is a
// click; leaving ends the trying out. Fingers take hold of z, or rest first: see hold.js.

import { takeHold } from "../lib/hold.js";
import { onKeys } from "../lib/keys.js";

const NEAR = 11; // CSS pixels: a press so close to a code is meant for its image
const STILL = 4; // CSS pixels: less is no drag
const STEP = 0.1,
  FINE = 0.01; // an arrow key, and with Shift, in prior units
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Pointer {
  /**
   * on: { handle() -> xy or null: what a finger drags; hover(xy), leave(), press(xy, code) -> taken, drag(xy), drop(xy),
   * click(xy), nudge(by), key(key) -> taken }
   * codes(): Float32Array (count, 2) of the map.
   */
  constructor(canvas, map, codes, on) {
    this.canvas = canvas;
    this.map = map;
    this.codes = codes;
    this.on = on;
    this.down = null;
    takeHold(canvas, {
      handle: () => this.handle(),
      down: (place, how) => this.press(place, how),
      move: (place) => this.move(place),
      up: (place) => this.release(place),
      cancel: () => this.cancel(),
    });
    canvas.onpointermove = (event) =>
      !this.down && event.pointerType === "mouse" && this.on.hover(this.map.place(event));
    canvas.onpointerleave = () => this.down || this.on.leave();
    onKeys(canvas, (key, { shiftKey }) => this.key(key, shiftKey), { shift: true });
  }

  /** Where the handle is, in CSS pixels of the canvas. */
  handle() {
    const place = this.on.handle();
    if (!place) return null;
    const side = this.canvas.clientWidth,
      scale = side / (2 * this.map.reach());
    return [side / 2 + place[0] * scale, side / 2 - place[1] * scale];
  }

  /** A finger that holds z chooses nothing under it, unless it lets go where it came down. */
  press(event, how) {
    const xy = this.map.place(event),
      chooses = how === "mouse" || how === "tap";
    const taken = chooses && this.on.press(xy, this.codeAt(xy));
    this.down = { at: [event.offsetX, event.offsetY], moved: how === "rest", taken, how };
    if (how === "rest") this.on.hover(xy);
  }

  move(event) {
    const { down } = this;
    if (!down) return;
    down.moved ||= Math.hypot(event.offsetX - down.at[0], event.offsetY - down.at[1]) >= STILL;
    if (down.moved && !down.taken) this.on.drag(this.map.place(event));
  }

  release(event) {
    const { down } = this;
    this.down = null;
    if (!down || down.taken) return;
    if (down.moved) this.on.drop(this.map.place(event));
    else if (down.how !== "handle" || !this.on.press(this.map.place(event), this.codeAt(this.map.place(event))))
      this.on.click(this.map.place(event));
  }

  cancel() {
    this.down = null;
    this.on.leave();
  }

  /**
   * The test image whose code lies within reach of a finger, or so near, or -1.
   * @param {Numbers} place
   * @param {number} limit prior units
   */
  codeAt([x, y], limit = (NEAR * 2 * this.map.reach()) / this.canvas.clientWidth) {
    const codes = this.codes();
    let [index, least] = [-1, limit ** 2];
    for (let i = 0; 2 * i < codes.length; i++) {
      const d = (codes[2 * i] - x) ** 2 + (codes[2 * i + 1] - y) ** 2;
      if (d < least) [index, least] = [i, d];
    }
    return index;
  }

  key(key, fine) {
    const by = KEYS[key];
    if (!by) return !fine && (this.on.key(key) || (key === "Enter" && this.pressNearest()));
    this.on.nudge(by.map((v) => v * (fine ? FINE : STEP)));
    return true;
  }

  /** Keys bring the handle near to a code, and seldom onto it: of all codes the nearest is meant. */
  pressNearest() {
    const place = this.on.handle();
    return Boolean(place) && this.on.press(place, this.codeAt(place, Infinity));
  }
}
