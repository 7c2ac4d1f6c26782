// A question that comes before what was wished: the keyboard is taken there, Escape leaves it, and whoever has answered
// is back at what was pressed. Mounted by view.py.

import { onKeys } from "../lib/keys.js";

export default class QuestionView {
  constructor(root) {
    this.root = root;
    this.came = focused();
    this.box = null;
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data }) {
    this.data = data;
    this.box ??= this.take(data.box);
    if (this.box?.ariaLabel === data.asks) return;
    this.box?.setAttribute("aria-label", data.asks);
    this.box?.focus({ preventScroll: true });
    this.show();
  }

  /** Where the question comes up from the lower edge, as on a phone, what it is about goes to the upper one. */
  show() {
    const sheet = this.box?.parentElement;
    if (sheet && getComputedStyle(sheet).position === "fixed") sheet.parentElement?.scrollIntoView({ block: "start" });
  }

  take(name) {
    const { host } = /** @type {ShadowRoot} */ (this.root.getRootNode());
    const box = /** @type {HTMLElement} */ (host.closest(`.st-key-${name}`));
    this.deafen = onKeys(box, (key) => key === "Escape" && this.leave());
    box.setAttribute("role", "group");
    box.tabIndex = -1;
    return box;
  }

  leave() {
    const named = ({ textContent }) => textContent.trim() === this.data.leave;
    const button = [...this.box.querySelectorAll("button")].find(named);
    button?.click();
    return Boolean(button);
  }

  destroy() {
    this.deafen?.();
    for (const name of ["role", "tabindex", "aria-label"]) this.box?.removeAttribute(name);
    const now = focused();
    const lost = now === document.body || this.box?.contains(now);
    if (lost && this.came?.isConnected) this.came.focus({ preventScroll: true });
  }
}

/** What has the focus, also within components. */
function focused() {
  let found = /** @type {any} */ (document.activeElement);
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found;
}
