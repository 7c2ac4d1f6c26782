// The film of a run in the browser: frames are fetched once and kept, and a bar moves through them.

import { fetchBytes } from "./fetched.js";
import { stepText } from "./numbers.js";
import { pictureOf, unpack } from "./wire.js";
import { STILL_MS, isStill } from "./motion.js";

/** Frames by step, fetched when first wanted. */
export class Film {
  constructor(run) {
    this.url = (step) => new URL(`./film/${encodeURIComponent(run)}/${step}`, document.baseURI);
    this.clear();
  }

  clear() {
    this.frames = new Map();
    this.steps = [];
  }

  /**
   * Resolves to one object a frame, its numbers and arrays, or to null when it has been thinned out.
   * @param {number} step
   * @returns {Promise<SnapshotPicture | null>}
   */
  get(step) {
    if (!this.frames.has(step)) {
      const frame = fetchBytes(this.url(step))
        .then(unpack)
        .then(({ snapshot, arrays }) => pictureOf(snapshot, arrays))
        .catch(() => null);
      frame.then((f) => f ?? this.frames.delete(step)); // a failure is not remembered
      this.frames.set(step, frame);
    }
    return this.frames.get(step);
  }

  /** The kept step next to a wanted one. */
  nearest(step) {
    return this.steps.reduce((best, s) => (Math.abs(s - step) < Math.abs(best - step) ? s : best), this.steps[0]);
  }
}

const SECONDS = 8; // the whole film at speed 1

/** Buttons and slider; a view may do without the box `loop` and the choice `speed`. `show(step)` is called with a film step, or with null for the present. */
export class Scrubber {
  constructor(part, film, show, settled) {
    this.part = part;
    this.film = film;
    this.show = show;
    this.settled = settled;
    this.at = null;
    this.timer = null;
    part.scrub.oninput = () => (this.pause(), this.go(this.film.steps[part.scrub.value]));
    part.toLive.onclick = () => (this.pause(), this.go(null));
    part.play.onclick = () => (this.timer ? this.pause() : this.play());
  }

  /** The film has grown, or another run is shown. */
  refresh() {
    const { part, film } = this;
    part.scrub.max = Math.max(0, film.steps.length - 1);
    const index = this.at === null ? film.steps.length - 1 : film.steps.indexOf(film.nearest(this.at));
    part.scrub.value = index;
    const step = this.at ?? film.steps[index] ?? 0;
    part.scrub.setAttribute("aria-valuetext", `step ${step}`);
    part.toLive.disabled = this.at === null;
    part.moment.textContent = this.at === null ? "now" : stepText(step);
  }

  /** Move to a step (to the frame nearest to it), or to the present with null. */
  go(step) {
    this.at = step === null || !this.film.steps.length ? null : this.film.nearest(step);
    this.refresh();
    this.show(this.at);
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settled(this.at), 400);
  }

  /** One frame back or forth. */
  move(by) {
    const { steps } = this.film;
    if (!steps.length) return;
    this.pause();
    const index = this.at === null ? steps.length - 1 : steps.indexOf(this.film.nearest(this.at));
    this.go(steps[Math.max(0, Math.min(steps.length - 1, index + by))]);
  }

  play() {
    const { steps } = this.film;
    if (steps.length < 2) return;
    let index = this.at === null || this.at === steps.at(-1) ? 0 : steps.indexOf(this.at);
    // Where less motion is wanted, as many frames are left out as keep one on the page for a while, but never the last.
    const stride = isStill() ? Math.ceil((STILL_MS * steps.length) / (SECONDS * 1000)) : 1;
    this.part.play.textContent = "❚❚";
    this.part.play.setAttribute("aria-label", "pause the film");
    const tick = () => {
      const last = this.film.steps.length - 1;
      this.go(this.film.steps[index]);
      if (index >= last && !this.part.loop?.checked) return this.pause();
      index = index >= last ? 0 : Math.min(index + stride, last);
      const pause = (stride * SECONDS * 1000) / this.film.steps.length / Number(this.part.speed?.value ?? 1);
      this.timer = setTimeout(tick, pause);
    };
    this.timer = setTimeout(tick, 0);
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.part.play.textContent = "▶";
    this.part.play.setAttribute("aria-label", "play the film");
  }

  destroy() {
    this.pause();
    clearTimeout(this.settling);
  }
}
