// A link to hand on, large enough to be read from the back row, and a button that copies it.
// Mounted by view.py through assets.loader.

import { copyText } from "../lib/clipboard.js";
import { make } from "../lib/dom.js";

const SAID = 2000; // ms

export default class ClassLink {
  constructor(root) {
    this.root = root;
    this.address = make("code");
    this.button = make("button", { type: "button", textContent: "Copy", onclick: () => this.copy() });
    root.replaceChildren(this.address, this.button);
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data }) {
    this.address.textContent = data.link;
  }

  async copy() {
    const done = await copyText(this.address.textContent);
    this.button.textContent = done ? "Copied" : "Press Ctrl+C";
    if (!done) getSelection().selectAllChildren(this.address);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.button.textContent = "Copy"), SAID);
  }

  destroy() {
    clearTimeout(this.timer);
  }
}
