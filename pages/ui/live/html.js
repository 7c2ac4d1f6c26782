// What the live view is made of: its curves by name, and its elements.

/** The curves of a family: its terms, what they are bound by, and the loss. @param {Family} family */
export function seriesOf({ terms, bound }) {
  const shown = bound ? [{ name: "negElbo", label: "−ELBO", colour: "total" }, ...terms] : terms;
  const curves = (kind, ends = false) =>
    shown.map((s) => ({
      ...s,
      name: `${kind}.${s.name}`,
      label: `${kind} ${s.label}`,
      kind,
      end: ends ? s.label : "",
    }));
  return [
    { name: "train.loss", label: "loss minimised", colour: "text", kind: "loss", end: "loss minimised" },
    ...curves("train", true),
    ...curves("test"),
  ];
}

/** Of so many charts one below the other, or side by side on the projector: in rem. */
export const heightsOf = (count, present) =>
  present ? [5.8, 5.8, 5.8] : [[19.8], [10.5, 8], [8, 6.2, 6.2]][count - 1];

/** Curves of what is recorded of the pixels of test images, or of their codes. @param {Family} family */
export const scalesOf = ({ scales }) => scales.map((s) => ({ ...s, name: `test.${s.name}`, kind: "test" }));

/** @param {Family} family */
export const scaleNamesOf = ({ scales }) =>
  scales
    .map(({ name, label, colour }) => `<b class="${colour}">${label} <output data-part="${name}">–</output></b>`)
    .join(" · ");

/** What these are of, and its whole text. @param {Family} family */
export const scaleNoteOf = ({ scales, codebook }) =>
  scales[0]?.unit
    ? [
        `of ${codebook} codes, test`,
        "As how many codes they count, used as unevenly as they are: exp of their entropy.",
      ]
    : ["of a pixel, test", "Sigma of p(x | z), and the root mean square error of x̂; of full scale."];

/** In what its terms are counted: "nats", and of which terms in something else. @param {Family} family */
export function unitOf({ terms }) {
  const others = terms.filter(({ unit }) => unit);
  return others.length ? `nats; ${others.map(({ label }) => label).join(", ")}: ${others[0].unit}` : "nats";
}

/** The figures of a family in a row: −ELBO = reconstruction + KL. @param {Family} family */
export function headerOf(family) {
  const { terms, bound, scales } = family,
    unit = unitOf(family);
  const figure = ({ name, label, colour }) =>
    `<b class="${colour}">${label} <output data-part="${name}">–</output></b>`;
  const sign = (text) => `<b class="equals">${text}</b>`;
  const sum = terms.map(figure).join(sign(bound ? "+" : "·"));
  const total = bound ? figure({ name: "negElbo", label: "−ELBO", colour: "total" }) + sign("=") : "";
  const density = scales.some(({ unit: own }) => !own)
    ? ' title="Of a density, which may exceed 1: nll and −ELBO may fall below 0."'
    : "";
  return `${total}${sum}<span class="unit"${density}>${unit} per image, <span data-count>5,000</span> test images, K = 1 ↓ down is good</span>`;
}

export const HTML = `
<header data-part="header"></header>
<div class="state">
  <span class="status" data-part="status">…</span>
  <span class="track" role="progressbar" aria-label="training progress" data-part="track"><i></i></span>
  <span data-part="progress"></span>
  <span data-part="speedNow"></span>
</div>
<div class="scrubber">
  <button data-part="play" aria-label="play the film">▶</button>
  <input type="range" min="0" max="0" value="0" data-part="scrub" aria-label="moment of the run">
  <output data-part="moment">now</output>
  <button data-part="toLive" disabled>back to now</button>
  <label>speed <select data-part="speed"><option value="0.5">½</option><option value="1" selected>1</option><option value="2">2</option><option value="4">4</option></select></label>
  <label><input type="checkbox" data-part="loop"> loop</label>
</div>
<p class="message" role="alert" data-part="message" hidden></p>
<p class="diagnosis"><b data-part="diagnosisName"></b> <span data-part="diagnosis"></span> <button data-part="why" aria-expanded="false">What does that mean?</button> <span class="explained" data-part="explained" hidden></span></p>
<section class="slow" data-part="slow" aria-label="one batch in slow motion" hidden></section>
<h2 class="spoken">The run</h2>
<section class="card curves">
  <div>
    <h3>Loss terms <small>thick: test, thin: train</small></h3>
    <div data-part="all"></div>
  </div>
  <div data-part="klCard">
    <h3><b class="kl">KL</b> on its own axis</h3>
    <div data-part="klOnly"></div>
  </div>
  <div data-part="scaleCard" hidden>
    <h3><span data-part="scaleNames"></span> <small data-part="scaleNote"></small></h3>
    <div data-part="scaleOnly"></div>
  </div>
  <ul class="marks" aria-label="changes during the run" data-part="marks"></ul>
</section>
<section class="card pictures">
  <h3>Originals <small data-part="which">one of each class</small></h3>
  <canvas class="images" width="140" height="56" data-part="originals" role="img" aria-label="ten test images"></canvas>
  <div data-part="inputsCard" hidden>
    <h3>What the encoder saw</h3>
    <canvas class="images" data-part="inputs" role="img" aria-label="the same images with the noise that the encoder saw"></canvas>
  </div>
  <h3>Reconstructions <small data-part="fromWhat">from a sample of z</small></h3>
  <canvas class="images" width="140" height="56" data-part="reconstructions" role="img" aria-label="their reconstructions"></canvas>
  <div data-part="codesCard" hidden>
    <h3>Code maps <small data-part="usage"></small></h3>
    <canvas class="images" data-part="code_maps" role="img" aria-label="the code map of each of these images, a colour for each code"></canvas>
  </div>
  <div data-part="sigmasCard" hidden>
    <h3>Sigma of each pixel <small>black 0, white 0.5</small></h3>
    <canvas class="images" data-part="sigmas" role="img" aria-label="the sigma of each pixel of these reconstructions"></canvas>
  </div>
  <h3 data-part="drawsTitle"><span class="tabs" data-part="tabs"><button data-show="draws" aria-pressed="true">Prior draws</button><button data-show="grid" aria-pressed="false">Grid</button></span> <small data-part="tabNote" aria-live="polite">z ~ N(0, I)</small></h3>
  <canvas class="images" width="140" height="56" data-part="prior_draws" role="img" aria-label="decoded draws from the prior"></canvas>
  <canvas class="images" data-part="grid" hidden tabindex="0" role="img" aria-label="decoded grid at prior quantiles; click a cell, or move with the arrow keys, to find it on the map"></canvas>
</section>
<section class="card map" data-part="mapCard">
  <h3>Latent map <small data-part="plane"></small></h3>
  <canvas class="square" data-part="map" role="img" aria-label="latent codes of test images, coloured by class"></canvas>
  <p class="note">
    <label><input type="checkbox" data-part="automatic"> automatic axes</label>
    <span data-part="std">mean posterior std <output data-part="meanStd">–</output></span>
  </p>
  <p class="note"><span>Axes in units of the prior's std.</span> <span data-part="outside"></span></p>
  <div data-part="barsCard">
    <h3><b class="kl">KL</b> per dimension <small><output data-part="active">–</output></small></h3>
    <svg data-part="bars" role="img" aria-label="KL per latent dimension"></svg>
  </div>
</section>
<section class="compared" data-part="compared" aria-label="compared runs"></section>`;
