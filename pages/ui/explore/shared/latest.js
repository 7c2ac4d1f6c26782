// Decoding for a slider: what was asked last is what comes next, and what is on its way is finished first, so that a drag
// shows something all the time. Small nets decode a few pictures on the page at once; all else goes to the background.

import { PIXELS, greys } from "../../lib/images.js";
import { rowAt } from "./found.js";

const AT_ONCE = 64; // pictures of the mlp, about half a millisecond each

export class Latest {
  /** key: as Background.decode takes it. */
  constructor(key) {
    this.key = key;
    this.busy = false;
    this.next = null;
  }

  /** found: the model; show(pictures, from, to): as they come, pictures has its whole length; ys: labels, if any. */
  ask(found, zs, show, ys) {
    const count = zs.length / found.set.dims;
    if (found.about.net === "mlp" && count <= AT_ONCE) return show(decodeAll(found.model, zs, ys), 0, count);
    this.next = { found, zs, show, ys };
    if (!this.busy) this.working = this.work();
  }

  /** Resolves once all that was asked for has been shown. */
  async rest() {
    while (this.busy) await this.working;
  }

  async work() {
    this.busy = true;
    while (this.next) {
      const { found, zs, show, ys } = this.next;
      this.next = null;
      await found.background.decode(this.key, zs, show, ys).catch(() => null);
    }
    this.busy = false;
  }
}

/** Grey levels of n codes in one array, n · 784; ys: a label for each, of a model that is told one. */
export function decodeAll(model, zs, ys) {
  const count = zs.length / model.dims,
    pictures = new Uint8Array(count * PIXELS);
  for (let i = 0; i < count; i++) {
    const told = ys ? model.given(ys[i]) : model;
    pictures.set(greys(told.decode(rowAt(zs, i, model.dims))), PIXELS * i);
  }
  return pictures;
}
