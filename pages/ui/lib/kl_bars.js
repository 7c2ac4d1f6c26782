// KL per latent dimension as bars: filled where the unit is active, an outline where not.

const [LEFT, HEIGHT, TOP] = [38, 56, 8];

/** Bars into an svg of so many units across; top: of the axis; a number under every so many bars. */
export function drawKlBars(svg, { kl_dims: { data }, active }, { top, width, every }) {
  const slot = (width - LEFT) / data.length;
  const parts = [0, top / 2, top].map((v) => {
    const y = TOP + HEIGHT * (1 - v / top);
    return `<line class="grid" x1="${LEFT}" x2="${width}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 5}" y="${y + 4.5}" text-anchor="end">${Number(v.toPrecision(2))}</text>`;
  });
  parts.push(`<text class="tick" x="0" y="${TOP + HEIGHT + 17}">nats</text>`);
  data.forEach((value, d) => {
    const height = Math.max(1, (HEIGHT * value) / top),
      x = LEFT + (d + 0.15) * slot;
    parts.push(
      `<rect class="${active.data[d] ? "active" : "inactive"}" x="${x}" y="${TOP + HEIGHT - height}" width="${0.7 * slot}" height="${height}"><title>dimension ${d + 1}: ${value.toFixed(3)} nats</title></rect>`,
    );
    if (d % every === 0)
      parts.push(
        `<text class="tick" x="${x + 0.35 * slot}" y="${TOP + HEIGHT + 17}" text-anchor="middle">${d + 1}</text>`,
      );
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${TOP + HEIGHT + 20}`);
  svg.innerHTML = parts.join("");
}

/** How many units are active, of how many. */
export const activeOf = ({ active }) => `${active.data.reduce((n, a) => n + a, 0)} of ${active.data.length} active`;
