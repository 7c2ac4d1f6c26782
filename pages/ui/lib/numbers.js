// How numbers are written, and round numbers for axes. Runs under node.

/** With so many digits and a real minus sign; a rounded zero has none. */
export const fixed = (value, digits = 2) =>
  value
    .toFixed(digits)
    .replace(/^-0(\.0*)?$/, (zero) => zero.slice(1))
    .replace("-", "−");

/** As many digits as it needs, six at most: of a tick. */
export const plain = (value) =>
  Math.abs(value) < 1e-12 ? "0" : String(Number(value.toPrecision(6))).replace("-", "−");

/** Of an axis: as `plain`, thousands with a comma. */
export const tick = (value) => (Math.abs(value) < 1000 ? plain(value) : value.toLocaleString("en").replace("-", "−"));

/** A figure in nats beside others: finer where it is small, whole where it is large. */
export function format(value) {
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e7) return Math.round(value).toLocaleString("en").replace("-", "−");
  return size >= 1e7 ? value.toExponential(1) : fixed(value, size < 1 ? 3 : size < 10 ? 2 : 1);
}

/** How long something takes, about: of seconds. */
export const aboutText = (seconds) =>
  seconds < 90 ? `${Math.max(1, Math.ceil(seconds))} s` : `${Math.ceil(seconds / 60)} min`;

/** Of a run that waits in the line of its device. @param {{ place: number, of: number, seconds: number }} waits */
export const waitText = ({ place, of, seconds }) => `waiting: place ${place} of ${of}, about ${aboutText(seconds)}`;

export const stepText = (step) => `step ${step.toLocaleString("en")}`;

/** The smallest of …, 1, 2, 5, 10, 20, … that is not below v; 1 for nothing. */
export function niceAbove(v) {
  if (!(v > 0) || !Number.isFinite(v)) return 1;
  const power = 10 ** Math.floor(Math.log10(v));
  return Number(([1, 2, 5, 10].find((m) => m * power >= v * (1 - 1e-9)) * power).toPrecision(1));
}

/** Round values between two ends, about `count` of them. */
export function ticks(from, to, count) {
  const step = niceAbove((to - from) / Math.max(1.5, count));
  const [first, last] = [Math.ceil(from / step - 1e-9), Math.floor(to / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)) || 0);
}
