// Runs beside the one that is shown: their curves in the same charts, their maps on the same axes.

import { DASHES, format } from "./curves.js";
import { Feed } from "./feed.js";
import { Film } from "./film.js";
import { History } from "./history.js";
import { LatentMap } from "./latent_map.js";

/** One compared run: its feed, its history, its map. */
export class Compared {
  constructor(host, { run, label }, index, changed) {
    Object.assign(this, { run, label, history: new History() });
    this.figure = host.appendChild(document.createElement("figure"));
    const dash = DASHES[index % DASHES.length].join(" ");
    this.figure.innerHTML = `<figcaption><svg viewBox="0 0 36 8" aria-hidden="true"><path d="M0 4H36" stroke="currentColor" stroke-width="3" stroke-dasharray="${dash}"/></svg> <b></b> <span></span></figcaption><canvas class="square" role="img" aria-label="latent map of a compared run"></canvas><p class="note"></p>`;
    this.figure.querySelector("b").textContent = label;
    this.figures = this.figure.querySelector("span");
    this.map = new LatentMap(this.figure.querySelector("canvas"), this.figure.querySelector("p"));
    this.feed = new Feed(
      run,
      (message) => {
        this.take(message);
        changed();
      },
      () => {},
    );
  }

  take(message) {
    this.history.add(message);
    const { snapshot, film } = message.news;
    if (snapshot) this.show({ snapshot, arrays: message.arrays });
    else if (!this.seen && film.length)
      new Film(this.run).get(film.at(-1)).then((frame) => frame && !this.seen && this.show(frame));
  }

  show({ snapshot, arrays }) {
    this.seen = true;
    this.map.show({ ...snapshot, ...arrays }, arrays.kl_dims.shape[0] > 2 ? ["PC 1", "PC 2"] : ["μ₁", "μ₂"]);
    this.figures.textContent = `step ${snapshot.step.toLocaleString("en")}: −ELBO ${format(snapshot.nll + snapshot.kl)}, KL ${format(snapshot.kl)}`;
  }

  destroy() {
    this.feed.close();
    this.map.destroy();
    this.figure.remove();
  }
}
