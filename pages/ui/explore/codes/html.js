// The frame of the code map: an image, its map, what is decoded from it, the codebook, and draws.

export const ROOT = `
<div class="message" role="status" data-part="message"><span data-part="words">Fetching the model…</span> <button data-part="retry" hidden>Try again</button></div>
<div data-part="stage" hidden>
  <div class="row" role="group" aria-label="next test image of a class"><span data-part="next">Next test image of class</span> <span class="row" data-part="classes"></span></div>
  <div class="codeMaps">
    <figure data-part="originalBox"><canvas class="images" data-part="original" width="28" height="28" role="img" aria-label="the test image"></canvas><figcaption data-part="name"></figcaption></figure>
    <figure><canvas class="codeMap" data-part="map" width="280" height="280" tabindex="0" role="application" aria-label="code map: arrow keys choose a place, plus and minus another code, Delete takes a change back"></canvas><figcaption data-part="place"></figcaption></figure>
    <figure><canvas class="images" data-part="decoded" width="28" height="28" role="img" aria-label="decoded from the code map"></canvas><figcaption><span data-part="nll">x̂ decoded from the map</span> <button data-part="undo" disabled>undo all changes</button></figcaption></figure>
  </div>
  <h3>Codebook <small data-part="usage"></small></h3>
  <div class="codebook" data-part="codebook" role="group" aria-label="codes: choose one for the place"></div>
  <div data-part="priorBox"><h3>Draws from the learned prior <small data-part="bits"></small></h3><div class="draws" data-part="prior"></div></div>
  <h3>Uniform codes <small data-part="uniformBits"></small></h3>
  <div class="draws" data-part="uniform"></div>
  <p data-part="noPrior">No prior was learned for this model: python -m vae_core.code_prior does so for a checkpoint.</p>
</div>`;
