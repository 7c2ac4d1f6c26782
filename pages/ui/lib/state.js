// The state that a view shares with its Python wrapper, and what makes it whole and harmless, whatever a link says.

/**
 * The state that a view shares with its Python wrapper. `clean(raw)` makes a whole and harmless state of whatever a link
 * may say. What Python says is taken over when it is new and did not come from this view; data.again, another number
 * than before, has the same state taken over once more.
 */
export class Shared {
  constructor(clean, apply) {
    this.clean = clean;
    this.apply = apply;
    this.sent = new Set();
    this.heard = "null";
    this.again = undefined;
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

/** A number from a link: within its bounds and rounded to hundredths, or the fallback. */
export function bounded(value, [least, most], fallback) {
  const number = typeof value === "number" || /\d/.test(value) ? Number(value) : NaN;
  if (!Number.isFinite(number)) return fallback;
  return Math.round(Math.min(most, Math.max(least, number)) * 100) / 100;
}

/** A number within bounds, or the fallback. */
export function within(value, [least, most], fallback) {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(least, Math.min(most, value)) : fallback;
}

/** Whether it is a whole number from 0 and below `end`. */
export const whole = (value, end) => Number.isInteger(value) && value >= 0 && value < end;

/** A list no longer than `most`; anything else is an empty one. */
export const list = (raw, most) => (Array.isArray(raw) ? raw.slice(0, most) : []);
