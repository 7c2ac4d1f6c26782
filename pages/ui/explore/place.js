// The one z of the page: where it rests, where it is being tried out, and the stops before.

import { rounded } from "./shared/numbers.js";

const TRAIL = 12; // stops
const STILL_MS = 400; // after the last arrow key

export class Place {
  /**
   * on: { moved(): another z is to be drawn; told(): for good, so that the link may follow; tried(): not for good;
   * rested(): it came to rest as a stop of the trail }
   */
  constructor(on) {
    this.on = on;
    this.rest = [];
    this.hovered = null;
    this.stops = [];
  }

  /** What is shown. */
  get z() {
    return this.hovered ?? this.rest;
  }

  /** Another model: no stop of before is a place in it. */
  load() {
    clearTimeout(this.still);
    this.hovered = null;
    this.nudgedFrom = null;
    this.stops = [];
  }

  /** Move z there, for good. */
  point(z, told = true) {
    this.hovered = null;
    this.rest = Array.from(z);
    this.on.moved();
    if (told) this.on.told();
  }

  /** Try a place out; null ends that. Nothing is sent meanwhile: what is still to be told waits. */
  hover(z) {
    if (z) this.on.tried();
    this.hovered = z;
    this.on.moved();
  }

  /** z comes to rest here; where it was can be gone back to. */
  go(z) {
    this.endNudge();
    if (String(this.rest) !== String(rounded(z))) this.leave(this.rest);
    this.settle(z);
  }

  leave(z) {
    this.stops = [...this.stops, z].slice(-TRAIL);
  }

  settle(z) {
    this.point(rounded(z));
    this.on.rested();
  }

  /** An arrow key: many in a row make one stop. */
  nudge(z) {
    this.nudgedFrom ??= this.rest;
    this.point(rounded(z));
    clearTimeout(this.still);
    this.still = setTimeout(() => {
      this.endNudge();
      this.settle(this.rest);
    }, STILL_MS);
  }

  /** Whatever comes next finds the stop that arrow keys have made, also within the time in which they count as one. */
  endNudge() {
    clearTimeout(this.still);
    if (this.nudgedFrom) this.leave(this.nudgedFrom);
    this.nudgedFrom = null;
  }

  /** Whether there was a stop to go back to. */
  back() {
    this.endNudge();
    const z = this.stops.pop();
    if (z) this.settle(z);
    return Boolean(z);
  }

  home() {
    this.go(new Float32Array(this.rest.length));
  }

  key(key) {
    if (key === "Home") this.home();
    else return key === "Backspace" && this.back();
    return true;
  }

  destroy() {
    clearTimeout(this.still);
  }
}
