// A model as the explorer has it: its networks, its codes of the test images, and the work behind the page. It is fetched
// once, see package.py.

import { fetchBytes, mapImages } from "../../lib/fetched.js";
import { greys, imageAt } from "../../lib/images.js";
import { readTensors } from "../../lib/tensors.js";
import { Background } from "../../net/background.js";
import { modelOf } from "../../net/model.js";
import { nearRadius } from "./density.js";

const GONE = "The weights of this model are not kept any more: choose another model.";

/**
 * A model by its name, with the test images of its data set. Throws an Error whose message is a sentence.
 * The server always sends the last weights; the version keeps the browser from showing others that it has kept.
 */
export async function fetchModel(name, dataset, version = "0", onPart = () => {}) {
  const told = together(onPart);
  const [buffer, pictures] = await Promise.all([
    fetchBytes(`./explore/${encodeURIComponent(name)}?v=${version}`, "model", GONE, told()),
    mapImages(dataset, told()),
  ]);
  const { metadata, arrays } = readTensors(buffer);
  /** @type {About} */
  const about = JSON.parse(metadata.about);
  const weights = Object.fromEntries(Object.entries(arrays).filter(([key]) => key.startsWith("model.")));
  return new Found(buffer, about, modelOf(about, weights), setOf(about, arrays, pictures));
}

/** Tells of several downloads as of one. @param {(come: number, whole: number) => void} onPart */
function together(onPart) {
  /** @type {{ come: number, whole: number }[]} */
  const every = [];
  const sum = (/** @type {"come" | "whole"} */ of) => every.reduce((all, one) => all + one[of], 0);
  return () => {
    const mine = { come: 0, whole: 0 };
    every.push(mine);
    return (/** @type {number} */ come, /** @type {number} */ whole) => {
      Object.assign(mine, { come, whole });
      onPart(sum("come"), sum("whole"));
    };
  };
}

/** What can be shown before the model is here, see first.py; null where there is nothing. */
export async function fetchFirst(name, version) {
  const coming = fetchBytes(`./explore/${encodeURIComponent(name)}/first?v=${version}`);
  const read = coming.then(readTensors);
  return read
    .then(({ metadata, arrays }) => ({ ...arrays, classNames: JSON.parse(metadata.classNames) }))
    .catch(() => null); // of what is wrong the package tells
}

/**
 * about: what package.py says; model: see net/model.js; set: the test images and what the model makes of them;
 * background: works on many pictures without a stutter.
 */
export class Found {
  /** @type {number} measured when it is first asked for */
  radius;

  /**
   * @param {ArrayBuffer} buffer
   * @param {About} about
   * @param {Model} model
   * @param {any} set
   */
  constructor(buffer, about, model, set) {
    this.about = about;
    this.model = model;
    this.set = set;
    this.background = new Background(buffer);
    this.last = null;
  }

  /** Whether codes are distributions. */
  get posterior() {
    return Boolean(this.set.logVar);
  }

  /** How far a place may be from a code and still count as near one; see density.js. */
  get near() {
    return (this.radius ??= nearRadius(this.set));
  }

  /** The decoder's mean at z; the picture of the very same array is not computed twice. */
  decode(z) {
    if (this.last?.z !== z) this.last = { z, picture: this.model.decode(z) };
    return this.last.picture;
  }

  /** The same in grey levels, always computed. */
  greys(z) {
    return greys(this.model.decode(z));
  }

  code(i) {
    return rowAt(this.set.mu, i, this.set.dims);
  }

  logVar(i) {
    return this.set.logVar && rowAt(this.set.logVar, i, this.set.dims);
  }

  image(i) {
    return imageAt(this.set.images, i);
  }

  /** The plain autoencoder with the same networks; null where none ships. Fetched once. */
  async twin() {
    if (!this.about.twin) return null;
    const coming = (this.other ??= fetchModel(this.about.twin, this.about.dataset));
    coming.catch(() => this.other === coming && (this.other = null)); // a failure is not remembered
    return coming;
  }

  /** What works behind the page ends. */
  rest() {
    this.background.destroy();
    this.other?.then(
      (found) => found.rest(),
      () => {},
    );
  }
}

/** Row i of a matrix in one array. */
export const rowAt = (data, i, width) => data.subarray(i * width, (i + 1) * width);

function setOf({ dims, tests, classNames }, arrays, { images, numbers }) {
  const data = (name) => arrays[name]?.data ?? null;
  return {
    count: images.shape[0],
    dims,
    tests, // how many test images there are in all
    classNames,
    images: images.data,
    numbers: numbers.data, // of the map's images among all test images
    labels: data("labels"),
    mu: data("mu"),
    logVar: data("log_var"),
    klDims: data("kl_dims"),
    varMu: data("var_mu"),
    active: data("active"),
    basis: arrays.basis,
    classMeans: data("class_means"),
    attributeVectors: data("attribute_vectors"),
    pictureAxes: data("picture_axes"),
  };
}
