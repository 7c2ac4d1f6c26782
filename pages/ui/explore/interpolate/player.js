// Playing a path: there and back again, at the same pace from stop to stop, until it is halted.

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
    this.tell(true);
    const step = (now) => {
      if (!on.shown()) return this.halt();
      const path = on.path(),
        leg = path.placeOf(path.steps),
        passed = Math.max(0, Math.min(JUMP_MS, now - last));
      last = now;
      exact += (way * leg * passed) / LEG_MS;
      if (exact >= path.last) way = -1;
      if (exact <= 0) way = 1;
      exact = Math.max(0, Math.min(path.last, exact));
      on.move(Math.round(exact));
      this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  /** Stop; nothing else happens. */
  halt() {
    cancelAnimationFrame(this.frame);
    if (this.going) this.tell(false);
  }

  tell(going) {
    this.going = going;
    this.button.textContent = going ? "❚❚ Pause" : "▶ Play";
    this.button.setAttribute("aria-pressed", going);
  }
}
