// A square of the plane to draw points on: mouse or finger leave a trail of them, the arrow keys move a cross and Space
// drops one. Mounted by view.py through assets.loader.

import { make, onResize, partsOf } from "../lib/dom.js";
import { disc, line } from "../lib/draw.js";
import { onKeys } from "../lib/keys.js";
import { fixed } from "../lib/numbers.js";
import { coloursOf, followTheme } from "../lib/theme.js";

const APART = 0.06; // of the plane, from one point of a trail to the next
const [STEP, FINE] = [0.1, 0.02]; // of the cross, with Shift the finer one
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const HTML = `
<canvas data-part="canvas" tabindex="0" role="application" aria-label="Draw points here. Arrow keys move a cross, Space drops a point."></canvas>
<p><button data-part="undo">Undo</button> <button data-part="clear">Clear</button> <output data-part="count" role="status"></output></p>`;

export default class Pad {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    this.points = [];
    this.before = [];
    this.cross = null;
    this.part.undo.onclick = () => this.undo();
    this.part.clear.onclick = () => this.points.length && this.change([]);
    const { canvas } = this.part;
    canvas.onpointerdown = (event) => this.begin(event);
    canvas.onpointermove = (event) => this.follow(event);
    canvas.onpointerup = canvas.onpointercancel = () => this.end();
    onKeys(canvas, (key, event) => this.key(key, event.shiftKey), { shift: true });
    onKeys(canvas, (key) => key.toLowerCase() === "z" && this.undo(), { command: true });
    this.observer = onResize(canvas, () => this.draw());
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue }) {
    this.data = data;
    this.setStateValue = setStateValue;
    if (followTheme(this.root)) this.colours = coloursOf(this.root);
    if (data.version !== this.version) {
      this.version = data.version;
      if (data.points.length) [this.points, this.before] = [data.points, []];
    }
    this.draw();
  }

  // ---- what changes the points

  begin(event) {
    if (!event.isPrimary || event.button) return;
    this.part.canvas.setPointerCapture(event.pointerId);
    this.before.push(this.points);
    this.points = [...this.points];
    this.trail = true;
    this.cross = null;
    this.drop((this.last = this.place(event)));
  }

  /** Points along the way since the last one, evenly: a fast hand leaves no holes. */
  follow(event) {
    if (!this.trail) return;
    const place = this.place(event),
      last = this.last; // also where the hand was outside the plane
    const [dx, dy] = [place[0] - last[0], place[1] - last[1]],
      way = Math.hypot(dx, dy);
    for (let gone = APART; gone <= way; gone += APART)
      this.drop((this.last = [last[0] + (dx * gone) / way, last[1] + (dy * gone) / way]));
  }

  end() {
    if (!this.trail) return;
    this.trail = false;
    this.report();
  }

  drop(place) {
    if (this.points.length < this.data.most && place.every((v) => Math.abs(v) <= this.data.reach))
      this.points.push(place.map((v) => Math.round(v * 1000) / 1000));
    this.draw();
  }

  change(points) {
    this.before.push(this.points);
    this.points = points;
    this.report();
  }

  undo() {
    if (!this.before.length) return false;
    this.points = this.before.pop();
    this.report();
    return true;
  }

  key(key, fine) {
    const { reach } = this.data;
    if (key in ARROWS) {
      const by = fine ? FINE : STEP;
      const moved = (this.cross ?? [0, 0]).map((v, k) => Math.round((v + by * ARROWS[key][k]) * 1000) / 1000);
      this.cross = moved.map((v) => Math.max(-reach, Math.min(reach, v)));
      this.draw();
    } else if (key === " ") {
      this.cross ??= [0, 0];
      if (this.points.length < this.data.most) this.change([...this.points, this.cross]);
    } else if (key === "Backspace") return this.undo();
    else return false;
    return true;
  }

  report() {
    this.draw();
    this.setStateValue("points", this.points);
  }

  // ---- drawing

  place({ clientX, clientY }) {
    const box = this.part.canvas.getBoundingClientRect(),
      { reach } = this.data;
    return [((2 * (clientX - box.left)) / box.width - 1) * reach, (1 - (2 * (clientY - box.top)) / box.height) * reach];
  }

  draw() {
    const { canvas, count } = this.part;
    if (!this.data || !this.colours || !canvas.clientWidth) return;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.width = canvas.height = side;
    const ctx = canvas.getContext("2d"),
      at = ([x, y]) => [((x / this.data.reach + 1) * side) / 2, ((1 - y / this.data.reach) * side) / 2];
    const { reach, fewest } = this.data;
    const across = (a, b, pen) => line(ctx, [at(a), at(b)], pen);
    across([-reach, 0], [reach, 0], [this.colours.grid, 1]);
    across([0, -reach], [0, reach], [this.colours.grid, 1]);
    for (const point of this.points) disc(ctx, at(point), 2, this.colours.text);
    if (this.cross) {
      const [x, y] = this.cross;
      across([x - 0.15, y], [x + 0.15, y], [this.colours.primary, 2]);
      across([x, y - 0.15], [x, y + 0.15], [this.colours.primary, 2]);
    }
    const n = this.points.length;
    const where = this.cross ? ` · at ${this.cross.map((v) => fixed(v)).join(", ")}` : "";
    count.replaceChildren(make("span", { textContent: `${n} points${n < fewest ? ` of ${fewest}` : ""}${where}` }));
  }

  destroy() {
    this.observer.disconnect();
  }
}
