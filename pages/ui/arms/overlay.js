// What lies over a map and changes more often than its codes: the clouds of the ten images, the tug of war, the point that
// is decoded. It takes the pointer and the arrow keys.

import { onResize } from "../lib/dom.js";
import { arrow, disc, ellipse, squareOf, strokes } from "../lib/draw.js";
import { takeHold } from "../lib/hold.js";
import { onKeys } from "../lib/keys.js";

const NEAR = 11; // CSS pixels: a click so close to an image's mu chooses that image
const STEP = 0.1; // an arrow key, prior units
const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

export class Overlay {
  /** onPoint(xy): decode there; onPick(i): image i was clicked. */
  constructor(canvas, map, onPoint, onPick) {
    this.canvas = canvas;
    this.map = map;
    this.onPoint = onPoint;
    this.onPick = onPick;
    this.clouds = [];
    this.arrows = [];
    this.point = null;
    takeHold(canvas, {
      handle: () => this.handle(),
      down: (place, how) => (how === "handle" ? null : this.press(place)),
      move: (place) => this.onPoint(this.map.place(place)),
      up: () => {},
      cancel: () => {},
    });
    onKeys(canvas, (key) => this.key(key));
    this.observer = onResize(canvas, () => this.draw());
  }

  /** The point, in CSS pixels of the canvas. */
  handle() {
    if (!this.point) return null;
    const side = this.canvas.clientWidth,
      scale = side / (2 * this.map.reach());
    return [side / 2 + this.point[0] * scale, side / 2 - this.point[1] * scale];
  }

  press(event) {
    const at = this.map.place(event);
    const limit = (NEAR * 2 * this.map.reach()) / this.canvas.clientWidth;
    const near = this.clouds.map(({ at: [x, y], index }) => ({ index, far: Math.hypot(x - at[0], y - at[1]) }));
    const [first] = near.filter(({ far }) => far < limit).sort((a, b) => a.far - b.far);
    if (first) this.onPick(first.index);
    this.onPoint(at);
  }

  key(key) {
    const by = KEYS[key];
    if (!by) return false;
    const [x, y] = this.point ?? [0, 0];
    this.setPoint([x + by[0], y + by[1]]); // at once: a key that is held is faster than the frames
    this.onPoint(this.point);
    return true;
  }

  restyle(colours) {
    this.colours = colours;
    this.draw();
  }

  /** clouds: [{ index, at, ellipse | null, chosen }]; arrows: [{ from, by (map units), term }]; point: [x, y] | null */
  show({ clouds, arrows, point }) {
    this.clouds = clouds;
    this.arrows = arrows;
    this.point = point;
    this.draw();
  }

  setPoint(point) {
    if (point === this.point) return;
    this.point = point;
    this.draw();
  }

  draw() {
    const { canvas, colours } = this,
      square = colours && squareOf(canvas);
    if (!square) return;
    const { ctx, side } = square;
    const scale = side / (2 * this.map.reach());
    /** @type {ToPixels} */
    const at = ([x, y]) => [side / 2 + x * scale, side / 2 - y * scale];
    for (const cloud of this.clouds) this.drawCloud(ctx, cloud, at, scale);
    for (const { from, by, term } of this.arrows) {
      const to = at([from[0] + by[0], from[1] + by[1]]);
      arrow(ctx, at(from), to, colours.background, 6);
      arrow(ctx, at(from), to, colours[term], 3.2);
    }
    if (this.point) this.drawPoint(ctx, at(this.point));
  }

  drawCloud(ctx, { index, at: centre, ellipse: cloud, chosen }, at, scale) {
    const { text, background, classes } = this.colours;
    const [place, colour] = [at(centre), classes[index]];
    if (cloud)
      ellipse(ctx, place, cloud, scale, [background, chosen ? 5 : 3.5], [chosen ? text : colour, chosen ? 2.4 : 1.6]);
    disc(ctx, place, chosen ? 5 : 3.5, colour, chosen ? [text, 2.2] : [background, 1.5]);
  }

  drawPoint(ctx, [x, y]) {
    const px = devicePixelRatio;
    const pens = [
      [this.colours.background, 5],
      [this.colours.text, 2.4],
    ];
    strokes(ctx, pens, () => {
      ctx.arc(x, y, 7 * px, 0, 2 * Math.PI);
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        ctx.moveTo(x + 7 * dx * px, y + 7 * dy * px);
        ctx.lineTo(x + 13 * dx * px, y + 13 * dy * px);
      }
    });
  }

  destroy() {
    this.observer.disconnect();
  }
}
