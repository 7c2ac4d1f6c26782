// A sheet of small pictures in one canvas. The pointer finds the picture that is meant; with the keyboard the arrow keys
// move from picture to picture and Enter takes one.

import { PIXELS, cellAfter, cellUnder, drawImages } from "../../lib/images.js";
import { onKeys } from "../../lib/keys.js";

const HTML = `<canvas class="images" tabindex="0" role="application"></canvas><i class="here" hidden></i><i class="cursor" hidden></i>`;

export class Sheet {
  /** root: an empty element; label: what is shown; on: { over(i), leave(), choose(i) }, i counts row by row. */
  constructor(root, label, on) {
    root.classList.add("sheet");
    root.innerHTML = HTML;
    const [canvas, here, cursor] = root.children;
    this.canvas = canvas;
    this.here = here;
    this.cursor = cursor;
    this.root = root;
    this.on = on;
    this.count = 0;
    this.columns = 1;
    this.at = null;
    this.canvas.setAttribute("aria-label", `${label}: arrow keys move from picture to picture, Enter takes one`);
    this.canvas.onpointermove = (event) => this.over(this.cell(event));
    this.canvas.onpointerleave = () => this.leave();
    this.canvas.onblur = () => this.leave();
    this.canvas.onclick = (event) => this.choose(this.cell(event));
    onKeys(this.canvas, (key) => this.key(key));
  }

  /** So many pictures, black until they are drawn. */
  resize(columns, count) {
    if (columns === this.columns && count === this.count) return;
    this.columns = columns;
    this.count = count;
    this.at = null;
    this.data = new Uint8Array(count * PIXELS);
    this.cursor.hidden = this.here.hidden = true;
    this.show();
  }

  get rows() {
    return Math.ceil(this.count / this.columns);
  }

  /** Pictures from … to − 1 of an array as long as the sheet; the others stay as they are meanwhile. */
  draw(pictures, from = 0, to = this.count) {
    if (pictures.length !== this.data.length) return; // of a sheet that is no more
    this.data.set(pictures.subarray(from * PIXELS, to * PIXELS), from * PIXELS);
    this.canvas.setAttribute("aria-busy", String(to < this.count));
    this.show();
  }

  show() {
    drawImages(this.canvas, { shape: [this.count], data: this.data }, this.columns);
  }

  /** Mark a picture: where z is. Null takes the mark away. */
  mark(i) {
    this.frame(this.here, i);
  }

  frame(element, i) {
    element.hidden = i === null;
    if (i === null) return;
    const [x, y] = [i % this.columns, Math.floor(i / this.columns)];
    Object.assign(element.style, {
      left: `${(100 * x) / this.columns}%`,
      top: `${(100 * y) / this.rows}%`,
      width: `${100 / this.columns}%`,
      height: `${100 / this.rows}%`,
    });
  }

  // ---- the pointer and the keys

  cell(event) {
    return Math.min(this.count - 1, cellUnder(event, this.columns, this.rows));
  }

  over(i) {
    if (i === this.at) return;
    this.at = i;
    this.frame(this.cursor, i);
    this.on.over(i);
  }

  /** Whether there was a picture to leave. */
  leave() {
    if (this.at === null) return false;
    this.at = null;
    this.cursor.hidden = true;
    this.on.leave();
    return true;
  }

  choose(i) {
    this.last = i;
    this.on.choose(i);
  }

  key(key) {
    const at = this.at ?? this.last ?? Math.floor(this.count / 2),
      to = cellAfter(at, key, this.columns, this.rows);
    if (to !== null) {
      this.last = Math.min(this.count - 1, to);
      this.over(this.last);
    } else if (key === "Enter" || key === " ") this.choose(Math.min(at, this.count - 1));
    else if (key === "Escape") return this.leave();
    else return false;
    return true;
  }
}
