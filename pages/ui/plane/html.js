// The elements of the view.

export const HTML = `
<header>
  <b class="total">ELBO <output data-part="elbo">–</output></b> +
  <b class="gap">gap <output data-part="gap">–</output></b> =
  <b>log p(x) <output data-part="logP">–</output></b>
  <small data-part="what">nats per point</small>
</header>
<div class="state">
  <span class="status" data-part="status">not begun</span>
  <span class="track" role="progressbar" aria-label="training progress" data-part="track"><i></i></span>
  <span data-part="progress"></span>
  <button data-part="play" aria-label="play the film">▶</button>
  <input type="range" min="0" max="0" value="0" data-part="scrub" aria-label="moment of the run">
  <output data-part="moment">now</output>
  <button data-part="toLive" disabled>back to now</button>
  <select data-part="speed" aria-label="speed of the film"><option value="0.5">½</option><option value="1" selected>1</option><option value="2">2</option></select>
  <label><input type="checkbox" data-part="loop"> loop</label>
</div>
<p class="message" role="alert" data-part="message" hidden></p>
<section class="plane">
  <canvas class="square" data-part="plane" tabindex="0" role="application" aria-label="the plane of x; click a point or move with the arrow keys"></canvas>
  <p class="key">
    <label><input type="checkbox" data-part="map" checked> <i class="ramp"></i> log p(x) <output data-part="ends"></output></label>
    <label class="decoder"><input type="checkbox" data-part="decoder" checked> x̂(z)</label>
    <label class="samples"><input type="checkbox" data-part="samples" checked> samples of the model</label>
  </p>
</section>
<section class="beside">
  <canvas data-part="curves" role="img" aria-label="ELBO and log p(x) by step"></canvas>
  <p class="one" role="status" aria-live="polite"><span data-part="x">Choose a point.</span>
    <b class="total" hidden>ELBO <output data-part="oneElbo"></output></b> <b class="gap" hidden>gap <output data-part="oneGap"></output></b> <b hidden>log p(x) <output data-part="oneLogP"></output></b></p>
  <canvas data-part="posterior" role="img" aria-label="q(z | x) and the exact posterior of the chosen point"></canvas>
  <p class="key"><span><i class="grey"></i> p(z | x), exact</span> <span class="kl"><i class="line"></i> q(z | x)</span></p>
</section>`;
