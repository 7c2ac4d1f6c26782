// What is chosen for the arithmetic: a direction and an image; or three codes, of test images or of whole classes.

import { drawImages } from "../live/pictures.js";
import { greys } from "../net/model.js";
import { short } from "./numbers.js";
import { nextOf } from "./path_stops.js";
import { codeOf, lengthOf, named } from "./vector_math.js";

const SLOTS = ["a", "b", "c"];
const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

function button(text, label, onclick) {
  const made = document.createElement("button");
  made.textContent = text;
  if (label) made.setAttribute("aria-label", label);
  made.onclick = onclick;
  return made;
}

/** A button with a picture: { root, show(picture, text, pressed) }. */
function pictureButton(onclick) {
  const root = button("", "", onclick),
    canvas = document.createElement("canvas"),
    text = document.createElement("span");
  root.className = "picture";
  canvas.className = "images";
  canvas.setAttribute("aria-hidden", "true");
  root.append(canvas, text);
  const show = (picture, words, pressed = null) => {
    drawImages(canvas, { shape: [1, 28, 28], data: picture }, 1);
    text.textContent = words;
    if (pressed !== null) root.setAttribute("aria-pressed", pressed);
  };
  return { root, show };
}

/** Which attribute, and which test image it is given to. on: { app, change(partial) } */
export class AttributePanel {
  constructor(root, { app, change }) {
    root.innerHTML = `<div class="row" role="group" aria-label="attribute"></div><div class="row"><span class="row digits" role="group" aria-label="a test image of the class"></span><button></button><small></small></div>`;
    const [kinds, line] = root.children,
      [digits, next, text] = line.children;
    Object.assign(this, { app, change, kinds, digits, next, text });
    digits.append(...DIGITS.map((digit) => button(digit, `a test image of class ${digit}`, () => this.take(digit, 0))));
    next.onclick = () => this.take(app.set.labels[this.image], this.image + 1);
  }

  load() {
    this.kinds.replaceChildren(
      ...this.app.about.attributes.map(({ key, label, unit, says }) => {
        const made = button(`${label} (${unit})`, "", () => this.change({ attribute: key }));
        made.dataset.attribute = key;
        made.title = says ?? "";
        return made;
      }),
    );
  }

  take(digit, from) {
    const image = nextOf(digit, from, this.app.set.labels);
    if (image >= 0) this.change({ image });
  }

  show({ attribute, image }) {
    const { labels } = this.app.set,
      digit = labels[image];
    this.image = image;
    for (const made of this.kinds.children) made.setAttribute("aria-pressed", made.dataset.attribute === attribute);
    [...this.digits.children].forEach((made, k) => made.setAttribute("aria-pressed", k === digit));
    this.next.textContent = `Another ${digit}`;
    this.text.textContent = `Test image ${image}, a ${digit}; or press a code.`;
  }
}

/** The ten class means, decoded. */
export class MeansPanel {
  /** pick(digit) */
  constructor(root, app, pick) {
    root.classList.add("means");
    Object.assign(this, { app, buttons: DIGITS.map((digit) => pictureButton(() => pick(digit))) });
    root.append(...this.buttons.map((made) => made.root));
  }

  load() {
    this.drawn = false;
  }

  /** words(digit, code): under each; pressed(digit). */
  show(words, pressed = () => null) {
    const { set, model } = this.app;
    this.pictures ??= [];
    DIGITS.forEach((digit) => {
      const code = codeOf(String(digit), set);
      if (!this.drawn) this.pictures[digit] = greysOf(model, code);
      this.buttons[digit].root.setAttribute("aria-label", `mean of the ${digit}s`);
      this.buttons[digit].show(this.pictures[digit], words(digit, code), pressed(digit));
    });
    this.drawn = true;
  }
}

export const greysOf = (model, z) => greys(model.decode(z));

export const meanWords = (digit, code) => `${digit}: |z| ${short(lengthOf(code))}`;

/** a, b and c: which one is being chosen, and what they are. */
export class SlotsPanel {
  constructor(root, { app, change }) {
    root.innerHTML = `<div class="slots"></div><div class="from"><small></small><div></div></div>`;
    const [
      slots,
      {
        children: [hint, means],
      },
    ] = root.children;
    Object.assign(this, { app, change, hint, slot: "a" });
    this.buttons = SLOTS.map((slot) => pictureButton(() => this.choose(slot)));
    slots.append(...this.buttons.map((made) => made.root));
    this.means = new MeansPanel(means, app, (digit) => this.fill(String(digit)));
  }

  load() {
    this.means.load();
  }

  choose(slot) {
    this.slot = slot;
    this.show(this.app.state.arithmetic);
  }

  /** The slot that is being chosen gets a value; the next one's turn. */
  fill(value) {
    const { slot } = this;
    this.slot = SLOTS[(SLOTS.indexOf(slot) + 1) % SLOTS.length];
    this.change({ [slot]: value });
  }

  show(state) {
    const { app, slot } = this;
    SLOTS.forEach((name, k) => {
      const words = `${name}: ${named(state[name], app.set)}`;
      this.buttons[k].root.setAttribute("aria-label", `choose ${words}`);
      this.buttons[k].show(greysOf(app.model, codeOf(state[name], app.set)), words, name === slot);
    });
    this.hint.textContent = `z = c + strength · (b − a). Choose ${slot}: press a code on the map, or the mean of a class:`;
    this.means.show(
      (digit) => String(digit),
      (digit) => state[slot] === String(digit),
    );
  }
}
