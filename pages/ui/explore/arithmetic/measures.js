// Attributes measured on pictures, side by side: what was changed, and what changed with it.

import { make } from "../../lib/dom.js";
import { fixed } from "../../lib/numbers.js";

export class Measures {
  constructor(root) {
    this.root = root;
    root.classList.add("measures");
  }

  /** attributes: [{ key, label, unit }] of the package; columns: names, the last of which is the change. */
  open(attributes, columns) {
    const key = JSON.stringify([attributes, columns]);
    if (key === this.key) return;
    this.key = key;
    this.attributes = attributes;
    this.root.replaceChildren();
    const head = this.root.createTHead().insertRow();
    head.append(...["Measured", ...columns].map((name) => header(name, "col")));
    const body = this.root.createTBody();
    this.rows = attributes.map(({ label, unit }) => {
      const row = body.insertRow();
      row.append(header(`${label}, ${unit}`, "row"));
      return columns.map(() => row.insertCell());
    });
  }

  /** pictures: an object of attributes for every column but the last; chosen: key of the one that was meant, or null. */
  show(pictures, chosen) {
    this.attributes.forEach(({ key }, r) => {
      const values = pictures.map((measured) => measured[key]),
        change = values.at(-1) - values.at(-2);
      const texts = [...values.map((value) => fixed(value, 1)), `${change < 0 ? "" : "+"}${fixed(change, 1)}`];
      this.rows[r].forEach((cell, c) => (cell.textContent = texts[c]));
      this.rows[r][0].parentElement.dataset.chosen = String(key === chosen);
      this.rows[r].at(-2).dataset.measured = key;
    });
  }
}

const header = (textContent, scope) => make("th", { textContent, scope });
