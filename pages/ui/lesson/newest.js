// Brings the line above into view when it comes, or the first one that does not hold. Mounted by newest.py.

import { isStill } from "../lib/motion.js";

export default class NewestView {
  constructor(root) {
    this.root = root;
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data }) {
    if (data.line === this.line) return;
    this.line = data.line;
    const still = isStill();
    requestAnimationFrame(() => this.root.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" }));
  }

  destroy() {}
}
