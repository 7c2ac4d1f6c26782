// The loss curves: uPlot draws axes and lines, this file says which, and adds marks and a reading at the cursor.

import { steerChart } from "./chart_keys.js";
import { onResize } from "./dom.js";
import { letterSize } from "./draw.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { align } from "./history.js";
import { format, tick } from "./numbers.js";

const SYNC = "elbo-room-curves";

/**
 * One chart. `series`: [{ name: "test.nll", label, colour, kind: "test" | "train" | "loss", end }], of the run shown; end: what
 * stands where the line ends, if anything. `height`: px; `unit`: of y; `quiet`: what marks say stands above another chart.
 */
export class Curves {
  constructor(host, { series, height = 0, unit = "nats ↓", sync = SYNC, quiet = false }) {
    this.host = host;
    this.series = series;
    this.own = series;
    this.height = height;
    this.unit = unit;
    this.quiet = quiet;
    this.marks = [];
    this.sync = uPlot.sync(sync);
    this.reading = host.appendChild(document.createElement("div"));
    this.reading.className = "reading";
    this.observer = onResize(host, () => this.plot?.setSize(this.size()));
  }

  size() {
    return { width: Math.max(200, this.host.clientWidth), height: this.height };
  }

  /** Draw the test curves of so many other runs too, dashed, each in its own pattern. */
  compare(labels) {
    const tests = this.own.filter((s) => s.kind === "test");
    const others = labels.flatMap((label, k) =>
      tests.map((s) => ({
        ...s,
        source: k + 1,
        label: `${label}: ${s.label}`,
        kind: "other",
        dash: DASHES[k % DASHES.length],
      })),
    );
    this.series = [...this.own, ...others];
    if (this.colours) this.restyle(this.colours);
  }

  /** Build anew, in the colours of the theme. */
  restyle(colours) {
    this.colours = colours;
    const same = this.plot?.data.length === this.series.length + 1;
    const data = same ? this.plot.data : [[], ...this.series.map(() => [])];
    this.plot?.destroy();
    this.plot = new uPlot(this.options(colours), data, this.host);
    const drawn = this.plot.root.querySelector(".u-wrap");
    drawn?.setAttribute("role", "application");
    drawn?.setAttribute("aria-label", `curves by step: ${this.series.map(({ label }) => label).join(", ")}`);
    if (drawn) steerChart(drawn, this.plot, this.reading);
  }

  /** @returns {any} what uPlot is told */
  options(colours) {
    const letter = (this.letter = letterSize()),
      font = `${letter}px sans-serif`;
    const axis = {
      stroke: colours.text,
      font,
      labelFont: font,
      labelSize: 1.5 * letter,
      grid: { stroke: colours.grid, width: 1 },
      ticks: { stroke: colours.grid, width: 1 },
    };
    const strip = this.quiet ? 0.6 : 1.6; // of letters: above the plot, for what marks say
    return {
      ...this.size(),
      legend: { show: false },
      padding: [strip * letter, this.room(font), 0, 0],
      cursor: { sync: { key: this.sync.key }, points: { size: 7 }, drag: { x: true, y: false } },
      scales: {
        x: { time: false, range: (_, min, max) => (min == null ? [0, 100] : [min, max]) },
        y: { range: () => this.range() },
      },
      axes: [
        {
          ...axis,
          size: 2.2 * letter,
          space: 5 * letter,
          values: (_, ticks) => ticks.map((t, i) => `${i ? "" : "step "}${tick(t)}`),
        },
        {
          ...axis,
          label: this.unit,
          values: (_, ticks) => ticks.map(tick),
          space: 2 * letter,
          size: (_, texts) => letter * Math.max(3.5, 0.9 + 0.55 * longest(texts ?? [])),
        },
      ],
      series: [{}, ...this.series.map((s) => line(s, colours))],
      hooks: { setCursor: [() => this.read()], draw: [() => this.drawMarks(), () => this.drawEnds()] },
    };
  }

  /** Px at the right of the plot: for the words at the ends of its lines, or for half of the last tick. */
  room(font) {
    const ctx = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    ctx.font = `bold ${font}`;
    const widths = this.series.map(({ end }) => (end ? ctx.measureText(end).width + 0.7 * this.letter : 0));
    return Math.max(1.6 * this.letter, ...widths);
  }

  /** The first steps are far above everything that follows: the axis is fitted to what comes after them. */
  range() {
    const [steps, ...lines] = this.plot?.data ?? [[]];
    const { min, max } = this.plot?.scales.x ?? {}; // null before the first draw
    const [from, to] = [min ?? 0, max ?? Infinity];
    const early = steps[steps.length - 1] > 60 ? 20 : 0;
    let top = 0;
    for (const values of lines) {
      for (let i = 0; i < values.length; i++) {
        if (steps[i] > early && steps[i] >= from && steps[i] <= to && values[i] > top) top = values[i];
      }
    }
    let bottom = 0;
    for (const values of lines) for (const v of values) if (v !== null && v < bottom) bottom = v;
    return top || bottom ? [1.05 * bottom, 1.05 * Math.max(top, 0)] : [0, 1];
  }

  /** histories: of the run shown, then of those it is compared with */
  draw(histories) {
    this.marks = histories[0].marks;
    this.plot?.setData(
      align(
        histories,
        this.series.map(({ source = 0, name }) => ({ source, name })),
      ),
    );
  }

  setShown(name, show) {
    const index = 1 + this.series.findIndex((s) => s.name === name);
    if (this.plot && this.plot.series[index].show !== show) this.plot.setSeries(index, { show });
  }

  /** Put a cursor at the moment that is shown; null takes it away. */
  setMoment(step) {
    this.moment = step;
    this.plot?.redraw(false);
  }

  drawMoment(ctx, bbox) {
    if (this.moment == null) return;
    const x = this.plot.valToPos(this.moment, "x", true);
    ctx.save();
    ctx.fillStyle = this.colours.text;
    ctx.globalAlpha = 0.85;
    ctx.fillRect(x - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
    ctx.restore();
  }

  /** A line at every mark, and above the plot what the newest say, as far as there is room: a list below has them all. */
  drawMarks() {
    const { ctx, bbox } = this.plot;
    this.drawMoment(ctx, bbox);
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = this.colours.text;
    ctx.font = `${0.92 * this.letter * ratio}px sans-serif`;
    Object.assign(ctx, { textAlign: "left", textBaseline: "alphabetic" });
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    let free = ctx.canvas.width;
    for (const { step, text } of this.marks.toReversed()) {
      const x = this.plot.valToPos(step, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const width = ctx.measureText(text).width,
        left = Math.max(0, Math.min(x, free - width));
      if (this.quiet || left + width > free || left + width < x) continue;
      ctx.fillText(text, left, bbox.top - 0.35 * this.letter * ratio);
      free = left - this.letter * ratio;
    }
    ctx.restore();
  }

  /** What each line is, where it ends; lines that end close together have their words one below the other. */
  drawEnds() {
    const { ctx, bbox, data, scales } = this.plot;
    const ratio = devicePixelRatio,
      height = 1.1 * this.letter * ratio;
    const [steps] = data;
    const last = steps.findLastIndex((step) => step <= scales.x.max);
    const ends = this.series.flatMap(({ end, colour }, i) => {
      const value = end && this.plot.series[i + 1].show && last >= 0 ? near(data[i + 1], last) : null;
      return value == null ? [] : [{ end, colour, y: this.plot.valToPos(value, "y", true) }];
    });
    const free = [bbox.top + height / 2, bbox.top + bbox.height - height / 2];
    ctx.save();
    ctx.font = `bold ${this.letter * ratio}px sans-serif`;
    Object.assign(ctx, { textAlign: "left", textBaseline: "middle" });
    for (const { end, colour, y } of spread(ends, height, free)) {
      ctx.fillStyle = this.colours[colour];
      ctx.fillText(end, bbox.left + bbox.width + 0.5 * this.letter * ratio, y);
    }
    ctx.restore();
  }

  /** The values under the cursor, in words. */
  read() {
    const { idx } = this.plot.cursor;
    if (idx == null) return (this.reading.textContent = "");
    const parts = this.series.flatMap((s, i) => {
      const value = this.plot.series[i + 1].show ? near(this.plot.data[i + 1], idx) : null;
      return value == null ? [] : [`${s.label} ${format(value)}`];
    });
    this.reading.textContent = `step ${this.plot.data[0][idx].toLocaleString("en")}: ${parts.join(" · ")}`;
  }

  destroy() {
    this.observer.disconnect();
    this.reading.remove();
    this.plot?.destroy();
  }
}

/**
 * Things with a y, sorted by it and moved so that they lie `least` apart between two bounds.
 * @param {any[]} things
 * @param {number} least
 * @param {Numbers} bounds
 */
function spread(things, least, [top, bottom]) {
  const sorted = things.toSorted((a, b) => a.y - b.y);
  let above = top - least;
  for (const thing of sorted) above = thing.y = Math.max(thing.y, above + least);
  let below = bottom + least;
  for (const thing of sorted.toReversed()) below = thing.y = Math.min(thing.y, below - least);
  return sorted;
}

const longest = (texts) => texts.reduce((most, text) => Math.max(most, text?.length ?? 0), 0);

export const DASHES = [
  [7, 4],
  [2, 3],
  [12, 4],
  [9, 3, 2, 3],
];

const STYLES = {
  test: { width: 2.6 },
  train: { width: 1.1, alpha: 0.45 },
  loss: { width: 1.2, dash: [1, 2] },
  other: { width: 1.8 },
};

function line({ colour, label, kind, dash }, colours) {
  return {
    label,
    stroke: colours[colour],
    spanGaps: true,
    points: { show: false },
    ...(dash && { dash }),
    ...STYLES[kind],
  };
}

/** The value at an index, or the last one before it: test figures are sparser than steps. */
function near(values, index) {
  for (let i = index; i >= 0; i--) if (values[i] != null) return values[i];
  return null;
}
