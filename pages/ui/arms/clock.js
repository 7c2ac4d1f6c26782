// The one clock of all arms: a bar over every step that any of them has kept.

import { Film, Scrubber } from "../lib/film.js";

export class Clock {
  /** go(step), or null for the present; rests(step): it was chosen. */
  constructor(part, go, rests) {
    this.film = new Film(""); // no frames of its own: the union of the arms' steps
    this.scrubber = new Scrubber(part, this.film, go, rests);
  }

  get at() {
    return this.scrubber.at;
  }

  /** Whether it stands at the first moment of the film. */
  get atStart() {
    return this.at !== null && this.at === this.film.steps[0];
  }

  /** Back to the first moment of the film. */
  rewind() {
    const [first] = this.film.steps;
    if (first === undefined) return;
    this.scrubber.pause();
    this.scrubber.go(first);
  }

  move(by) {
    this.scrubber.move(by);
  }

  play() {
    this.scrubber.play();
  }

  /** What pressing a part does, by its name; `to` is where the slider was to go. */
  carryOut(move, to) {
    if (move === "play") this.play();
    else if (move === "toLive") this.scrubber.go(null);
    else this.scrubber.go(this.film.steps[to] ?? this.at);
  }

  /** A moment named by the link counts once: gone to when all arms are known. */
  begin(at) {
    if (this.wanted === undefined) this.wanted = at ?? null;
  }

  refresh(arms) {
    const steps = new Set(arms.flatMap(({ film }) => film.steps));
    this.film.steps = [...steps].sort((a, b) => a - b);
    this.scrubber.refresh();
    if (this.wanted == null || !steps.size || !arms.every(({ news }) => news)) return;
    this.scrubber.go(this.wanted);
    this.wanted = null;
  }

  destroy() {
    this.scrubber.destroy();
  }
}
