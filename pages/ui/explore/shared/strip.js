// A film strip: pictures in one row, marks over them, and numbers under them. The page can scroll it sideways.

import { make } from "../../lib/dom.js";
import { drawImages } from "../../lib/images.js";
import { onKeys } from "../../lib/keys.js";

const MANY = 13; // pictures: with more of them the marks stand above the strip, not in it

const HTML = `<div class="frames"><canvas class="images" height="28" role="img"></canvas><div class="marks"></div></div><div class="cells"></div>`;

export class Strip {
  /** name: what a screen reader says; pick(k): picture k was pressed. */
  constructor(root, name, pick) {
    root.classList.add("film");
    root.innerHTML = HTML;
    const [frames, cells] = root.children,
      [canvas, marks] = frames.children;
    this.root = root;
    this.canvas = canvas;
    this.marks = marks;
    this.cells = cells;
    this.count = 1;
    canvas.setAttribute("aria-label", name);
    canvas.onclick = ({ offsetX }) =>
      pick(Math.min(this.count - 1, Math.floor((this.count * offsetX) / canvas.clientWidth)));
  }

  /** Choose by keys, too: ← calls move(-1), → move(1). */
  steer(move) {
    Object.assign(this.canvas, { tabIndex: 0, role: "slider" });
    onKeys(this.canvas, (key) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (by) move(by);
      return by !== undefined;
    });
  }

  /** Say which picture is chosen by then. */
  stand(k, name) {
    Object.assign(this.canvas, { ariaValueMin: 0, ariaValueMax: this.count - 1, ariaValueNow: k, ariaValueText: name });
  }

  /** So many pictures, black until they are drawn; marks: { k: text } over some of them. */
  size(count, marks) {
    this.count = count;
    this.root.style.setProperty("--count", count);
    this.root.classList.toggle("many", count > MANY);
    this.marks.replaceChildren(...Array.from({ length: count }, (_, k) => mark(marks[k])));
    this.cells.replaceChildren();
    this.draw(new Uint8Array(784 * count));
  }

  /** pictures: Uint8Array count * 784. */
  draw(pictures) {
    drawImages(this.canvas, { shape: [this.count], data: pictures }, this.count);
  }

  /** Under every picture: { text, share (of a bar's full height) or null, strong, small (a second line) or null }. */
  tell(cells) {
    this.cells.replaceChildren(...cells.map(cell));
  }
}

const mark = (text) =>
  make("span", { className: text === undefined ? "" : "stop" }, make("b", { textContent: text ?? "" }));

function cell({ text, share = null, strong = false, small = null }) {
  const bar = make("i");
  bar.style.setProperty("--share", Math.min(1, share));
  return make(
    "span",
    { className: strong ? "strong" : "" },
    ...(share === null ? [] : [bar]),
    make("b", { textContent: text }),
    ...(small === null ? [] : [make("small", { textContent: small })]),
  );
}
