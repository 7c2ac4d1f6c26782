// What every way of exploring begins with; ways.js says what it may have beyond.

import { quietPartsOf } from "../../lib/dom.js";
import { explained } from "../../lib/glossary.js";

export class Way {
  constructor(root, place, view, page, html) {
    root.innerHTML = explained(root, html);
    this.root = root;
    this.place = place;
    this.view = view;
    this.page = page;
    this.part = quietPartsOf(root);
  }
}
