// The frame of the explorer: the map, the picture under the pointer, and a section for every way.

export const ROOT = `
<div class="message" role="status" data-part="message"><span data-part="words">Fetching the model…</span> <progress data-part="bar" max="1" aria-label="the model" hidden></progress> <button data-part="retry" hidden>Try again</button></div>
<div class="stage" data-part="stage" hidden>
  <figure class="mapBox">
    <div class="map">
      <canvas class="square" data-part="map" role="img"></canvas>
      <canvas class="over" data-part="over" tabindex="0" role="application" aria-label="latent map: arrow keys move z by 0.1, with Shift by 0.01, Enter pins z or takes the nearest code, Home goes to 0, Backspace goes back"></canvas>
    </div>
    <figcaption>
      <div class="row">
        <span data-part="axes" hidden><label>Plane <select data-part="across" aria-label="across"></select></label> <label>× <select data-part="up" aria-label="upwards"></select></label></span>
        <label><input type="checkbox" data-part="grid"> decoded grid</label>
        <label title="1 std, 200 images at most"><input type="checkbox" data-part="ellipses"> posterior ellipses</label>
        <label><input type="checkbox" data-part="automatic"> automatic axes</label>
      </div>
      <p class="warning" data-part="warning" hidden>Automatic axes: sizes no longer compare between models.</p>
      <p data-part="held"></p>
      <p data-part="note"></p>
    </figcaption>
  </figure>
  <div class="side">
    <section class="decoded" aria-label="the decoder's picture at z">
      <figure class="picture"><canvas class="images" data-part="decoded" width="28" height="28" role="img" aria-label="the decoder's mean at z"></canvas><figcaption data-part="from">x̂ decoded at z</figcaption></figure>
      <div class="reading">
        <p><b>z = <output data-part="z"></output></b> <output data-part="shares"></output></p>
        <p><b data-part="place"></b></p>
      </div>
      <div class="more">
        <p data-part="density"></p>
        <div class="near"><canvas class="images" data-part="near" height="28" role="img" aria-label="the nearest test images"></canvas><p data-part="nearText"></p></div>
      </div>
    </section>
    <div data-part="ways"></div>
    <div class="row files" data-part="files"></div>
  </div>
</div>`;
