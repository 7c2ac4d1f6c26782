// Light and dark, and the colours that drawings take from the page.

/** Set the class `dark` on the root as the page's background says; true when the theme is another than before. */
export function followTheme(root) {
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  if (background === root.dataset.background) return false;
  root.dataset.background = background;
  root.classList.toggle("dark", luminance(background) < 0.4);
  return true;
}

/** [r, g, b] of "#rrggbb" or "rgb(…)"; white where it is neither. */
export function rgbOf(colour) {
  const hex = colour.match(/^#(..)(..)(..)/);
  return hex
    ? hex.slice(1).map((h) => parseInt(h, 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
}

/** Roughly: 0 is black, 1 is white. */
function luminance(colour) {
  const [r, g, b] = rgbOf(colour);
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

/** The colours of a view's style sheet by name; classes: of ten. */
export function coloursOf(root) {
  const style = getComputedStyle(root);
  const value = (name) => style.getPropertyValue(name).trim();
  return {
    background: value("--st-background-color"),
    text: value("--st-text-color"),
    grid: value("--st-border-color"),
    primary: value("--st-primary-color"),
    reconstruction: value("--term-reconstruction"),
    kl: value("--term-kl"),
    total: value("--term-total"),
    ...Object.fromEntries([0, 1, 2].map((i) => [`other${i}`, value(`--term-other${i}`)])),
    classes: Array.from({ length: 10 }, (_, i) => value(`--class-${i}`)),
  };
}
