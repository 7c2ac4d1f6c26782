// The frame of the way Labels: one z under all of them, and an image told a wrong one.

export const HTML = `
<h3>One z, ten labels</h3>
<div data-part="ten"></div>
<h3>A wrong label on purpose</h3>
<div class="row" role="group" aria-label="which test image">
  <span>Test image</span><span class="chips" data-part="chips"></span> <button data-part="another">Another</button>
</div>
<div class="row" role="group" aria-label="what the encoder is told">
  <span>Encoder told</span><button data-told="own">the right label</button><button data-told="same">the decoder’s</button>
</div>
<div class="told"><figure><canvas class="images" data-part="x" width="28" height="28" role="img"></canvas><figcaption><b>x</b> <span data-part="source"></span></figcaption></figure>
<div data-part="wrong"></div></div>
<p><b data-part="said"></b></p>
<p><small data-part="how"></small></p>`;
