// What the browser fetches from this server.

import { readTensors } from "./tensors.js";

const pictures = new Map(); // of the maps, by data set: the same for all models

/**
 * The body of an answer; throws an Error whose message is a sentence. what: it is called so; gone: said of a 404.
 * @param {string | URL} address
 * @param {string} [what]
 * @param {string} [gone]
 * @param {(come: number, whole: number) => void} [onPart] told how many bytes of how many have come, unpacked
 */
export async function fetchBytes(address, what = "file", gone = "", onPart) {
  const answer = await fetch(new URL(address, document.baseURI)).catch(() => null); // the server says what may be kept
  if (!answer) throw new Error("The server does not answer: see whether it runs, then try again.");
  if (answer.ok) return onPart ? readParts(answer, onPart).catch(() => broken(what)) : answer.arrayBuffer();
  const text = answer.status === 409 ? await answer.text() : answer.status === 404 ? gone : "";
  throw new Error(text || `The ${what} could not be fetched (status ${answer.status}): try again.`);
}

function broken(what) {
  throw new Error(`The ${what} did not come whole: the connection broke. Try again.`);
}

/** @param {Response} answer @param {(come: number, whole: number) => void} onPart */
async function readParts(answer, onPart) {
  const { headers } = answer,
    whole = Number(headers.get("x-unpacked-length") ?? headers.get("content-length")),
    reader = answer.body.getReader(),
    /** @type {Uint8Array[]} */ parts = [];
  let come = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    come += value.length;
    onPart(come, whole);
  }
  const bytes = new Uint8Array(come);
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  return bytes.buffer;
}

/** The test images behind a map: { images, labels, numbers }, arrays of readTensors. dataset: see map_pictures.py. */
export function mapImages(dataset = "mnist", onPart) {
  if (pictures.has(dataset)) return pictures.get(dataset);
  const address = dataset === "mnist" ? "./map-images" : `./map-images/${encodeURIComponent(dataset)}`;
  const coming = fetchBytes(
    address,
    "test images",
    "The images of this model are not here any more: choose another.",
    onPart,
  );
  const found = coming.then((buffer) => readTensors(buffer).arrays);
  pictures.set(dataset, found);
  found.catch(() => pictures.delete(dataset)); // a failure is not remembered
  return found;
}
