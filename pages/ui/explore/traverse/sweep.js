// To and fro along one latent, decoded as it goes.

import { STILL_MS, isStill } from "../../lib/motion.js";

const SPEED = 1.5; // prior units a second

/** Where a point is that goes to and fro between ±reach at an even pace and was at 0, going up, at the start. */
export function toAndFro(way, reach) {
  const on = (((way + reach) % (4 * reach)) + 4 * reach) % (4 * reach);
  return on < 2 * reach ? on - reach : 3 * reach - on;
}

export class Sweep {
  /** show(value): for every frame; rest(value): paused there, the base stays what it was; told(going); reach(), steps(), wanted(): as they are now. */
  constructor({ show, rest, told, reach, steps, wanted }) {
    this.show = show;
    this.rest = rest;
    this.told = told;
    this.reach = reach;
    this.steps = steps;
    this.wanted = wanted;
    this.way = 0;
    this.at = null;
    this.going = false;
  }

  play() {
    if (this.going) return;
    this.going = true;
    this.at = null;
    this.slow = isStill();
    this.told(true);
    this.next(performance.now());
  }

  next(before) {
    const step = (now) => {
      if (!this.going) return;
      if (!this.wanted()) return this.halt();
      this.way += this.slow
        ? (2 * this.reach()) / (this.steps() - 1)
        : (SPEED * Math.min(100, Math.max(0, now - before))) / 1000;
      this.at = toAndFro(this.way, this.reach());
      this.show(this.at);
      this.next(now);
    };
    if (this.slow) this.timer = setTimeout(() => step(performance.now()), STILL_MS);
    else this.frame = requestAnimationFrame(step);
  }

  /** Stop, and stay where it is. */
  pause() {
    this.halt();
    if (this.at !== null) this.rest(this.at);
  }

  /** Stop; nothing else happens. */
  halt() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame ?? 0);
    if (this.going) this.told(false);
    this.going = false;
  }
}
