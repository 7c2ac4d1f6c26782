// What the browser knows of a run's curves: arrays that grow, kept as columns for uPlot.

const MOST = 4096; // rows of a table: several to a pixel of the charts, and a long run costs no more to draw than a short one

export class History {
  constructor() {
    this.clear();
  }

  clear() {
    this.train = columns(["step"]); // the first message names the others
    this.test = columns(["step"]);
    this.terms = [];
    this.waiting = { train: new Waiting(), test: new Waiting() };
    this.marks = [];
  }

  /** Add the rows and marks of a message; rows seen before are left out. @param {Message} message */
  add({ news, arrays }) {
    if (news.fresh) this.clear();
    for (const split of ["train", "test"]) {
      const names = news.columns[split];
      if (!this[split].step.length) this[split] = columns(names);
      append(this[split], names, arrays[split], this.waiting[split]);
    }
    this.terms = news.columns.train.slice(1, -1);
    for (const mark of news.marks) {
      if (!this.marks.some((m) => m.step === mark.step && m.text === mark.text)) this.marks.push(mark);
    }
  }

  /** Whether the loss minimised ever differed from the sum of the terms: a weight was not 1. */
  weighted() {
    const { loss = [] } = this.train;
    return loss.some((v, i) => Math.abs(v - this.sum(this.train, i)) > 1e-3 * Math.abs(v) + 1e-3);
  }

  /** Of the terms in a row of a table: −ELBO, where they are a bound. */
  sum(table, i) {
    return this.terms.reduce((sum, term) => sum + table[term][i], 0);
  }

  /** Whether it has the same terms as another run: only then are their sums the same thing. */
  isLike({ terms }) {
    return terms.length === this.terms.length && terms.every((term) => this.terms.includes(term));
  }
}

/**
 * Curves of several runs on one x axis.
 * sources: histories; wanted: [{ source: index, name: "train.nll" or "test.nll" }]
 * Returns [steps, then the values of each wanted curve, null where it has none].
 */
export function align(sources, wanted) {
  const steps = sources.reduce((all, { train, test }) => mergeSteps(all, mergeSteps(train.step, test.step)), []);
  const curve = ({ source, name }) => {
    const [split, term] = name.split(".");
    const history = sources[source];
    return place(
      history[split],
      steps,
      term === "negElbo"
        ? (t, i) => (history.isLike(sources[0]) ? history.sum(t, i) : null)
        : (t, i) => known(t[term]?.[i]),
    );
  };
  return [steps, ...wanted.map(curve)];
}

/** A value, or null where there is none: NaN is what was not recorded yet when the run was saved. */
const known = (value) => (Number.isNaN(value) ? null : (value ?? null));

const columns = (names) => Object.fromEntries(names.map((name) => [name, []]));

/** Rows that are too few yet for an average: the rule of thinned_history.py, in which a row stands for `stride` steps. */
class Waiting {
  constructor() {
    this.stride = 1;
    this.rows = [];
    this.seen = -1;
  }
}

/**
 * @param {Record<string, number[]>} table
 * @param {string[]} names
 * @param {Tensor<Float32Array>} rows
 * @param {Waiting} waiting
 */
function append(table, names, { shape: [count, width], data }, waiting) {
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    if (row[0] <= waiting.seen) continue;
    waiting.seen = row[0];
    waiting.rows.push(row);
    if (waiting.rows.length < waiting.stride) continue;
    names.forEach((name, j) => table[name].push(j === 0 ? row[0] : mean(waiting.rows, j)));
    waiting.rows = [];
    if (table.step.length === MOST) halve(table, names, waiting);
  }
}

const mean = (rows, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length;

/** Neighbours are averaged in pairs; the step is the later one's. */
function halve(table, names, waiting) {
  waiting.stride *= 2;
  for (const name of names) {
    const old = table[name];
    table[name] = Array.from({ length: MOST / 2 }, (_, i) =>
      name === "step" ? old[2 * i + 1] : (old[2 * i] + old[2 * i + 1]) / 2,
    );
  }
}

function mergeSteps(a, b) {
  const merged = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const x = Math.min(i < a.length ? a[i] : Infinity, j < b.length ? b[j] : Infinity);
    if (a[i] === x) i++;
    if (b[j] === x) j++;
    merged.push(x);
  }
  return merged;
}

function place(table, steps, value) {
  let i = 0;
  return steps.map((step) => (table.step[i] === step ? value(table, i++) : null));
}
