// KL per latent dimension as bars: filled where the unit is active, an outline where not. Where the meter has split it, the
// upper part of a bar is pale: the KL of the codes as a whole, which tells nothing about the image.

const [LEFT, HEIGHT, TOP] = [38, 56, 8];

/** Bars into an svg of so many units across; top: of the axis; a number under every so many bars. */
export function drawKlBars(svg, { kl_dims: { data }, active, meter }, { top, width, every }) {
  const slot = (width - LEFT) / data.length;
  const parts = [0, top / 2, top].map((v) => {
    const y = TOP + HEIGHT * (1 - v / top);
    return `<line class="grid" x1="${LEFT}" x2="${width}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 5}" y="${y + 4.5}" text-anchor="end">${Number(v.toPrecision(2))}</text>`;
  });
  parts.push(`<text class="tick" x="0" y="${TOP + HEIGHT + 17}">nats</text>`);
  data.forEach((value, d) => {
    const height = Math.max(1, (HEIGHT * value) / top),
      x = LEFT + (d + 0.15) * slot;
    const information = meter?.information_dims?.[d];
    const pale = information == null ? 0 : (HEIGHT * Math.max(0, value - Math.max(0, information))) / top;
    const bar = (kind, tall) =>
      `<rect class="${kind}" x="${x}" y="${TOP + HEIGHT - height}" width="${0.7 * slot}" height="${tall}"><title>dimension ${d + 1}: ${value.toFixed(3)} nats${splitWords(meter, d)}</title></rect>`;
    parts.push(bar(active.data[d] ? "active" : "inactive", height));
    if (pale && active.data[d]) parts.push(bar("marginal", pale));
    if (d % every === 0)
      parts.push(
        `<text class="tick" x="${x + 0.35 * slot}" y="${TOP + HEIGHT + 17}" text-anchor="middle">${d + 1}</text>`,
      );
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${TOP + HEIGHT + 20}`);
  svg.innerHTML = parts.join("");
}

/** What the KL of a dimension is made of, if that is known. */
function splitWords(meter, d) {
  const information = meter?.information_dims?.[d];
  if (information == null) return "";
  return `, of them I(n; z${d + 1}) ${information.toFixed(2)} ± ${meter.information_dims_error[d].toFixed(2)}`;
}

/** How many units are active, of how many. */
export const activeOf = ({ active }) => `${active.data.reduce((n, a) => n + a, 0)} of ${active.data.length} active`;
