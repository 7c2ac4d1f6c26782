// What the browser fetches from this server.

import { readTensors } from "./tensors.js";

const pictures = new Map(); // of the maps, by data set: the same for all models

/** The body of an answer; throws an Error whose message is a sentence. what: it is called so; gone: said of a 404. */
export async function fetchBytes(address, what = "file", gone = "") {
  const answer = await fetch(new URL(address, document.baseURI)).catch(() => null); // the server says what may be kept
  if (!answer) throw new Error("The server does not answer: see whether it runs, then try again.");
  if (answer.ok) return answer.arrayBuffer();
  const text = answer.status === 409 ? await answer.text() : answer.status === 404 ? gone : "";
  throw new Error(text || `The ${what} could not be fetched (status ${answer.status}): try again.`);
}

/** The test images behind a map: { images, labels, numbers }, arrays of readTensors. dataset: see map_pictures.py. */
export function mapImages(dataset = "mnist") {
  if (pictures.has(dataset)) return pictures.get(dataset);
  const address = dataset === "mnist" ? "./map-images" : `./map-images/${encodeURIComponent(dataset)}`;
  const coming = fetchBytes(address, "test images", "The images of this model are not here any more: choose another.");
  const found = coming.then((buffer) => readTensors(buffer).arrays);
  pictures.set(dataset, found);
  found.catch(() => pictures.delete(dataset)); // a failure is not remembered
  return found;
}
