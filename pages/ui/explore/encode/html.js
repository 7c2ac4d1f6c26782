// The frame of the way Encode: where the image comes from, what the model makes of it, and its samples.

export const HTML = `
<div class="row" role="group" aria-label="where the image comes from">
  <span>Test image</span><span class="chips" data-part="chips"></span>
  <button data-part="another">Another</button>
  <button data-part="mine" aria-pressed="false">My picture</button>
</div>
<div class="sides">
  <figure class="draw">
    <div class="paper"><canvas data-part="paper" tabindex="0" role="application" aria-label="draw here with mouse, finger or pen; Control and Z takes the last stroke back"></canvas><span data-part="hint" aria-hidden="true"></span></div>
    <figcaption class="row"><button data-part="undo">↶ Undo stroke</button><button data-part="clear">Clear</button></figcaption>
  </figure>
  <div class="seen">
    <p data-part="empty" hidden>Nothing is drawn yet: draw on the black square, or choose a test image.</p>
    <div class="three" data-part="three">
      <figure><canvas class="images" data-part="x" width="28" height="28" role="img" aria-label="the image as the model sees it"></canvas><figcaption><b>x</b> <span data-part="source"></span></figcaption></figure>
      <figure><button class="look" title="show it big" data-part="lookMu"><canvas class="images" data-part="fromMu" width="28" height="28" role="img" aria-label="decoded from mu"></canvas></button><figcaption><b>from mu</b><br><span class="reconstruction" data-part="nllMu"></span></figcaption></figure>
      <figure data-part="sampleBox"><button class="look" title="show it big" data-part="lookSample"><canvas class="images" data-part="fromSample" width="28" height="28" role="img" aria-label="decoded from a sample"></canvas></button><figcaption><b>from a sample</b><br><span class="reconstruction" data-part="nllSample"></span></figcaption></figure>
    </div>
    <div data-part="said">
      <p class="terms" data-part="terms"><b class="kl" data-part="kl"></b> <span data-part="sum"></span></p>
      <p><output data-part="mu"></output>&ensp; <output data-part="std"></output></p>
      <p><b data-part="classes"></b></p>
      <p class="warning" data-part="lonely" hidden></p>
    </div>
  </div>
</div>
<div class="sides" data-part="cloud">
  <figure><canvas class="zoom" data-part="zoom" role="img" aria-label="mu, its ellipses and the samples, enlarged"></canvas><figcaption data-part="window"></figcaption></figure>
  <div class="way">
    <div class="row"><h3>16 samples, decoded: each “from a sample”</h3> <button data-part="anew">New eps</button> <span>seed <output data-part="seed"></output></span></div>
    <div data-part="sheet"></div>
    <p><small data-part="how"></small></p>
  </div>
</div>
<p data-part="plain" hidden>An autoencoder gives one code for an image and no distribution: there is no ellipse, and there are no samples.</p>
<p><small data-part="likelihood"></small></p>
<details data-part="details"><summary data-part="all"></summary><div class="scroll"><table><thead data-part="head"></thead><tbody data-part="rows"></tbody></table></div></details>`;
