// The curves of one arm. All arms share both axes, so that heights and steps can be compared by eye.

import { Curves } from "../lib/curves.js";

export class ArmCurves extends Curves {
  constructor(host, term, label) {
    const colour = term === "nll" ? "reconstruction" : "kl";
    const series = ["train", "test"].map((kind) => ({ name: `${kind}.${term}`, label: kind, colour, kind }));
    super(host, { series, height: 138, sync: "elbo-room-arms" });
    this.label = label;
    this.axes = { last: 1, top: 1 };
  }

  range() {
    return [0, 1.05 * this.axes.top];
  }

  options(colours) {
    const options = super.options(colours);
    options.scales.x.range = () => [0, this.axes.last];
    options.cursor.drag = { x: false, y: false }; // a zoom of one arm would be a lie beside the others
    options.axes[1].label = this.label;
    return options;
  }
}
