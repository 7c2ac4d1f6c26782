// What is chosen for the arithmetic: a direction and an image; or three codes, of test images or of whole classes.

import { make, press } from "../../lib/dom.js";
import { drawImage } from "../../lib/images.js";
import { classOf, imageName, nextOf } from "../shared/classes.js";
import { short } from "../shared/numbers.js";
import { codeOf, labelsOf, lengthOf, named } from "./math.js";

const SLOTS = ["a", "b", "c"];

const button = (textContent, label, onclick) => make("button", { textContent, onclick, aria: label ? { label } : {} });

/** A button with a picture: { root, show(picture, text, pressed) }. */
function pictureButton(onclick) {
  const canvas = make("canvas", { className: "images", aria: { hidden: "true" } }),
    text = make("span"),
    root = make("button", { className: "picture", onclick }, canvas, text);
  const show = (picture, words, pressed = null) => {
    drawImage(canvas, picture);
    text.textContent = words;
    if (pressed !== null) root.setAttribute("aria-pressed", pressed);
  };
  return { root, show };
}

/** Which attribute, and which test image it is given to. */
export class AttributePanel {
  constructor(root, change) {
    root.innerHTML = `<div class="row" role="group" aria-label="attribute"></div><div class="row"><span class="row digits" role="group" aria-label="a test image of the class"></span><button></button><small></small></div>`;
    const [kinds, line] = root.children,
      [digits, next, text] = line.children;
    this.change = change;
    this.kinds = kinds;
    this.digits = digits;
    this.next = next;
    this.text = text;
    next.onclick = () => this.take(this.found.set.labels[this.image], this.image + 1);
  }

  load(found) {
    this.found = found;
    this.digits.replaceChildren(
      ...found.set.classNames.map((name, label) =>
        button(name, `a test image of class ${name}`, () => this.take(label, 0)),
      ),
    );
    this.kinds.replaceChildren(
      ...found.about.attributes.map(({ key, label, unit, says }) =>
        make("button", {
          textContent: `${label} (${unit})`,
          onclick: () => this.change({ attribute: key }),
          dataset: { attribute: key },
          title: says ?? "",
        }),
      ),
    );
  }

  take(label, from) {
    const image = nextOf(label, from, this.found.set.labels);
    if (image >= 0) this.change({ image });
  }

  show({ attribute, image }) {
    const { set } = this.found,
      label = set.labels[image],
      name = imageName(image, set);
    this.image = image;
    press(this.kinds, "attribute", attribute);
    [...this.digits.children].forEach((made, k) => made.setAttribute("aria-pressed", k === label));
    this.next.textContent = `Another ${classOf(label, set) || "image"}`;
    this.text.textContent = `${name[0].toUpperCase()}${name.slice(1)}; or press a code.`;
  }
}

/** The class means, decoded. */
export class MeansPanel {
  /** @type {Uint8Array[] | null} grey levels by label */
  pictures;

  /** pick(slot): see math.js */
  constructor(root, pick) {
    root.classList.add("means");
    this.root = root;
    this.pick = pick;
  }

  load(found) {
    this.found = found;
    this.pictures = null;
    this.slots = labelsOf(found.set);
    this.buttons = this.slots.map((slot) => pictureButton(() => this.pick(slot)));
    this.root.replaceChildren(...this.buttons.map((made) => made.root));
  }

  /**
   * @param {(name: string, code: Numbers) => string} words under each
   * @param {(slot: string) => boolean | null} pressed
   */
  show(words, pressed = () => null) {
    const { found } = this,
      codes = this.slots.map((slot) => codeOf(slot, found.set)),
      pictures = (this.pictures ??= codes.map((code) => found.greys(code)));
    this.slots.forEach((slot, k) => {
      this.buttons[k].root.setAttribute("aria-label", named(slot, found.set));
      this.buttons[k].show(pictures[k], words(found.set.classNames[k], codes[k]), pressed(slot));
    });
  }
}

export const meanWords = (name, code) => `${name}: |z| ${short(lengthOf(code))}`;

/** a, b and c: which one is being chosen, and what they are. */
export class SlotsPanel {
  constructor(root, change) {
    root.innerHTML = `<div class="slots"></div><div class="from"><small></small><div></div></div>`;
    const [
      slots,
      {
        children: [hint, means],
      },
    ] = root.children;
    this.change = change;
    this.hint = hint;
    this.slot = "a";
    this.buttons = SLOTS.map((slot) => pictureButton(() => this.choose(slot)));
    slots.append(...this.buttons.map((made) => made.root));
    this.means = new MeansPanel(means, (slot) => this.fill(slot));
  }

  load(found) {
    this.found = found;
    this.means.load(found);
  }

  choose(slot) {
    this.slot = slot;
    this.show(this.state);
  }

  /** The slot that is being chosen gets a value; the next one's turn. */
  fill(value) {
    const { slot } = this;
    this.slot = SLOTS[(SLOTS.indexOf(slot) + 1) % SLOTS.length];
    this.change({ [slot]: value });
  }

  show(state) {
    const { found, slot } = this;
    this.state = state;
    SLOTS.forEach((name, k) => {
      const words = `${name}: ${named(state[name], found.set)}`;
      this.buttons[k].root.setAttribute("aria-label", `choose ${words}`);
      this.buttons[k].show(found.greys(codeOf(state[name], found.set)), words, name === slot);
    });
    this.hint.textContent = `z = c + strength · (b − a). Choose ${slot}: press a code on the map${found.set.classNames.length ? ", or the mean of a class" : ""}:`;
    this.means.show(
      (name) => name,
      (mean) => state[slot] === mean,
    );
  }
}
