// The picture encoder → sample → decoder → losses, the formulas, and the sources that compute them. Mounted by
// code_map.py through assets.loader. What is pointed at, focused or chosen lights up in all three.
//
// Everything that comes from Python goes in as textContent: a source is shown, never read as HTML.

import { partsOf } from "../lib/dom.js";
import { Shared } from "../lib/state.js";
import { followTheme } from "../lib/theme.js";
import { isStill } from "../lib/motion.js";

// The boxes come in between; the style sheet has a place for each by its name.
const HTML = `
<div class="sheet">
  <div class="left">
    <h3 id="codemap-picture">The picture</h3>
    <div class="picture" role="group" aria-labelledby="codemap-picture" data-part="picture">
      <span class="arrow in" aria-hidden="true">x →</span>
      <span class="arrow one" aria-hidden="true">→</span>
      <span class="arrow two" aria-hidden="true">→</span>
      <span class="arrow down-kl" aria-hidden="true">↓ mu, log_var</span>
      <span class="arrow down-nll" aria-hidden="true">↓ x̂, with x</span>
      <span class="arrow down-loss" aria-hidden="true">↓ weighted and added ↓</span>
    </div>
    <h3 id="codemap-formulas">The mathematics</h3>
    <div class="formulas" role="group" aria-labelledby="codemap-formulas" data-part="formulas"></div>
  </div>
  <div class="right">
    <h3 id="codemap-code">The code that runs</h3>
    <div class="sources" role="region" aria-labelledby="codemap-code" data-part="sources"></div>
  </div>
</div>
<p class="spoken" role="status" data-part="spoken"></p>`;

/** The state of a link: the name of a step. */
export const clean = (raw) => ({ chosen: typeof raw?.chosen === "string" ? raw.chosen.slice(0, 40) : "" });

export default class CodeMap {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    this.steps = [];
    this.pointed = this.focused = null;
    this.chosen = "";
    this.shared = new Shared(clean, ({ chosen }) => this.choose(chosen, false));
    this.listen();
  }

  listen() {
    const step = (event) => event.target.closest?.("[data-step]")?.dataset.step ?? null;
    this.root.addEventListener("pointerover", (event) =>
      this.light({ pointed: event.pointerType === "touch" ? null : step(event) }),
    );
    this.root.addEventListener("pointerleave", () => this.light({ pointed: null }));
    this.root.addEventListener("focusin", (event) => {
      this.light({ focused: step(event) });
      if (this.focused && !event.target.closest(".sources")) this.show(this.focused, false);
    });
    this.root.addEventListener("focusout", () => this.light({ focused: null }));
    this.root.addEventListener("click", (event) => {
      if (event.target.closest("button")) this.choose(step(event), true);
    });
  }

  update(component) {
    followTheme(this.root);
    const text = JSON.stringify(component.data.steps);
    if (text !== this.text) {
      this.text = text;
      this.build(component.data.steps);
    }
    this.shared.update(component);
  }

  /** New numbers fill the boxes in place, so that focus and scroll stay; other sources are written anew. */
  build(steps) {
    const sources = JSON.stringify(steps.map((s) => [s.name, s.formula, s.sources]));
    this.steps = steps;
    if (sources !== this.sources) {
      this.sources = sources;
      for (const old of this.part.picture.querySelectorAll("button")) old.remove();
      this.part.picture.append(...steps.map(box));
      this.part.formulas.replaceChildren(...steps.map(formula));
      this.part.sources.replaceChildren(...steps.flatMap((s) => s.sources.map((source) => section(s, source))));
      if (!this.named(this.chosen)) this.chosen = steps[0].name;
    }
    for (const step of steps)
      this.part.picture.querySelector(`[data-step="${step.name}"] small`).textContent = step.value;
    this.light({});
  }

  named(name) {
    return this.steps.find((step) => step.name === name);
  }

  /** Choose a step; when the visitor did it, bring its code into view and tell Python. */
  choose(name, byHand) {
    const step = this.named(name);
    if (!step) return;
    this.chosen = name;
    this.light({});
    this.show(name, byHand);
    if (!byHand) return;
    const [first] = step.sources;
    this.part.spoken.textContent = `${step.title}: ${step.sources.map((s) => s.name).join(" and ")}, in ${first.file}, line ${first.line}.`;
    this.shared.report({ chosen: name });
  }

  /** Scroll the panel, and only the panel, to the code of a step; a visitor who chose it is taken there on a phone. */
  show(name, byHand) {
    const panel = this.part.sources;
    const target = panel.querySelector(`[data-step="${name}"]`);
    const still = isStill() || !byHand;
    panel.scrollTo({ top: target.offsetTop, behavior: still ? "instant" : "smooth" });
    const { top } = panel.getBoundingClientRect();
    if (byHand && top > innerHeight - 120)
      panel.scrollIntoView({ block: "center", behavior: still ? "instant" : "smooth" });
  }

  light(changes) {
    Object.assign(this, changes);
    const lit = this.pointed ?? this.focused ?? this.chosen;
    for (const step of this.root.querySelectorAll("[data-step]")) {
      step.classList.toggle("lit", step.dataset.step === lit);
      if (step.tagName === "BUTTON") step.setAttribute("aria-pressed", String(step.dataset.step === this.chosen));
    }
  }

  destroy() {}
}

function element(tag, step, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.dataset.step = step.name;
  made.dataset.colour = step.colour;
  if (text !== undefined) made.textContent = text;
  return made;
}

function box(step) {
  const made = element("button", step, "box");
  made.type = "button";
  const title = document.createElement("b");
  title.textContent = step.title;
  made.append(title, document.createElement("small"));
  return made;
}

function formula(step) {
  const made = element("button", step, "formula", step.formula);
  made.type = "button";
  made.setAttribute("aria-label", `${step.title}: ${step.formula}`);
  return made;
}

function section(step, source) {
  const made = element("section", step, "source");
  made.setAttribute("aria-label", `${source.name}, for ${step.title}`);
  const head = element("button", step, "head");
  head.type = "button";
  const [name, place] = [document.createElement("b"), document.createElement("small")];
  name.textContent = source.name;
  place.textContent = `${source.file}, line ${source.line}`;
  head.append(name, " ", place);
  const pre = document.createElement("pre");
  const code = pre.appendChild(document.createElement("code"));
  code.append(
    ...source.text
      .trimEnd()
      .split("\n")
      .map((line, i) => written(line, i + 1, source.doc)),
  );
  made.append(head, pre);
  return made;
}

/** A line of code; one that is too long for the panel goes on below its own indentation. */
function written(line, number, [from, to]) {
  const made = document.createElement("span");
  made.className = number >= from && number <= to ? "line doc" : "line";
  made.style.setProperty("--indent", String(line.length - line.trimStart().length + 2));
  made.textContent = line + "\n";
  return made;
}
