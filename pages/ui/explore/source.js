// What the explorer fetches once: a model with its codes, and the test images behind every map. See package.py.

import { Background } from "../net/background.js";
import { modelOf } from "../net/model.js";
import { readTensors } from "../net/tensors.js";

let pictures = null; // of the map: the same for all models

/**
 * A model by its name: { about, model, background(), set }. Throws an Error whose message is a sentence.
 * The server always sends the last weights; the version keeps the browser from showing others that it has kept.
 */
export async function fetchModel(name, version = "0") {
  const [buffer, images] = await Promise.all([
    bytes(`./explore/${encodeURIComponent(name)}?v=${version}`),
    mapImages(),
  ]);
  const { metadata, arrays } = readTensors(buffer);
  const about = JSON.parse(metadata.about);
  const weights = Object.fromEntries(Object.entries(arrays).filter(([key]) => key.startsWith("model.")));
  return {
    about,
    model: modelOf(about, weights),
    set: setOf(about, arrays, images),
    background: () => new Background(buffer),
  };
}

function setOf({ dims }, arrays, images) {
  const data = (name) => arrays[name]?.data ?? null;
  return {
    count: images.shape[0],
    dims,
    images: images.data,
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

function mapImages() {
  pictures ??= bytes("./map-images").then((buffer) => readTensors(buffer).arrays.images);
  pictures.catch(() => (pictures = null)); // a failure is not remembered
  return pictures;
}

async function bytes(address) {
  let answer;
  try {
    answer = await fetch(new URL(address, document.baseURI));
    if (answer.ok) return await answer.arrayBuffer();
  } catch {
    throw new Error("The server does not answer: see whether it runs, then try again.");
  }
  if (answer.status === 404) throw new Error("The weights of this model are not kept any more: choose another model.");
  const text = answer.status === 409 ? await answer.text() : "";
  throw new Error(text || `The model could not be fetched (status ${answer.status}): try again.`);
}
