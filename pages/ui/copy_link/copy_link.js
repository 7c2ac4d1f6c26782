// A button that copies the address of what is on the page, or lays it out to be copied by hand.
// Mounted by view.py through assets.loader.

import { copyText } from "../lib/clipboard.js";
import { partsOf } from "../lib/dom.js";

const REST_MS = 500; // within so long the server has heard what a component shows, and has written it into the address
const MOST_MS = 3000;
const SAID_MS = 8000; // "copied" stays so long: who looks elsewhere, or is told, finds it

const HTML = `
<button data-part="copy" type="button" aria-label="Copy link" title="Copy link: it leads to what is on this page now">
  <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7"/>
  <path d="M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17"/></svg>
</button>
<div data-part="below"><input data-part="address" readonly aria-label="address of what is on the page" hidden>
<small role="status"></small></div>`;

export default class CopyLink {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    this.status = root.querySelector("small");
    this.part.copy.onclick = () => this.copy();
    this.part.address.onblur = () => {
      this.part.address.hidden = true;
      this.say("");
    };
  }

  /** Called by Streamlit on mount and on every change of data or theme: there is none. */
  update() {}

  async copy() {
    const { address } = this.part,
      coming = addressAtRest();
    const done = await copyText(coming);
    address.value = await coming;
    address.hidden = done;
    if (!done) {
      address.focus();
      address.select();
      return this.say("Copy it from this field.");
    }
    this.say("Link copied.");
    this.timer = setTimeout(() => this.say(""), SAID_MS);
  }

  say(text) {
    clearTimeout(this.timer);
    this.status.textContent = text;
  }

  destroy() {
    clearTimeout(this.timer);
  }
}

/** The address, once the page has been at rest for a moment: it then names what is shown. */
async function addressAtRest() {
  const begin = performance.now();
  let seen = location.href,
    since = begin;
  for (let now = begin; now - since < REST_MS && now - begin < MOST_MS; now = performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (location.href === seen && !isAnswering()) continue;
    seen = location.href;
    since = performance.now();
  }
  return location.href;
}

function isAnswering() {
  /** @type {any} */
  const app = document.querySelector("[data-testid=stApp]");
  return app.dataset.testScriptState === "running";
}
