// The skeletons of the arms view: the strip above the arms, one arm, the table below.

import { MAPS } from "./words.js";

export const ROWS = [
  ["map", "Map"],
  ["pictures", "Reconstructions"],
  ["draws", "Prior draws"],
  ["grid", "Grid"],
  ["curves", "Curves"],
  ["pulls", "Tug of war"],
  ["meter", "KL per dimension"],
  ["table", "Table"],
];

const digits = Array.from(
  { length: 10 },
  (_, i) => `<button data-point="${i}" aria-pressed="false" aria-label="image of the digit ${i}">${i}</button>`,
).join("");
const chips = ROWS.map(([key, label]) => `<button data-chip="${key}" aria-pressed="true">${label}</button>`).join("");

export const ROOT = `
<div class="scrubber" data-part="scrubber">
  <button data-part="play" aria-label="play the film">▶</button>
  <input type="range" data-part="scrub" min="0" max="0" step="1" aria-label="moment of all arms">
  <output data-part="moment">now</output>
  <button data-part="toLive" disabled>now</button>
  <label>speed <select data-part="speed"><option value="0.25">¼</option><option value="0.5">½</option><option value="1" selected>1</option><option value="2">2</option><option value="4">4</option></select></label>
  <label><input type="checkbox" data-part="loop"> loop</label>
</div>
<p class="warning" data-part="warning" hidden>Automatic axes: every map has its own scale now, and that hides the very difference between the arms.</p>
<div class="strip tug" data-part="tug">
  <b>Tug of war</b> <span class="digits" role="group" aria-label="images in the tug of war" data-part="points">${digits}</span>
  <span><b class="reconstruction">−alpha ∂nll/∂mu</b> and <b class="kl">−beta ∂KL/∂mu</b>, one scale for all arms: <output data-part="scale">–</output></span>
</div>
<div class="columns" data-part="columns"></div>
<div class="strip">
  <span class="chips" role="group" aria-label="rows that are shown" data-part="chips">${chips}</span>
  <label><input type="checkbox" data-part="automatic"> automatic axes</label>
  <label><input type="checkbox" data-part="linked" checked> decode in all arms</label>
</div>
<p class="same"><b data-part="same" role="status"></b> <span>${MAPS}</span></p>
<section class="table" data-row="table" aria-label="all figures">
  <h3>All arms <small>5,000 test images · <b>▲ best</b>, <b>▼ worst</b>, <b>∅ unranked: no active unit</b></small> <button data-part="download">Download CSV</button></h3>
  <div class="wide" tabindex="0" role="region" aria-label="table of figures"><table><thead data-part="tableHead"></thead><tbody data-part="tableBody"></tbody></table></div>
</section>`;

export const ARM = `
<header data-row="head" class="box">
  <div class="line"><h3 data-part="name"></h3><span class="status" data-part="status">…</span><span class="buttons"><button data-part="branch" title="go on from this moment as a new arm">Branch</button><button data-part="remove" aria-label="take this arm away" title="take this arm away">✕</button></span></div>
  <div class="line toggles" data-part="toggles">
    <label class="reconstruction"><input type="checkbox" role="switch" data-part="alpha" disabled> reconstruction <output data-part="alphaNow"></output></label>
    <label class="kl"><input type="checkbox" role="switch" data-part="beta" disabled> KL <output data-part="betaNow"></output></label>
  </div>
</header>
<div data-row="map" class="box"><div class="mapRow">
  <figure>
    <div class="map"><canvas class="square" data-part="map" aria-hidden="true"></canvas><canvas class="over" data-part="over" tabindex="0" role="img"></canvas></div>
  </figure>
  <div class="side">
    <p class="numbers"><b class="reconstruction">reconstruction <output data-part="nll">–</output></b> <b class="kl">KL <output data-part="kl">–</output> <small>nats ↓</small></b></p>
    <p class="diagnosis" data-part="diagnosis"></p>
    <p class="says" data-part="says"></p>
    <div class="probe" data-part="probe" hidden>
      <figure><canvas class="images" data-part="decoded" role="img" aria-label="decoded at the point"></canvas><figcaption>decoded</figcaption></figure>
      <figure><canvas class="images" data-part="nearest" role="img" aria-label="nearest test image"></canvas><figcaption>nearest</figcaption></figure>
    </div>
    <p class="origin" data-part="origin" aria-live="polite"></p>
    <p class="caption"><span data-part="caption"></span> <span data-part="outside"></span></p>
    <p class="caption" data-part="details"></p>
  </div>
  <div class="predicted" data-part="predicted" hidden>
    <p data-part="said"></p>
    <p class="later" data-part="came"></p>
    <p class="later"><b data-part="verdict"></b></p>
    <button class="later" data-part="why" aria-expanded="false">Why</button>
  </div>
  <p class="because" data-part="because" hidden></p>
</div></div>
<div class="box both"><div>
  <div data-row="pictures">
    <h4>Images and copies <small data-part="from"></small></h4>
    <canvas class="images pick" data-part="reconstructions" role="img" aria-label="ten test images, one of each class, each above its reconstruction; a click takes one into the tug of war"></canvas>
  </div>
  <div data-row="draws">
    <h4>Prior draws</h4>
    <canvas class="images" data-part="prior_draws" role="img" aria-label="pictures decoded from draws of the prior, of the same z in all arms"></canvas>
  </div>
</div></div>
<div data-row="grid">
  <h4>Decoded grid <small data-part="gridNote"></small></h4>
  <canvas class="images" data-part="grid" role="img" aria-label="decoded grid at prior quantiles"></canvas>
</div>
<div data-row="curves">
  <h4 class="reconstruction">Reconstruction <small>thick: test, thin: train</small></h4>
  <div class="plot" data-part="nllPlot"></div>
  <h4 class="kl">KL <small data-part="klNote"></small></h4>
  <div class="plot" data-part="klPlot"></div>
  <ul class="marks" data-part="marks" aria-label="changes during the run"></ul>
</div>
<div data-row="pulls">
  <h4>Pulls on mu <small>nats per unit</small></h4>
  <table class="pulls"><thead><tr><th scope="col">digit</th><th scope="col" class="reconstruction">reconstruction</th><th scope="col" class="kl">KL</th></tr></thead><tbody data-part="magnitudes"></tbody></table>
  <h4>Pulls on log_var <small data-part="logVarNote"></small></h4>
  <svg data-part="logVar" role="img" aria-label="pulls of both terms on the log variances"></svg>
</div>
<div data-row="meter">
  <h4><span class="kl">KL</span> per dimension <small><output data-part="active"></output></small></h4>
  <svg data-part="bars" role="img" aria-label="KL per latent dimension"></svg>
</div>`;
