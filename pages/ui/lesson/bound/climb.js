// The ascent as the page drives it: a few steps a frame while it runs, then a search from other starts in spare time.

import { Ascent, searchBoth } from "./ascent.js";
import { isFull } from "./gaussian.js";
import { isStill } from "../../lib/motion.js";

const SPARE = 6; // ms of a frame that the search may take

export class Climb {
  constructor() {
    this.clear();
  }

  /** running, paused, searching, done, or idle when there is nothing to show. */
  get running() {
    return this.state === "running";
  }

  get paused() {
    return this.state === "paused";
  }

  get busy() {
    return this.running || this.state === "searching";
  }

  get q() {
    return this.ascent?.q;
  }

  get reading() {
    return this.ascent?.reading;
  }

  /** encoder: the encoder's q, or null where there is none. */
  start(problem, q, encoder) {
    const ascent = new Ascent(problem, q);
    this.problem = problem;
    this.encoder = encoder;
    this.family = isFull(q) ? "full" : "meanField";
    this.ascent = ascent;
    this.trace = ascent.trace;
    this.searching = null;
    this.state = "running";
  }

  pause() {
    this.state = "paused";
  }

  resume() {
    this.state = "running";
  }

  /** q was moved by hand. The curve and the gaps stay: they belong to the problem. */
  stop() {
    this.ascent = null;
    this.searching = null;
    this.state = "idle";
  }

  /** Another problem. */
  clear() {
    this.best = null;
    this.trace = null;
    this.stop();
  }

  /** What belongs into one frame. */
  work() {
    if (this.running) this.climb();
    else if (this.state === "searching") this.look();
  }

  climb() {
    // Where movement is not wanted the ascent takes all the steps that fit into a frame.
    const still = isStill();
    const until = performance.now() + (still ? SPARE : 0);
    do if (!this.ascent.step()) return this.arrive();
    while (performance.now() < until);
  }

  arrive() {
    const starts = [this.q];
    if (this.best) starts.push(this.own.q);
    else if (this.encoder) starts.push(this.encoder, ...this.problem.starts());
    this.state = "searching";
    this.searching = searchBoth(this.problem, starts);
  }

  look() {
    const until = performance.now() + SPARE;
    do {
      const { value, done } = this.searching.next();
      if (!done) continue;
      this.best = this.best ? better(this.best, value) : value;
      this.state = "done";
      return;
    } while (performance.now() < until);
  }

  /** The best q found of the family in which the ascent goes. */
  get own() {
    return this.best[this.family];
  }

  /**
   * KL(q ‖ p(z given x)) of the encoder's q and of the best q of both families, and by how much
   * the ascent fell short of the best q of its own family. Null before the search is over.
   */
  result() {
    if (!this.best || this.busy || this.paused) return null;
    const { meanField, full } = this.best;
    const kl = {
      encoder: this.encoder && this.problem.evaluate(this.problem.keep(this.encoder)).klPosterior,
      meanField: meanField.reading.klPosterior,
      full: full && full.reading.klPosterior,
    };
    const short = this.reading ? this.own.reading.elbo - this.reading.elbo : 0;
    return { kl, short, starts: this.own.starts };
  }
}

/** Of two results of searchBoth the better q of each family, with the most starts tried. */
function better(one, other) {
  const pick = (a, b) => a && { ...(b.reading.elbo > a.reading.elbo ? b : a), starts: Math.max(a.starts, b.starts) };
  return { meanField: pick(one.meanField, other.meanField), full: pick(one.full, other.full) };
}
