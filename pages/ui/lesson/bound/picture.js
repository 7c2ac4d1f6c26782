// What the picture of the plane and that of the line share: a frame, what is cut off at it, and a q in somebody's hands.

import { onResize } from "../../lib/dom.js";
import { onKeys } from "../../lib/keys.js";
import { svg } from "../../lib/svg.js";
import { rem, scaled } from "../../lib/scale.js";
import { keyed } from "./handles.js";

export class Picture {
  /** change(q) is called while q is moved and returns it within its limits; settle() when it is let go. */
  constructor(root, { change, settle }, label, id) {
    this.root = root;
    this.change = change;
    this.settle = settle;
    this.svg = svg("svg", { role: "group", "aria-label": label }, root);
    this.clip = svg("rect", {}, svg("clipPath", { id }, svg("defs", {}, this.svg)));
    this.frame = svg("g", { class: "frame" }, this.svg);
    this.inside = svg("g", { "clip-path": `url(#${id})` }, this.svg);
    this.observer = onResize(root, () => this.layout());
  }

  /** Take a margin, which is given in rem, in pixels: letters beside the picture have different sizes. */
  measure(margin) {
    this.rem = rem();
    this.margin = scaled(margin, this.rem);
  }

  /** Lay it out for the width of the page and draw it. */
  layout() {}

  /** Draw another q; all else stays. @type {(q: any) => void} */
  draw() {}

  /** The way of mu with an arrow key, in prior std. */
  get step() {
    return 0.08;
  }

  drop() {
    this.holding = false; // the knob keeps its side while it is held
    this.settle();
    this.draw(this.q);
  }

  /** The keys of a handle; one that stands for a width changes only that. */
  hear({ group }, only) {
    const act = (key, { shiftKey }) => this.key(keyed(key, shiftKey, this.q, this.step, only));
    onKeys(group, act, { shift: true });
  }

  key(next) {
    if (!next) return false;
    this.q = this.change(next); // several keys may come before the next frame
    this.settle();
    return true;
  }

  destroy() {
    this.observer.disconnect();
  }
}
