// The line above the lecturer's run, and the socket that says when the lecturer shows another one.
// Mounted by view.py through assets.loader.

import { make } from "../lib/dom.js";
import { Moves } from "./moves.js";

export default class Following {
  constructor(root) {
    this.root = root;
    this.text = make("span");
    root.replaceChildren(make("p", { role: "status" }, make("i"), this.text));
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue }) {
    this.report = () => setStateValue("moved", Date.now()); // another value every time: the same one would be no news
    this.text.textContent = data.text;
    this.root.classList.toggle("waits", !data.run);
    if (this.moves) return this.moves.see(data.run);
    this.moves = new Moves(
      data.run,
      () => this.report(),
      (open) => this.root.classList.toggle("lost", !open),
    );
  }

  destroy() {
    this.moves?.close();
  }
}
