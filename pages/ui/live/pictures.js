// Small grey images: rows of 28 × 28 pixels in one canvas, and bars of KL per latent dimension.

const SIDE = 28;

/** Draw images into a canvas, `perRow` to a row. `images`: { shape: [n, 28, 28], data } */
export function drawImages(canvas, images, perRow) {
  const count = images.shape[0];
  canvas.width = perRow * SIDE;
  canvas.height = Math.ceil(count / perRow) * SIDE;
  const ctx = canvas.getContext("2d");
  for (let i = 0; i < count; i++) {
    const picture = ctx.createImageData(SIDE, SIDE);
    for (let p = 0; p < SIDE * SIDE; p++) {
      const grey = images.data[i * SIDE * SIDE + p];
      picture.data.set([grey, grey, grey, 255], 4 * p);
    }
    ctx.putImageData(picture, (i % perRow) * SIDE, Math.floor(i / perRow) * SIDE);
  }
}

/** KL per dimension as bars: filled when active, an outline when not. Returns [active, all]. */
export function drawBars(svg, klDims, active) {
  const values = Array.from(klDims.data);
  const top = niceTop(Math.max(...values, 0.1));
  const [left, width, height] = [30, 290, 58];
  const slot = (width - left) / values.length;
  const parts = [0, top / 2, top].map((v) => {
    const y = height * (1 - v / top) + 8;
    return `<line class="grid" x1="${left}" x2="${width}" y1="${y}" y2="${y}"/><text class="tick" x="${left - 6}" y="${y + 5}" text-anchor="end">${Number(v.toPrecision(2))}</text>`;
  });
  parts.push(`<text class="tick" x="0" y="${height + 22}">nats</text>`);
  values.forEach((v, d) => {
    const size = Math.max((height * v) / top, 1);
    const x = left + d * slot + slot * 0.15;
    parts.push(`<rect class="${active.data[d] ? "active" : "inactive"}" x="${x}" y="${height - size + 8}" width="${slot * 0.7}" height="${size}"><title>dimension ${d + 1}: ${v.toFixed(3)} nats</title></rect>`);
    if (values.length <= 16 || d % 4 === 0) parts.push(`<text class="tick" x="${x + slot * 0.35}" y="${height + 22}" text-anchor="middle">${d + 1}</text>`);
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${height + 26}`);
  svg.innerHTML = parts.join("");
  return [active.data.reduce((n, a) => n + a, 0), values.length];
}

function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= value);
}
