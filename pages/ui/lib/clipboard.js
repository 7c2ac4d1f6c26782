// A text into the clipboard, by whichever way the browser knows.

import { make } from "./dom.js";

/**
 * Whether it is there now. A text that is not known yet may be given as a promise: called while a press lasts, it counts
 * as asked for by hand, which some browsers want, however long the text takes.
 * @param {string | Promise<string>} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  const coming = Promise.resolve(text);
  try {
    const packed = coming.then((known) => new Blob([known], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": packed })]);
    return true;
  } catch {
    return copyKnown(await coming);
  }
}

/** Over plain http, as in most lecture halls, browsers know only the old way. @param {string} text */
async function copyKnown(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** @param {string} text */
function copySelected(text) {
  let before = /** @type {any} */ (document.activeElement);
  while (before?.shadowRoot?.activeElement) before = before.shadowRoot.activeElement;
  const field = make("textarea", { value: text, readOnly: true });
  field.style.cssText = "position: fixed; opacity: 0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return done;
}
