// Small grey images: rows of 28 × 28 pixels in one canvas, and bars of KL per latent dimension.

const SIDE = 28;

/** Draw images into a canvas, `perRow` to a row. `images`: { shape: [n, 28, 28], data } */
export function drawImages(canvas, images, perRow) {
  const count = images.shape[0],
    width = perRow * SIDE,
    height = Math.ceil(count / perRow) * SIDE;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const ctx = canvas.getContext("2d");
  const picture = ctx.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer); // one write a pixel: grey, and opaque
  for (let i = 0, at = 0; i < count; i++) {
    const corner = Math.floor(i / perRow) * SIDE * width + (i % perRow) * SIDE;
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0, to = corner + y * width; x < SIDE; x++)
        pixels[to++] = 0xff000000 | (images.data[at++] * 0x010101);
    }
  }
  ctx.putImageData(picture, 0, 0);
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
    parts.push(
      `<rect class="${active.data[d] ? "active" : "inactive"}" x="${x}" y="${height - size + 8}" width="${slot * 0.7}" height="${size}"><title>dimension ${d + 1}: ${v.toFixed(3)} nats</title></rect>`,
    );
    if (values.length <= 16 || d % 4 === 0)
      parts.push(`<text class="tick" x="${x + slot * 0.35}" y="${height + 22}" text-anchor="middle">${d + 1}</text>`);
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${height + 26}`);
  svg.innerHTML = parts.join("");
  return [active.data.reduce((n, a) => n + a, 0), values.length];
}

function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= value);
}
