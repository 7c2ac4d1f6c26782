// Labels of a conditional model: one z under each of the ten, following z, and an image that is told a wrong one on
// purpose, with what that costs. One label in every style is the grid of the way Prior.

import { columnsOf, csv } from "../../lib/csv.js";
import { choices, press } from "../../lib/dom.js";
import { disc } from "../../lib/draw.js";
import { PIXELS, drawImage, greys } from "../../lib/images.js";
import { chipsOf } from "../shared/chips.js";
import { another, imageName, nextOf } from "../shared/classes.js";
import { rowAt } from "../shared/found.js";
import { Latest } from "../shared/latest.js";
import { zText } from "../shared/numbers.js";
import { SAMPLES } from "../shared/posterior.js";
import { sheetPicture } from "../shared/print.js";
import { Strip } from "../shared/strip.js";
import { taken } from "../shared/taken.js";
import { Way } from "../shared/way.js";
import { HTML } from "./html.js";
import { LABELS, costsOf, drawsOf, underAll, wrongOf } from "./math.js";
import { cellWords, costWords, howWords } from "./words.js";

export class LabelsWay extends Way {
  constructor(root, place, view, page) {
    super(root, place, view, page, HTML);
    root.classList.add("paths", "labels");
    const { part } = this;
    this.decoder = new Latest("ten labels");
    this.ten = new Strip(part.ten, "one z decoded under each label", () => {});
    this.wrong = new Strip(part.wrong, "an image decoded under each label", (wrong) => page.change({ wrong }));
    this.wrong.steer((by) => this.move(by));
    choices(root, "told", (told) => page.change({ told }));
    part.another.onclick = () => page.change({ image: another(this.state.image, this.found.set.labels) });
  }

  /** Of the labels: its set's class names. */
  get names() {
    return this.found.set.classNames;
  }

  /** The label of the image. */
  get right() {
    return this.found.set.labels[this.state.image];
  }

  /** A test image of a class; the next one where one of that class is shown already. */
  choose(digit) {
    const { labels } = this.found.set,
      { image } = this.state;
    this.page.change({ image: labels[image] === digit ? another(image, labels) : nextOf(digit, 0, labels) });
  }

  load(found) {
    this.found = found.about.labels ? found : null;
    this.asked = this.costs = this.pictures = null;
    if (!this.found) return;
    this.part.chips.replaceChildren(...chipsOf(this.names));
    choices(this.root, "digit", (label) => this.choose(Number(label)));
    for (const strip of [this.ten, this.wrong]) strip.size(LABELS, {});
    mark(this.ten, found.about.label);
    this.ten.tell(this.names.map((text, y) => ({ text, strong: y === found.about.label })));
  }

  show(state) {
    const { part, root } = this;
    this.state = state;
    if (!this.found) return;
    const { found, right } = this;
    press(root, "digit", right);
    press(root, "told", state.told);
    drawImage(part.x, found.image(state.image));
    part.source.textContent = imageName(state.image, found.set);
    part.x.setAttribute("aria-label", part.source.textContent);
    part.how.textContent = howWords(this.names[right], state.told);
    const wrong = wrongOf(state, right);
    mark(this.wrong, wrong);
    this.wrong.stand(wrong, this.names[wrong]);
    const asked = JSON.stringify([state.image, state.told]);
    if (asked !== this.asked) this.ask(asked);
    else this.tell();
  }

  /** Sixteen draws under each label, decoded behind the page. */
  async ask(asked) {
    const { found, state, right } = this,
      x = taken(found.image(state.image), found.about.protocol),
      { zs, ys, kl } = drawsOf(found.model, x, right, state.told);
    this.asked = asked;
    this.costs = null;
    this.tell();
    const means = await found.background.means("wrong label", zs, ys).catch(() => null);
    if (!means || asked !== this.asked || found !== this.found) return;
    this.costs = costsOf(x, means, kl, found.about);
    this.pictures = new Uint8Array(LABELS * PIXELS);
    for (let y = 0; y < LABELS; y++) this.pictures.set(greys(rowAt(means, y * SAMPLES, PIXELS)), y * PIXELS);
    this.wrong.draw(this.pictures);
    this.tell();
    this.page.refresh();
  }

  /** To the wrong label before or after: over the right one, and from either end to the other. */
  move(by) {
    const from = (label) => (label + by + LABELS) % LABELS,
      wrong = from(wrongOf(this.state, this.right));
    this.page.change({ wrong: wrong === this.right ? from(wrong) : wrong });
  }

  tell() {
    const { costs, right, part } = this;
    this.wrong.tell(
      this.names.map((text, y) => ({ text, strong: y === right, small: costs ? cellWords(costs[y]) : "…" })),
    );
    part.said.textContent = costs ? costWords(costs, right, wrongOf(this.state, right), this.names) : "";
  }

  /** Called for every z: it is decoded under each label, as it is dragged. */
  moved(z) {
    if (!this.found) return;
    const { zs, ys } = underAll(z);
    this.decoder.ask(this.found, zs, (pictures, _, to) => to === LABELS && this.keep(z, pictures), ys);
  }

  keep(z, pictures) {
    this.shown = { z, pictures };
    this.ten.draw(pictures);
  }

  // ---- the map

  /** The code of the image, as encoded with its own label. */
  draw(ctx, at, scale, { primary, background }) {
    if (this.found) disc(ctx, at(this.view.plane.to(this.found.code(this.state.image))), 6, primary, [background, 2]);
  }

  press(xy, code) {
    if (code < 0) return false;
    this.page.change({ image: code });
    return true;
  }

  // ---- files

  files() {
    return this.costs && this.shown ? { png: () => this.png(), gif: null, csv: () => this.csv() } : null;
  }

  png() {
    const data = new Uint8Array([...this.shown.pictures, ...this.pictures]),
      rows = ["one z", `image of ${this.names[this.right]}`],
      across = `label told; z = ${zText(this.shown.z)}; ${imageName(this.state.image, this.found.set)}`;
    return sheetPicture({ data, columns: this.names, rows, across, up: "", colours: this.page.colours });
  }

  csv() {
    const { found, state, costs, right, names } = this,
      title = imageName(state.image, found.set),
      encoder = (y) => (state.told === "same" ? y : right);
    return csv([
      [
        "image",
        "label of the encoder",
        "label of the decoder",
        "−ELBO",
        "reconstruction",
        "KL",
        ...columnsOf("z", found.set.dims),
      ],
      ...costs.map((cost, y) => [
        title,
        names[encoder(y)],
        names[y],
        ...(cost ? [cost.negElbo, cost.nll, cost.kl] : ["", "", ""]),
        ...this.shown.z,
      ]),
    ]);
  }
}

/** A frame around one picture of a strip. */
const mark = (strip, k) => strip.root.style.setProperty("--here", `${(k + 0.5) / LABELS}`);
