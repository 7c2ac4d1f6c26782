// What the browser fetches from this server.

import { readTensors } from "./tensors.js";

let pictures = null; // of the map: the same for all models

/** The body of an answer; throws an Error whose message is a sentence. what: it is called so; gone: said of a 404. */
export async function fetchBytes(address, what = "file", gone = "") {
  const answer = await fetch(new URL(address, document.baseURI)).catch(() => null); // the server says what may be kept
  if (!answer) throw new Error("The server does not answer: see whether it runs, then try again.");
  if (answer.ok) return answer.arrayBuffer();
  const text = answer.status === 409 ? await answer.text() : answer.status === 404 ? gone : "";
  throw new Error(text || `The ${what} could not be fetched (status ${answer.status}): try again.`);
}

/** The test images behind every map: { images, labels, numbers }, arrays of readTensors. */
export function mapImages() {
  if (pictures) return pictures;
  pictures = fetchBytes("./map-images", "test images").then((buffer) => readTensors(buffer).arrays);
  pictures.catch(() => (pictures = null)); // a failure is not remembered
  return pictures;
}
