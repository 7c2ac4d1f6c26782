// What the lesson's views share beside the plots: the state that a view and Python have in common (Shared), the elements
// of a view (partsOf), drawing at most once a frame (everyFrame), numbers of a link (bounded), and light or dark
// (followTheme: call it on every update; it sets the class `dark` on the root and says whether the theme has changed).

/** A function that asks for `draw` in the next frame, however often it is called before; .cancel() takes it back. */
export function everyFrame(draw) {
  let frame = 0;
  const ask = () => (frame ||= requestAnimationFrame(() => ((frame = 0), draw())));
  ask.cancel = () => (frame = cancelAnimationFrame(frame) ?? 0);
  return ask;
}

/**
 * The state that a view shares with its Python wrapper. `clean(raw)` makes a whole and harmless state of whatever a link
 * may say. What Python says is taken over when it is new and did not come from this view; data.again, another number
 * than before, has the same state taken over once more.
 */
export class Shared {
  constructor(clean, apply) {
    Object.assign(this, { clean, apply, sent: new Set(), heard: "null", again: undefined });
  }

  update({ data, setStateValue }) {
    this.send = (state) => setStateValue("state", state);
    const said = data?.state ? JSON.stringify(this.clean(data.state)) : "null";
    const urged = this.again !== undefined && data?.again !== this.again;
    const news = said !== this.heard && !this.sent.has(said);
    this.again = data?.again ?? 0;
    this.heard = said;
    if (said !== "null" && (news || urged)) this.apply(JSON.parse(said));
  }

  /** Tell Python, once something has come to rest. */
  report(state) {
    const text = JSON.stringify(this.clean(state));
    if (text === this.last || !this.send) return;
    this.last = text;
    this.sent.add(text);
    this.send(JSON.parse(text));
  }
}

/** The elements of a view by their data-part. What changes with every frame is not read out. */
export function partsOf(root) {
  const parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((e) => [e.dataset.part, e]));
  for (const part of Object.values(parts)) if (part.tagName === "OUTPUT") part.setAttribute("aria-live", "off");
  return parts;
}

/** A number from a link: within its bounds and rounded to hundredths, or the fallback. */
export function bounded(value, [least, most], fallback) {
  const number = typeof value === "number" || /\d/.test(value) ? Number(value) : NaN;
  if (!Number.isFinite(number)) return fallback;
  return Math.round(Math.min(most, Math.max(least, number)) * 100) / 100;
}

/** Set the class `dark` on the root as the page's background says; true when the theme is another than before. */
export function followTheme(root) {
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  if (background === root.dataset.background) return false;
  root.dataset.background = background;
  root.classList.toggle("dark", luminance(background) < 0.4);
  return true;
}

/** Roughly, of "#rrggbb" or "rgb(…)": 0 is black, 1 is white. */
function luminance(colour) {
  const hex = colour.match(/^#(..)(..)(..)/);
  const [r, g, b] = hex
    ? hex.slice(1).map((h) => parseInt(h, 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}
