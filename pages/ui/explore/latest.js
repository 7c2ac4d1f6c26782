// Decoding for a slider: what was asked last is what comes next, and what is on its way is finished first, so that a drag
// shows something all the time. Small nets decode a few pictures on the page at once; all else goes to the background.

import { greys } from "../net/model.js";

const AT_ONCE = 64; // pictures of the mlp, about half a millisecond each

export class Latest {
  constructor(app, key) {
    Object.assign(this, { app, key, busy: false, next: null });
  }

  /** show(pictures, from, to): as they come; pictures has its whole length. */
  ask(zs, show) {
    const { app } = this,
      count = zs.length / app.set.dims;
    if (app.about.net === "mlp" && count <= AT_ONCE) return show(decodeAll(app.model, zs), 0, count);
    this.next = { zs, show };
    if (!this.busy) this.working = this.work();
  }

  /** Resolves once all that was asked for has been shown. */
  async rest() {
    while (this.busy) await this.working;
  }

  async work() {
    this.busy = true;
    while (this.next) {
      const { zs, show } = this.next,
        { app } = this,
        { background } = app;
      this.next = null;
      await background
        .decode(this.key, zs, (pictures, from, to) => background === app.background && show(pictures, from, to))
        .catch(() => null);
    }
    this.busy = false;
  }
}

/** Grey levels of n codes in one array, n · 784. */
export function decodeAll(model, zs) {
  const count = zs.length / model.dims,
    pictures = new Uint8Array(count * 784);
  for (let i = 0; i < count; i++)
    pictures.set(greys(model.decode(zs.subarray(i * model.dims, (i + 1) * model.dims))), 784 * i);
  return pictures;
}
