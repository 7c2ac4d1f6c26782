// The module worker behind background.js: everything that takes longer than a frame, away from what is under the pointer.

import { desk } from "./jobs.js";

const SLICE = 8; // ms; then newer calls get through

// A message to itself comes after those that wait already, and unlike a timer of 0 ms it is not held back for 4 ms.
const { port1, port2 } = new MessageChannel();
/** @type {(() => void)[]} */
const next = [];
port1.onmessage = () => next.shift()?.();
/** @param {() => void} run */
const later = (run) => {
  next.push(run);
  port2.postMessage(null);
};

const hear = desk((message, handed) => /** @type {any} */ (self).postMessage(message, handed), SLICE, later);
self.onmessage = ({ data }) => hear(data);
