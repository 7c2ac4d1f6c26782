// The code map: an image as 7 × 7 choices from a codebook. The decoder runs here, so the picture follows a choice at once.
// Mounted by view.py.

import { colourOfCode } from "../../lib/code_maps.js";
import { make, quietPartsOf } from "../../lib/dom.js";
import { fetchBytes, mapImages } from "../../lib/fetched.js";
import { drawImage, greys, imageAt } from "../../lib/images.js";
import { onKeys } from "../../lib/keys.js";
import { NO_CLASS } from "../../lib/map.js";
import { Shared } from "../../lib/state.js";
import { readTensors } from "../../lib/tensors.js";
import { followTheme } from "../../lib/theme.js";
import { codeDecoderOf } from "../../net/codes.js";
import { imageName, nextOf } from "../shared/classes.js";
import { ROOT } from "./html.js";
import { drawMap, placeAfter, placeUnder } from "./map.js";
import { PLACES, changed, cleanCodes, withChange } from "./state.js";

const GONE = "The weights of this model are not kept any more: choose another model.";
const MOST = 256; // codes of any codebook

export default class CodeMapView {
  constructor(root) {
    this.root = root;
    root.innerHTML = ROOT;
    this.part = quietPartsOf(root);
    this.place = 24; // the middle
    /** @type {any} what view.py says */
    this.data = { images: { count: 1 } };
    this.state = this.clean(null);
    this.shared = new Shared(
      (raw) => ({ codes: this.clean(raw?.codes) }),
      ({ codes }) => this.take(codes),
    );
    const { map, undo, retry } = this.part;
    map.onclick = (event) => this.choosePlace(placeUnder(event));
    onKeys(map, (key) => this.key(key), { shift: true }); // many keyboards need it to type +
    undo.onclick = () => this.change({ changes: [] });
    retry.onclick = () => this.open();
  }

  clean(raw) {
    return cleanCodes(raw, this.found?.size ?? MOST, this.data.images.count);
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update(component) {
    const { data } = component;
    followTheme(this.root);
    const other = data.name !== this.name || data.version !== this.version;
    this.data = data;
    if (other && this.name !== undefined) this.state = cleanCodes(null, MOST, data.images.count); // what was changed was another codebook's
    this.name = data.name;
    this.version = data.version;
    this.shared.update(component);
    if (other) this.open();
  }

  // ---- the model

  async open() {
    const opening = (this.opening = {}); // of two that are on their way the later counts
    this.found = null;
    this.root.dataset.ready = "";
    this.say("Fetching the model…");
    try {
      const address = `./explore/${encodeURIComponent(this.name)}?v=${this.version}`;
      const [buffer, pictures] = await Promise.all([
        fetchBytes(address, "model", GONE),
        mapImages(this.data.images.dataset),
      ]);
      if (opening === this.opening) this.load(readTensors(buffer), pictures);
    } catch (error) {
      if (opening === this.opening) this.say(error.message, true);
    }
  }

  load({ metadata, arrays }, pictures) {
    const about = JSON.parse(metadata.about),
      size = arrays.codebook.shape[0];
    this.found = { about, size, arrays, pictures, decode: codeDecoderOf(onlyOfModel(arrays)) };
    this.state = this.clean(this.state);
    if (!this.mapOf(this.state)) this.state = this.clean(null);
    this.offerClasses(about);
    this.part.stage.hidden = false;
    this.part.message.hidden = true;
    this.drawCodebook();
    this.drawDraws("prior");
    this.drawDraws("uniform");
    this.tellBits();
    this.draw();
    this.root.dataset.ready = about.name;
  }

  /** The code map as it came, without changes; null where there is none of this kind. */
  mapOf({ of, index }) {
    const data = this.found.arrays[of === "image" ? "codes" : `${of}_codes`]?.data;
    return data ? data.subarray(index * PLACES, (index + 1) * PLACES) : null;
  }

  // ---- the state

  take(state) {
    this.state = state;
    if (this.found && !this.mapOf(state)) this.state = this.clean(null);
    if (this.found) this.draw();
  }

  change(partial) {
    this.state = { ...this.state, ...partial };
    this.draw();
    this.shared.report({ codes: this.state });
  }

  choosePlace(place) {
    this.place = place;
    this.draw();
  }

  /** The code at the chosen place. */
  choose(code) {
    this.change({ changes: withChange(this.state.changes, this.mapOf(this.state), this.place, code) });
  }

  key(key) {
    const to = placeAfter(this.place, key),
      step = { "+": 1, "-": -1 }[key],
      { size } = this.found;
    if (to !== null) this.choosePlace(to);
    else if (step) this.choose((this.codes[this.place] + step + size) % size);
    else if (key === "Delete") this.choose(this.mapOf(this.state)[this.place]);
    else return false;
    return true;
  }

  /** A button for each class; one for all images where there are none. */
  offerClasses({ classNames }) {
    const { next, classes } = this.part,
      labels = Object.entries(classNames.length ? classNames : { [NO_CLASS]: "Next" });
    next.textContent = classNames.length ? "Next test image of class" : "Test image";
    classes.replaceChildren(
      ...labels.map(([digit, textContent]) =>
        make("button", { textContent, dataset: { digit }, onclick: () => this.nextOf(Number(digit)) }),
      ),
    );
  }

  /** The next test image of a class after the one on the page. */
  nextOf(digit) {
    const from = this.state.of === "image" ? this.state.index + 1 : 0,
      index = nextOf(digit, from, this.found.arrays.labels.data);
    if (index >= 0) this.change({ of: "image", index, changes: [] });
  }

  get codes() {
    return changed(this.mapOf(this.state), this.state.changes);
  }

  // ---- drawing

  draw() {
    const { part, found, state, codes, place } = this,
      { of, index } = state;
    part.originalBox.hidden = of !== "image";
    if (of === "image") {
      drawImage(part.original, imageAt(found.pictures.images.data, index));
      part.name.textContent = imageName(index, {
        numbers: found.pictures.numbers.data,
        labels: found.arrays.labels.data,
        classNames: found.about.classNames,
      });
    }
    drawMap(part.map, codes, place, new Set(state.changes.map(([at]) => at)));
    const row = Math.floor(place / 7) + 1,
      column = (place % 7) + 1;
    part.place.textContent = `code ${codes[place]} at row ${row}, column ${column}`;
    drawImage(part.decoded, greys(found.decode(codes)));
    part.undo.disabled = !state.changes.length;
    for (const button of part.codebook.children)
      button.setAttribute("aria-pressed", Number(button.dataset.code) === codes[place]);
  }

  /** Each code as the decoder draws it where it stands everywhere. */
  drawCodebook() {
    const { arrays, decode, size, about } = this.found,
      shares = arrays.shares.data;
    const buttons = Array.from({ length: size }, (_, code) => {
      const share = (100 * shares[code]).toFixed(1);
      const words = shares[code] ? `code ${code}, ${share} % of all places` : `code ${code}, unused`;
      const button = this.pictureButton(decode(new Array(PLACES).fill(code)), words, () => this.choose(code));
      button.classList.toggle("unused", !shares[code]);
      button.style.borderColor = colourOfCode(code);
      button.dataset.code = code;
      return button;
    });
    this.part.codebook.replaceChildren(...buttons);
    const { usage, count } = about,
      { used, perplexity } = usage;
    this.part.usage.textContent = `${used} of ${size} in use, perplexity ${perplexity.toFixed(1)} (${count.toLocaleString("en")} test images)`;
  }

  /** Draws as pictures; a click takes one's map to the page. @param {"prior" | "uniform"} of */
  drawDraws(of) {
    const { arrays, decode } = this.found,
      count = arrays[`${of}_codes`]?.shape[0] ?? 0;
    const buttons = Array.from({ length: count }, (_, index) =>
      this.pictureButton(decode(this.mapOf({ of, index })), `${of} draw ${index + 1}`, () =>
        this.change({ of, index, changes: [] }),
      ),
    );
    this.part[of].replaceChildren(...buttons);
  }

  pictureButton(picture, words, onclick) {
    const canvas = make("canvas", { className: "images", width: 28, height: 28 });
    drawImage(canvas, greys(picture));
    return make("button", { title: words, onclick, aria: { label: words } }, canvas);
  }

  tellBits() {
    const { part } = this,
      { prior } = this.found.about,
      has = Boolean(prior && this.found.arrays.prior_codes);
    part.priorBox.hidden = !has;
    part.noPrior.hidden = has;
    part.uniformBits.textContent = `${(PLACES * Math.log2(this.found.size)).toFixed(0)} bits an image`;
    if (!has) return;
    const bound = prior.neg_log_p_at_most.toFixed(1),
      sum = `${prior.prior_nats.toFixed(1)} + ${prior.nll.toFixed(1)}`;
    part.bits.textContent = `${prior.prior_bits.toFixed(1)} bits an image (test): −log p(x) ≤ ${sum} = ${bound} nats`;
  }

  say(text, again = false) {
    const { part } = this;
    part.message.hidden = false;
    part.stage.hidden = true;
    part.words.textContent = text;
    part.retry.hidden = !again;
  }

  destroy() {
    this.opening = null;
  }
}

/** What the decoder is made of: it holds its layers to what belongs to them. @param {Tensors} arrays */
const onlyOfModel = (arrays) =>
  Object.fromEntries(Object.entries(arrays).filter(([name]) => name === "codebook" || name.startsWith("model.")));
