// The loss curves: uPlot draws axes and lines, this file says which, and adds marks and a reading at the cursor.

import { onResize } from "./dom.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { align } from "./history.js";
import { format } from "./numbers.js";

const SYNC = "elbo-room-curves";

/** One chart. `series`: [{ name: "test.nll", label, colour, kind: "test" | "train" | "loss" }], of the run shown; `unit`: of y. */
export class Curves {
  constructor(host, { series, height, unit = "nats ↓", sync = SYNC }) {
    this.host = host;
    this.series = series;
    this.own = series;
    this.height = height;
    this.unit = unit;
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
  }

  options(colours) {
    const axis = {
      stroke: colours.text,
      font: "13px sans-serif",
      labelFont: "13px sans-serif",
      labelSize: 20,
      grid: { stroke: colours.grid, width: 1 },
      ticks: { stroke: colours.grid, width: 1 },
    };
    return {
      ...this.size(),
      legend: { show: false },
      cursor: { sync: { key: this.sync.key }, points: { size: 7 }, drag: { x: true, y: false } },
      scales: { x: { time: false }, y: { range: () => this.range() } },
      axes: [
        { ...axis, label: "step", size: 32, values: (_, ticks) => ticks.map((t) => t.toLocaleString("en")) },
        { ...axis, label: this.unit, size: (_, texts) => Math.max(46, 11 + 7 * longest(texts ?? [])) },
      ],
      series: [{}, ...this.series.map((s) => line(s, colours))],
      hooks: { setCursor: [() => this.read()], draw: [() => this.drawMarks()] },
    };
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

  drawMarks() {
    const { ctx, bbox } = this.plot;
    this.drawMoment(ctx, bbox);
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.fillStyle = this.colours.text;
    ctx.font = `${12 * ratio}px sans-serif`;
    this.marks.forEach((mark, i) => {
      const x = this.plot.valToPos(mark.step, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.strokeStyle = this.colours.text;
      ctx.lineWidth = 1.5 * ratio;
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const right = x > bbox.left + bbox.width / 2;
      ctx.textAlign = right ? "right" : "left";
      ctx.setLineDash([]);
      ctx.lineWidth = 4 * ratio;
      ctx.strokeStyle = this.colours.background;
      const at = [x + (right ? -5 : 5) * ratio, bbox.top + (14 + 15 * (i % 4)) * ratio];
      ctx.strokeText(mark.text, ...at);
      ctx.fillText(mark.text, ...at);
    });
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
