// Elements of a view: found, made, pressed, and drawn at most once a frame.

/** A function that asks for `draw` in the next frame, however often it is called before; .cancel() takes it back. */
export function everyFrame(draw) {
  let frame = 0;
  const ask = () => (frame ||= requestAnimationFrame(() => ((frame = 0), draw())));
  ask.cancel = () => {
    cancelAnimationFrame(frame);
    frame = 0;
  };
  return ask;
}

/**
 * The elements of a view by their data-part, or another name.
 * @returns {Parts}
 */
export const partsOf = (root, key = "part") =>
  Object.fromEntries([...root.querySelectorAll(`[data-${key}]`)].map((e) => [e.dataset[key], e]));

/** The same; what changes with every frame is not read out. */
export function quietPartsOf(root) {
  const parts = partsOf(root);
  for (const part of Object.values(parts)) if (part.tagName === "OUTPUT") part.setAttribute("aria-live", "off");
  return parts;
}

/**
 * An element with properties and children; in `dataset` its data attributes, in `aria` those of a screen reader.
 * @param {string} tag
 * @param {Record<string, any>} properties
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, { dataset, aria, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, dataset);
  for (const [name, value] of Object.entries(aria ?? {})) made.setAttribute(`aria-${name}`, value);
  made.append(...children);
  return made;
}

/** The buttons with a data-`key`, each of which stands for a value: a press calls choose(value). */
export function choices(root, key, choose) {
  for (const button of root.querySelectorAll(`[data-${key}]`)) button.onclick = () => choose(button.dataset[key]);
}

/** Of such buttons those are pressed whose value is(value). */
export function pressWhere(root, key, is) {
  for (const button of root.querySelectorAll(`[data-${key}]`))
    button.setAttribute("aria-pressed", is(button.dataset[key]));
}

/** Of such buttons that one is pressed whose value it is. */
export const press = (root, key, value) => pressWhere(root, key, (own) => own === String(value));

/** The marks of a run as a list: all of them, and readable by a screen reader. */
export function listMarks(list, marks) {
  if (list.childElementCount !== marks.length)
    list.replaceChildren(...marks.map(({ text }) => make("li", { textContent: text })));
}

/** A function that says whether a slider is in the hand: meanwhile no state that comes in may move it. */
export function handOn(slider) {
  let finger = false; // of which :active knows nothing
  slider.addEventListener("touchstart", () => (finger = true), { passive: true });
  for (const end of ["touchend", "touchcancel"]) slider.addEventListener(end, () => (finger = false));
  return () => finger || slider.matches(":active");
}

/** Calls draw() for every size that the element gets; .disconnect() ends it. */
export function onResize(element, draw) {
  const observer = new ResizeObserver(() => draw());
  observer.observe(element);
  return observer;
}
