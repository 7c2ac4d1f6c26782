// The map takes the pointer and the keys. Moving tries a place out; dragging goes there; a click that does not move is a
// click; leaving ends the trying out. Fingers drag as a pressed mouse does.

import { onKeys } from "../lib/keys.js";

const NEAR = 11; // CSS pixels: a press so close to a code is meant for its image
const STILL = 4; // CSS pixels: less is no drag
const STEP = 0.1,
  FINE = 0.01; // an arrow key, and with Shift, in prior units
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Pointer {
  /**
   * on: { hover(xy), leave(), press(xy, code) -> taken, drag(xy), drop(xy), click(xy), nudge(by), key(key) -> taken }
   * codes(): Float32Array (count, 2) of the map.
   */
  constructor(canvas, map, codes, on) {
    this.canvas = canvas;
    this.map = map;
    this.codes = codes;
    this.on = on;
    this.down = null;
    canvas.onpointerdown = (event) => this.press(event);
    canvas.onpointermove = (event) => this.move(event);
    canvas.onpointerup = (event) => this.release(event);
    canvas.onpointercancel = () => this.cancel();
    canvas.onpointerleave = () => this.down || this.on.leave();
    onKeys(canvas, (key, { shiftKey }) => this.key(key, shiftKey), { shift: true });
  }

  press(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const xy = this.map.place(event),
      taken = this.on.press(xy, this.codeAt(xy));
    this.down = { at: [event.offsetX, event.offsetY], moved: false, taken };
    if (!taken && event.pointerType !== "mouse") this.on.hover(xy);
  }

  move(event) {
    const { down } = this;
    if (!down) return event.pointerType === "mouse" && this.on.hover(this.map.place(event));
    down.moved ||= Math.hypot(event.offsetX - down.at[0], event.offsetY - down.at[1]) >= STILL;
    if (down.moved && !down.taken) this.on.drag(this.map.place(event));
  }

  release(event) {
    const { down } = this;
    this.down = null;
    if (!down || down.taken) return;
    if (down.moved) this.on.drop(this.map.place(event));
    else this.on.click(this.map.place(event));
  }

  cancel() {
    this.down = null;
    this.on.leave();
  }

  /**
   * The test image whose code lies within reach of a finger, or -1.
   * @param {Numbers} place
   */
  codeAt([x, y]) {
    const codes = this.codes(),
      limit = ((NEAR * 2 * this.map.reach()) / this.canvas.clientWidth) ** 2;
    let [index, least] = [-1, limit];
    for (let i = 0; 2 * i < codes.length; i++) {
      const d = (codes[2 * i] - x) ** 2 + (codes[2 * i + 1] - y) ** 2;
      if (d < least) [index, least] = [i, d];
    }
    return index;
  }

  key(key, fine) {
    const by = KEYS[key];
    if (!by) return !fine && this.on.key(key);
    this.on.nudge(by.map((v) => v * (fine ? FINE : STEP)));
    return true;
  }
}
