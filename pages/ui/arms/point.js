// The point of a map that is decoded: in one arm, or at the same place in all of them.

export class Point {
  /** linked: the box that says whether all arms follow. */
  constructor(linked) {
    this.linked = linked;
    this.panel = null;
    this.xy = null;
    this.moved = false;
  }

  set(panel, xy) {
    this.panel = panel;
    this.xy = xy;
    this.moved = true;
  }

  of(panel) {
    return this.linked.checked || panel === this.panel ? this.xy : null;
  }

  draw(panels) {
    if (!this.moved) return;
    this.moved = false;
    for (const panel of panels) {
      panel.root.classList.toggle("pointed", panel === this.panel);
      panel.over.setPoint(this.of(panel));
      panel.probe.show(this.of(panel));
    }
  }
}
