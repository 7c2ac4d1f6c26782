// The frame of the bound, filled by view.js.

export const HTML = `
<header>
  <div class="switch views" role="group" aria-label="view" data-part="views"><button data-view="near">around the posterior</button><button data-view="q">around q</button><button data-view="prior">whole prior</button></div>
  <div class="switch" role="group" aria-label="family of q" data-part="families"><button data-family="meanField">mean-field</button><button data-family="full">full covariance</button></div>
  <div class="switch" role="group" aria-label="model" data-part="modes"><button data-mode="image">This image</button><button data-mode="line">1-D model</button></div>
</header>
<p class="model" data-part="model" hidden></p>
<section class="picture">
  <div class="plane" data-part="plane"></div>
  <div class="line" data-part="line" hidden></div>
  <p class="note"><span><b class="kl">q:</b> mu <output data-part="mu"></output></span> <span>std <output data-part="std"></output></span> <span data-part="correlation" hidden>correlation <output data-part="rho"></output></span></p>
  <p class="note" data-part="imageKey"><span><i class="key grey"></i> p(z | x), the true posterior<span data-part="shading"></span></span> <span><i class="key ring"></i> q at 1 and 2 std</span> <span><i class="key dash"></i> prior at 1, 2, 3 std</span></p>
  <p class="note" data-part="lineKey" hidden><span><i class="key grey"></i> p(z | x), exact</span> <span><i class="key ring"></i> q</span> <span><i class="key dash"></i> prior</span></p>
  <p class="note how" data-part="how"></p>
</section>
<section class="sums">
  <div data-part="bars"></div>
  <p class="check" data-part="check"></p>
  <div class="buttons"><button class="main" data-part="optimise">Optimise q</button><button data-part="encoder">Encoder’s q</button><button data-part="prior">q = prior</button><canvas class="given" data-part="image" width="28" height="28" role="img"></canvas></div>
  <p class="pay" data-part="pay">Like pay: total = base + bonus, and a bonus is never below zero, so the base alone is a safe promise. The ELBO is the base.</p>
  <p class="choice" data-part="choice" hidden></p>
  <div class="progress" data-part="progress" hidden>
    <div data-part="trace"></div>
    <div class="gaps" role="status"><p data-part="found"></p><p data-part="sides"></p><p data-part="parts"></p><button data-part="toBest" hidden>Go to the best q</button></div>
  </div>
  <p class="doubts" role="note" data-part="doubts" hidden></p>
</section>`;
