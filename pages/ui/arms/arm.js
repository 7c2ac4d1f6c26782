// One arm: its run's feed, history and film, the picture of the moment that is shown, and the meters seen so far.

import { Feed } from "../lib/feed.js";
import { Film } from "../lib/film.js";
import { History } from "../lib/history.js";
import { pictureOf } from "../lib/wire.js";
import { asOfToday } from "./meter.js";
import { warmed, weightsAt } from "./pulls.js";

export class Arm {
  /**
   * @param {ArmShown} shown
   * @param {(arm: Arm, what: "news" | "picture" | "meter") => void} changed
   */
  constructor(shown, changed) {
    this.run = shown.run_id;
    this.shown = shown;
    this.changed = changed;
    this.history = new History();
    this.film = new Film(shown.run_id);
    /** @type {SnapshotPicture | null} */
    this.live = null;
    /** @type {SnapshotPicture | null} */
    this.picture = null;
    this.meters = new Map();
    this.at = null;
    /** @type {News | null} */
    this.news = null;
    this.state = "…";
    this.generation = 0;
    this.sought = false;
    this.feed = new Feed(
      this.run,
      (message) => this.take(message),
      (state) => this.connection(state),
    );
  }

  /** Whether there is a posterior: without one neither std nor KL are defined, and z is mu. */
  get posterior() {
    return this.shown.posterior;
  }

  /** What is decoded is mu, and no sample. */
  get decodesMu() {
    return !this.shown.sampled;
  }

  get status() {
    return this.state === "open" ? (this.news?.status ?? "…") : this.state;
  }

  /** Whether nothing more comes of it. */
  get ended() {
    return ["finished", "stopped", "failed", "gone", "refused", "lost"].includes(this.status);
  }

  /** Whether what is shown is how it ended. */
  get atEnd() {
    return this.ended && Boolean(this.picture) && (this.at === null || this.picture.step === this.film.steps.at(-1));
  }

  /** Its status, and whether the figures of how it ended are known: they come a moment after the picture. */
  get told() {
    return this.ended && this.meters.has(this.news?.step) ? `${this.status} and measured` : this.status;
  }

  /** @param {Message} message */
  take(message) {
    const { news, arrays } = message;
    this.history.add(message);
    if (news.fresh) this.forget();
    this.news = news;
    this.film.steps = news.film;
    if (this.at !== null && !this.picture) this.goTo(this.at); // an arm that came after the moment was chosen
    if (news.snapshot) {
      this.live = pictureOf(news.snapshot, arrays);
      this.remember(news.snapshot);
      this.film.frames.delete(news.snapshot.step); // at rest it is filmed again, with its meter
      if (this.at === null) this.show(this.live);
    } else if (!this.live && news.film.length) this.showLastFrame(news.film.at(-1));
    this.changed(this, "news");
    if (this.sought || !news.film.length) return;
    this.sought = true; // the newest snapshot may have none, and the film has
    this.seekMeter();
  }

  /** The run has begun again. */
  forget() {
    this.generation += 1;
    this.sought = false;
    this.film.clear();
    this.meters.clear();
    this.live = null;
    if (this.at === null) this.picture = null;
  }

  /** A run that was saved has no snapshot in memory: its last frame stands for it. */
  async showLastFrame(step) {
    const picture = await this.pictureAt(step);
    if (picture && !this.live && this.at === null) this.show(picture);
  }

  /** The kept step at or before another one. */
  stepBefore(step) {
    return this.film.steps.findLast((s) => s <= step);
  }

  async pictureAt(step) {
    const picture = await this.film.get(step);
    if (picture) this.remember(picture);
    return picture;
  }

  remember({ step, meter }) {
    if (meter) this.meters.set(step, asOfToday(meter));
  }

  /** Show a moment, or the present (null); an arm that had not begun yet shows nothing. */
  async goTo(at) {
    this.at = at;
    if (at === null) {
      if (this.live) return this.show(this.live);
      const last = this.film.steps.at(-1);
      return last === undefined ? this.show(null) : this.showLastFrame(last);
    }
    const step = this.stepBefore(at);
    if (step === undefined) return this.show(null);
    const picture = await this.pictureAt(step);
    if (this.at === at && picture) this.show(picture);
  }

  show(picture) {
    if (picture === this.picture) return;
    this.picture = picture;
    this.changed(this, "picture");
  }

  /** alpha and beta in force at the moment that is shown. */
  weights() {
    if (!this.news) return null;
    const { config, weights, step, totalSteps } = this.news;
    if (this.at === null) return warmed(weights, step, config, totalSteps);
    return weightsAt(this.at, config, this.history.marks, totalSteps);
  }

  /** The last meter known at or before the moment that is shown: { step, meter } or null. */
  meter() {
    const until = this.at ?? Infinity;
    const step = Math.max(...[...this.meters.keys()].filter((s) => s <= until), -1);
    return step < 0 ? null : { step, meter: this.meters.get(step) };
  }

  /** Look back through the film for the meter that belongs to the moment shown. */
  async seekMeter() {
    const at = this.at;
    const until = at ?? Infinity;
    for (const step of this.film.steps.filter((s) => s <= until).reverse()) {
      if (this.meters.has(step)) break;
      const picture = await this.pictureAt(step);
      if (this.at !== at) return;
      if (picture?.meter) break;
    }
    this.changed(this, "meter");
  }

  connection(state) {
    if (state === this.state) return;
    this.state = state;
    this.changed(this, "news");
  }

  destroy() {
    this.feed.close();
  }
}
