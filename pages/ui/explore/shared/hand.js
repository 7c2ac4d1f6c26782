// Whether a slider is in the hand: meanwhile no state that comes in may move it.

/** A function that says so; of a finger :active knows nothing. */
export function handOn(slider) {
  let finger = false;
  slider.addEventListener("touchstart", () => (finger = true), { passive: true });
  for (const end of ["touchend", "touchcancel"]) slider.addEventListener(end, () => (finger = false));
  return () => finger || slider.matches(":active");
}
