// What the browser knows of a run's curves: arrays that grow, kept as columns for uPlot.

const TRAIN = ["step", "nll", "kl", "loss"];
const TEST = ["step", "nll", "kl", "meanStd", "active"];

export class History {
  constructor() {
    this.clear();
  }

  clear() {
    this.train = columns(TRAIN);
    this.test = columns(TEST);
    this.marks = [];
  }

  /** Add the rows and marks of a message; rows seen before are left out. */
  add({ news, arrays }) {
    if (news.fresh) this.clear();
    append(this.train, TRAIN, arrays.train);
    append(this.test, TEST, arrays.test);
    for (const mark of news.marks) {
      if (!this.marks.some((m) => m.step === mark.step && m.text === mark.text)) this.marks.push(mark);
    }
  }

  /** Whether the loss minimised ever differed from −ELBO: alpha or beta was not 1. */
  weighted() {
    const { nll, kl, loss } = this.train;
    return loss.some((v, i) => Math.abs(v - nll[i] - kl[i]) > 1e-3 * Math.abs(v) + 1e-3);
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
    return place(sources[source][split], steps, term);
  };
  return [steps, ...wanted.map(curve)];
}

const columns = (names) => Object.fromEntries(names.map((name) => [name, []]));

function append(table, names, { shape: [rows, width], data }) {
  for (let i = 0; i < rows; i++) {
    const step = data[i * width];
    if (table.step.length && step <= table.step[table.step.length - 1]) continue;
    names.forEach((name, j) => table[name].push(data[i * width + j]));
  }
}

function mergeSteps(a, b) {
  const merged = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = Math.min(i < a.length ? a[i] : Infinity, j < b.length ? b[j] : Infinity);
    if (a[i] === x) i++;
    if (b[j] === x) j++;
    merged.push(x);
  }
  return merged;
}

const derived = { negElbo: (t, i) => t.nll[i] + t.kl[i] };

function place(table, steps, term) {
  const value = derived[term] ?? ((t, i) => t[term][i]);
  let i = 0;
  return steps.map((step) => (table.step[i] === step ? value(table, i++) : null));
}
