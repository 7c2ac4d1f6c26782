// What was expected of an arm beside what came: told when its film has been seen to the end, and no sooner.

import { onKeys, onPageKeys } from "../lib/keys.js";

export class Predicted {
  /** root: of the arm. onWhy(): the reason was unfolded, which names figures of the table. */
  constructor(root, part, onWhy) {
    this.part = part;
    this.onWhy = onWhy;
    part.why.onclick = () => this.unfold(part.because.hidden);
    const fold = (key) => key === "Escape" && this.fold();
    this.deaf = [onKeys(root, fold), onPageKeys(fold)];
  }

  /** Whether there was something to fold. */
  fold() {
    const open = !this.part.because.hidden;
    if (open) this.unfold(false);
    return open;
  }

  unfold(open) {
    const { why, because } = this.part;
    why.setAttribute("aria-expanded", String(open));
    because.hidden = !open;
    if (!open) return;
    this.onWhy();
    because.scrollIntoView({ block: "nearest" });
  }

  /** shown: { said, came, right, because } as view.py has it; null where nothing was said. */
  set(shown) {
    if (JSON.stringify(shown) === this.known) return;
    this.known = JSON.stringify(shown);
    const { predicted, said, came, verdict, why, because } = this.part;
    predicted.hidden = !shown;
    predicted.classList.remove("seen");
    this.unfold(false);
    if (!shown) return;
    said.textContent = shown.said;
    came.textContent = shown.came;
    verdict.textContent = shown.verdict;
    because.textContent = shown.because;
    why.hidden = !shown.because;
  }

  /** The last moment is on the screen. Its place was kept, so nothing moves. */
  reveal() {
    this.part.predicted.classList.add("seen");
  }

  destroy() {
    for (const end of this.deaf) end();
  }
}
