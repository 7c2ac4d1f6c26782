// What is there for a screen reader alone: the one helper in JavaScript; pages/ui/spoken.py is the one in Python, and
// hides it from eyes.

import { make } from "./dom.js";
import { fixed } from "./numbers.js";

const EVERY_MS = 5000; // a reader that is interrupted at every frame says nothing at all
const REST_MS = 1000; // first of all a view is put together

/** A line that is read out, politely, when what is drawn has changed: at most once in five seconds, and then of that moment. */
export class Teller {
  /** @type {(() => string) | null} what is to be said next, worked out when it is said */
  next = null;
  last = -Infinity;
  timer = 0;

  constructor(root) {
    this.line = make("p", { className: "spoken", aria: { live: "polite", atomic: "true" } });
    root.append(this.line);
  }

  /** @param {() => string} sentence */
  say(sentence) {
    this.next = sentence;
    this.timer ||= setTimeout(() => this.sayNow(), Math.max(REST_MS, this.last + EVERY_MS - performance.now()));
  }

  sayNow() {
    this.timer = 0;
    const text = this.next?.() ?? "";
    if (text === this.line.textContent) return;
    this.last = performance.now();
    this.line.textContent = text;
  }

  destroy() {
    clearTimeout(this.timer);
  }
}

/**
 * The map in words: where its codes lie and how far they spread, in units of the prior's std.
 * @param {{ xy: Tensor, xyUnit: number }} snapshot
 */
export function codesText({ xy: { shape, data }, xyUnit }) {
  const [count, dims] = shape;
  if (!count) return "";
  const sums = Array.from({ length: dims }, () => [0, 0]);
  for (let i = 0; i < count; i++)
    sums.forEach((sum, d) => {
      const value = data[dims * i + d] * xyUnit;
      sum[0] += value;
      sum[1] += value * value;
    });
  const means = sums.map(([sum]) => sum / count);
  const stds = sums.map(([, squares], d) => Math.sqrt(Math.max(0, squares / count - means[d] ** 2)));
  const pair = (values) => `(${values.map((v) => fixed(v)).join(", ")})`;
  return `Codes of ${count.toLocaleString("en")} test images: mean ${pair(means)}, std ${pair(stds)}.`;
}
