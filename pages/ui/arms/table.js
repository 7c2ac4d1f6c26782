// All figures of all arms in one table, with the best and the worst of each row marked, and the same as a CSV file.
// Beside the arms: what real images score in the place of draws, never ranked.

import { download } from "../lib/csv.js";
import { make } from "../lib/dom.js";
import { stepText } from "../lib/numbers.js";
import { bestAndWorst, csvOf, isUnranked, textOf } from "./meter.js";

// Beside the meter's figures: the reconstruction, which every snapshot has.
const NLL = {
  key: "nll",
  label: "Reconstruction (nll)",
  unit: "nats",
  better: null,
  digits: 1,
  why: "Without a KL it falls, whatever becomes of the draws.",
  says: "Mean over the images; from one sample of z, from mu where nothing is drawn.",
};

const REAL = "real images";

export class Table {
  constructor(head, body, button) {
    this.head = head;
    this.body = body;
    button.onclick = () => download(new Blob([this.csv()], { type: "text/csv" }), "ablation.csv");
  }

  /** figures: as Python says; arms: Arm objects; real: { says, figures: by key }, of real images */
  draw(figures, arms, real) {
    this.real = real;
    this.columns = arms.map((arm) => ({
      name: arm.shown.name,
      picture: arm.picture,
      ...(arm.meter() ?? { step: null, meter: null }),
    }));
    this.figures = figures;
    const names = [...this.columns.map(({ name }) => name), REAL];
    const head = row([["th", "figure", "col"], ...names.map((name) => ["th", name, "col"])]);
    head.lastChild.title = real.says;
    const when = row([
      ["th", "step", "row"],
      ...this.columns.map(({ step }) => ["td", step === null ? "not measured yet" : stepText(step)]),
      ["td", ""],
    ]);
    this.head.replaceChildren(head, when);
    this.body.replaceChildren(
      this.line(
        NLL,
        this.columns.map(({ picture }) => picture && { step: picture.step, nll: picture.terms.nll }),
      ),
      ...figures.map((f) =>
        this.line(
          f,
          this.columns.map((c) => c.meter),
        ),
      ),
    );
  }

  line(figure, meters) {
    const { best, worst } = bestAndWorst(figure, meters);
    const tr = row([["th", figure.unit === "%" ? figure.label : `${figure.label} (${figure.unit})`, "row"]]);
    tr.dataset.figure = figure.key;
    tr.firstChild.title = `${figure.says} ${figure.why}`;
    if (figure.better) tr.firstChild.append(small(figure.better === "low" ? " ↓ better" : " ↑ better"));
    meters.forEach((meter, i) =>
      tr.append(this.cell(figure, meter, i, best.includes(i) ? "best" : worst.includes(i) ? "worst" : "")),
    );
    const real = make("td", {
      textContent: figure.key in this.real.figures ? textOf(figure, this.real.figures[figure.key]) : "",
    });
    real.dataset.column = REAL;
    tr.append(real);
    return tr;
  }

  cell(figure, meter, index, rank) {
    const td = document.createElement("td");
    td.dataset.column = this.columns[index].name;
    td.textContent = meter ? textOf(figure, meter[figure.key]) : "–";
    const other =
      figure === NLL && meter && this.columns[index].step !== null && meter.step !== this.columns[index].step;
    if (other) td.append(small(` (${stepText(meter.step)})`));
    if (isUnranked(figure, meter)) return this.unranked(td, index);
    if (!rank) return td;
    td.dataset.rank = rank;
    td.append(` ${rank === "best" ? "▲" : "▼"}`);
    td.setAttribute("aria-label", `${td.textContent} ${rank}`);
    return td;
  }

  /** A cell that takes no part in the ranking says why: the arm's state, in the words of Python. */
  unranked(td, index) {
    const { diagnosis } = this.columns[index].picture ?? {};
    td.dataset.rank = "none";
    td.title = "Unranked, as no unit is active." + (diagnosis ? ` ${diagnosis.name}: ${diagnosis.sentence}` : "");
    td.setAttribute("aria-label", `${td.textContent} unranked: no active unit`);
    td.append(" ∅");
    return td;
  }

  csv() {
    const rows = this.figures.map(({ key, label, unit }) => ({
      label,
      unit,
      values: [
        ...this.columns.map(({ meter }) => meter && (meter[key] ?? "not defined")),
        this.real.figures[key] ?? "",
      ],
    }));
    const nll = {
      ...NLL,
      values: this.columns.map(({ picture, step }) =>
        picture && (step === null || picture.step === step) ? picture.terms.nll : null,
      ),
    };
    return csvOf([...this.columns, { name: REAL, step: "" }], [nll, ...rows]);
  }
}

/** A row of cells: [[tag, text, scope of a head]]. */
const row = (cells) =>
  make("tr", {}, ...cells.map(([tag, textContent, scope]) => make(tag, { textContent, ...(scope && { scope }) })));

const small = (textContent) => make("small", { textContent });
