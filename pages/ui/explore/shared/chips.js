// A button for each class, as the ways have them that show test images: choices(root, "digit", …) hears them.

import { make } from "../../lib/dom.js";
import { oneOf } from "./classes.js";

/** @param {string[]} classNames */
export const chipsOf = (classNames) =>
  classNames.map((name, label) =>
    make("button", { textContent: name, dataset: { digit: label }, aria: { label: `a test image of ${oneOf(name)}` } }),
  );
