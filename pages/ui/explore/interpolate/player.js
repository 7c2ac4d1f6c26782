// Playing a path: there and back again, at the same pace from stop to stop, until it is halted.

import { STILL_MS, isStill } from "../../lib/motion.js";

const LEG_MS = 3000; // from stop to stop
const JUMP_MS = 100; // a frame counts for no more, so that nothing jumps after a pause of the page

export class Player {
  /** button: says what it does; on: { path(), place(), move(place), rest(), shown() } */
  constructor(button, on) {
    this.button = button;
    this.on = on;
    this.going = false;
    button.onclick = () => (this.going ? on.rest() : this.play());
  }

  play() {
    const { on } = this;
    let last = performance.now(),
      exact = on.place(),
      way = exact >= on.path().last ? -1 : 1;
    const still = isStill(); // from picture to picture of the strip
    this.tell(true);
    const next = () => {
      if (still) this.timer = setTimeout(() => step(performance.now()), STILL_MS);
      else this.frame = requestAnimationFrame(step);
    };
    const step = (now) => {
      if (!on.shown()) return this.halt();
      const path = on.path(),
        leg = path.placeOf(path.steps),
        passed = Math.max(0, Math.min(JUMP_MS, now - last));
      last = now;
      exact += still ? way * path.placeOf(1) : (way * leg * passed) / LEG_MS;
      if (exact >= path.last) way = -1;
      if (exact <= 0) way = 1;
      exact = Math.max(0, Math.min(path.last, exact));
      on.move(Math.round(exact));
      next();
    };
    next();
  }

  /** Stop; nothing else happens. */
  halt() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    if (this.going) this.tell(false);
  }

  tell(going) {
    this.going = going;
    this.button.textContent = going ? "❚❚ Pause" : "▶ Play";
    this.button.setAttribute("aria-pressed", going);
  }
}
