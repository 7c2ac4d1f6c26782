// Runs beside the one that is shown: their curves in the same charts, their maps on the same axes.

import { DASHES } from "../lib/curves.js";
import { make } from "../lib/dom.js";
import { Feed } from "../lib/feed.js";
import { Film } from "../lib/film.js";
import { History } from "../lib/history.js";
import { LatentMap } from "../lib/map.js";
import { format, stepText } from "../lib/numbers.js";
import { axesOf } from "../lib/plane.js";
import { pictureOf } from "../lib/wire.js";

const htmlOf = (dash) =>
  `<figcaption><svg viewBox="0 0 36 8" aria-hidden="true"><path d="M0 4H36" stroke="currentColor" stroke-width="3" stroke-dasharray="${dash}"/></svg> <b></b> <span></span></figcaption><canvas class="square" role="img" aria-label="latent map of a compared run"></canvas><p class="note"></p>`;

/** One compared run: its feed, its history, its map. */
export class Compared {
  constructor(host, { run, label }, index, changed) {
    this.run = run;
    this.label = label;
    this.history = new History();
    const dash = DASHES[index % DASHES.length].join(" ");
    this.figure = host.appendChild(make("figure", { innerHTML: htmlOf(dash) }));
    this.figure.querySelector("b").textContent = label;
    this.figures = this.figure.querySelector("span");
    this.map = new LatentMap(this.figure.querySelector("canvas"), this.figure.querySelector("p"));
    this.feed = new Feed(
      run,
      (message) => (this.take(message), changed()),
      () => {},
    );
  }

  /** @param {Message} message */
  take(message) {
    this.history.add(message);
    const { snapshot, film } = message.news;
    if (snapshot) this.show(pictureOf(snapshot, message.arrays));
    else if (!this.seen && film.length)
      new Film(this.run).get(film.at(-1)).then((picture) => picture && !this.seen && this.show(picture));
  }

  /** @param {SnapshotPicture} picture */
  show(picture) {
    const { step, negElbo, terms, dims } = picture;
    this.seen = true;
    if (dims) this.map.show(picture, axesOf(Math.max(2, dims)));
    const figures = Number.isFinite(negElbo) ? { "−ELBO": negElbo, ...("kl" in terms && { KL: terms.kl }) } : terms;
    const texts = Object.entries(figures).map(([name, value]) => `${name} ${format(value)}`);
    this.figures.textContent = `${stepText(step)}: ${texts.join(", ")}`;
  }

  destroy() {
    this.feed.close();
    this.map.destroy();
    this.figure.remove();
  }
}
