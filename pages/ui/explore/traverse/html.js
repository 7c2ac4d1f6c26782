// The elements of the way Traverse.

export const HTML = `
<div class="row">
  <label>from −<output data-part="low"></output> to <output data-part="high"></output> σ <input type="range" data-part="reach" min="1" max="4" step="0.5" aria-label="reach, in prior standard deviations"></label>
  <label>pictures <select data-part="steps" aria-label="pictures in a row"><option>7</option><option>9</option><option>11</option><option>13</option></select></label>
  <label>move along <select data-part="latent" aria-label="latent to move along"></select></label>
  <button data-part="play" aria-pressed="false">▶ Play</button>
</div>
<div class="row">
  <canvas class="images small" data-part="image" width="28" height="28" role="img" hidden></canvas>
  <span>Base ▲: <b data-part="base"></b></span>
  <button data-part="toZ">Use z</button>
  <label>test image <input type="number" data-part="index" min="0" step="1"></label>
  <small>A code on the map is a test image: click it.</small>
</div>
<div class="latents" data-part="all">
  <div class="latent head"><span></span><div class="values" data-part="values"></div><small>ends differ by</small></div>
  <div data-part="active" class="latents"></div>
  <details data-part="folded"><summary data-part="summary"></summary><div data-part="inactive" class="latents"></div></details>
</div>
<p data-part="note"></p>`;
