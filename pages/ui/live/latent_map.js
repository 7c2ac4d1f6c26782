// The latent map: mu of 5,000 test images, on equal-aspect axes in units of the prior's standard deviation.
// What lies under the codes and over them is another's: under(ctx, side) and over(ctx, at, scale), where they are set.

const REACH = 4; // the fixed axes run from -4 to 4

export class LatentMap {
  constructor(canvas, note) {
    Object.assign(this, { canvas, note, automatic: false, snapshot: null, alpha: 0.75, axes: ["μ₁", "μ₂"] });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(canvas);
  }

  restyle(colours) {
    this.colours = colours;
    this.draw();
  }

  show(snapshot, axes) {
    this.snapshot = snapshot;
    this.axes = axes;
    this.draw();
  }

  /** Mark a point of the plane, or none. */
  mark(point) {
    this.point = point;
    this.draw();
  }

  drawMark(ctx, at) {
    const px = devicePixelRatio;
    ctx.strokeStyle = this.colours.text;
    ctx.lineWidth = 2.5 * px;
    ctx.beginPath();
    ctx.arc(at(this.point[0]), at(-this.point[1]), 9 * px, 0, 2 * Math.PI);
    ctx.stroke();
  }

  setAutomatic(on) {
    this.automatic = on;
    this.draw();
  }

  /** Half the side of the square that is shown. */
  reach() {
    if (!this.automatic || !this.snapshot) return REACH;
    const { data } = this.snapshot.xy;
    let furthest = 0;
    for (const v of data) furthest = Math.max(furthest, Math.abs(v));
    return Math.max(1.05 * furthest * this.snapshot.xyUnit, 1e-3);
  }

  draw() {
    const { canvas, colours } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side || !colours) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const ctx = canvas.getContext("2d");
    const reach = this.reach();
    const scale = side / (2 * reach);
    const at = (v) => side / 2 + v * scale;
    ctx.clearRect(0, 0, side, side);
    this.under?.(ctx, side);
    this.drawFrame(ctx, side, reach, at, scale);
    if (this.snapshot) this.drawCodes(ctx, side, at);
    this.over?.(ctx, at, scale);
    if (this.point) this.drawMark(ctx, at);
  }

  drawFrame(ctx, side, reach, at, scale) {
    const px = devicePixelRatio;
    ctx.lineWidth = px;
    ctx.strokeStyle = this.colours.grid;
    ctx.fillStyle = this.colours.text;
    ctx.font = `${13 * px}px sans-serif`;
    for (const [from, to] of [
      [
        [at(0), 0],
        [at(0), side],
      ],
      [
        [0, at(0)],
        [side, at(0)],
      ],
    ]) {
      ctx.beginPath();
      ctx.moveTo(...from);
      ctx.lineTo(...to);
      ctx.stroke();
    }
    ctx.strokeStyle = this.colours.text;
    ctx.setLineDash([5 * px, 4 * px]);
    for (const sigma of [1, 2, 3]) {
      ctx.globalAlpha = 0.6;
      ctx.beginPath();
      ctx.arc(at(0), at(0), sigma * scale, 0, 2 * Math.PI);
      ctx.stroke();
      ctx.globalAlpha = 1;
      if (sigma * scale > 14 * px) this.write(ctx, `${sigma}σ`, at(0) + 3 * px, at(-sigma) - 3 * px);
    }
    ctx.setLineDash([]);
    ctx.textAlign = "right";
    for (const v of ticks(reach)) {
      this.write(ctx, label(v), at(v) - 2 * px, side - 5 * px);
      if (v !== 0) this.write(ctx, label(v), side - 4 * px, at(-v) + 4 * px);
    }
    ctx.textAlign = "left";
    const [across, up] = this.axes;
    this.write(ctx, `${across} →`, 5 * px, side - 22 * px);
    if (up) this.write(ctx, `${up} ↑`, 5 * px, 17 * px);
  }

  /** Text that stays readable over pictures and codes. */
  write(ctx, text, x, y) {
    const px = devicePixelRatio;
    ctx.save();
    ctx.globalAlpha = 1;
    ctx.setLineDash([]);
    ctx.lineWidth = 3 * px;
    ctx.lineJoin = "round";
    ctx.strokeStyle = this.colours.background;
    ctx.strokeText(text, x, y);
    ctx.fillText(text, x, y);
    ctx.restore();
  }

  drawCodes(ctx, side, at) {
    const { xy, xyUnit, labels } = this.snapshot;
    const px = devicePixelRatio;
    const size = Math.max(1.6, side / 260);
    const sums = Array.from({ length: 10 }, () => [0, 0, 0]);
    let outside = 0;
    ctx.globalAlpha = this.alpha;
    for (let digit = 0; digit < 10; digit++) {
      ctx.fillStyle = this.colours.classes[digit];
      for (let i = 0; i < labels.data.length; i++) {
        if (labels.data[i] !== digit) continue;
        const x = xy.data[2 * i] * xyUnit,
          y = xy.data[2 * i + 1] * xyUnit;
        const left = at(x),
          top = at(-y);
        if (left < 0 || left > side || top < 0 || top > side) outside++;
        else ctx.fillRect(left - size / 2, top - size / 2, size, size);
        const sum = sums[digit];
        sum[0] += x;
        sum[1] += y;
        sum[2]++;
      }
    }
    ctx.globalAlpha = 1;
    ctx.font = `bold ${17 * px}px sans-serif`;
    ctx.textAlign = "center";
    ctx.lineWidth = 4 * px;
    ctx.lineJoin = "round";
    sums.forEach(([x, y, n], digit) => {
      if (!n) return;
      ctx.strokeStyle = this.colours.background;
      ctx.fillStyle = this.colours.classes[digit];
      ctx.strokeText(digit, at(x / n), at(-y / n) + 6 * px);
      ctx.fillText(digit, at(x / n), at(-y / n) + 6 * px);
    });
    ctx.textAlign = "left";
    this.note.textContent = outside
      ? `${outside.toLocaleString("en")} of ${labels.data.length.toLocaleString("en")} codes lie outside the frame.`
      : "";
  }

  destroy() {
    this.observer.disconnect();
  }
}

function ticks(reach) {
  const step =
    [1, 2, 5].map((m) => m * 10 ** Math.floor(Math.log10(reach / 2))).find((s) => reach / s <= 5) ?? reach / 2;
  const result = [];
  for (let v = -Math.floor(reach / step) * step; v <= reach; v += step) if (Math.abs(v) < 0.999 * reach) result.push(v);
  return result;
}

const label = (v) => (Math.abs(v) < 1e-9 ? "0" : String(Number(v.toPrecision(3))).replace("-", "−"));
