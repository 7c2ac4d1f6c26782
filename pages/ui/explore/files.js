// What is on the page as a file. The way that is open says what it has, see its files():
//   { png: canvas, gif: { width, height, frames: [grey levels of width · height], delayMs }, csv: text }
// each may also be null (nothing to save), a promise, or a function that makes it when it is asked for.

import { download } from "../lib/csv.js";
import { partsOf } from "../lib/dom.js";
import { modelName } from "./shared/numbers.js";

const TYPES = { png: "image/png", gif: "image/gif", csv: "text/csv" };
const REST_MS = 250; // after which it is asked again what there is to save
const LONGEST = 60; // letters of a model in the name of a file

const HTML = `
<button data-file="png">PNG</button><button data-file="gif">GIF</button><button data-file="csv">CSV</button>
<small role="status"></small>`;

const encoder = () => import("./gif.js"); // comes when there is something to encode: after the first picture

const MAKE = {
  png: (canvas) => new Promise((resolve) => canvas.toBlob(resolve, TYPES.png)),
  gif: async (film, progress) => new Blob([await (await encoder()).gifOf(film, progress)], { type: TYPES.gif }),
  csv: (text) => new Blob([text], { type: TYPES.csv }),
};

export class Files {
  /** page: { files(): what the way that is open has, or null; named(): { about, way } } */
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
  }

  /** Something on the page has changed: soon it is asked what there is to save. */
  refresh() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.look(), REST_MS);
  }

  look() {
    const found = this.page.files();
    if (found?.gif) encoder().catch(() => {}); // where the line is lost, saving says so
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
