// The elements of the way Interpolate.

export const HTML = `
<div class="row"><div class="stops" data-part="stops"></div> <small role="status" data-part="hint"></small></div>
<div class="row">
  <button data-part="anew" aria-pressed="false">New path</button>
  <button data-part="undo" disabled>↶ Undo</button>
  <button data-part="random">Two random images</button>
  <span class="row" role="group" aria-label="shape of the path">
    <button data-shape="straight">Straight</button>
    <button data-shape="spherical" title="Direction and length of z change evenly: slerp">Spherical</button>
  </span>
  <label><input type="checkbox" data-part="compare"> plain autoencoder</label>
</div>
<div class="scroll"><div class="inner" data-part="inner">
  <section class="lane" data-part="main"></section>
  <section class="lane" data-part="twin" hidden></section>
  <div class="seek"><input type="range" min="0" step="1" data-part="seek" aria-label="place on the path"></div>
</div></div>
<p class="row"><button data-part="play" aria-pressed="false">▶ Play</button> <b>t = <output data-part="t"></output></b> <span data-part="without" hidden></span></p>
<div class="both">
  <div class="now"><h3>At t</h3><div class="figures" data-part="now"></div></div>
  <div class="half" data-part="half"></div>
</div>
<p><small>Under each picture: from z to the nearest code of the test images, over the near radius of that model; bold beyond 1: a gap, no code is near. <span data-part="rule"></span> Then: from the picture to the nearest test image, root mean square, of full scale. <span data-part="yardstick"></span></small></p>`;
