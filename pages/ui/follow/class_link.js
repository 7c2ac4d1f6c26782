// A link to hand on, large enough to be read from the back row, and a button that copies it.
// Mounted by view.py through assets.loader.

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

/** Whether it is in the clipboard now. Over plain http, as in most lecture halls, browsers know only the old way. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = make("textarea", { value: text, readOnly: true });
    field.style.cssText = "position: fixed; opacity: 0";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
