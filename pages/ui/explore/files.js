// What is on the page as a file, and its address. The way that is open says what it has, see its files():
//   { png: canvas, gif: { width, height, frames: [grey levels of width · height], delayMs }, csv: text }
// each may also be null (nothing to save), a promise, or a function that makes it when it is asked for.

import { copyText } from "../lib/clipboard.js";
import { download } from "../lib/csv.js";
import { partsOf } from "../lib/dom.js";
import { gifOf } from "./gif.js";
import { modelName } from "./shared/numbers.js";

const TYPES = { png: "image/png", gif: "image/gif", csv: "text/csv" };
const REST_MS = 250; // after which it is asked again what there is to save
const LONGEST = 60; // letters of a model in the name of a file
const SHOWN_MS = 8000; // "copied" stays so long: who looks elsewhere, or is told, finds it
const TOLD_MS = 2500; // for the address to follow what is on the page

const HTML = `
<button data-file="png">PNG</button><button data-file="gif">GIF</button><button data-file="csv">CSV</button>
<button data-file="link">Copy link</button>
<input data-file="address" readonly aria-label="address of what is on the page" hidden>
<small role="status"></small>`;

const MAKE = {
  png: (canvas) => new Promise((resolve) => canvas.toBlob(resolve, TYPES.png)),
  gif: async (film, progress) => new Blob([await gifOf(film, progress)], { type: TYPES.gif }),
  csv: (text) => new Blob([text], { type: TYPES.csv }),
};

export class Files {
  /** page: { files(): what the way that is open has, or null; named(): { about, way }; tell(): the state, told at once } */
  constructor(root, page) {
    root.innerHTML = HTML;
    this.part = partsOf(root, "file");
    this.page = page;
    this.status = root.querySelector("small");
    this.busy = false;
    for (const kind of Object.keys(TYPES)) {
      this.part[kind].disabled = true;
      this.part[kind].title = `save what is shown as ${kind.toUpperCase()}`;
      this.part[kind].onclick = () => this.save(kind);
    }
    this.part.link.onclick = () => this.copy();
    this.part.address.onblur = () => (this.part.address.hidden = true);
  }

  /** Something on the page has changed: soon it is asked what there is to save. */
  refresh() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.look(), REST_MS);
  }

  look() {
    const found = this.page.files();
    for (const kind of Object.keys(TYPES)) this.part[kind].disabled = this.busy || !found?.[kind];
  }

  async save(kind) {
    const button = this.part[kind],
      words = button.textContent,
      name = nameOf(this.page.named(), kind);
    this.busy = true;
    for (const other of Object.keys(TYPES)) this.part[other].disabled = true;
    this.say("");
    try {
      const made = this.page.files()[kind],
        what = await (typeof made === "function" ? made() : made);
      if (what)
        download(
          await MAKE[kind](what, (share) => (button.textContent = `${words} ${Math.round(100 * share)}%`)),
          name,
        );
      else this.say("There is nothing to save yet.");
    } catch (error) {
      this.say(`It could not be saved: ${error.message}`);
    }
    button.textContent = words;
    this.busy = false;
    this.look();
  }

  // ---- the address

  /** The address names what is on the page once Python has heard of it. */
  async copy() {
    const { address } = this.part,
      coming = this.told().then(() => location.href);
    const done = await copyText(coming);
    address.value = await coming;
    address.hidden = done;
    if (!done) {
      address.focus();
      address.select();
      return this.say("Copy it from this field.");
    }
    this.say("Link copied.");
    setTimeout(() => this.say(""), SHOWN_MS);
  }

  async told() {
    const said = this.page.tell(),
      { way } = this.page.named();
    for (const until = performance.now() + TOLD_MS; !settled(said, way) && performance.now() < until;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  say(text) {
    this.status.textContent = text;
  }

  destroy() {
    clearTimeout(this.resting);
  }
}

/** What a file is called. */
export function nameOf({ about, way }, kind) {
  const model = modelName(about)
    .replace(/[^\p{L}\p{N}.-]+/gu, "_")
    .slice(0, LONGEST);
  return `elbo-room-${model}-${way}.${kind}`;
}

/** Whether the address says what was told. */
function settled(said, way) {
  const query = new URLSearchParams(location.search);
  return ["view", "pad", way].every((part) => !said[part] || sameJson(query.get(part), said[part]));
}

function sameJson(text, value) {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(value);
  } catch {
    return false;
  }
}
